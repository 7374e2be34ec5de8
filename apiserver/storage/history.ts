import { StoreError } from './errors.ts'
import type { EventBatch, StoreEvent } from './store.ts'

export interface HistoryLimits {
  /** Most events kept. */
  readonly events: number
  /** Most bytes of JSON kept by them. */
  readonly bytes: number
}

/** The last committed events, bounded by number and bytes: what snapshots and watches of the recent past are read from. */
export class History {
  readonly #limits: HistoryLimits
  /** In order of revision; those before #start are gone. */
  #events: (StoreEvent | undefined)[] = []
  #start = 0
  #bytes = 0
  #compactedRevision: number

  /** @param revision The revision that the history begins after. */
  constructor(revision: number, limits: HistoryLimits) {
    this.#compactedRevision = revision
    this.#limits = limits
  }

  /** Everything after this revision is here, nothing before it is. */
  get compactedRevision(): number {
    return this.#compactedRevision
  }

  push(batch: EventBatch): void {
    for (const event of batch) {
      this.#events.push(event)
      this.#bytes += event.current.json.length
    }
    while (this.#events.length - this.#start > this.#limits.events || this.#bytes > this.#limits.bytes)
      this.#dropOldest()
    if (this.#start > 1024 && this.#start * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#start)
      this.#start = 0
    }
  }

  /** The events after a revision, in order. Throws `Compacted`. */
  *after(revision: number): Generator<StoreEvent, void, undefined> {
    if (revision < this.#compactedRevision) {
      throw new StoreError(
        'Compacted',
        `revision ${revision} is older than ${this.#compactedRevision}, the oldest kept`,
      )
    }
    let low = this.#start
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#events[middle]!.revision <= revision) low = middle + 1
      else high = middle
    }
    for (let i = low; i < this.#events.length; i++) yield this.#events[i]!
  }

  #dropOldest(): void {
    const oldest = this.#events[this.#start]!
    this.#events[this.#start++] = undefined
    this.#bytes -= oldest.current.json.length
    this.#compactedRevision = oldest.revision
  }
}
