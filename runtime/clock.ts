/** Time as a dependency: everything that waits or reads the time takes a Clock, so that tests own time. */
export interface Clock {
  /** The wall-clock time. */
  now(): Date
  /** Milliseconds since an arbitrary origin; never steps back. For measuring durations. */
  monotonicMs(): number
  /** Calls `fn` once after `ms` milliseconds; returns a function that cancels it. */
  after(ms: number, fn: () => void): () => void
}

/** The longest that a timer of Node's takes, some 25 days: one that is longer fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  after(ms, fn) {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number) => {
      const isLast = leftMs <= MAX_TIMER_MS
      timer = setTimeout(() => (isLast ? fn() : wait(leftMs - MAX_TIMER_MS)), Math.min(leftMs, MAX_TIMER_MS))
    }
    wait(ms)
    return () => clearTimeout(timer)
  },
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** A clock that moves only when told to. Timers fire in order of their due time. */
export class FakeClock implements Clock {
  #nowMs: number
  #timers: { dueMs: number; order: number; fn: () => void }[] = []
  #order = 0

  constructor(start: Date = new Date('2030-01-01T00:00:00Z')) {
    this.#nowMs = start.getTime()
  }

  now(): Date {
    return new Date(this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, ms), order: this.#order++, fn }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer)
    }
  }

  /** How many timers wait: lets a test see that code under test has gone to sleep. */
  get pendingTimers(): number {
    return this.#timers.length
  }

  /** Moves time on by `ms`, firing what falls due and letting promise callbacks run in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const due = this.#timers.filter((t) => t.dueMs <= end).sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0]
      if (!due) break
      this.#timers = this.#timers.filter((t) => t !== due)
      this.#nowMs = due.dueMs
      due.fn()
    }
    this.#nowMs = end
    await new Promise((resolve) => setImmediate(resolve))
  }
}
