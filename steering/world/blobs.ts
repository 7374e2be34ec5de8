import { decodeFileSet, type FileSetBlob } from '../../reconcilers/blobs/file-set-blob.ts'
import { type BlobStore, digestOf } from '../../runtime/blob-store.ts'

/** Where blobs come from: the store that controllers and gateways share. */
export type SharedBlobs = Pick<BlobStore, 'get' | 'path' | 'has'>

/** Copies that this program keeps, so that it can start without the shared store. */
export type KeptBlobs = Pick<BlobStore, 'put' | 'get' | 'path' | 'has' | 'list' | 'delete'>

/** A blob is in neither place. */
export class BlobMissing extends Error {
  constructor(digest: string) {
    super(`blob ${digest} is not in the store`)
    this.name = 'BlobMissing'
  }
}

/** Copies that are being written at once. */
const MAX_KEEPING = 16

/** Blobs by digest: from the copies, or else from the shared store, and then a copy is kept. */
export class Blobs {
  readonly #shared: SharedBlobs
  readonly #kept: KeptBlobs | undefined
  readonly #onTrouble: (error: Error) => void
  readonly #keeping = new Set<Promise<unknown>>()
  /** Digests asked for since copies began to be deleted; undefined: none are being deleted. */
  #asked: Set<string> | undefined

  /** `onTrouble`: a copy could not be kept; what was asked is answered all the same. */
  constructor(shared: SharedBlobs, kept: KeptBlobs | undefined, onTrouble: (error: Error) => void) {
    this.#shared = shared
    this.#kept = kept
    this.#onTrouble = onTrouble
  }

  /** Throws BlobMissing, an Error where the shared store cannot be read, or a RangeError where the blob is no inventory. */
  async inventory(digest: string): Promise<FileSetBlob> {
    return decodeFileSet(await this.#bytes(digest))
  }

  /** A file with the blob's bytes, which are not checked. Throws as `inventory`. */
  async file(digest: string): Promise<string> {
    this.#asked?.add(digest)
    if (await this.#kept?.has(digest)) return this.#kept!.path(digest)
    if (!this.#kept) {
      if (await this.#shared.has(digest)) return this.#shared.path(digest)
      throw new BlobMissing(digest)
    }
    await this.#bytes(digest)
    await Promise.all(this.#keeping)
    return (await this.#kept.has(digest)) ? this.#kept.path(digest) : this.#shared.path(digest)
  }

  /** Resolves once the copies of everything read so far are on disk. */
  async settled(): Promise<void> {
    await Promise.all(this.#keeping)
  }

  /** Copies of blobs that are not needed are deleted, but for those that are asked for meanwhile. */
  async keepOnly(needed: ReadonlySet<string>): Promise<void> {
    if (!this.#kept) return
    const asked = new Set<string>()
    this.#asked = asked
    try {
      for await (const { digest } of this.#kept.list())
        if (!needed.has(digest) && !asked.has(digest)) await this.#kept.delete(digest)
    } finally {
      this.#asked = undefined
    }
  }

  async #bytes(digest: string): Promise<Buffer> {
    this.#asked?.add(digest)
    const copy = await this.#kept?.get(digest)
    // A disk that was full or lost its power may have left something else.
    if (copy && digestOf(copy) === digest) return copy
    if (copy) await this.#kept!.delete(digest)
    const bytes = await this.#shared.get(digest)
    if (!bytes) throw new BlobMissing(digest)
    if (digestOf(bytes) !== digest) throw new RangeError(`blob ${digest} is damaged`)
    if (this.#kept) await this.#keep(this.#kept, digest, bytes)
    return bytes
  }

  /** Does not wait until the copy is on disk, unless many are on their way there. */
  async #keep(kept: KeptBlobs, digest: string, bytes: Buffer): Promise<void> {
    while (this.#keeping.size >= MAX_KEEPING) await Promise.race(this.#keeping)
    const keeping: Promise<unknown> = kept
      .put(bytes, digest)
      .catch((error: Error) => this.#onTrouble(error))
      .finally(() => this.#keeping.delete(keeping))
    this.#keeping.add(keeping)
  }
}
