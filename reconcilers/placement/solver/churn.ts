import { type Bands, STORED } from './bands.ts'
import type { Branch, Trunk } from './model.ts'
import { type GroupParts, partsOf } from './parts.ts'
import { dearestStorage, SiteDual, type SiteGroups } from './site-dual.ts'
import { NOBODY } from './spread.ts'
import { barrierOf, emptyGroups, NEWTON_STEPS } from './tree.ts'

export interface Churn {
  /**
   * How much more than what it displaces a byte must earn to be moved in, as a part of what the site's storage earns at its margin: 0.25 means that a file new to a
   * site has to have a density a quarter above the cut-off.
   */
  readonly bonus: number
  /** The most that may be moved into the site, in bytes. Infinite: whatever pays. */
  readonly fillBytes: number
}

/** What a branch decides where it holds files already. */
export interface ChurnedParts {
  readonly parts: GroupParts
  /** Bytes of all copies of the files of each group. */
  readonly groupBytes: Float64Array
  /** Whether more would pay than may be moved. */
  readonly isLimited: boolean
}

/** Rounds of bisection for the fill budget. */
const BISECTIONS = 12

/**
 * Decides anew on a branch, with a price λ on every byte that is not there yet: group by group, files that are new are worth λ · bytes / demand less. λ is `bonus`
 * times the dearest storage price, and more where that would still move more than may be moved: bisected. The branch's prices are moved along.
 * `before`: who of the site holds each file, as `holdersOf` says it.
 */
export function withChurn(
  branch: Branch,
  trunk: Trunk | undefined,
  atTrunk: Uint8Array | undefined,
  before: Uint8Array,
  { bonus, fillBytes }: Churn,
  tau: number,
): ChurnedParts {
  const { types, prices, bands, demand } = branch
  const groups = emptyGroups(4 * bands.count)
  weigh(groups, bands, demand, atTrunk, before)
  const groupBytes = groups.bytes
  const instead = trunk ? Math.max(0, branch.parentValue - trunk.price) : 0
  const solver = new SiteDual()
  const decide = (lambda: number): GroupParts => {
    for (let j = 0; j < groups.count; j++) {
      const covered = Math.floor(j / bands.count) % 2 === 1
      const fresh = j >= 2 * bands.count
      const ratio = groups.demand[j]! > 0 ? groups.bytes[j]! / groups.demand[j]! : 0
      groups.instead[j] = (covered ? instead : 0) + (fresh ? lambda * ratio : 0)
    }
    solver.minimise(groups, types, prices, tau, barrierOf(branch, tau), NEWTON_STEPS)
    return partsOf(groups, types, prices, tau)
  }
  let lambda = bonus * dearestStorage(types, prices)
  let parts = decide(lambda)
  if (movedBy(parts, groupBytes, bands) <= fillBytes) return { parts, groupBytes, isLimited: false }
  // The densest file is worth at most its demand: at this λ nothing moves.
  let dear = Math.max(...bands.top.filter(Number.isFinite), 0) * demand
  for (let i = 0; i < BISECTIONS; i++) {
    // λ spans many magnitudes.
    const middle = lambda > 0 ? Math.sqrt(lambda * dear) : dear * 1e-6
    const tried = decide(middle)
    if (movedBy(tried, groupBytes, bands) <= fillBytes) {
      dear = middle
      parts = tried
    } else lambda = middle
  }
  if (movedBy(parts, groupBytes, bands) > fillBytes) parts = decide(dear)
  return { parts, groupBytes, isLimited: true }
}

/** Fills in demand and bytes of the groups: by band, whether the trunk holds the file, and whether it would be new. */
function weigh(
  groups: SiteGroups,
  bands: Bands,
  demand: number,
  atTrunk: Uint8Array | undefined,
  before: Uint8Array,
): void {
  const n = bands.count
  for (let g = 0; g < n; g++) {
    for (let p = bands.start[g]!; p < bands.start[g + 1]!; p++) {
      const j = g + (atTrunk?.[p] === 1 ? n : 0) + (before[p] !== NOBODY ? 0 : 2 * n)
      groups.demand[j]! += bands.shareAt[p]! * demand
      groups.bytes[j]! += bands.sizeAt[p]! * STORED[bands.copiesAt[p]!]!
    }
  }
}

/** Bytes that would be moved into the site. */
function movedBy({ limits, types }: GroupParts, groupBytes: Float64Array, { count }: Bands): number {
  let moved = 0
  for (let j = 2 * count; j < 4 * count; j++) if (types > 0) moved += limits[j * types + types - 1]! * groupBytes[j]!
  return moved
}
