import type { Stored } from './store.ts'

interface Entry {
  readonly key: string
  stored: Stored
}

/** Longest chunk before it is split: an insert moves at most so many pointers. */
const chunkLength = 512

/**
 * Objects by key, and in order of key: a map beside sorted chunks. Replacing an object costs one map lookup; adding or removing one, a binary
 * search and a move within one chunk; reading a range, two binary searches and its length.
 */
export class SortedIndex {
  readonly #entries = new Map<string, Entry>()
  /** No chunk is empty; every key of a chunk is below those of the next. */
  readonly #chunks: Entry[][] = []

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Stored | undefined {
    return this.#entries.get(key)?.stored
  }

  set(stored: Stored): void {
    const known = this.#entries.get(stored.key)
    if (known) {
      known.stored = stored
      return
    }
    const entry = { key: stored.key, stored }
    this.#entries.set(stored.key, entry)
    const at = Math.max(0, this.#chunkOf(stored.key))
    const chunk = this.#chunks[at]
    if (!chunk) {
      this.#chunks.push([entry])
      return
    }
    chunk.splice(lowerBound(chunk, stored.key), 0, entry)
    if (chunk.length <= chunkLength) return
    // Keys that arrive in order (a load, names with a counter) leave full chunks behind; others split in half.
    const appended = chunk[chunk.length - 1] === entry
    this.#chunks.splice(at + 1, 0, chunk.splice(appended ? chunkLength : chunkLength / 2))
  }

  delete(key: string): void {
    if (!this.#entries.delete(key)) return
    const at = this.#chunkOf(key)
    const chunk = this.#chunks[at]!
    chunk.splice(lowerBound(chunk, key), 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
  }

  /** The objects whose keys are at least `from` and below `to`. */
  *between(from: string, to: string): Generator<Stored, void, undefined> {
    for (let at = Math.max(0, this.#chunkOf(from)); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!
      for (let i = chunk[0]!.key >= from ? 0 : lowerBound(chunk, from); i < chunk.length; i++) {
        const entry = chunk[i]!
        if (entry.key >= to) return
        yield entry.stored
      }
    }
  }

  /** How many keys are at least `from` and below `to`. */
  count(from: string, to: string): number {
    return from < to ? this.#rank(to) - this.#rank(from) : 0
  }

  /** How many keys are below this one. */
  #rank(key: string): number {
    const at = this.#chunkOf(key)
    if (at < 0) return 0
    let rank = lowerBound(this.#chunks[at]!, key)
    for (let i = 0; i < at; i++) rank += this.#chunks[i]!.length
    return rank
  }

  /** The last chunk whose first key is not above `key`; -1 where there is none. */
  #chunkOf(key: string): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#chunks[middle]![0]!.key <= key) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

/** The first position whose key is not below `key`. */
function lowerBound(chunk: readonly Entry[], key: string): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (chunk[middle]!.key < key) low = middle + 1
    else high = middle
  }
  return low
}
