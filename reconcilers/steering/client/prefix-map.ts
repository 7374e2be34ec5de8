import type { Address, Prefix } from '../address.ts'
import { GrowingBytes } from './growing-bytes.ts'
import { PrefixTable } from './prefix-table.ts'

/** Bits looked at per level, below the first 16: wide where prefixes are dense, narrow where they are sparse. */
const STRIDES_V4: readonly number[] = [8, 8]
const STRIDES_V6: readonly number[] = [8, 8, ...new Array<number>(24).fill(4)]

const ROOT_BITS = 16
const CHILD = 0x80000000

/** From so many prefixes on, every /16 has its place: they fill 64 MiB anyway. */
const DIRECT_ROOM = 1 << ROOT_BITS

/** Highest number that a prefix can have. */
export const MAX_VALUE = 0x7ffffffe

/**
 * Prefixes of both families and a number for each; `find` gives the number of the longest that holds an address. Multibit tries: the first 16
 * bits index a table, what follows goes by 8 or 4 bits at a time. A slot holds a child or, pushed down to where the search ends, the best prefix's number.
 * Where many IPv4 prefixes are expected, the nodes of all /16 have their places, in order, so that the first 24 bits say where to look.
 * A change touches what is under one /16 at most: tens of µs, so that lookups go on in between.
 * Source: Srinivasan and Varghese, "Faster IP Lookups using Controlled Prefix Expansion", 1998.
 */
export class PrefixMap {
  readonly #v4: Trie
  readonly #v6: Trie

  /** `room`: about how many prefixes will come; more may. Memory is reserved for them, and used when they are there. */
  constructor(room = 1024) {
    room = Math.ceil(room)
    this.#v4 = new Trie(false, STRIDES_V4, Math.min(room, 65536) * 256, room >= DIRECT_ROOM)
    this.#v6 = new Trie(true, STRIDES_V6, Math.min(room, 1_000_000) * 24)
  }

  get size(): number {
    return this.#v4.size + this.#v6.size
  }

  /** The number of the longest prefix that holds the address; -1 when none does. */
  find(address: Readonly<Address>): number {
    return address.v6 ? this.#v6.find(address.words) : this.#v4.find(address.words)
  }

  /** The number of exactly this prefix; -1 when it is not there. */
  get(prefix: Readonly<Prefix>): number {
    return this.#of(prefix).get(prefix)
  }

  /** Sets the number of a prefix, 0…MAX_VALUE. */
  set(prefix: Readonly<Prefix>, value: number): void {
    this.#of(prefix).set(prefix, value)
  }

  /** Takes a prefix out; returns whether it was there. */
  delete(prefix: Readonly<Prefix>): boolean {
    return this.#of(prefix).delete(prefix)
  }

  /** Goes through the prefixes, writing each into `into`. Others may come and go meanwhile: what is there all the time is met. */
  *prefixes(into: Prefix): Generator<void> {
    yield* this.#v4.prefixes(into)
    yield* this.#v6.prefixes(into)
  }

  #of({ v6 }: Readonly<Address>): Trie {
    return v6 ? this.#v6 : this.#v4
  }
}

/** Slots of the nodes of all /16, and of the first that is none's; and room for nodes below these. */
const DIRECT_SLOTS = ((1 << ROOT_BITS) + 1) << 8
const DEEP_SLOTS = 1 << 22

/** The map of one family. */
class Trie {
  readonly #table: PrefixTable
  readonly #strides: readonly number[]
  readonly #shifts: Uint8Array
  readonly #masks: Uint8Array
  readonly #levelWords: Uint8Array
  /** By the first 16 bits: number + 1 of the longest prefix of at most 16 bits; 0: none. */
  readonly #short = new Uint32Array(1 << ROOT_BITS)
  readonly #shortLengths = new Uint8Array(1 << ROOT_BITS)
  /** By the first 16 bits: where the node for what is longer begins in `#entries`; 0: there is none. */
  readonly #roots = new Uint32Array(1 << ROOT_BITS)
  readonly #entryBytes: GrowingBytes
  readonly #lengthBytes: GrowingBytes
  /** Slots of all nodes: `CHILD | node`, or number + 1, or 0. Another array after it has grown. */
  #entries: Uint32Array
  /** By slot: length of the prefix that its number is of. Another array after it has grown. */
  #lengths: Uint8Array
  /** Slot 0 is no node's, so that 0 can mean none. */
  #used = 1
  /** Whether the node of a /16, the t-th, is at 256 (t + 1), all zeros where there is none: then `#roots` need not be asked. */
  readonly #direct: boolean
  /** By stride: nodes to use again, linked through their first slot. */
  readonly #free = new Uint32Array(9)

