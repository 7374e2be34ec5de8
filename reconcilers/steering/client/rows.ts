const CHUNK_BITS = 12
const CHUNK_ROWS = 1 << CHUNK_BITS

/** Rows of a few words each, of zeros at first, in chunks: another one is made when the last is full, so that nothing is ever copied. */
export class Rows {
  readonly #words: number
  readonly #chunks: Uint32Array[] = []

  constructor(words: number) {
    this.#words = words
  }

  /** Rows that there is room for. */
  get length(): number {
    return this.#chunks.length << CHUNK_BITS
  }

  /** Makes room for so many rows at least. */
  reserve(rows: number): void {
    while (this.length < rows) this.#chunks.push(new Uint32Array(this.#words << CHUNK_BITS))
  }

  get(row: number, word: number): number {
    return this.#chunks[row >>> CHUNK_BITS]![(row & (CHUNK_ROWS - 1)) * this.#words + word]!
  }

  set(row: number, word: number, value: number): void {
    this.#chunks[row >>> CHUNK_BITS]![(row & (CHUNK_ROWS - 1)) * this.#words + word] = value
  }
}
