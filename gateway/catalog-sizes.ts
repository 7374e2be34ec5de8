import type { BlobStore } from '../runtime/blob-store.ts'

const NEWLINE = 0x0a
/** Catalogs whose size is remembered, the least recently asked for let go: a fleet has a few versions of each at a time. */
const KEPT = 256

/** How many files a catalog numbers. Catalogs never change, so each is gone through once, as it comes from disk. */
export class CatalogSizes {
  readonly #blobs: Pick<BlobStore, 'has' | 'stream'>
  readonly #sizes = new Map<string, Promise<number>>()

  constructor(blobs: Pick<BlobStore, 'has' | 'stream'>) {
    this.#blobs = blobs
  }

  /** Undefined where its blob is not there. Rejects where it cannot be read. */
  async of(digest: string): Promise<number | undefined> {
    let size = this.#sizes.get(digest)
    if (!size && !(await this.#blobs.has(digest))) return undefined
    size ??= this.#sizes.get(digest) ?? this.#count(digest)
    this.#sizes.delete(digest)
    this.#sizes.set(digest, size)
    const [oldest] = this.#sizes.keys()
    if (this.#sizes.size > KEPT) this.#sizes.delete(oldest!)
    size.catch(() => this.#sizes.delete(digest))
    return await size
  }

  /** Lines of the blob, less its header. */
  async #count(digest: string): Promise<number> {
    let lines = 0
    let last = NEWLINE
    for await (const chunk of this.#blobs.stream(digest) as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) lines++
      last = chunk.at(-1) ?? last
    }
    return Math.max(0, lines - (last === NEWLINE ? 1 : 0))
  }
}
