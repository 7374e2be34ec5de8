import { type BackoffOptions, backoffMs } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import { DelayHeap } from './delay-heap.ts'

/** Smaller is sooner: what a person changed, what follows from other changes, what a resync looks at again. */
export const PRIORITY = { user: 0, normal: 1, resync: 2 } as const
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY]

export interface QueueOptions {
  readonly clock: Clock
  /** Called, from a microtask of its own, after keys have come to be taken: once for all that were added before it runs. */
  readonly onReady: () => void
  /** Waits after failures of one key. 50 ms doubling up to 5 minutes unless told. */
  readonly backoff?: BackoffOptions
}

const LANES = 3
/** So many takes in a row from better lanes before the worst lane that has something gets one: nothing starves. */
const FAIRNESS = 64
/** Keys at rest are remembered, which saves making them anew; those that did not come back within this many takes are forgotten. */
const MIN_TAKES_REMEMBERED = 65_536

const RESTING = 0
/** In a lane, to be taken. */
const QUEUED = 1
/** Taken, not done yet. */
const TAKEN = 2
/** Taken, and added again since: goes back to a lane once done. */
const TAKEN_DIRTY = 3

/** One key: also the node of its lane's list and the entry of the heap, so that nothing is allocated while it goes round. */
class Item {
  readonly key: string
  state = RESTING
  lane: number = PRIORITY.normal
  next: Item | undefined = undefined
  prev: Item | undefined = undefined
  dueMs = 0
  heapIndex = -1
  delayedLane: number = PRIORITY.normal
  failures = 0
  queuedAtMs = 0
  /** Not taken since the last sweep. */
  stale = false

  constructor(key: string) {
    this.key = key
  }
}

/**
 * A work queue of keys. A key that is added many times before it is taken is taken once; one that is added while it is being worked on is
 * taken again after `done`, never twice at the same time. Better priorities first, first in first out within one.
 */
export class Queue {
  readonly #clock: Clock
  readonly #onReady: () => void
  readonly #backoff: BackoffOptions
  readonly #items = new Map<string, Item>()
  readonly #heads: (Item | undefined)[] = new Array(LANES).fill(undefined)
  readonly #tails: (Item | undefined)[] = new Array(LANES).fill(undefined)
  readonly #delayed = new DelayHeap<Item>()
  #cancelTimer: (() => void) | undefined
  #timerDueMs = Number.POSITIVE_INFINITY
  #queued = 0
  #taken = 0
  #adds = 0
  #retries = 0
  /** About now (monotonic ms): read once for all keys that come to be taken in one turn of the event loop. */
  #nowMs = 0
  #takesUntilSweep = MIN_TAKES_REMEMBERED
  #sinceFair = 0
  #lastTaken: Item | undefined
  #announced = false
  #closed = false

  constructor({ clock, onReady, backoff }: QueueOptions) {
    this.#clock = clock
    this.#onReady = onReady
    this.#backoff = backoff ?? { baseMs: 50, capMs: 300_000 }
  }

  /** Keys that wait to be taken, without delayed ones. */
  get depth(): number {
    return this.#queued
  }

  /** Keys that are being worked on. */
  get taken(): number {
    return this.#taken
  }

  /** Keys whose delay has not passed. */
  get delayed(): number {
    return this.#delayed.size
  }

  /** Keys that have come to be taken, since the start; one that waits already does not count again. */
  get adds(): number {
    return this.#adds
  }

  /** Failures that were counted, since the start. */
  get retries(): number {
    return this.#retries
  }

  /** Since when the key taken last had waited to be taken (monotonic ms, to a turn of the event loop). */
  get takenSinceMs(): number {
    return this.#lastTaken?.queuedAtMs ?? this.#nowMs
  }

