import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Log } from '../../runtime/log.ts'
import type { FileIo } from '../file-io.ts'

/** Fetches a blob from the gateway. Throws when there is no gateway, or no such blob. */
export type FetchBlob = (digest: string) => Promise<Uint8Array>

/** The catalogs and manifests that the Assignment names, kept so that a reboot does not need the gateway. */
export class LocalBlobs {
  readonly #io: FileIo
  readonly #folder: string
  readonly #fetch: FetchBlob
  readonly #log: Log

  constructor(io: FileIo, folder: string, fetch: FetchBlob, log: Log) {
    this.#io = io
    this.#folder = folder
    this.#fetch = fetch
    this.#log = log
  }

  /** The blob, from disk or else from the gateway; its bytes are those that the digest names. */
  async get(digest: string): Promise<Uint8Array> {
    const local = await this.local(digest)
    if (local) return local
    const path = this.#path(digest)
    const bytes = await this.#fetch(digest)
    if (digestOf(bytes) !== digest) throw new Error(`the gateway sent other bytes for blob ${digest}`)
    try {
      await this.#io.replaceFile(path, bytes)
    } catch (err) {
      // A full disk must not keep the agent from an Assignment that would make room on it.
      this.#log.warn({ err, digest }, 'cannot keep a blob')
    }
    return bytes
  }

  /** The blob, if it is on disk and its bytes are those that the digest names. */
  async local(digest: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#io.readFile(this.#path(digest))
    return bytes && digestOf(bytes) === digest ? bytes : undefined
  }

  /** Deletes what nothing needs any more. */
  async keepOnly(digests: ReadonlySet<string>): Promise<void> {
    for (const name of await this.#io.list(this.#folder)) {
      if (!digests.has(`sha256:${name}`)) await this.#io.remove(join(this.#folder, name))
    }
  }

  #path(digest: string): string {
    const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1]
    if (hex === undefined) throw new RangeError(`not a digest: ${JSON.stringify(digest)}`)
    return join(this.#folder, hex)
  }
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
