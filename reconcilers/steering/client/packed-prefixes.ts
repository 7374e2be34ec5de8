import { newPrefix, type Prefix } from '../address.ts'

/** Family and length, two numbers, the words of the prefix. */
const ROW_WORDS = 7
const V6 = 0x100
const CHUNK_ROWS = 8192

/** Prefixes with two numbers each, as words: what a thread can hand to another without copying. */
export interface PackedPrefixes {
  readonly count: number
  readonly chunks: readonly Uint32Array<ArrayBuffer>[]
}

/** The same object each time. */
export interface PackedRow {
  readonly prefix: Prefix
  a: number
  b: number
}

export class PrefixPacker {
  readonly #chunks: Uint32Array<ArrayBuffer>[] = []
  #count = 0

  /** Numbers are of 32 bits. */
  add({ v6, length, words }: Readonly<Prefix>, a: number, b: number): void {
    const at = (this.#count++ % CHUNK_ROWS) * ROW_WORDS
    if (at === 0) this.#chunks.push(new Uint32Array(CHUNK_ROWS * ROW_WORDS))
    const chunk = this.#chunks.at(-1)!
    chunk[at] = length | (v6 ? V6 : 0)
    chunk[at + 1] = a
    chunk[at + 2] = b
    chunk.set(words, at + 3)
  }

  packed(): PackedPrefixes {
    return { count: this.#count, chunks: this.#chunks }
  }
}

/** Goes through packed prefixes in the order in which they were added. */
export function* unpacked({ count, chunks }: PackedPrefixes): Generator<PackedRow> {
  const row: PackedRow = { prefix: newPrefix(), a: 0, b: 0 }
  const { prefix } = row
  for (let i = 0; i < count; i++) {
    const chunk = chunks[Math.floor(i / CHUNK_ROWS)]!
    const at = (i % CHUNK_ROWS) * ROW_WORDS
    prefix.v6 = chunk[at]! >= V6
    prefix.length = chunk[at]! % V6
    for (let w = 0; w < 4; w++) prefix.words[w] = chunk[at + 3 + w]!
    row.a = chunk[at + 1]!
    row.b = chunk[at + 2]!
    yield row
  }
}
