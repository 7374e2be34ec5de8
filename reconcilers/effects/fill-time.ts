import type { Window } from '../../crds/types.gen.ts'
import { type FillAllowance, fillAllowance } from '../agent/windows.ts'

/** When a fill may begin and will be through, at best. */
export interface FillTime {
  /** When the first byte may come; undefined where no window opens within two weeks. */
  readonly startsAt?: Date
  /** When the last byte has come; undefined where it is not through within two weeks. */
  readonly endsAt?: Date
}

const HORIZON_MS = 14 * 24 * 3_600_000

/** Computes how long fills take over windows. */
export class FillClock {
  readonly #now: Date
  /** Sites mostly have the same few windows, and reading the calendar is slow. */
  readonly #timelines = new Map<string, Timeline>()

  constructor(now: Date) {
    this.#now = now
  }

  /**
   * When `bytes` have come through the windows, at no more than `bytesPerSecond` whatever these say. Undefined where nothing bounds the rate, so
   * that nobody can tell. Throws a RangeError for windows that cannot be read.
   */
  fill(bytes: number, windows: readonly Window[], timeZone: string, bytesPerSecond: number): FillTime | undefined {
    return this.#timeline(windows, timeZone).fill(bytes, bytesPerSecond)
  }

  /** What the windows allow now. Throws a RangeError as `fill` does. */
  allowance(windows: readonly Window[], timeZone: string): FillAllowance {
    return this.#timeline(windows, timeZone).now
  }

  #timeline(windows: readonly Window[], timeZone: string): Timeline {
    const id = JSON.stringify([timeZone, windows])
    const timeline = this.#timelines.get(id) ?? new Timeline(windows, timeZone, this.#now)
    this.#timelines.set(id, timeline)
    return timeline
  }
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
  /** Bytes per second; 0 while closed, Infinity without a cap. */
  readonly rate: number
}

/** A site's windows from now on, read as far as somebody needs them. */
class Timeline {
  readonly #spans: Span[] = []
  readonly #windows: readonly Window[]
  readonly #timeZone: string
  readonly #startMs: number
  readonly now: FillAllowance

  constructor(windows: readonly Window[], timeZone: string, now: Date) {
    this.now = fillAllowance(windows, timeZone, now)
    this.#windows = windows
    this.#timeZone = timeZone
    this.#startMs = now.getTime()
  }

  fill(bytes: number, bytesPerSecond: number): FillTime | undefined {
    let left = bytes
    let startsAt: Date | undefined
    for (let i = 0; ; i++) {
      const span = this.#span(i)
      if (!span) break
      const rate = Math.min(span.rate, bytesPerSecond)
      if (rate === 0) continue
      startsAt ??= new Date(span.fromMs)
      if (rate === Number.POSITIVE_INFINITY) return undefined
      const neededMs = (left / rate) * 1000
      if (neededMs <= span.toMs - span.fromMs) return { startsAt, endsAt: new Date(span.fromMs + neededMs) }
      left -= (rate * (span.toMs - span.fromMs)) / 1000
    }
    return startsAt ? { startsAt } : {}
  }

  #span(index: number): Span | undefined {
    while (this.#spans.length <= index) {
      const fromMs = this.#spans.at(-1)?.toMs ?? this.#startMs
      if (fromMs >= this.#startMs + HORIZON_MS) return undefined
      const { open, maxBytesPerSecond, changesAt } =
        fromMs === this.#startMs ? this.now : fillAllowance(this.#windows, this.#timeZone, new Date(fromMs))
      const toMs = Math.min(changesAt?.getTime() ?? Number.POSITIVE_INFINITY, this.#startMs + HORIZON_MS)
      this.#spans.push({ fromMs, toMs, rate: open ? (maxBytesPerSecond ?? Number.POSITIVE_INFINITY) : 0 })
    }
    return this.#spans[index]
  }
}
