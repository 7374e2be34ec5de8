import { popCount } from './pop-count.ts'
import { decodeRoaring, encodeRoaring, forEachBit } from './roaring.ts'

/**
 * A set of file indices of one catalog: what a manifest asks for, what an inventory holds.
 * Dense words of 32 bits: a million files take 125 KB, and union, difference and count run at memory speed.
 */
export class FileSet {
  #words: Uint32Array

  constructor(words: Uint32Array = new Uint32Array(0)) {
    this.#words = words
  }

  static of(indices: Iterable<number>): FileSet {
    const set = new FileSet()
    for (const index of indices) set.add(index)
    return set
  }

  add(index: number): void {
    const word = index >>> 5
    if (word >= this.#words.length) {
      const grown = new Uint32Array(Math.max(word + 1, this.#words.length * 2, 8))
      grown.set(this.#words)
      this.#words = grown
    }
    this.#words[word]! |= 1 << (index & 31)
  }

  /** Adds everything of another set. */
  addAll(other: FileSet): void {
    if (other.#words.length > this.#words.length) {
      const grown = new Uint32Array(other.#words.length)
      grown.set(this.#words)
      this.#words = grown
    }
    const words = this.#words
    for (let i = 0; i < other.#words.length; i++) words[i]! |= other.#words[i]!
  }

  delete(index: number): void {
    const word = index >>> 5
    if (word < this.#words.length) this.#words[word]! &= ~(1 << (index & 31))
  }

  has(index: number): boolean {
    const word = index >>> 5
    return word < this.#words.length && (this.#words[word]! & (1 << (index & 31))) !== 0
  }

  /** Whether there is an index of `files` or more. */
  reachesBeyond(files: number): boolean {
    const words = this.#words
    const last = files >>> 5
    let beyond = (words[last] ?? 0) >>> (files & 31)
    for (let w = last + 1; w < words.length; w++) beyond |= words[w]!
    return beyond !== 0
  }

  /** How many indices are in the set. */
  get size(): number {
    const words = this.#words
    let count = 0
    for (let i = 0; i < words.length; i++) count += popCount(words[i]!)
    return count
  }

  get isEmpty(): boolean {
    return this.#words.every((word) => word === 0)
  }

  clone(): FileSet {
    return new FileSet(this.#words.slice())
  }

  /** Everything in this set or the other. */
  union(other: FileSet): FileSet {
    const [long, short] =
      this.#words.length >= other.#words.length ? [this.#words, other.#words] : [other.#words, this.#words]
    const words = long.slice()
    for (let i = 0; i < short.length; i++) words[i]! |= short[i]!
    return new FileSet(words)
  }

  /** What is in this set and not in the other. */
  difference(other: FileSet): FileSet {
    const words = this.#words.slice()
    const shared = Math.min(words.length, other.#words.length)
    for (let i = 0; i < shared; i++) words[i]! &= ~other.#words[i]!
    return new FileSet(words)
  }

  intersection(other: FileSet): FileSet {
    const words = this.#words.slice(0, Math.min(this.#words.length, other.#words.length))
    for (let i = 0; i < words.length; i++) words[i]! &= other.#words[i]!
    return new FileSet(words)
  }

  equals(other: FileSet): boolean {
    const length = Math.max(this.#words.length, other.#words.length)
    for (let i = 0; i < length; i++) if ((this.#words[i] ?? 0) !== (other.#words[i] ?? 0)) return false
    return true
  }

  /** Calls `visit` with each index, ascending: several times as fast as iterating. */
  forEach(visit: (index: number) => void): void {
    forEachBit(this.#words, visit)
  }

  /** The indices, ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.#words.length; i++) {
      let word = this.#words[i]!
      while (word !== 0) {
        const bit = 31 - Math.clz32(word & -word)
        yield i * 32 + bit
        word &= word - 1
      }
    }
  }

  /** The set as dense words of 32 bits, as the constructor takes them: not a copy. */
  get words(): Uint32Array {
    return this.#words
  }

  /** The set as a Roaring bitmap in the portable format. The same set always gives the same bytes. */
  toRoaring(): Uint8Array {
    return encodeRoaring(this.#words)
  }

  /** Reads a Roaring bitmap in the portable format, of indices below `limit`. Throws a RangeError that says what is wrong with the bytes. */
  static fromRoaring(bytes: Uint8Array, limit?: number): FileSet {
    return new FileSet(decodeRoaring(bytes, limit))
  }
}
