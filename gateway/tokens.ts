import { createHash, timingSafeEqual } from 'node:crypto'
import { APPLIANCE_LABEL, tokenSecretName } from '../reconcilers/credentials/plan-credentials.ts'
import type { Cache } from '../runtime/cache/cache.ts'
import type { Secret } from '../runtime/client/resource.ts'
import { forbidden, unauthorized } from './http/problem.ts'

/** Shorter ones could be guessed; a Secret that holds one opens nothing. */
const MIN_TOKEN_LENGTH = 16

/** Which token opens which appliance's paths, kept up to date from the Secrets. Only digests of tokens are kept. */
export class Tokens {
  readonly #byAppliance = new Map<string, Buffer>()
  /** Digest, hexadecimal → appliances. */
  readonly #byDigest = new Map<string, Set<string>>()
  readonly #onRevoked: (appliance: string) => void

  /** `onRevoked` is told of an appliance whose token is no longer what it was. */
  constructor(secrets: Pick<Cache<Secret>, 'onChange'>, onRevoked: (appliance: string) => void) {
    this.#onRevoked = onRevoked
    secrets.onChange(({ type, object }) => this.#take(object, type !== 'delete'))
  }

  /** Refuses (401) a request without a token that some appliance has. */
  authenticate(authorization: string | undefined): void {
    this.#known(authorization)
  }

  /** Refuses (401, 403) a request whose token is not that of the appliance. */
  authorize(authorization: string | undefined, appliance: string): void {
    const digest = this.#known(authorization)
    const expected = this.#byAppliance.get(appliance)
    if (!expected || !timingSafeEqual(expected, digest)) {
      throw forbidden(`the token is not that of appliance ${appliance}`)
    }
  }

  /** The digest of a token that some appliance has. Looked up by digest: the time this takes says nothing of the tokens that are known. */
  #known(authorization: string | undefined): Buffer {
    const token = /^Bearer +([^ ]+)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) throw unauthorized('a bearer token is needed')
    const digest = digestOf(token)
    if (!this.#byDigest.has(digest.toString('hex'))) throw unauthorized('the token is not known, or not any more')
    return digest
  }

  #take({ metadata, data }: Secret, exists: boolean): void {
    const name = metadata.labels?.[APPLIANCE_LABEL]
    if (name === undefined || metadata.name !== tokenSecretName(name)) return
    const appliance = `${metadata.namespace}/${name}`
    const token = exists
      ? Buffer.from(data?.token ?? '', 'base64')
          .toString('utf8')
          .trim()
      : ''
    const digest = token.length >= MIN_TOKEN_LENGTH ? digestOf(token) : undefined
    const before = this.#byAppliance.get(appliance)
    if (before && digest?.equals(before)) return
    if (before) this.#remove(appliance, before)
    if (!digest) return
    this.#byAppliance.set(appliance, digest)
    const hex = digest.toString('hex')
    this.#byDigest.set(hex, (this.#byDigest.get(hex) ?? new Set()).add(appliance))
  }

  #remove(appliance: string, digest: Buffer): void {
    this.#byAppliance.delete(appliance)
    const hex = digest.toString('hex')
    const owners = this.#byDigest.get(hex)
    owners?.delete(appliance)
    if (owners?.size === 0) this.#byDigest.delete(hex)
    this.#onRevoked(appliance)
  }
}

const digestOf = (token: string) => createHash('sha256').update(token).digest()
