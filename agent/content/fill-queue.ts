import { type Delayed, DelayHeap } from '../../runtime/queue/delay-heap.ts'
import type { WantedFile } from './view.ts'

interface Waiting extends Delayed {
  readonly sha256: string
}

/** Which file is next: one that was put first, one whose time has come, or the next in order. */
export class FillQueue {
  #order: readonly WantedFile[] = []
  /** The first in order that was not looked at. */
  #next = 0
  readonly #first: string[] = []
  readonly #heap = new DelayHeap<Waiting>()
  readonly #waiting = new Map<string, Waiting>()

  /** Sets the order anew; of files that wait, only those stay that `isWanted`. */
  reset(order: readonly WantedFile[], isWanted: (sha256: string) => boolean): void {
    this.#order = order
    this.#next = 0
    this.#first.length = 0
    for (const [sha256, waiting] of this.#waiting) if (!isWanted(sha256)) this.#stopWaiting(waiting)
  }

  /** Before all others (`ahead`), or behind those that were put first already. */
  putFirst(sha256: string, ahead = false): void {
    if (ahead) this.#first.unshift(sha256)
    else this.#first.push(sha256)
  }

  /** Not before `untilMs`. */
  wait(sha256: string, untilMs: number): void {
    const waiting = this.#waiting.get(sha256) ?? { sha256, dueMs: 0, heapIndex: -1 }
    this.#waiting.set(sha256, waiting)
    this.#heap.put(waiting, untilMs)
  }

  /** When the first of those that wait is due; Infinity when none waits. */
  get dueMs(): number {
    return this.#heap.peek()?.dueMs ?? Number.POSITIVE_INFINITY
  }

  /** Takes out the next file that nobody works on. */
  take(nowMs: number, isIdle: (sha256: string) => boolean): string | undefined {
    for (let sha256 = this.#first.shift(); sha256 !== undefined; sha256 = this.#first.shift()) {
      if (isIdle(sha256)) return sha256
    }
    for (let due = this.#heap.peek(); due && due.dueMs <= nowMs; due = this.#heap.peek()) {
      this.#stopWaiting(due)
      if (isIdle(due.sha256)) return due.sha256
    }
    while (this.#next < this.#order.length) {
      const { sha256 } = this.#order[this.#next++]!
      if (!this.#waiting.has(sha256) && isIdle(sha256)) return sha256
    }
    return undefined
  }

  #stopWaiting(waiting: Waiting): void {
    this.#heap.remove(waiting)
    this.#waiting.delete(waiting.sha256)
  }
}
