import { boundOf } from './bound.ts'
import { type Above, type Branch, insteadOf, type Tree } from './model.ts'
import { lineOf, SiteDual, type SiteGroups } from './site-dual.ts'
import { Stock } from './stock.ts'

export interface Effort {
  /** Times that what the trunk holds is reconsidered. */
  readonly rounds: number
  /** Smoothing in the end, in units of value. */
  readonly tau: number
}

/** −μ log keeps prices positive; per unit of demand and τ. */
const BARRIER = 0.02
const FIRST_TAU = 0.05
/** In so many rounds of the second half a bound is taken. */
const BOUNDED = 8
/** Kinds of appliances at one trunk need more rounds: what one of them gives up another takes. */
const MIXED = 2
export const NEWTON_STEPS = 30

/**
 * Finds the prices of a tree, and what its trunks hold. V(held) = Σ_branches min F is concave in what each trunk holds: its gradient is what more of a band on a kind of the
 * trunk's appliances is worth to all branches together, given what the other trunks hold, where parts that two of them hold of a band are taken to be independent; kinds of one
 * trunk hold different files. Each trunk moves towards its best answer (`stock.ts`) a falling part of the way each round, while τ falls. Returns the lowest bound that was seen
 * on the way (see `bound.ts`), and whether `shouldEnd` ended it.
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
  const stocks = trunks.map((trunk) => new Stock(trunk))
  const isMixed = trunks.some(({ kinds }) => kinds.length > 1)
  const times = trunks.length > 0 ? rounds * (isMixed ? MIXED : 1) : 3
  for (let round = 0; round < times; round++) {
    // The last round's prices are the ones that files are placed by, so that there is always one.
    endedEarly ||= shouldEnd()
    const last = endedEarly || round === times - 1
    const tau = last ? lastTau : Math.max(lastTau, FIRST_TAU * (trunks.length > 0 ? 0.6 : 0.2) ** round)
    for (const { kinds } of trunks) {
      for (const { gain, missed, asked } of kinds) {
        gain.fill(0)
        missed.fill(0)
        asked.fill(0)
      }
    }
    for (const branch of branches) {
      setGroups(groups, branch)
      if (branch.types.length > 0)
        solver.minimise(groups, branch.types, branch.prices, tau, barrierOf(branch, tau), NEWTON_STEPS)
      if (branch.chain.length > 0) addMarginals(branch, tau)
    }
    const isBounded = round >= times / 2 && (times - 1 - round) % Math.ceil(times / 2 / BOUNDED) === 0
    if (isBounded || last) bound = Math.min(bound, boundOf(tree))
    if (last) break
    for (const stock of stocks) stock.move(Math.max(0.1, 2 / (round + 3)), tau)
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

/** The part of each band of a branch that appliances above it hold: of its demand, and of its bytes. */
function heldParts({ bands }: Branch, { kind: { held }, overlap }: Above): readonly [Float64Array, Float64Array] {
  if (!overlap) return [held, held]
  const demand = new Float64Array(bands.count)
  const bytes = new Float64Array(bands.count)
  for (let i = 0; i < overlap.own.length; i++) {
    const part = held[overlap.parents[i]!]!
    demand[overlap.own[i]!]! += part * overlap.demand[i]!
    bytes[overlap.own[i]!]! += part * overlap.bytes[i]!
  }
  for (let g = 0; g < bands.count; g++) {
    demand[g] = bands.demand[g]! > 0 ? Math.min(1, demand[g]! / bands.demand[g]!) : 0
    bytes[g] = bands.bytes[g]! > 0 ? Math.min(1, bytes[g]! / bands.bytes[g]!) : 0
  }
  return [demand, bytes]
}

/** Files at no parent, then files that are first held by the nearest parent's first kind of appliances, then by its next kind, and so on: bands.count groups each. */
export function setGroups(groups: SiteGroups, branch: Branch): void {
  const { bands, demand, chain } = branch
  const n = bands.count
  groups.count = n * (1 + chain.length)
  for (let g = 0; g < n; g++) {
    groups.instead[g] = 0
    groups.demand[g] = bands.demand[g]! * demand
    groups.bytes[g] = bands.bytes[g]!
  }
  for (const [from, to] of tiersOf(chain)) {
    for (let k = from; k < to; k++) {
      const [demandPart, bytesPart] = heldParts(branch, chain[k]!)
      const instead = insteadOf(chain[k]!)
      for (let g = 0; g < n; g++) {
        const j = n * (k + 1) + g
        groups.instead[j] = instead
        groups.demand[j] = demandPart[g]! * groups.demand[g]!
        groups.bytes[j] = bytesPart[g]! * groups.bytes[g]!
      }
    }
    // What nearer parents do not hold.
    for (let k = from; k < to; k++) {
      for (let g = 0; g < n; g++) {
        const j = n * (k + 1) + g
        groups.demand[g] = Math.max(0, groups.demand[g]! - groups.demand[j]!)
        groups.bytes[g] = Math.max(0, groups.bytes[g]! - groups.bytes[j]!)
      }
    }
  }
}

/** Where in a chain each parent's kinds begin and end. */
function tiersOf(chain: readonly Above[]): [from: number, to: number][] {
  const tiers: [number, number][] = []
  for (const [k, { trunk }] of chain.entries()) {
    if (k > 0 && chain[k - 1]!.trunk === trunk) tiers.at(-1)![1] = k + 1
    else tiers.push([k, k + 1])
  }
  return tiers
}

/** What all of each band at each parent is worth to the branch, and what the branch leaves to them. */
function addMarginals(branch: Branch, tau: number): void {
  const { bands, demand, types, prices, chain } = branch
  const n = bands.count
  const depth = chain.length
  const tiers = tiersOf(chain)
  const insteads = chain.map(insteadOf)
  const parts = chain.map((above) => heldParts(branch, above)[0])
  // At a price above what it is worth, nothing is asked of a trunk; smoothed as the rest is.
  const asking = chain.map(({ kind, value }) => 1 / (1 + Math.exp((kind.price - value) / tau)))
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
    for (let tier = tiers.length - 1; tier >= 0; tier--) {
      const [from, to] = tiers[tier]!
      let more = 0
      for (let k = from; k < to; k++) {
        worth[k]![g] = values[k]! - rest
        more += parts[k]![g]! * (values[k]! - rest)
      }
      rest += more
    }
    let reach = 1
    for (const [from, to] of tiers) {
      let held = 0
      for (let k = from; k < to; k++) {
        worth[k]![g]! *= reach * demand
        left[k]![g] = missed[k]! * reach * demand
        held += parts[k]![g]!
      }
      reach *= Math.max(0, 1 - held)
    }
  }
  for (const [k, { kind, overlap }] of chain.entries()) {
    const count = overlap ? overlap.own.length : n
    for (let i = 0; i < count; i++) {
      const own = overlap ? overlap.own[i]! : i
      const theirs = overlap ? overlap.parents[i]! : i
      const share = overlap ? overlap.demand[i]! : bands.demand[i]!
      const missing = left[k]![own]! * share
      kind.gain[theirs]! += worth[k]![own]! * share
      kind.missed[theirs]! += missing
      kind.asked[theirs]! += asking[k]! * missing
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
