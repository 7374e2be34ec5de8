import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { applyCatalogDelta } from '../../reconcilers/blobs/catalog-delta.ts'
import type { Log } from '../../runtime/log.ts'
import type { FileIo } from '../file-io.ts'

/** Blobs as the gateway has them. Both throw when there is no gateway, or no such blob. */
export interface RemoteBlobs {
  blob(digest: string): Promise<Uint8Array>
  /** A version of a catalog, for who has `from`. */
  catalog(digest: string, from: string): Promise<{ readonly bytes: Uint8Array; readonly isDelta: boolean }>
}

/** Pieces of a catalog put together before others get their turn: at most 10,000 lines each. */
const PIECES_AT_ONCE = 64

/** The catalogs and manifests that the Assignment names, kept so that a reboot does not need the gateway. */
export class LocalBlobs {
  readonly #io: FileIo
  readonly #folder: string
  readonly #remote: RemoteBlobs
  readonly #log: Log

  constructor(io: FileIo, folder: string, remote: RemoteBlobs, log: Log) {
    this.#io = io
    this.#folder = folder
    this.#remote = remote
    this.#log = log
  }

  /**
   * The blob, from disk or else from the gateway; its bytes are those that the digest names. `previous`: another version of the same catalog: where that is on disk, only
   * what changed since is fetched.
   */
  async get(digest: string, previous?: string): Promise<Uint8Array> {
    const local = await this.local(digest)
    if (local) return local
    const bytes = (await this.#fromPrevious(digest, previous)) ?? (await this.#remote.blob(digest))
    if (digestOf(bytes) !== digest) throw new Error(`the gateway sent other bytes for blob ${digest}`)
    try {
      await this.#io.replaceFile(this.#path(digest), bytes)
    } catch (err) {
      // A full disk must not keep the agent from an Assignment that would make room on it.
      this.#log.warn({ err, digest }, 'cannot keep a blob')
    }
    return bytes
  }

  /** Undefined where that cannot be done, or leads to other bytes: then the whole must be fetched. */
  async #fromPrevious(digest: string, previous: string | undefined): Promise<Uint8Array | undefined> {
    const old = previous === undefined ? undefined : await this.local(previous)
    if (!old || previous === undefined) return undefined
    const { bytes, isDelta } = await this.#remote.catalog(digest, previous)
    if (!isDelta) return bytes
    try {
      const pieces: Uint8Array[] = []
      for (const piece of applyCatalogDelta(old, previous, bytes)) {
        pieces.push(piece)
        if (pieces.length % PIECES_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      const whole = Buffer.concat(pieces)
      if (digestOf(whole) === digest) return whole
      this.#log.warn(
        { digest, previous },
        'what changed in a catalog does not lead to its new version; fetching the whole',
      )
    } catch (err) {
      this.#log.warn({ err, digest, previous }, 'cannot use what changed in a catalog; fetching the whole')
    }
    return undefined
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
