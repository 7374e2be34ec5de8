import { mix } from '../../placement/hash.ts'
import { type Address, maskWord, type Prefix } from '../address.ts'
import { Rows } from './rows.ts'

/** The length of a deleted entry. */
const FREE = 255

/** Buckets at first: a power of two. */
const BUCKETS = 64

/**
 * Prefixes of one family and a number for each, found exactly. Numbers are 0…2^32-2. A hash table with chains that grows by linear hashing: with each
 * prefix more than there are buckets one bucket is split in two, so that nothing ever holds up for a table to be made anew, however many there are.
 * A million prefixes take 20 bytes each for IPv4, 32 for IPv6. Source: Litwin, "Linear Hashing: A New Tool for File and Table Addressing", 1980.
 */
export class PrefixTable {
  readonly #words: number
  /** By entry: the words of the prefix, then as the numbers of words below. */
  readonly #entries: Rows
  readonly #lengthAt: number
  readonly #valueAt: number
  /** Entry + 1 that comes next in the bucket, or among the free ones; 0: none. */
  readonly #nextAt: number
  /** Bucket → its first entry + 1. */
  readonly #buckets = new Rows(1)
  /** Buckets before the current round of splits, less one. */
  #mask = BUCKETS - 1
  /** Buckets that have been split in this round: the first ones. */
  #split = 0
  #count = 0
  /** First of the entries + 1 that were deleted. */
  #free = 0
  #used = 0

  /** `v6`: whether keys are of four words. */
  constructor(v6: boolean) {
    this.#words = v6 ? 4 : 1
    this.#lengthAt = this.#words
    this.#valueAt = this.#words + 1
    this.#nextAt = this.#words + 2
    this.#entries = new Rows(this.#words + 3)
    this.#buckets.reserve(BUCKETS)
  }

  get size(): number {
    return this.#count
  }

  /** The number of the prefix of `length` bits that the address begins with; -1 when there is none. */
  get({ words }: Readonly<Address>, length: number): number {
    const entry = this.#find(words, length, this.#bucketOf(this.#hash(words, length)))
    return entry < 0 ? -1 : this.#entries.get(entry, this.#valueAt)
  }

  /** Sets the number of a prefix; returns whether it is new. */
  set({ words, length }: Readonly<Prefix>, value: number): boolean {
    const bucket = this.#bucketOf(this.#hash(words, length))
    const there = this.#find(words, length, bucket)
    if (there >= 0) {
      this.#entries.set(there, this.#valueAt, value)
      return false
    }
    const entries = this.#entries
    const added = this.#newEntry()
    for (let w = 0; w < this.#words; w++) entries.set(added, w, words[w]!)
    entries.set(added, this.#lengthAt, length)
    entries.set(added, this.#valueAt, value)
    entries.set(added, this.#nextAt, this.#buckets.get(bucket, 0))
    this.#buckets.set(bucket, 0, added + 1)
    if (++this.#count > this.#mask + 1 + this.#split) this.#splitNext()
    return true
  }

  delete({ words, length }: Readonly<Prefix>): boolean {
    const bucket = this.#bucketOf(this.#hash(words, length))
    const entry = this.#find(words, length, bucket)
    if (entry < 0) return false
    const entries = this.#entries
    const next = entries.get(entry, this.#nextAt)
    let before = this.#buckets.get(bucket, 0) - 1
    if (before === entry) this.#buckets.set(bucket, 0, next)
    else {
      while (entries.get(before, this.#nextAt) !== entry + 1) before = entries.get(before, this.#nextAt) - 1
      entries.set(before, this.#nextAt, next)
    }
    entries.set(entry, this.#lengthAt, FREE)
    entries.set(entry, this.#nextAt, this.#free)
    this.#free = entry + 1
    this.#count--
    return true
  }

  /** Goes through the prefixes, writing each into `into`. Others may come and go meanwhile: what is there all the time is met. */
  *prefixes(into: Prefix): Generator<void> {
    for (let entry = 0; entry < this.#used; entry++) {
      const length = this.#entries.get(entry, this.#lengthAt)
      if (length === FREE) continue
      into.v6 = this.#words === 4
      into.length = length
      into.words.fill(0)
      for (let w = 0; w < this.#words; w++) into.words[w] = this.#entries.get(entry, w)
      yield
    }
  }

  #hash(words: Uint32Array, length: number): number {
    let hash = length
    for (let w = 0; w < this.#words; w++) hash = mix(hash ^ (words[w]! & maskWord(length, w)))
    return hash
  }

  #bucketOf(hash: number): number {
    const bucket = hash & this.#mask
    return bucket < this.#split ? hash & (2 * this.#mask + 1) : bucket
  }

  /** The entry of a prefix; -1 when it is not in its bucket. */
  #find(words: Uint32Array, length: number, bucket: number): number {
    const n = this.#words
    for (let entry = this.#buckets.get(bucket, 0) - 1; entry >= 0; entry = this.#entries.get(entry, this.#nextAt) - 1) {
      if (this.#entries.get(entry, this.#lengthAt) !== length) continue
      let same = true
      for (let w = 0; w < n; w++) same &&= this.#entries.get(entry, w) === (words[w]! & maskWord(length, w)) >>> 0
      if (same) return entry
    }
    return -1
  }

  #newEntry(): number {
    if (this.#free !== 0) {
      const entry = this.#free - 1
      this.#free = this.#entries.get(entry, this.#nextAt)
      return entry
    }
    this.#entries.reserve(this.#used + 1)
    return this.#used++
  }

  /** Makes one bucket more: of the first that has not been split yet, what belongs there moves. */
  #splitNext(): void {
    const from = this.#split
    const to = this.#mask + 1 + from
    this.#buckets.reserve(to + 1)
    let [stays, moves] = [0, 0]
    for (let at = this.#buckets.get(from, 0); at !== 0; ) {
      const next = this.#entries.get(at - 1, this.#nextAt)
      const isMoved = (this.#hashOf(at - 1) & (2 * this.#mask + 1)) === to
      this.#entries.set(at - 1, this.#nextAt, isMoved ? moves : stays)
      if (isMoved) moves = at
      else stays = at
      at = next
    }
    this.#buckets.set(from, 0, stays)
    this.#buckets.set(to, 0, moves)
    if (++this.#split <= this.#mask) return
    this.#mask = 2 * this.#mask + 1
    this.#split = 0
  }

  #hashOf(entry: number): number {
    let hash = this.#entries.get(entry, this.#lengthAt)
    for (let w = 0; w < this.#words; w++) hash = mix(hash ^ this.#entries.get(entry, w))
    return hash
  }
}
