import { type Answer, type Miss, TIERS } from '../reconcilers/steering/types.ts'
import { Buckets, exponentialBounds } from '../runtime/metrics/buckets.ts'

/** In the order in which they are counted. */
export const MISSES: readonly Miss[] = ['none', 'content', 'health', 'capacity']

/** What steering has done since its start, for metrics. */
export class Counters {
  readonly #answers = new Float64Array(600)
  /** Decisions by where the first that they name comes from, and those that name nobody. */
  readonly tiers = new Float64Array(TIERS.length + 1)
  /** Decisions by why the client's own site is not first. */
  readonly misses = new Float64Array(MISSES.length)
  /** DNS answers by code. */
  readonly dns = new Map<string, number>()
  /** Seconds from a request being there to its answer being written. */
  readonly seconds = new Buckets(exponentialBounds(0.00001, 2, 16))
  /** Of DNS. */
  refusedConnections = 0
  rateLimited = 0
  decisionsLogged = 0
  decisionsNotLogged = 0

  decided({ count, tiers, miss }: Answer): void {
    this.tiers[count === 0 ? TIERS.length : tiers[0]!]!++
    this.misses[MISSES.indexOf(miss)]!++
  }

  answered(code: number): void {
    this.#answers[code]!++
  }

  /** HTTP answers by code. */
  get answers(): readonly (readonly [code: number, count: number])[] {
    return Array.from(this.#answers, (count, code) => [code, count] as const).filter(([, count]) => count > 0)
  }

  dnsAnswered(rcode: string): void {
    this.dns.set(rcode, (this.dns.get(rcode) ?? 0) + 1)
  }
}
