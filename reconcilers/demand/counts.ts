import { MAX_DEMAND_CLASSES } from '../blobs/demand.ts'

/** Days of counts that are looked at: as many as fading is told apart by age. */
export const WINDOW_DAYS = 84
/** What a day counts half after, in what is observed: a week, so that no day of the week stands out. */
const HALF_LIFE_DAYS = 7
/** Classes × files that get columns of their own: 128 MiB. Of a catalog of a million files these are the 16 classes that ask for most. */
const MAX_CELLS = 16e6

/** Files whose days are kept together: 1.3 MiB. */
const PAGE_ROWS = 4096
/** What an entry of a map takes, in cells of an array. */
const MAP_CELLS = 6

/** What the viewers of one class were counted to ask for of a file (by its index) in a day (days since 1970-01-01, UTC). */
export interface CountedRow {
  readonly demandClass: string
  readonly day: number
  readonly file: number
  readonly requests: number
  readonly bytes: number
}

/** What was counted of a catalog in the days before `today`, in copies: bytes that viewers got, by the file's size, however many requests these came in. */
export interface Counts {
  readonly today: number
  /** Days on which anything was counted, ascending. On others nobody counted: they say nothing of any file. */
  readonly days: Int32Array
  /** Copies by file and day, of all classes together: by file index, then in the order of `days`. Files that were never counted have none. */
  readonly byFile: ReadonlyMap<number, Float32Array>
  /** Classes by name, and what each asked for of each file, where lately counts more than long ago. */
  readonly classes: readonly string[]
  readonly recent: readonly Float64Array[]
  /** The same of all classes, those included that have no column of their own. */
  readonly recentOfAll: Float64Array
  /** Rows that cannot be, and were passed over; the first, and why. */
  readonly refused: number
  readonly firstRefused?: string
}

/** Sums up rows, in any order. Memory grows with counted files × days, and with classes × files. */
export class CountsBuilder {
  readonly #sizes: Float64Array
  readonly #today: number
  /** By file: the row of `#pages` that its days are in, or -1. */
  readonly #rowOf: Int32Array
  /** Copies by row and day of the window. An array for each file would take twice as much. */
  readonly #pages: Float32Array[] = []
  #rows = 0
  readonly #classes = new Map<string, FileSums>()
  readonly #days = new Uint8Array(WINDOW_DAYS)
  #refused = 0
  #firstRefused: string | undefined

  /** `sizes`: bytes by file index, NaN where there is no file. `today` is not over yet: what was counted on it, or later, is left out. */
  constructor(sizes: Float64Array, today: number) {
    this.#sizes = sizes
    this.#today = today
    this.#rowOf = new Int32Array(sizes.length).fill(-1)
  }

  add({ demandClass, day, file, requests, bytes }: CountedRow): void {
    const at = day - this.#today + WINDOW_DAYS
    if (!(Number.isInteger(day) && at >= 0 && at < WINDOW_DAYS)) return
    if (!isCount(bytes) || !isCount(requests) || !Number.isInteger(file)) {
      this.#refused++
      const what = isCount(bytes) ? `${requests} requests` : `${bytes} bytes`
      this.#firstRefused ??= `class ${JSON.stringify(demandClass).slice(0, 80)}, ${dayText(day)}, file ${file}: ${what}`
      return
    }
    this.#days[at] = 1
    const size = this.#sizes[file]
    // Files that were not told one by one (-1), or are gone.
    if (size === undefined || Number.isNaN(size)) return
    const copies = size > 0 ? bytes / size : requests
    if (copies === 0) return
    const { page, start } = this.#placeOf(file)
    page[start + at]! += copies
    const ofClass = this.#classes.get(demandClass) ?? new FileSums(this.#sizes.length)
    this.#classes.set(demandClass, ofClass)
    ofClass.add(file, copies * weightOf(at))
  }

