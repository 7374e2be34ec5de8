/** Over how long rates are measured: appliances report every few seconds, so less than this would be mostly zero. */
const WINDOW_MS = 30_000

interface Sample {
  readonly atMs: number
  readonly bytes: number
}

/** Measures how fast counts of bytes grow, by name. */
export class Rates {
  readonly #samples = new Map<string, Sample[]>()

  /** Notes what one has held at a time (any clock in milliseconds that only goes forward). */
  note(name: string, bytes: number, atMs: number): void {
    const kept = (this.#samples.get(name) ?? []).filter((sample) => atMs - sample.atMs <= WINDOW_MS)
    this.#samples.set(name, [...kept, { atMs, bytes }])
  }

  /** Bytes per second; undefined until it has been seen at two times. What shrinks (evicts) has a rate of 0. */
  rate(name: string): number | undefined {
    const samples = this.#samples.get(name) ?? []
    const [first, last] = [samples[0], samples.at(-1)]
    if (!first || !last || last.atMs === first.atMs) return undefined
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs))
  }
}
