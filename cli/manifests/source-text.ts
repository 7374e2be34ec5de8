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

  constructor(name: string, text: string) {
    this.name = name
    this.text = text
  }

  placeAt(offset: number): Place {
    const starts = this.#starts()
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { file: this.name, line: low + 1, column: [...this.text.slice(starts[low], offset)].length + 1 }
  }

  /** A line's text without its end. */
  line(number: number): string {
    const starts = this.#starts()
    const start = starts[number - 1]
    if (start === undefined) return ''
    const next = starts[number]
    return this.text.slice(start, next === undefined ? undefined : next - 1).replace(/\r$/, '')
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