  /** Asks for a key to be worked on. Raises its priority where it waits already, never lowers it. */
  add(key: string, priority: Priority = PRIORITY.normal): void {
    if (this.#closed) return
    this.#enqueue(this.#items.get(key) ?? this.#create(key), priority)
  }

  /** Asks for a key to be worked on after `ms`, or sooner where it is asked for sooner. */
  addAfter(key: string, ms: number, priority: Priority = PRIORITY.normal): void {
    if (this.#closed) return
    this.#delay(this.#items.get(key) ?? this.#create(key), ms, priority)
  }

  /**
   * The next key to work on, or undefined. It is the caller's until `done`. What it was delayed for is settled by this:
   * whoever works on a key looks at everything anew.
   */
  take(): string | undefined {
    const item = this.#pick()
    if (item === undefined) return undefined
    this.#unlink(item)
    item.state = TAKEN
    item.stale = false
    this.#taken++
    this.#lastTaken = item
    if (item.heapIndex >= 0) this.#delayed.remove(item)
    if (--this.#takesUntilSweep <= 0) this.#sweep()
    return item.key
  }

  /** The work on a key that was taken has ended. */
  done(key: string): void {
    // Mostly it is the key taken last: spares looking it up.
    const item = this.#lastTaken?.key === key ? this.#lastTaken : this.#items.get(key)
    if (item === undefined || item.state < TAKEN) return
    this.#lastTaken = undefined
    this.#taken--
    const dirty = item.state === TAKEN_DIRTY
    item.state = RESTING
    if (dirty) this.#enqueue(item, item.lane)
  }

  /**
   * The work on a key failed: counts it, and adds it again after its back-off, or after `atLeastMs` where that is longer.
   * The first `free` failures in a row wait for nothing. Returns the wait in ms.
   */
  retry(key: string, priority: Priority = PRIORITY.normal, atLeastMs = 0, free = 0): number {
    const item = this.#items.get(key) ?? this.#create(key)
    item.failures++
    this.#retries++
    const ms = Math.max(atLeastMs, item.failures <= free ? 0 : backoffMs(item.failures - free, this.#backoff))
    if (!this.#closed) this.#delay(item, ms, priority)
    return ms
  }

  /** The work on a key went well: its next failure is its first. */
  forget(key: string): void {
    const item = this.#items.get(key)
    if (item !== undefined) item.failures = 0
  }

  /** Failures of a key in a row. */
  failures(key: string): number {
    return this.#items.get(key)?.failures ?? 0
  }

  /** Gives out nothing more and takes nothing more in. */
  close(): void {
    this.#closed = true
    this.#cancelTimer?.()
    this.#heads.fill(undefined)
    this.#tails.fill(undefined)
    this.#queued = 0
  }

  #create(key: string): Item {
    const item = new Item(key)
    this.#items.set(key, item)
    return item
  }

  #enqueue(item: Item, lane: number): void {
    switch (item.state) {
      case RESTING:
        item.state = QUEUED
        this.#link(item, lane)
        if (!this.#announced) this.#announce()
        item.queuedAtMs = this.#nowMs
        this.#adds++
        return
      case QUEUED:
        if (lane >= item.lane) return
        this.#unlink(item)
        this.#link(item, lane)
        return
      case TAKEN:
        item.state = TAKEN_DIRTY
        item.lane = lane
        return
      default:
        if (lane < item.lane) item.lane = lane
    }
  }

  #link(item: Item, lane: number): void {
    item.lane = lane
    const tail = this.#tails[lane]
    item.prev = tail
    if (tail === undefined) this.#heads[lane] = item
    else tail.next = item
    this.#tails[lane] = item
    this.#queued++
  }

  #unlink(item: Item): void {
    const { prev, next, lane } = item
    if (prev === undefined) this.#heads[lane] = next
    else prev.next = next
    if (next === undefined) this.#tails[lane] = prev
    else next.prev = prev
    item.prev = undefined
    item.next = undefined
    this.#queued--
  }

  #pick(): Item | undefined {
    const heads = this.#heads
    if (++this.#sinceFair >= FAIRNESS) {
      this.#sinceFair = 0
      return heads[2] ?? heads[1] ?? heads[0]
    }
    return heads[0] ?? heads[1] ?? heads[2]
  }

  #announce(): void {
    this.#announced = true
    this.#nowMs = this.#clock.monotonicMs()
    queueMicrotask(() => {
      this.#announced = false
      if (!this.#closed) this.#onReady()
    })
  }

  #delay(item: Item, ms: number, priority: number): void {
    const dueMs = this.#clock.monotonicMs() + Math.max(0, ms)
    if (item.heapIndex >= 0) {
      if (priority < item.delayedLane) item.delayedLane = priority
      if (dueMs >= item.dueMs) return
    } else item.delayedLane = priority
    this.#delayed.put(item, dueMs)
    this.#setTimer()
  }

  /** One timer for all delays, at the earliest of them. One that fires too early only sets itself again. */
  #setTimer(): void {
    const first = this.#delayed.peek()
    if (first === undefined || first.dueMs >= this.#timerDueMs) return
    this.#cancelTimer?.()
    this.#timerDueMs = first.dueMs
    this.#cancelTimer = this.#clock.after(Math.max(0, Math.ceil(first.dueMs - this.#clock.monotonicMs())), () => {
      this.#timerDueMs = Number.POSITIVE_INFINITY
      this.#fire()
    })
  }

  #fire(): void {
    const nowMs = this.#clock.monotonicMs()
    for (let item = this.#delayed.peek(); item !== undefined && item.dueMs <= nowMs; item = this.#delayed.peek()) {
      this.#delayed.remove(item)
      this.#enqueue(item, item.delayedLane)
    }
    this.#setTimer()
  }

  /** Forgets the keys at rest that were not taken since the last sweep and of which nothing is known. Costs a quarter of a step a take. */
  #sweep(): void {
    for (const [key, item] of this.#items) {
      const atRest = item.state === RESTING && item.heapIndex < 0 && item.failures === 0
      if (atRest && item.stale) this.#items.delete(key)
      else item.stale = true
    }
    this.#takesUntilSweep = Math.max(MIN_TAKES_REMEMBERED, 4 * this.#items.size)
  }
}
