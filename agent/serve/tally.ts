import {
  type CatalogCounts,
  type Counted,
  hourOf,
  MAX_FILES_COUNTED,
  type RequestCounts,
} from '../../reconcilers/gateway/request-counts.ts'
import type { Clock } from '../../runtime/clock.ts'

/** Batches that wait for the gateway: a day and a half of them. Older ones are given up. */
const MAX_BATCHES = 36

/** A file as it is counted. */
export interface CountedFile {
  /** `namespace/name`. */
  readonly catalog: string
  readonly index: number
}

interface Count {
  requests: number
  bytes: number
}

/** Counts what clients ask for, file by file, and packs it into batches. Memory: a few numbers for each file held, and what waits to be sent. */
export class Tally {
  readonly #clock: Clock
  readonly #bootId: string
  #catalogs = new Map<string, Map<number, Count>>()
  #hour = 0
  #sealed = 0
  readonly #waiting: RequestCounts[] = []
  /** Batches that were given up. */
  lost = 0

  constructor(clock: Clock, bootId: string) {
    this.#clock = clock
    this.#bootId = bootId
  }

  count({ catalog, index }: CountedFile, bytes: number): void {
    const hour = hourOf(this.#clock.now())
    if (hour !== this.#hour) {
      this.seal()
      this.#hour = hour
    }
    const files = this.#catalogs.get(catalog) ?? new Map<number, Count>()
    this.#catalogs.set(catalog, files)
    const count = files.get(index)
    if (!count) files.set(index, { requests: 1, bytes })
    else {
      count.requests++
      count.bytes += bytes
    }
  }

  /** Closes the batch that is being counted, if anything was: it never changes again. */
  seal(): void {
    if (this.#catalogs.size === 0) return
    const id = `${this.#bootId}-${this.#sealed++}`
    this.#waiting.push({ id, hour: this.#hour, catalogs: packed(this.#catalogs) })
    this.#catalogs = new Map()
    if (this.#waiting.length <= MAX_BATCHES) return
    this.#waiting.shift()
    this.lost++
  }

  /** The batch to send next: the oldest. */
  get next(): RequestCounts | undefined {
    return this.#waiting[0]
  }

  /** A batch is done with. */
  settle(id: string): void {
    if (this.#waiting[0]?.id === id) this.#waiting.shift()
  }
}

/** The files with the most bytes one by one, as many as may be told; the others summed up. */
function packed(catalogs: ReadonlyMap<string, ReadonlyMap<number, Count>>): CatalogCounts[] {
  const all = [...catalogs].flatMap(([catalog, files]) =>
    [...files].map(([index, count]) => ({ catalog, index, ...count })),
  )
  all.sort((a, b) => b.bytes - a.bytes || b.requests - a.requests || a.index - b.index)
  const told = new Map([...catalogs.keys()].map((catalog) => [catalog, [] as [number, number, number][]]))
  const others = new Map<string, Counted>()
  for (const [rank, { catalog, index, requests, bytes }] of all.entries()) {
    if (rank < MAX_FILES_COUNTED) told.get(catalog)!.push([index, requests, bytes])
    else {
      const sum = others.get(catalog)
      others.set(catalog, { requests: (sum?.requests ?? 0) + requests, bytes: (sum?.bytes ?? 0) + bytes })
    }
  }
  return [...told].map(([catalog, files]) => ({
    catalog,
    files,
    others: others.get(catalog) ?? { requests: 0, bytes: 0 },
  }))
}
