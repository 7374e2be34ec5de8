import { PAGE_BYTES, pageMemory } from './page-memory.ts'

/** Words of a line: 64 bytes, what a processor fetches from memory at once. */
export const LINE_WORDS = 16

const LINE_BYTES = LINE_WORDS * 4
/** Grows by so many pages at once: 4 MiB. */
const STEP_PAGES = 64

/**
 * Lines of memory for tables of many sizes that come and go. One piece, so that a line's number says where it is, without an object in between; each line
 * is one cache line, and growing copies nothing: WebAssembly's memory begins at a page and grows in place. Invariant: free runs are sorted, apart from each
 * other, and not empty. At most 4 GiB.
 */
export class LineArena {
  readonly #memory = pageMemory(0)
  /** Line i is words 16 i … 16 i + 15. Another array after it has grown. */
  words = new Uint32Array(this.#memory.buffer)
  /** Free runs: first line, and how many. */
  readonly #starts: number[] = []
  readonly #lengths: number[] = []

  /** Lines that are in use. */
  used = 0

  /** Reserves a run of lines, of whatever content: the smallest that is long enough. RangeError when there is no memory. */
  allocate(lines: number): number {
    let best = -1
    for (let i = 0; i < this.#starts.length; i++) {
      const length = this.#lengths[i]!
      if (length >= lines && (best < 0 || length < this.#lengths[best]!)) best = i
    }
    if (best < 0) {
      this.#grow(lines)
      best = this.#starts.length - 1
    }
    const start = this.#starts[best]!
    const left = this.#lengths[best]! - lines
    if (left === 0) {
      this.#starts.splice(best, 1)
      this.#lengths.splice(best, 1)
    } else {
      this.#starts[best] = start + lines
      this.#lengths[best] = left
    }
    this.used += lines
    return start
  }

  /** Gives back a run as it was reserved. */
  release(start: number, lines: number): void {
    this.used -= lines
    let at = this.#starts.length
    while (at > 0 && this.#starts[at - 1]! > start) at--
    this.#starts.splice(at, 0, start)
    this.#lengths.splice(at, 0, lines)
    this.#join(at)
    if (at > 0) this.#join(at - 1)
  }

  /** Makes one run of a free run and the next, where they meet. */
  #join(at: number): void {
    if (this.#starts[at]! + this.#lengths[at]! !== this.#starts[at + 1]) return
    this.#lengths[at]! += this.#lengths[at + 1]!
    this.#starts.splice(at + 1, 1)
    this.#lengths.splice(at + 1, 1)
  }

  /** Adds so many lines at the end at least, as a free run. */
  #grow(lines: number): void {
    const before = this.#memory.buffer.byteLength
    const pages = Math.max(STEP_PAGES, Math.ceil((lines * LINE_BYTES) / PAGE_BYTES))
    this.#memory.grow(pages)
    this.words = new Uint32Array(this.#memory.buffer)
    this.release(before / LINE_BYTES, (pages * PAGE_BYTES) / LINE_BYTES)
    this.used += (pages * PAGE_BYTES) / LINE_BYTES
  }
}
