import { type Clock, sleep } from '../../runtime/clock.ts'

/** At most so much may be taken at once after a pause, as a share of a second. */
const BURST_SECONDS = 0.25

/** A token bucket, in bytes. What was taken beyond the rate is paid for by waiting: what comes in from a socket has already come. */
export class RateLimit {
  readonly #clock: Clock
  #bytesPerSecond = Number.POSITIVE_INFINITY
  #balance = 0
  #balanceAtMs: number

  constructor(clock: Clock, bytesPerSecond = Number.POSITIVE_INFINITY) {
    this.#clock = clock
    this.#balanceAtMs = clock.monotonicMs()
    this.setRate(bytesPerSecond)
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond
  }

  setRate(bytesPerSecond: number): void {
    this.#settle()
    this.#bytesPerSecond = bytesPerSecond
    // A debt from times of another rate is forgiven, so that a new window does not begin with a pause.
    this.#balance = Math.max(0, Math.min(this.#balance, bytesPerSecond * BURST_SECONDS))
  }

  /** Takes bytes; undefined when there was enough, otherwise resolves when it is time to go on. Rejects when the signal aborts. */
  take(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return undefined
    this.#settle()
    this.#balance -= bytes
    if (this.#balance >= 0) return undefined
    return sleep(this.#clock, Math.ceil((-this.#balance / this.#bytesPerSecond) * 1000), signal)
  }

  #settle(): void {
    const nowMs = this.#clock.monotonicMs()
    if (this.#bytesPerSecond !== Number.POSITIVE_INFINITY) {
      const earned = ((nowMs - this.#balanceAtMs) / 1000) * this.#bytesPerSecond
      this.#balance = Math.min(this.#balance + earned, this.#bytesPerSecond * BURST_SECONDS)
    }
    this.#balanceAtMs = nowMs
  }
}
