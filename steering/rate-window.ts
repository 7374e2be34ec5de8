import type { Clock } from '../runtime/clock.ts'

/** At most so many clients are told apart within a second; more than these share what is left. */
const MAX_CLIENTS = 200_000

/**
 * How often each client may ask: counted by second, so that what is remembered is forgotten a second later, however many clients there are.
 */
export class RateWindow {
  readonly #clock: Clock
  readonly #perSecond: number
  #counts = new Map<number | string, number>()
  #windowMs = 0

  /** `perSecond` 0: as often as they like. */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
  }

  /** Counts one request of a client; false where it has had its share of this second. `nowMs`: of the clock's monotonic time. */
  take(client: number | string, nowMs = this.#clock.monotonicMs()): boolean {
    if (this.#perSecond === 0) return true
    if (nowMs - this.#windowMs >= 1000) {
      this.#windowMs = nowMs
      this.#counts = new Map()
    }
    const counts = this.#counts
    const key = counts.size < MAX_CLIENTS || counts.has(client) ? client : 'others'
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count <= this.#perSecond
  }
}
