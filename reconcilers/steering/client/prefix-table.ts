import { mix } from '../../placement/hash.ts'
import { type Address, maskWord, type Prefix } from '../address.ts'

const NONE = 0xffffffff
/** The length of a deleted entry. */
const FREE = 255

/**
 * Prefixes of one family and a number for each, found exactly: open addressing over typed arrays. Numbers are 0…2^32-2.
 * A million prefixes take 13 bytes each for IPv4, 25 for IPv6, and up to as much again in free slots.
 */
export class PrefixTable {
  readonly #words: number
  #keys: Uint32Array
  #lengths: Uint8Array
  #values: Uint32Array
  /** Slot → entry + 1. */
  #slots: Uint32Array
  #count = 0
  /** Entries that were deleted, linked through `#values`. */
  #free = NONE
  #used = 0

  /** `v6`: whether keys are of four words. `room`: as many prefixes come without a pause for making room, which takes tens of ms when there are many. */
  constructor(v6: boolean, room = 64) {
    this.#words = v6 ? 4 : 1
    const count = Math.max(64, Math.ceil(room))
    this.#keys = new Uint32Array(count * this.#words)
    this.#lengths = new Uint8Array(count)
    this.#values = new Uint32Array(count)
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(count * 2)))
  }

  get size(): number {
    return this.#count
  }

  /** The number of the prefix of `length` bits that the address begins with; -1 when there is none. */
  get({ words }: Readonly<Address>, length: number): number {
    const entry = this.#slots[this.#slotOf(words, length)]! - 1
    return entry < 0 ? -1 : this.#values[entry]!
  }

  /** Sets the number of a prefix; returns whether it is new. */
  set(prefix: Readonly<Prefix>, value: number): boolean {
    const slot = this.#slotOf(prefix.words, prefix.length)
    const entry = this.#slots[slot]! - 1
    if (entry >= 0) {
      this.#values[entry] = value
      return false
    }
    const added = this.#newEntry()
    for (let w = 0; w < this.#words; w++) this.#keys[added * this.#words + w] = prefix.words[w]!
    this.#lengths[added] = prefix.length
    this.#values[added] = value
    this.#slots[slot] = added + 1
    this.#count++
    if (this.#count * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2)
    return true
  }

  delete(prefix: Readonly<Prefix>): boolean {
    let hole = this.#slotOf(prefix.words, prefix.length)
    const entry = this.#slots[hole]! - 1
    if (entry < 0) return false
    this.#values[entry] = this.#free
    this.#lengths[entry] = FREE
    this.#free = entry
    this.#count--
    // Whatever comes after in the same run and could be here moves up, so that no search ends too early.
    const mask = this.#slots.length - 1
    for (let slot = (hole + 1) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#home(this.#slots[slot]! - 1)
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      this.#slots[hole] = this.#slots[slot]!
      hole = slot
    }
    this.#slots[hole] = 0
    return true
  }

  /** Goes through the prefixes, writing each into `into`. Others may come and go meanwhile: what is there all the time is met. */
  *prefixes(into: Prefix): Generator<void> {
    into.v6 = this.#words === 4
    for (let entry = 0; entry < this.#used; entry++) {
      const length = this.#lengths[entry]!
      if (length === FREE) continue
      into.v6 = this.#words === 4
      into.length = length
      into.words.fill(0)
      for (let w = 0; w < this.#words; w++) into.words[w] = this.#keys[entry * this.#words + w]!
      yield
    }
  }

  #slotOf(words: Uint32Array, length: number): number {
    const mask = this.#slots.length - 1
    const n = this.#words
    let hash = length
    for (let w = 0; w < n; w++) hash = mix(hash ^ (words[w]! & maskWord(length, w)))
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]! - 1
      if (entry < 0) return slot
      if (this.#lengths[entry] !== length) continue
      let same = true
      for (let w = 0; w < n; w++) same &&= this.#keys[entry * n + w] === (words[w]! & maskWord(length, w)) >>> 0
      if (same) return slot
    }
  }

  #home(entry: number): number {
    let hash = this.#lengths[entry]!
    for (let w = 0; w < this.#words; w++) hash = mix(hash ^ this.#keys[entry * this.#words + w]!)
    return hash & (this.#slots.length - 1)
  }

  #newEntry(): number {
    if (this.#free !== NONE) {
      const entry = this.#free
      this.#free = this.#values[entry]!
      return entry
    }
    if (this.#used === this.#values.length) {
      this.#keys = grown(this.#keys, new Uint32Array(this.#keys.length * 2))
      this.#lengths = grown(this.#lengths, new Uint8Array(this.#lengths.length * 2))
      this.#values = grown(this.#values, new Uint32Array(this.#values.length * 2))
    }
    return this.#used++
  }

  #rehash(length: number): void {
    const old = this.#slots
    this.#slots = new Uint32Array(length)
    const mask = length - 1
    for (const entry of old) {
      if (entry === 0) continue
      let slot = this.#home(entry - 1)
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = entry
    }
  }
}

/** Copies one typed array into a longer one. */
export function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}
