import { CatalogDelta } from '../reconcilers/blobs/catalog-delta.ts'
import type { BlobStore } from '../runtime/blob-store.ts'
import { LineSplitter } from '../runtime/client/ndjson.ts'

/** Deltas kept, the least recently asked for let go: a fleet goes from the same few versions to the same one. */
const KEPT = 8
const KEPT_BYTES = 256 * 1024 * 1024
/** A delta that is not this much smaller than the whole is of no use. */
const WORTH = 0.8

type Made = { readonly done: Promise<Buffer | undefined>; bytes: number }

/**
 * What changed between two versions of a catalog, for appliances that have the older one. Made when first asked for, from both blobs, in bits so that others get their turn;
 * one at a time, however many ask.
 */
export class CatalogDeltas {
  readonly #blobs: Pick<BlobStore, 'stat' | 'stream'>
  readonly #made = new Map<string, Made>()
  #last: Promise<unknown> = Promise.resolve()

  constructor(blobs: Pick<BlobStore, 'stat' | 'stream'>) {
    this.#blobs = blobs
  }

  /** Undefined where the whole must be sent: one of them is not there, or no catalog, or they have too little in common. Rejects where blobs cannot be read. */
  async get(from: string, to: string): Promise<Buffer | undefined> {
    const key = `${from} ${to}`
    let made = this.#made.get(key)
    if (made) this.#made.delete(key)
    else {
      const done = this.#last.then(() => this.#make(from, to))
      this.#last = done.catch(() => {})
      made = { done, bytes: 0 }
      done.then(
        (delta) => this.#keep(key, delta?.length ?? 0),
        () => this.#made.delete(key),
      )
    }
    this.#made.set(key, made)
    return await made.done
  }

  /** That the whole must be sent is kept, too: thousands may ask. */
  #keep(key: string, bytes: number): void {
    const made = this.#made.get(key)
    if (made) made.bytes = bytes
    let sum = [...this.#made.values()].reduce((total, each) => total + each.bytes, 0)
    for (const [oldest, each] of this.#made) {
      if (this.#made.size <= KEPT && sum <= KEPT_BYTES) break
      this.#made.delete(oldest)
      sum -= each.bytes
    }
  }

  async #make(from: string, to: string): Promise<Buffer | undefined> {
    const [old, now] = await Promise.all([this.#blobs.stat(from), this.#blobs.stat(to)])
    if (!old || !now || from === to) return undefined
    const [before, after] = [new Lines(this.#blobs.stream(from)), new Lines(this.#blobs.stream(to))]
    try {
      if (!(await isCatalog(before)) || !(await isCatalog(after))) return undefined
      const delta = new CatalogDelta(from, to, now.bytes * WORTH)
      for (;;) {
        // Only when one of them has run dry: to wait for every line takes longer than all else.
        if (before.isDry) await before.fill()
        if (after.isDry) await after.fill()
        if (before.line === undefined && after.line === undefined) break
        const done = delta.step(before.line, after.line)
        if (done !== 'now') before.next()
        if (done !== 'old') after.next()
        if (delta.isTooLong) return undefined
      }
      const bytes = Buffer.from(delta.text())
      return bytes.length <= now.bytes * WORTH ? bytes : undefined
    } finally {
      before.close()
      after.close()
    }
  }
}

async function isCatalog(lines: Lines): Promise<boolean> {
  await lines.fill()
  return lines.line?.startsWith('{"weirCatalog":1,') ?? false
}

/** The lines of a blob, as they come from disk. */
class Lines {
  readonly #stream: ReturnType<BlobStore['stream']>
  readonly #chunks: AsyncIterator<Buffer>
  readonly #splitter = new LineSplitter()
  #lines: readonly string[] = []
  #at = 0
  #ended = false

  constructor(stream: ReturnType<BlobStore['stream']>) {
    this.#stream = stream
    this.#chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  }

  /** The line that it is at; undefined after the last one, and while dry. */
  get line(): string | undefined {
    return this.#lines[this.#at]
  }

  /** Whether more must be read before it is known what comes. */
  get isDry(): boolean {
    return !this.#ended && this.#at >= this.#lines.length
  }

  next(): void {
    this.#at++
  }

  async fill(): Promise<void> {
    while (this.isDry) {
      const { value, done } = await this.#chunks.next()
      this.#at = 0
      this.#lines = done ? [] : this.#splitter.push(value)
      this.#ended = done === true
    }
  }

  close(): void {
    this.#stream.destroy()
  }
}
