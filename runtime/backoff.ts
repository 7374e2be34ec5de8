export interface BackoffOptions {
  /** The wait after the first failure. */
  readonly baseMs: number
  /** No wait is longer. */
  readonly capMs: number
  /** The share of a wait that is left to chance, so that many do not come back at once: 0 (none) to 1. 0.2 unless told. */
  readonly jitter?: number
  /** In [0, 1). */
  readonly random?: () => number
}

/** How long to wait after so many failures in a row (1 or more): doubles from `baseMs` up to `capMs`; jitter only shortens. */
export function backoffMs(
  failures: number,
  { baseMs, capMs, jitter = 0.2, random = Math.random }: BackoffOptions,
): number {
  // Past 30 doublings any base is over any cap; stay clear of infinity.
  const full = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30))
  return full * (1 - jitter * random())
}

/** Counts failures in a row and says how long to wait. */
export class Backoff {
  readonly #options: BackoffOptions
  #failures = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** Notes a failure; gives the wait before the next try, in ms. */
  next(): number {
    this.#failures++
    return backoffMs(this.#failures, this.#options)
  }

  reset(): void {
    this.#failures = 0
  }

  get failures(): number {
    return this.#failures
  }
}