  /** Where the days of a file are; there from then on. */
  #placeOf(file: number): { readonly page: Float32Array; readonly start: number } {
    if (this.#rowOf[file] === -1) this.#rowOf[file] = this.#rows++
    const row = this.#rowOf[file]!
    const number = Math.floor(row / PAGE_ROWS)
    this.#pages[number] ??= new Float32Array(PAGE_ROWS * WINDOW_DAYS)
    return { page: this.#pages[number], start: (row % PAGE_ROWS) * WINDOW_DAYS }
  }

  finish(): Counts {
    const days: number[] = []
    for (const [at, seen] of this.#days.entries()) if (seen) days.push(at)
    const byFile = new Map<number, Float32Array>()
    const recentOfAll = new Float64Array(this.#sizes.length)
    const weights = days.map(weightOf)
    for (const [file, row] of this.#rowOf.entries()) {
      if (row === -1) continue
      const { page, start } = this.#placeOf(file)
      // In place, without the days on which nobody counted.
      for (const [i, at] of days.entries()) {
        page[start + i] = page[start + at]!
        recentOfAll[file]! += page[start + i]! * weights[i]!
      }
      byFile.set(file, page.subarray(start, start + days.length))
    }
    const { classes, recent } = this.#columns()
    return {
      today: this.#today,
      days: Int32Array.from(days, (at) => this.#today - WINDOW_DAYS + at),
      byFile,
      classes,
      recent,
      recentOfAll,
      refused: this.#refused,
      ...(this.#firstRefused !== undefined && { firstRefused: this.#firstRefused }),
    }
  }

  /** The classes that ask for most, as many as there may be. */
  #columns(): Pick<Counts, 'classes' | 'recent'> {
    const most = Math.min(MAX_DEMAND_CLASSES, Math.max(1, Math.floor(MAX_CELLS / this.#sizes.length)))
    const sums = [...this.#classes].map(([name, files]) => ({ name, sum: files.total() }))
    const chosen = sums.sort((a, b) => b.sum - a.sum || (a.name < b.name ? -1 : 1)).slice(0, most)
    const classes = chosen.map(({ name }) => name).sort()
    const recent = classes.map((name) => this.#classes.get(name)!.column())
    return { classes, recent }
  }
}

/** Sums by file: a map, until that takes more than a column of all files would. */
class FileSums {
  readonly #files: number
  #few: Map<number, number> | undefined = new Map()
  #all: Float64Array | undefined

  /** `files`: how many there are. */
  constructor(files: number) {
    this.#files = files
  }

  add(file: number, more: number): void {
    if (this.#all) {
      this.#all[file]! += more
      return
    }
    this.#few!.set(file, (this.#few!.get(file) ?? 0) + more)
    if (this.#few!.size * MAP_CELLS > this.#files) {
      this.#all = this.column()
      this.#few = undefined
    }
  }

  /** Added up by file, so that it does not depend on the order of rows. */
  total(): number {
    if (this.#all) return this.#all.reduce((sum, copies) => sum + copies, 0)
    return [...this.#few!].sort((a, b) => a[0] - b[0]).reduce((sum, [, copies]) => sum + copies, 0)
  }

  /** By file index. */
  column(): Float64Array {
    if (this.#all) return this.#all
    const column = new Float64Array(this.#files)
    for (const [file, copies] of this.#few!) column[file] = copies
    return column
  }
}

/** `at`: days since the beginning of the window. Yesterday counts nearly in full. */
const weightOf = (at: number) => 2 ** ((at - (WINDOW_DAYS - 1)) / HALF_LIFE_DAYS)

/** By how much all days on or after `from` on which anything was counted count together. */
export function weightSince({ days, today }: Pick<Counts, 'days' | 'today'>, from: number): number {
  let sum = 0
  for (const day of days) if (day >= from) sum += weightOf(day - today + WINDOW_DAYS)
  return sum
}

const isCount = (value: number) => value >= 0 && value < Infinity

/** `2026-01-08`, of days since 1970-01-01. */
export const dayText = (day: number) => new Date(day * 86_400_000).toISOString().slice(0, 10)

/** Days since 1970-01-01 of `2026-01-08`. NaN where it is no day. */
export const dayOfText = (text: string) => Date.parse(`${text}T00:00:00Z`) / 86_400_000
