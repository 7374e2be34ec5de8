import type { Clock } from '../../runtime/clock.ts'

/** The wall clock to the second, as answers tell it. Read once a second, not once an answer. */
export class WallSecond {
  readonly #clock: Clock
  #untilMs = Number.NEGATIVE_INFINITY
  /** Seconds since 1970. */
  second = 0
  /** The monotonic time of the last reading. */
  followedMs = 0
  /** As HTTP's header Date has it. */
  date = ''

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** To be called before it is read, with the clock's monotonic time. */
  follow(monotonicMs: number): void {
    this.followedMs = monotonicMs
    if (monotonicMs < this.#untilMs) return
    const now = this.#clock.now()
    const ms = now.getTime()
    this.second = Math.floor(ms / 1000)
    this.date = now.toUTCString()
    this.#untilMs = monotonicMs + 1000 - (ms - this.second * 1000)
  }
}
