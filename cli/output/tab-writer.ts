/**
 * Aligns cells that are separated by tabs, as kubectl's tables are: a column is as wide as its widest cell plus some spaces; the
 * last cell of a line is not padded. Widths are remembered between flushes, so that a watch's later rows line up with the first
 * ones. A column ends where a line has no cell in it, as in Go's text/tabwriter.
 */
export class TabWriter {
  readonly #minWidth: number
  readonly #padding: number
  readonly #remember: boolean
  #lines: string[][] = []
  #remembered: number[] = []

  /**
   * A column's least width and the spaces after its widest cell; kubectl's tables have 6 and 3, its descriptions 0 and 2.
   * `remember`: columns never get narrower again.
   */
  constructor({ minWidth = 6, padding = 3, remember = true } = {}) {
    this.#minWidth = minWidth
    this.#padding = padding
    this.#remember = remember
  }

  /** One line of cells. A cell that contains tabs counts as several. */
  line(cells: readonly string[]): void {
    this.#lines.push(cells.join('\t').split('\t'))
  }

  /** The lines since the last flush, aligned. */
  flush(): string {
    const out: string[] = this.#lines.map(() => '')
    this.#format(out, 0, this.#lines.length, [])
    this.#lines = []
    return out.map((line) => `${line}\n`).join('')
  }

  /** Starts a table that has nothing to do with the one before. */
  forgetWidths(): void {
    this.#remembered = []
  }

  #format(out: string[], from: number, to: number, widths: readonly number[]): void {
    const column = widths.length
    const inColumn = (index: number) => column < this.#lines[index]!.length - 1
    for (let at = from; at < to; at++) {
      if (!inColumn(at)) {
        this.#write(out, at, widths)
        continue
      }
      let end = at
      let width = this.#minWidth
      for (; end < to && inColumn(end); end++)
        width = Math.max(width, textWidth(this.#lines[end]![column]!) + this.#padding)
      if (this.#remember) {
        width = Math.max(width, this.#remembered[column] ?? 0)
        this.#remembered[column] = width
      }
      this.#format(out, at, end, [...widths, width])
      at = end - 1
    }
  }

  #write(out: string[], index: number, widths: readonly number[]): void {
    const cells = this.#lines[index]!
    out[index] = cells
      .map((cell, column) => (column < widths.length ? cell + ' '.repeat(widths[column]! - textWidth(cell)) : cell))
      .join('')
  }
}

/** Go counts characters (code points), not columns of the terminal. */
function textWidth(text: string): number {
  let width = 0
  for (const _ of text) width++
  return width
}
