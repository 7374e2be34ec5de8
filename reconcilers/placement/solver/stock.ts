import type { Trunk } from './model.ts'
import { type Capacity, SiteDual, type SiteGroups } from './site-dual.ts'

/** Smoothing of what a trunk holds, as a part of that of its branches: what is smooth there is averaged here besides. */
const SHARPER = 0.1
/** −μ log keeps prices positive; per unit of demand and τ. */
const BARRIER = 0.02
const NEWTON_STEPS = 30
/** Prices begin at this part of the demand. */
const FIRST = 0.1
/** The most that a price moves at once, where a unit served is worth 1. */
const STRIDE = 0.2
/** A price that turns back goes so much slower from then on, one that goes on so much faster, up to all of the way. */
const SLOWER = 0.45
const FASTER = 1.3

/**
 * What a trunk holds, and the prices of its kinds of appliances. With gain G_gt of band g on kind t at the price p_t, and A_gt of it asked for there, what the branches do at
 * another price β is worth about G_gt + (p_t − β) A_gt. So what the trunk best holds is a site's problem (`site-dual.ts`), in which a band takes A_gt of the throughput of kind
 * t: it gives the kinds' prices, and the parts of each band that go to each. `held` moves a part of the way to these (Frank and Wolfe 1956), the prices as far as they do not
 * turn back and forth.
 */
export class Stock {
  readonly #trunk: Trunk
  readonly #solver = new SiteDual()
  readonly #capacities: readonly Capacity[]
  /** As those of a branch. */
  readonly #prices: Float64Array
  readonly #groups: SiteGroups & Required<Pick<SiteGroups, 'worth' | 'takes'>>
  /** By kind: how much of the way its price goes, and how far it was to go the last time. */
  readonly #pace: Float64Array
  readonly #last: Float64Array

  constructor(trunk: Trunk) {
    const { kinds, bands } = trunk
    this.#trunk = trunk
    this.#capacities = kinds.map(({ capacity }) => capacity)
    this.#prices = new Float64Array(2 * kinds.length)
    this.#pace = new Float64Array(kinds.length).fill(1)
    this.#last = new Float64Array(kinds.length)
    this.#groups = {
      count: bands.count,
      demand: new Float64Array(bands.count),
      bytes: bands.bytes,
      instead: new Float64Array(bands.count),
      worth: new Float64Array(bands.count * kinds.length),
      takes: new Float64Array(bands.count * kinds.length),
    }
  }

  /** Goes `part` of the way to what the branches' answers to the last prices make best. `branchTau`: their smoothing. */
  move(part: number, branchTau: number): void {
    const tau = SHARPER * branchTau
    const asked = this.#pose()
    if (!(asked > 0)) return
    const prices = this.#prices
    for (let p = 0; p < prices.length; p++) if (prices[p] === 0) prices[p] = FIRST * asked
    this.#solver.minimise(this.#groups, this.#capacities, prices, tau, BARRIER * tau * asked, NEWTON_STEPS)
    this.#hold(part, tau)
    this.#charge()
  }

  /** Returns the demand for all bands together that could be missed. */
  #pose(): number {
    const { kinds } = this.#trunk
    const { count, demand, worth, takes } = this.#groups
    let all = 0
    for (let g = 0; g < count; g++) {
      demand[g] = 0
      for (const { missed } of kinds) demand[g] = Math.max(demand[g]!, missed[g]!)
      if (!(demand[g]! > 0)) continue
      for (const [t, { gain, asked, price }] of kinds.entries()) {
        const at = g * kinds.length + t
        takes[at] = asked[g]! / demand[g]!
        worth[at] = gain[g]! / demand[g]! + price * takes[at]!
      }
      all += demand[g]!
    }
    return all
  }

  #hold(part: number, tau: number): void {
    const { kinds } = this.#trunk
    const { count, demand, bytes, worth, takes } = this.#groups
    const types = kinds.length
    const prices = this.#prices
    const lines = new Float64Array(types)
    for (const [t, kind] of kinds.entries()) kind.storagePrice = prices[t]! / Math.max(kind.capacity.storage, 1)
    for (let g = 0; g < count; g++) {
      let best = 0
      for (const [t, { storagePrice, capacity }] of kinds.entries()) {
        const at = g * types + t
        const paid = (prices[types + t]! / capacity.throughput) * takes[at]!
        lines[t] =
          demand[g]! > 0 ? worth[at]! - paid - (storagePrice * bytes[g]!) / demand[g]! : Number.NEGATIVE_INFINITY
        if (lines[t]! > best) best = lines[t]!
      }
      let sum = Math.exp(-best / tau)
      for (let t = 0; t < types; t++) {
        lines[t] = Math.exp((lines[t]! - best) / tau)
        sum += lines[t]!
      }
      for (const [t, { held }] of kinds.entries()) held[g]! += part * (lines[t]! / sum - held[g]!)
    }
  }

  #charge(): void {
    const { kinds } = this.#trunk
    for (const [t, kind] of kinds.entries()) {
      const way = this.#prices[kinds.length + t]! / kind.capacity.throughput - kind.price
      const step = Math.max(-STRIDE, Math.min(STRIDE, way))
      this.#pace[t] = step * this.#last[t]! < 0 ? this.#pace[t]! * SLOWER : Math.min(1, this.#pace[t]! * FASTER)
      this.#last[t] = step
      kind.price += this.#pace[t]! * step
    }
  }
}