  constructor(v6: boolean, strides: readonly number[], room: number, direct = false) {
    this.#table = new PrefixTable(v6)
    this.#direct = direct
    if (direct) this.#used = DIRECT_SLOTS
    this.#strides = strides
    const depths = strides.map((_, level) => ROOT_BITS + strides.slice(0, level).reduce((sum, s) => sum + s, 0))
    this.#levelWords = Uint8Array.from(depths, (depth) => depth >>> 5)
    this.#shifts = Uint8Array.from(depths, (depth, level) => 32 - (depth % 32) - strides[level]!)
    this.#masks = Uint8Array.from(strides, (stride) => (1 << stride) - 1)
    const slots = direct ? DIRECT_SLOTS + DEEP_SLOTS : room
    this.#entryBytes = new GrowingBytes(4 * slots)
    this.#lengthBytes = new GrowingBytes(slots)
    this.#entries = new Uint32Array(this.#entryBytes.buffer)
    this.#lengths = new Uint8Array(this.#lengthBytes.buffer)
  }

  get size(): number {
    return this.#table.size
  }

  get(prefix: Readonly<Prefix>): number {
    return this.#table.get(prefix, prefix.length)
  }

  prefixes(into: Prefix): Generator<void> {
    return this.#table.prefixes(into)
  }

