import { boundOf } from './bound.ts'
import type { Branch, Tree, Trunk } from './model.ts'
import { lineOf, SiteDual, type SiteGroups } from './site-dual.ts'

export interface Effort {
  /** Times that what the trunk holds is reconsidered. */
  readonly rounds: number
  /** Smoothing in the end, in units of value. */
  readonly tau: number
}

/** −μ log keeps prices positive; per unit of demand and τ. */
const BARRIER = 0.02
const FIRST_TAU = 0.05
export const NEWTON_STEPS = 30

/**
 * Finds the prices of a tree, and what its trunk holds. V(held) = Σ_branches min F is concave: its gradient is what one more file of a band at the trunk is worth to
 * all branches together. The trunk's best answer to the gradient is a knapsack; `held` moves a falling part of the way there each round (Frank and Wolfe 1956),
 * while τ falls. The price of the trunk's throughput rises while the branches ask for more than it has. Returns the lowest bound that was seen on the way
 * (see `bound.ts`), and whether `shouldEnd` ended it.
 */
export function priceTree(
  tree: Tree,
  { rounds, tau: lastTau }: Effort,
  shouldEnd: () => boolean = () => false,
): { readonly value: number; readonly endedEarly: boolean } {
  const { trunk, branches } = tree
  let bound = Number.POSITIVE_INFINITY
  let endedEarly = false
  const solver = new SiteDual()
  const groups = emptyGroups(2 * Math.max(1, ...branches.map(({ bands }) => bands.count)))
  const gradient = new Float64Array(trunk?.bands.count ?? 0)
  const throughput = trunk ? new ThroughputPrice(trunk) : undefined
  const times = trunk ? rounds : 3
  for (let round = 0; round < times; round++) {
    // The last round's prices are the ones that files are placed by, so that there is always one.
    endedEarly ||= shouldEnd()
    const last = endedEarly || round === times - 1
    const tau = last ? lastTau : Math.max(lastTau, FIRST_TAU * (trunk ? 0.6 : 0.2) ** round)
    gradient.fill(0)
    trunk?.missed.fill(0)
    if (trunk) trunk.asked = 0
    for (const branch of branches) {
      setGroups(groups, branch, trunk)
      if (branch.types.length > 0)
        solver.minimise(groups, branch.types, branch.prices, tau, barrierOf(branch, tau), NEWTON_STEPS)
      if (trunk) addMarginals(branch, trunk, groups, tau, gradient)
    }
    if (round >= times / 2 || last) bound = Math.min(bound, boundOf(tree))
    if (last) break
    if (!trunk) continue
    moveTowards(trunk, gradient, Math.max(0.1, 2 / (round + 3)))
    throughput!.adjust()
  }
  return { value: bound, endedEarly }
}

export function emptyGroups(count: number): SiteGroups {
  return {
    count,
    demand: new Float64Array(count),
    bytes: new Float64Array(count),
    instead: new Float64Array(count),
  }
}

/** −μ log keeps prices positive: μ of a branch. */
export const barrierOf = ({ demand }: Branch, tau: number): number => tau * BARRIER * demand

/** Files not at the trunk, then files at the trunk: bands.count groups each. */
export function setGroups(
  groups: SiteGroups,
  { bands, demand, overlap, parentValue }: Branch,
  trunk: Trunk | undefined,
): void {
  const n = bands.count
  groups.count = trunk ? 2 * n : n
  const instead = trunk ? Math.max(0, parentValue - trunk.price) : 0
  if (trunk && overlap) {
    groups.demand.fill(0, n, 2 * n)
    groups.bytes.fill(0, n, 2 * n)
    for (let i = 0; i < overlap.own.length; i++) {
      const held = trunk.held[overlap.parents[i]!]!
      groups.demand[n + overlap.own[i]!]! += held * overlap.demand[i]! * demand
      groups.bytes[n + overlap.own[i]!]! += held * overlap.bytes[i]!
    }
  }
  for (let g = 0; g < n; g++) {
    groups.instead[g] = 0
    if (!trunk) {
      groups.demand[g] = bands.demand[g]! * demand
      groups.bytes[g] = bands.bytes[g]!
      continue
    }
    groups.instead[n + g] = instead
    if (!overlap) {
      groups.demand[n + g] = trunk.held[g]! * bands.demand[g]! * demand
      groups.bytes[n + g] = trunk.held[g]! * bands.bytes[g]!
    }
    groups.demand[g] = Math.max(0, bands.demand[g]! * demand - groups.demand[n + g]!)
    groups.bytes[g] = Math.max(0, bands.bytes[g]! - groups.bytes[n + g]!)
  }
}

