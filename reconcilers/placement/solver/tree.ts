import { boundOf } from './bound.ts'
import { type Above, type Branch, insteadOf, type Tree, type Trunk } from './model.ts'
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
 * Finds the prices of a tree, and what its trunks hold. V(held) = Σ_branches min F is concave in each: its gradient is what one more file of a band at a trunk is worth to
 * all branches together, given what the others hold, where parts that two trunks hold of a band are taken to be independent. A trunk's best answer to the gradient is a knapsack; `held` moves a falling part of the way there each round (Frank and Wolfe 1956),
 * while τ falls. The price of the trunk's throughput rises while the branches ask for more than it has. Returns the lowest bound that was seen on the way
 * (see `bound.ts`), and whether `shouldEnd` ended it.
 */
export function priceTree(
  tree: Tree,
  { rounds, tau: lastTau }: Effort,
  shouldEnd: () => boolean = () => false,
): { readonly value: number; readonly endedEarly: boolean } {
  const { trunks, branches } = tree
  let bound = Number.POSITIVE_INFINITY
  let endedEarly = false
  const solver = new SiteDual()
  const groups = emptyGroups(Math.max(1, ...branches.map(({ bands, chain }) => bands.count * (1 + chain.length))))
  const throughputs = trunks.map((trunk) => new ThroughputPrice(trunk))
  const times = trunks.length > 0 ? rounds : 3
  for (let round = 0; round < times; round++) {
    // The last round's prices are the ones that files are placed by, so that there is always one.
    endedEarly ||= shouldEnd()
    const last = endedEarly || round === times - 1
    const tau = last ? lastTau : Math.max(lastTau, FIRST_TAU * (trunks.length > 0 ? 0.6 : 0.2) ** round)
    for (const trunk of trunks) {
      trunk.gradient.fill(0)
      trunk.missed.fill(0)
      trunk.asked = 0
    }
    for (const branch of branches) {
      setGroups(groups, branch)
      if (branch.types.length > 0)
        solver.minimise(groups, branch.types, branch.prices, tau, barrierOf(branch, tau), NEWTON_STEPS)
      if (branch.chain.length > 0) addMarginals(branch, tau)
    }
    if (round >= times / 2 || last) bound = Math.min(bound, boundOf(tree))
    if (last) break
    for (const trunk of trunks) moveTowards(trunk, Math.max(0.1, 2 / (round + 3)))
    for (const throughput of throughputs) throughput.adjust()
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

/** The part of each band of a branch that one of its parents holds: of its demand, and of its bytes. */
function heldParts({ bands }: Branch, { trunk, overlap }: Above): readonly [Float64Array, Float64Array] {
  if (!overlap) return [trunk.held, trunk.held]
  const demand = new Float64Array(bands.count)
  const bytes = new Float64Array(bands.count)
  for (let i = 0; i < overlap.own.length; i++) {
    const held = trunk.held[overlap.parents[i]!]!
    demand[overlap.own[i]!]! += held * overlap.demand[i]!
    bytes[overlap.own[i]!]! += held * overlap.bytes[i]!
  }
  for (let g = 0; g < bands.count; g++) {
    demand[g] = bands.demand[g]! > 0 ? Math.min(1, demand[g]! / bands.demand[g]!) : 0
    bytes[g] = bands.bytes[g]! > 0 ? Math.min(1, bytes[g]! / bands.bytes[g]!) : 0
  }
  return [demand, bytes]
}

/** Files at no parent, then files of which the nearest parent is the first to hold them, then the next: bands.count groups each. */
export function setGroups(groups: SiteGroups, branch: Branch): void {
  const { bands, demand, chain } = branch
  const n = bands.count
  groups.count = n * (1 + chain.length)
  for (let g = 0; g < n; g++) {
    groups.instead[g] = 0
    groups.demand[g] = bands.demand[g]! * demand
    groups.bytes[g] = bands.bytes[g]!
  }
  for (const [k, above] of chain.entries()) {
    const [demandPart, bytesPart] = heldParts(branch, above)
    const instead = insteadOf(above)
    for (let g = 0; g < n; g++) {
      const j = n * (k + 1) + g
      groups.instead[j] = instead
      // What nearer parents do not hold.
      groups.demand[j] = demandPart[g]! * groups.demand[g]!
      groups.bytes[j] = bytesPart[g]! * groups.bytes[g]!
      groups.demand[g] = Math.max(0, groups.demand[g]! - groups.demand[j]!)
      groups.bytes[g] = Math.max(0, groups.bytes[g]! - groups.bytes[j]!)
    }
  }
}

/** What one more file of each band at each parent is worth to the branch, and what the branch leaves to them. */
function addMarginals(branch: Branch, tau: number): void {
  const { bands, demand, types, prices, chain } = branch
  const n = bands.count
  const depth = chain.length
  const insteads = chain.map(insteadOf)
  const parts = chain.map((above) => heldParts(branch, above)[0])
  // At a price above what it is worth, nothing is asked of a trunk; smoothed as the rest is.
  const asking = chain.map(({ trunk, value }) => 1 / (1 + Math.exp((trunk.price - value) / tau)))
  const worth = chain.map(() => new Float64Array(n))
  const left = chain.map(() => new Float64Array(n))
  const lines = new Float64Array(types.length)
  const values = new Float64Array(depth)
  const missed = new Float64Array(depth)
  for (let g = 0; g < n; g++) {
    const wanted = bands.demand[g]! * demand
    if (!(wanted > 0)) continue
    const ratio = bands.bytes[g]! / wanted
    for (let t = 0; t < types.length; t++) lines[t] = lineOf(types, prices, t, ratio)
    for (let k = 0; k < depth; k++) {
      values[k] = valueAt(lines, insteads[k]!, tau)
      missed[k] = values[k]! === insteads[k]! ? 1 : missedAt(lines, insteads[k]!, tau)
    }
    // From the farthest: what is had where no nearer parent holds a file.
    let rest = valueAt(lines, 0, tau)
    for (let k = depth - 1; k >= 0; k--) {
      worth[k]![g] = values[k]! - rest
      rest += parts[k]![g]! * (values[k]! - rest)
    }
    let reach = 1
    for (let k = 0; k < depth; k++) {
      worth[k]![g]! *= reach * demand
      left[k]![g] = missed[k]! * reach * demand
      reach *= 1 - parts[k]![g]!
    }
  }
  for (const [k, { trunk, overlap }] of chain.entries()) {
    const count = overlap ? overlap.own.length : n
    for (let i = 0; i < count; i++) {
      const own = overlap ? overlap.own[i]! : i
      const theirs = overlap ? overlap.parents[i]! : i
      const share = overlap ? overlap.demand[i]! : bands.demand[i]!
      const asked = left[k]![own]! * share
      trunk.gradient[theirs]! += worth[k]![own]! * share
      trunk.missed[theirs]! += asked
      trunk.asked += asking[k]! * trunk.held[theirs]! * asked
    }
  }
}

/** Value of a unit of demand, smoothed, where its lines on types of appliance are these, and that is had instead. */
function valueAt(lines: Float64Array, instead: number, tau: number): number {
  let best = 0
  for (let t = 0; t < lines.length; t++) if (lines[t]! - instead > best) best = lines[t]! - instead
  let sum = Math.exp(-best / tau)
  for (let t = 0; t < lines.length; t++) sum += Math.exp((lines[t]! - instead - best) / tau)
  return instead + best + tau * Math.log(sum)
}

/** The part of it that is not served by the site itself. */
function missedAt(lines: Float64Array, instead: number, tau: number): number {
  let here = 0
  for (let t = 0; t < lines.length; t++) here += Math.exp(Math.min(40, (lines[t]! - instead) / tau))
  return 1 / (1 + here)
}

/** Moves what the trunk holds towards what the gradient would have it hold. */
function moveTowards(trunk: Trunk, part: number): void {
  const { bands, held, capacity, gradient } = trunk
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