  find(words: Uint32Array): number {
    const top = words[0]! >>> 16
    const entries = this.#entries
    let node = 0
    let level = 0
    if (this.#direct) {
      const entry = entries[256 + (words[0]! >>> 8)]!
      if (entry < CHILD) return (entry !== 0 ? entry : this.#short[top]!) - 1
      node = entry - CHILD
      level = 1
    } else node = this.#roots[top]!
    if (node !== 0) {
      for (; ; level++) {
        const index = (words[this.#levelWords[level]!]! >>> this.#shifts[level]!) & this.#masks[level]!
        const entry = entries[node + index]!
        if (entry < CHILD) {
          if (entry !== 0) return entry - 1
          break
        }
        node = entry - CHILD
      }
    }
    return this.#short[top]! - 1
  }

  set(prefix: Readonly<Prefix>, value: number): void {
    this.#table.set(prefix, value)
    if (prefix.length <= ROOT_BITS) this.#paintShort(prefix, prefix.length, value + 1, prefix.length)
    else this.#paint(prefix, prefix.length, value + 1, prefix.length)
  }

  delete(prefix: Readonly<Prefix>): boolean {
    if (!this.#table.delete(prefix)) return false
    const { length } = prefix
    let cover = length - 1
    const least = length <= ROOT_BITS ? 0 : ROOT_BITS + 1
    let value = -1
    for (; cover >= least; cover--) {
      value = this.#table.get(prefix, cover)
      if (value >= 0) break
    }
    if (length <= ROOT_BITS) this.#paintShort(prefix, length, value + 1, Math.max(cover, 0))
    else {
      this.#paint(prefix, length, value + 1, value < 0 ? 0 : cover)
      this.#prune(prefix)
    }
    return true
  }

  /** Writes a number over what prefixes of at most `over` bits have left under this prefix of at most 16 bits. */
  #paintShort({ words }: Readonly<Prefix>, over: number, entry: number, length: number): void {
    const from = words[0]! >>> 16
    const to = from + (1 << (ROOT_BITS - over))
    for (let i = from; i < to; i++) {
      if (this.#shortLengths[i]! > over) continue
      this.#short[i] = entry
      this.#shortLengths[i] = entry === 0 ? 0 : length
    }
  }

  /** The same for a prefix longer than 16 bits, of `over` bits; nodes on the way to it are made. */
  #paint({ words }: Readonly<Prefix>, over: number, entry: number, length: number): void {
    const top = words[0]! >>> 16
    let node = this.#roots[top]!
    if (node === 0) {
      node = this.#direct ? (top + 1) << 8 : this.#newNode(0, 0, 0)
      this.#roots[top] = node
    }
    let depth = ROOT_BITS
    for (let level = 0; ; level++) {
      const stride = this.#strides[level]!
      const index = (words[this.#levelWords[level]!]! >>> this.#shifts[level]!) & this.#masks[level]!
      if (over <= depth + stride) {
        this.#paintSlots(node, index, 1 << (depth + stride - over), level, over, entry, length)
        return
      }
      const slot = node + index
      const there = this.#entries[slot]!
      if (there >= CHILD) node = there - CHILD
      else {
        node = this.#newNode(level + 1, there, this.#lengths[slot]!)
        this.#entries[slot] = CHILD + node
        this.#lengths[slot] = 0
      }
      depth += stride
    }
  }

  #paintSlots(
    node: number,
    index: number,
    count: number,
    level: number,
    over: number,
    entry: number,
    length: number,
  ): void {
    for (let slot = node + index; slot < node + index + count; slot++) {
      const there = this.#entries[slot]!
      if (there >= CHILD) {
        this.#paintSlots(there - CHILD, 0, 1 << this.#strides[level + 1]!, level + 1, over, entry, length)
      } else if (this.#lengths[slot]! <= over) {
        this.#entries[slot] = entry
        this.#lengths[slot] = entry === 0 ? 0 : length
      }
    }
  }

  /** Gives back the nodes on the way to a deleted prefix in which nothing of their own is left, the deepest first. */
  #prune({ words }: Readonly<Prefix>): void {
    const top = words[0]! >>> 16
    const path: number[] = []
    let node = this.#roots[top]!
    for (let level = 0; node !== 0; level++) {
      path.push(node)
      const entry = this.#entries[node + this.#indexAt(words, level)]!
      node = entry >= CHILD ? entry - CHILD : 0
    }
    let depth = ROOT_BITS
    for (let level = 0; level < path.length - 1; level++) depth += this.#strides[level]!
    for (let level = path.length - 1; level >= 0; level--) {
      const at = path[level]!
      if (!this.#isPlain(at, level, depth)) return
      const entry = this.#entries[at]!
      const length = this.#lengths[at]!
      if (level === 0) {
        // What is longer than 16 bits stays in its node.
        if (entry !== 0) return
        this.#roots[top] = 0
        if (this.#direct) return
      } else {
        const slot = path[level - 1]! + this.#indexAt(words, level - 1)
        this.#entries[slot] = entry
        this.#lengths[slot] = length
        depth -= this.#strides[level - 1]!
      }
      const stride = this.#strides[level]!
      this.#entries[at] = this.#free[stride]!
      this.#free[stride] = at
    }
  }

  #indexAt(words: Uint32Array, level: number): number {
    return (words[this.#levelWords[level]!]! >>> this.#shifts[level]!) & this.#masks[level]!
  }

  /** Whether all slots of a node are of one prefix that is no longer than the way to the node, or of none. */
  #isPlain(node: number, level: number, depth: number): boolean {
    const entry = this.#entries[node]!
    if (entry >= CHILD || this.#lengths[node]! > depth) return false
    const end = node + (1 << this.#strides[level]!)
    for (let slot = node + 1; slot < end; slot++) {
      if (this.#entries[slot] !== entry || this.#lengths[slot] !== this.#lengths[node]) return false
    }
    return true
  }

  #newNode(level: number, entry: number, length: number): number {
    const stride = this.#strides[level]!
    const slots = 1 << stride
    let node = this.#free[stride]!
    if (node !== 0) this.#free[stride] = this.#entries[node]!
    else {
      if (this.#used + slots > this.#entries.length) {
        this.#entryBytes.grow(4 * (this.#used + slots))
        this.#entries = new Uint32Array(this.#entryBytes.buffer)
      }
      if (this.#used + slots > this.#lengths.length) {
        this.#lengthBytes.grow(this.#used + slots)
        this.#lengths = new Uint8Array(this.#lengthBytes.buffer)
      }
      node = this.#used
      this.#used += slots
    }
    this.#entries.fill(entry, node, node + slots)
    this.#lengths.fill(length, node, node + slots)
    return node
  }
}