/** What one more file of each band at the trunk is worth to the branch, and what the branch leaves to the trunk. */
function addMarginals(branch: Branch, trunk: Trunk, groups: SiteGroups, tau: number, gradient: Float64Array): void {
  const { bands, demand, overlap, types, prices } = branch
  const n = bands.count
  const instead = groups.instead[n] ?? 0
  // At a price above what it is worth, nothing is asked of the trunk; smoothed as the rest is.
  const asking = 1 / (1 + Math.exp((trunk.price - branch.parentValue) / tau))
  const worth = overlap ? new Float64Array(n) : undefined
  const left = overlap ? new Float64Array(n) : undefined
  for (let g = 0; g < n; g++) {
    const wanted = bands.demand[g]! * demand
    if (!(wanted > 0)) continue
    const ratio = bands.bytes[g]! / wanted
    let [best, bestHeld] = [0, 0]
    for (let t = 0; t < types.length; t++) {
      const line = lineOf(types, prices, t, ratio)
      if (line > best) best = line
      if (line - instead > bestHeld) bestHeld = line - instead
    }
    let [parts, partsHeld] = [0, 0]
    for (let t = 0; t < types.length; t++) {
      const line = lineOf(types, prices, t, ratio)
      parts += Math.exp((line - best) / tau)
      partsHeld += Math.exp((line - instead - bestHeld) / tau)
    }
    const sum = parts + Math.exp(-best / tau)
    const sumHeld = partsHeld + Math.exp(-bestHeld / tau)
    const gain = instead + bestHeld + tau * Math.log(sumHeld) - best - tau * Math.log(sum)
    if (worth && left) {
      worth[g] = gain * demand
      left[g] = (1 - partsHeld / sumHeld) * demand
    } else {
      gradient[g]! += gain * wanted
      trunk.missed[g]! += (1 - partsHeld / sumHeld) * wanted
      trunk.asked += asking * trunk.held[g]! * (1 - partsHeld / sumHeld) * wanted
    }
  }
  if (!overlap || !worth || !left) return
  for (let i = 0; i < overlap.own.length; i++) {
    gradient[overlap.parents[i]!]! += worth[overlap.own[i]!]! * overlap.demand[i]!
    const missed = left[overlap.own[i]!]! * overlap.demand[i]!
    trunk.missed[overlap.parents[i]!]! += missed
    trunk.asked += asking * trunk.held[overlap.parents[i]!]! * missed
  }
}

/** Moves what the trunk holds towards what the gradient would have it hold. */
function moveTowards(trunk: Trunk, gradient: Float64Array, part: number): void {
  const { bands, held, capacity } = trunk
  const bands_ = Array.from(gradient.keys()).filter((g) => gradient[g]! > 0)
  bands_.sort((a, b) => gradient[b]! / bands.bytes[b]! - gradient[a]! / bands.bytes[a]! || a - b)
  for (let g = 0; g < held.length; g++) held[g]! *= 1 - part
  let left = capacity.storage
  trunk.storagePrice = 0
  for (const g of bands_) {
    const fraction = bands.bytes[g]! <= left ? 1 : left / bands.bytes[g]!
    held[g]! += part * fraction
    left -= fraction * bands.bytes[g]!
    if (fraction < 1) {
      trunk.storagePrice = gradient[g]! / bands.bytes[g]!
      break
    }
  }
}

/** Seeks the lowest price at which the branches ask no more of the trunk than it can serve. */
class ThroughputPrice {
  readonly #trunk: Trunk
  #step = 0.1
  #rising = true

  constructor(trunk: Trunk) {
    this.#trunk = trunk
  }

  adjust(): void {
    const trunk = this.#trunk
    const rising = trunk.asked > trunk.capacity.throughput
    if (!rising && trunk.price === 0) return
    if (rising === this.#rising) this.#step = Math.min(0.2, this.#step * 1.3)
    else this.#step *= 0.45
    this.#rising = rising
    trunk.price = Math.min(1, Math.max(0, trunk.price + (rising ? this.#step : -this.#step)))
  }
}
