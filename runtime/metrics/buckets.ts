/** How often what was observed fell below each bound: a histogram that costs nanoseconds to add to. */
export class Buckets {
  /** Upper bounds, inclusive, rising; seconds where it measures time. */
  readonly bounds: readonly number[]
  readonly #counts: Float64Array
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const { bounds } = this
    let at = 0
    // Most of what is measured is short, and found at once.
    while (at < bounds.length && value > bounds[at]!) at++
    this.#counts[at]!++
    this.#sum += value
  }

  get sum(): number {
    return this.#sum
  }

  /** For each bound, and at last for infinity: how many were not above it. */
  cumulative(): number[] {
    let total = 0
    return Array.from(this.#counts, (count) => {
      total += count
      return total
    })
  }
}

/** `count` bounds from `start` on, each `factor` times the one before. */
export function exponentialBounds(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start * factor ** i)
}
