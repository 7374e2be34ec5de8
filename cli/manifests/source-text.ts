import type { Span } from './span.ts'

/** Where something is in a file. Lines and columns are counted from 1; columns in characters (code points). */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** The text of one manifest file, with its lines found on demand. Offsets are UTF-16 units into `text`. */
export class SourceText {
  /** As the user named it; `<stdin>` for `-`. */
  readonly name: string
  readonly text: string
  #lineStarts: number[] | undefined
  /** The last place that was asked for: most are asked for in order, and lines may be megabytes long. */
  #last = { lineStart: 0, offset: 0, column: 1 }

  constructor(name: string, text: string) {
    this.name = name
    this.text = text
  }

  placeAt(offset: number): Place {
    const line = this.#lineAt(offset)
    return { file: this.name, line: line + 1, column: this.#columnAt(this.#starts()[line]!, offset) }
  }

  /** A line's text without its end. */
  line(number: number): string {
    const { start, end } = this.lineSpan(number)
    return this.text.slice(start, end)
  }

  /** Where a line is, without its end. */
  lineSpan(number: number): Span {
    const starts = this.#starts()
    const start = starts[number - 1]
    if (start === undefined) return { start: 0, end: 0 }
    const next = starts[number]
    const end = next === undefined ? this.text.length : next - 1
    return { start, end: end > start && this.text.charCodeAt(end - 1) === 13 ? end - 1 : end }
  }

  #lineAt(offset: number): number {
    const starts = this.#starts()
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  #columnAt(lineStart: number, offset: number): number {
    const last = this.#last
    const from = last.lineStart === lineStart && last.offset <= offset ? last : { offset: lineStart, column: 1 }
    const column = from.column + codePoints(this.text, from.offset, offset)
    this.#last = { lineStart, offset, column }
    return column
  }

  #starts(): number[] {
    if (!this.#lineStarts) {
      const starts = [0]
      for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) starts.push(at + 1)
      this.#lineStarts = starts
    }
    return this.#lineStarts
  }
}

/** `file:line:column`, as compilers write it and editors follow it. */
export function placeText(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`
}

/** How many characters a stretch has. */
export function codePoints(text: string, start: number, end: number): number {
  let count = 0
  for (let at = start; at < end; at++) {
    const unit = text.charCodeAt(at)
    // The second half of a surrogate pair is none of its own.
    if (unit < 0xdc00 || unit > 0xdfff || at === start) count++
  }
  return count
}
