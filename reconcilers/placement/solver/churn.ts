import { STORED } from './bands.ts'
import { type Branch, insteadOf } from './model.ts'
import { type GroupParts, partsOf } from './parts.ts'
import { dearestStorage, SiteDual, type SiteGroups } from './site-dual.ts'
import { NOBODY, SEVERAL } from './spread.ts'
import { barrierOf, emptyGroups, NEWTON_STEPS } from './tree.ts'

export interface Churn {
  /**
   * How much more than what it displaces a byte must earn to be moved in, as a part of what the site's storage earns at its margin: 0.25 means that a file new to a
   * site has to have a density a quarter above the cut-off.
   */
  readonly bonus: number
  /** The most that may be moved into the site, in bytes. Infinite: whatever pays. */
  readonly fillBytes: number
  /** The most that may be moved into the site or between its types, in bytes. */
  readonly moveBytes: number
}

/** What a branch decides where it holds files already. */
export interface ChurnedParts {
  readonly parts: GroupParts
  /** Bytes of all copies of the files of each group. */
  readonly groupBytes: Float64Array
  /** Demand of each group. */
  readonly groupDemand: Float64Array
  /** Whether more would pay than may be moved. */
  readonly isLimited: boolean
}

/** Rounds of bisection for the fill budget. */
const BISECTIONS = 12

/**
 * Decides anew on a branch, with a price λ on every byte that is moved: group by group, files are worth λ · bytes / demand less where they are not yet, be that the site or
 * just its other types of appliance. λ is `bonus` times the dearest storage price, and more where that would still move more into the site than may be moved: bisected.
 * The branch's prices are moved along. `states`: by position, which parent is the first that holds the file, from 1, or 0. `before`: who of the site holds each file, as `holdersOf` says it. `typeOf`: the type of each appliance.
 * Groups: see `slotOf`.
 */
export function withChurn(
  branch: Branch,
  states: Uint8Array | undefined,
  before: Uint8Array | undefined,
  typeOf: Uint8Array,
  { bonus, fillBytes, moveBytes }: Churn,
  tau: number,
): ChurnedParts {
  const { types, prices, bands, demand, chain } = branch
  const n = bands.count
  const stride = n * (1 + chain.length)
  const count = stride * slotsOf(types.length)
  const groups: ChurnGroups = { ...emptyGroups(count), moving: new Float64Array(count), holder: new Int8Array(count) }
  weigh(groups, branch, states, (p) => slotOf(before?.[p] ?? NOBODY, typeOf, types.length))
  const { bytes: groupBytes, demand: groupDemand } = groups
  const insteads = [0, ...chain.map(insteadOf)]
  const solver = new SiteDual()
  const decide = (lambda: number): GroupParts => {
    for (let j = 0; j < count; j++) {
      const state = Math.floor(j / n) % (1 + chain.length)
      const slot = Math.floor(j / stride)
      const ratio = groupDemand[j]! > 0 ? groupBytes[j]! / groupDemand[j]! : 0
      groups.instead[j] = insteads[state]!
      groups.holder[j] = slot < types.length ? slot : -1
      // Whoever of several holders goes, some may stay.
      groups.moving[j] = slot === types.length ? 0 : lambda * ratio
    }
    solver.minimise(groups, types, prices, tau, barrierOf(branch, tau), NEWTON_STEPS)
    return partsOf(groups, types, prices, tau)
  }
  let lambda = bonus * Math.max(dearestStorage(types, prices), leastStorage(branch))
  let parts = decide(lambda)
  const within = (parts: GroupParts) => {
    const fresh = movedBy(parts, groupBytes, stride)
    return fresh <= fillBytes && (moveBytes === Infinity || fresh + changedBy(parts, groupBytes, stride) <= moveBytes)
  }
  if (within(parts)) return { parts, groupBytes, groupDemand, isLimited: false }
  // The densest file is worth at most its demand: at this λ nothing moves.
  let dear = Math.max(...bands.top.filter(Number.isFinite), 0) * demand
  for (let i = 0; i < BISECTIONS; i++) {
    // λ spans many magnitudes.
    const middle = lambda > 0 ? Math.sqrt(lambda * dear) : dear * 1e-6
    const tried = decide(middle)
    if (within(tried)) {
      dear = middle
      parts = tried
    } else lambda = middle
  }
  if (!within(parts)) parts = decide(dear)
  return { parts, groupBytes, groupDemand, isLimited: true }
}

/** Where storage is not scarce, or any file is as good as another, a byte that is moved counts as this part of what one that is stored serves on average. */
const LEAST = 0.05

/** The least that moving a byte in counts as, before the bonus. */
export function leastStorage({ types, bands, demand }: Branch): number {
  const storage = types.reduce((sum, each) => sum + each.storage, 0)
  // Of what could be here: other files may be asked for more than all of these.
  const asked = bands.demand.reduce((sum, each) => sum + each, 0) * demand
  return storage > 0 ? (LEAST * asked) / storage : 0
}

type ChurnGroups = SiteGroups & { readonly moving: Float64Array; readonly holder: Int8Array }

/** By who holds them, files go apart: each type of appliance, several appliances, nobody. */
export const slotsOf = (types: number): number => types + 2

/** Group g + n · s + n · (1 + parents) · slot holds files of band g of n, where the s-th parent is the first to hold them, or none: 0. */
export function slotOf(holder: number, typeOf: Uint8Array, types: number): number {
  if (holder === NOBODY) return types + 1
  return holder === SEVERAL ? types : typeOf[holder - 1]!
}

/** Fills in demand and bytes of the groups. */
function weigh(
  groups: SiteGroups,
  { bands, demand, chain }: Branch,
  states: Uint8Array | undefined,
  slotAt: (position: number) => number,
): void {
  const n = bands.count
  const stride = n * (1 + chain.length)
  for (let g = 0; g < n; g++) {
    for (let p = bands.start[g]!; p < bands.start[g + 1]!; p++) {
      const j = g + n * (states?.[p] ?? 0) + stride * slotAt(p)
      groups.demand[j]! += bands.shareAt[p]! * demand
      groups.bytes[j]! += bands.sizeAt[p]! * STORED[bands.copiesAt[p]!]!
    }
  }
}

/** Bytes that would be moved into the site. `stride`: groups of a slot. */
function movedBy({ limits, types }: GroupParts, groupBytes: Float64Array, stride: number): number {
  let moved = 0
  if (types === 0) return moved
  for (let j = stride * (types + 1); j < stride * slotsOf(types); j++)
    moved += limits[j * types + types - 1]! * groupBytes[j]!
  return moved
}

/** Bytes that would be moved to a type from another. */
function changedBy({ limits, types }: GroupParts, groupBytes: Float64Array, stride: number): number {
  let moved = 0
  for (let j = 0; j < stride * types; j++) {
    const t = Math.floor(j / stride)
    const own = limits[j * types + t]! - (t > 0 ? limits[j * types + t - 1]! : 0)
    moved += (limits[j * types + types - 1]! - own) * groupBytes[j]!
  }
  return moved
}
