import { Backoff } from '../../runtime/backoff.ts'
import { type Clock, sleep } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'

export interface LoopOptions {
  /** What it does, for the log. */
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly backoff: { readonly baseMs: number; readonly capMs: number }
}

/**
 * Does one thing again and again: when asked to, not more often than its interval, and again after a failure, later and later. Asking while
 * it works makes it work once more.
 */
export class Loop {
  readonly #options: LoopOptions
  readonly #work: (signal: AbortSignal) => Promise<void>
  readonly #intervalMs: number
  readonly #abort = new AbortController()
  readonly #backoff: Backoff
  #dueMs = Number.POSITIVE_INFINITY
  #notBeforeMs = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined
  #cancelTimer: () => void = () => {}

  constructor(options: LoopOptions, intervalMs: number, work: (signal: AbortSignal) => Promise<void>) {
    this.#options = options
    this.#intervalMs = intervalMs
    this.#work = work
    // Half of it by chance: a gateway that comes back is not met by all appliances at once.
    this.#backoff = new Backoff({ ...options.backoff, jitter: 0.5, random: options.random })
  }

  get failures(): number {
    return this.#backoff.failures
  }

  /** Asks for the work, as soon as its interval allows; `now` does not wait for that, though it does wait out a failure. */
  ask(now = false): void {
    const nowMs = this.#options.clock.monotonicMs()
    const earliestMs = now && this.#backoff.failures === 0 ? nowMs : Math.max(nowMs, this.#notBeforeMs)
    this.#dueMs = Math.min(this.#dueMs, earliestMs)
    this.#setTimer()
  }

  /** Asks for the work in a while, unless it is asked for sooner. */
  askIn(ms: number): void {
    this.#dueMs = Math.min(this.#dueMs, Math.max(this.#notBeforeMs, this.#options.clock.monotonicMs() + ms))
    this.#setTimer()
  }

  /** The other side is back: what failed is tried again at once. */
  recovered(): void {
    if (this.#backoff.failures === 0) return
    this.#backoff.reset()
    this.#notBeforeMs = Number.NEGATIVE_INFINITY
    this.ask(true)
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('closed'))
    this.#cancelTimer()
    await this.#running
  }

  #setTimer(): void {
    if (this.#running || this.#abort.signal.aborted) return
    this.#cancelTimer()
    this.#cancelTimer = () => {}
    if (this.#dueMs === Number.POSITIVE_INFINITY) return
    const inMs = Math.max(0, this.#dueMs - this.#options.clock.monotonicMs())
    this.#cancelTimer = this.#options.clock.after(inMs, () => this.#start())
  }

  #start(): void {
    if (this.#running || this.#abort.signal.aborted) return
    this.#dueMs = Number.POSITIVE_INFINITY
    this.#notBeforeMs = this.#options.clock.monotonicMs() + this.#intervalMs
    this.#running = this.#attempt().finally(() => {
      this.#running = undefined
      this.#setTimer()
    })
  }

  async #attempt(): Promise<void> {
    const { name, log, clock } = this.#options
    try {
      await this.#work(this.#abort.signal)
      this.#backoff.reset()
    } catch (err) {
      if (this.#abort.signal.aborted) return
      const waitMs = this.#backoff.next()
      const say = this.#backoff.failures === 1 ? log.warn : log.debug
      say.call(log, { err, failures: this.#backoff.failures }, `${name} failed`)
      this.#notBeforeMs = clock.monotonicMs() + waitMs
      this.#dueMs = this.#notBeforeMs
    }
  }
}

/** Does one thing that lasts, such as reading a stream, and again when it has ended, later and later while it ends in failure. */
export async function keepDoing(
  options: LoopOptions,
  signal: AbortSignal,
  work: (signal: AbortSignal, wentWell: () => void) => Promise<void>,
): Promise<void> {
  const { clock, log, name, random, backoff: times } = options
  const backoff = new Backoff({ ...times, jitter: 0.5, random })
  while (!signal.aborted) {
    try {
      await work(signal, () => backoff.reset())
    } catch (err) {
      if (signal.aborted) return
      const say = backoff.failures === 0 ? log.warn : log.debug
      say.call(log, { err, failures: backoff.failures + 1 }, `${name} failed`)
    }
    await sleep(clock, backoff.next(), signal).catch(() => {})
  }
}
