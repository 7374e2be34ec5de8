import type { JsonObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import { ApiError } from '../../runtime/errors.ts'
import type { Body } from './change.ts'
import type { Resolved } from './resolve.ts'

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

/** Tells a request that was forbidden to this user from one that admission turned down: both are 403. */
export class Permissions {
  readonly #client: Client
  readonly #signal: AbortSignal
  readonly #known = new Map<string, Promise<boolean>>()

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client
    this.#signal = signal
  }

  /** Whether the user may apply an object: patch it, and create it where it is not there. */
  async mayApply(resolved: Resolved, before: Body | undefined): Promise<boolean> {
    const verbs = before ? ['patch'] : ['patch', 'create']
    const allowed = await Promise.all(verbs.map((verb) => this.may(verb, resolved)))
    return allowed.every(Boolean)
  }

  /** A permission may be for some names only; asked for by name where the one for all is not given. */
  async may(verb: string, { resource, object }: Pick<Resolved, 'resource' | 'object'>): Promise<boolean> {
    const { namespace = '', name = '' } = object.metadata
    const of = { verb, group: resource.group, version: resource.version, resource: resource.plural, namespace }
    return (await this.#ask(of)) || (await this.#ask({ ...of, name }))
  }

  #ask(resourceAttributes: JsonObject): Promise<boolean> {
    const key = JSON.stringify(resourceAttributes)
    let answer = this.#known.get(key)
    if (!answer) {
      answer = this.#review(resourceAttributes)
      this.#known.set(key, answer)
    }
    return answer
  }

  async #review(resourceAttributes: JsonObject): Promise<boolean> {
    try {
      const review = (await this.#client.raw(REVIEWS, {
        method: 'POST',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes },
        },
        signal: this.#signal,
      })) as { status?: { allowed?: boolean } }
      return review.status?.allowed === true
    } catch (error) {
      // Who may not even ask may not do it either.
      if (error instanceof ApiError) return false
      throw error
    }
  }
}
