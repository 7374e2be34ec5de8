/** A line longer than this is refused rather than gathered: no API object comes near it. */
const MAX_LINE_BYTES = 16 * 1024 * 1024

/**
 * Splits chunks of bytes into lines, whatever the chunks' borders. Empty lines are passed over; a last line without its newline is not
 * given, because it may be half of one. Throws a RangeError on a line that is too long.
 */
export class LineSplitter {
  readonly #maxLineBytes: number
  #rest: Buffer[] = []
  #restBytes = 0

  constructor(maxLineBytes = MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes
  }

  /** The lines that this chunk completes, without their newline. */
  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (;;) {
      const end = chunk.indexOf(0x0a, start)
      if (end < 0) break
      this.#check(end - start)
      const line =
        this.#restBytes === 0 ? chunk.toString('utf8', start, end) : this.#complete(chunk.subarray(start, end))
      if (line !== '' && line !== '\r') lines.push(line)
      start = end + 1
    }
    if (start < chunk.length) {
      this.#check(chunk.length - start)
      this.#rest.push(start === 0 ? chunk : chunk.subarray(start))
      this.#restBytes += chunk.length - start
    }
    return lines
  }

  /** Bytes of a line that has not ended. */
  get pendingBytes(): number {
    return this.#restBytes
  }

  #complete(tail: Buffer): string {
    this.#rest.push(tail)
    const line = Buffer.concat(this.#rest).toString('utf8')
    this.#rest = []
    this.#restBytes = 0
    return line
  }

  #check(more: number): void {
    if (this.#restBytes + more > this.#maxLineBytes)
      throw new RangeError(`a line is longer than ${this.#maxLineBytes} bytes`)
  }
}
