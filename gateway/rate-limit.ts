import type { Clock } from '../runtime/clock.ts'

/** Hands out turns: `perSecond` on average, and as many at once after a quiet second. */
export class RateLimit {
  readonly #clock: Clock
  readonly #perSecond: number
  #turns: number
  #atMs: number

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#turns = perSecond
    this.#atMs = clock.monotonicMs()
  }

  /** Takes the next turn, which is the caller's; gives how long it is until then, in ms. */
  reserve(): number {
    const nowMs = this.#clock.monotonicMs()
    this.#turns = Math.min(this.#perSecond, this.#turns + ((nowMs - this.#atMs) * this.#perSecond) / 1000) - 1
    this.#atMs = nowMs
    return this.#turns >= 0 ? 0 : Math.ceil((-this.#turns * 1000) / this.#perSecond)
  }
}
