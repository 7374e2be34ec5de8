import { FileSet } from '../../blobs/file-set.ts'
import { type Bands, ONLY_ABOVE } from './bands.ts'
import { type Above, type Branch, insteadOf, type Kind, type Trunk } from './model.ts'
import { lineOf } from './site-dual.ts'
import type { Solved, SolverInput } from './solve.ts'

/** How a file stands at a site, measured in what the site's storage earns at its margin: the cut-off. 1 is just enough; infinite where nothing is scarce. */
export interface Standing {
  /** `Parent`: sites below fill from it and fall back to it, and a file is worth what that spares them. */
  readonly role: 'Edge' | 'Parent'
  /** What the viewers here, or of a parent those below it, ask for of the file: in the problem's unit of demand, and as a part of all that they ask for. */
  readonly demand: number
  readonly share: number
  /** What it earns per byte here, in cut-offs. */
  readonly timesCutOff: number
  /** The same, where it is not here yet: moving it in must pay, too. */
  readonly timesCutOffToCome: number
  /** Key of the parent that is to hold it, which makes it worth less here. */
  readonly parent?: string
  /** What it would earn, in cut-offs, if no parent held it. */
  readonly timesCutOffAlone: number
}

/** Why a file is, or is not, at a site. */
export type Why =
  | 'Excluded'
  | 'NotLicensed'
  | 'Pinned'
  | 'PinHasNoRoom'
  | 'TooLarge'
  | 'EarnsItsPlace'
  | 'MovingCosts'
  | 'RoomLeft'
  | 'NextPlan'
  | 'MustEarnItsMove'
  | 'ParentHolds'
  | 'BelowCutOff'
  | 'NoRoom'

/** What is known of a file at a site besides its standing. */
export interface Circumstances {
  readonly isExcluded: boolean
  /** By its licence, where it has one. */
  readonly isLicensed: boolean
  readonly isPinned: boolean
  readonly sizeBytes: number
  /** The most that one appliance here may hold, in bytes. */
  readonly largestBytes: number
  /** By the plan in force, and by a plan made now. */
  readonly isHeld: boolean
  readonly wouldBeHeld: boolean
}

/** The one reason that decides. Pure. */
export function whyOf(standing: Standing, at: Circumstances): Why {
  if (at.isExcluded) return 'Excluded'
  if (!at.isLicensed) return 'NotLicensed'
  if (at.isPinned) return at.isHeld || at.wouldBeHeld ? 'Pinned' : 'PinHasNoRoom'
  if (at.sizeBytes > at.largestBytes) return 'TooLarge'
  const { timesCutOff, timesCutOffToCome, timesCutOffAlone } = standing
  if (at.isHeld) {
    if (timesCutOffToCome >= 1) return 'EarnsItsPlace'
    return timesCutOff >= 1 ? 'MovingCosts' : 'RoomLeft'
  }
  if (at.wouldBeHeld) return 'NextPlan'
  if (timesCutOffToCome >= 1) return 'NoRoom'
  if (timesCutOff >= 1) return 'MustEarnItsMove'
  return standing.parent !== undefined && timesCutOffAlone >= 1 ? 'ParentHolds' : 'BelowCutOff'
}

/** Where a site stands in its tree. A parent's own viewers are among the branches below it. */
interface Node {
  /** Of a parent: itself, and who is below it. */
  readonly trunk: Trunk | undefined
  readonly branches: readonly Branch[]
  /** Undefined for the parent itself. */
  readonly branch: Branch | undefined
}

/**
 * Explains a placement by its prices. At a site with types t of appliance, storage price α_t and throughput price β_t, a file of b bytes (all copies together) and demand d
 * is worth holding where 1 − β_t − α_t b/d is above what is had instead (what its parent serves): where d/b, what a byte earns, is at least α_t / (1 − β_t − instead), for some
 * t. That is its cut-off. To come, each byte must earn `churnBonus` times the dearest α more. At a parent a file earns what it spares the sites below it, and its cut-off is the
 * parent's storage price. Prices are smoothed and files are whole, so that at the margin itself either may be so.
 */
export class Explainer {
  readonly #input: SolverInput
  readonly #churnBonus: number
  /** By site key: what it would hold by a plan made now. */
  readonly here: ReadonlyMap<string, FileSet>
  /** What the appliances of a kind at a parent would hold. */
  readonly #held = new Map<Kind, FileSet>()
  readonly #keys: readonly string[]
  readonly #nodes = new Map<string, Node>()
  readonly #trees: Solved['trees']
  /** Sites that are to hold something by the plan in force. */
  readonly #holders: ReadonlySet<string>

  /** Places everything, once. */
  constructor(solved: Solved, input: SolverInput, churnBonus: number) {
    this.#input = input
    this.#churnBonus = churnBonus
    this.#keys = solved.siteKeys
    this.#trees = solved.trees
    this.#holders = new Set(
      input.sites
        .filter(({ appliances }) => appliances.some(({ held }) => held && !held.isEmpty))
        .map(({ key }) => key),
    )
    const here = new Map<string, FileSet>()
    const byAppliance = new Map<string, FileSet>()
    for (const { key, holdings } of solved.sites()) {
      if (holdings.size > 0) here.set(key, unionOf(holdings.values()))
      for (const [appliance, holds] of holdings) byAppliance.set(appliance, holds)
    }
    this.here = here
    for (const { kinds } of solved.trees.flatMap(({ trunks }) => trunks))
      for (const kind of kinds) this.#held.set(kind, unionOf(kind.appliances.map((key) => byAppliance.get(key)!)))
    for (const { trunks, branches } of solved.trees) {
      for (const branch of branches) this.#nodes.set(this.#keys[branch.site]!, { trunk: undefined, branches, branch })
      for (const trunk of trunks) {
        const below = branches.filter(({ chain }) => chain.some((above) => above.trunk === trunk))
        this.#nodes.set(this.#keys[trunk.site]!, { trunk, branches: below, branch: undefined })
      }
    }
  }

  /** The file's part of all demand, everywhere: 0–1. */
  shareOfAll(file: number): number {
    let [demand, all] = [0, 0]
    for (const { branches } of this.#trees) {
      for (const branch of branches) {
        demand += (branch.bands.share[file] ?? 0) * branch.demand
        all += branch.demand
      }
    }
    return all > 0 ? demand / all : 0
  }

  /** Throws a RangeError where the problem has no such site. */
  standing(site: string, file: number): Standing {
    const node = this.#nodes.get(site)
    if (!node) throw new RangeError(`there is no site ${site} in the problem`)
    return node.branch ? this.#atBranch(node.branch, file) : this.#atTrunk(node, node.trunk!, file)
  }

  /**
   * How much more storage the site would need to hold the file: its own bytes, and those of all files that are not here, could be, and stand no
   * worse. 0 where nothing is scarce. O(files), at a parent O(files × sites below it).
   */
  bytesShort(site: string, file: number): number {
    const { sizes, excluded, copies, sites } = this.#input
    const { appliances } = sites.find(({ key }) => key === site)!
    const largest = appliances.reduce((most, { storageBytes }) => Math.max(most, storageBytes), 0)
    const mine = this.standing(site, file).timesCutOff
    if (mine === Number.POSITIVE_INFINITY) return 0
    const here = this.here.get(site)
    const times = this.#timesAt(this.#nodes.get(site)!)
    let bytes = sizes[file]!
    for (let other = 0; other < sizes.length; other++) {
      // Of NaN, where there is no file, nothing is true.
      const isRival = other !== file && sizes[other]! <= largest && !here?.has(other) && !excluded.has(other)
      if (isRival && times(other) >= mine) bytes += sizes[other]!
    }
    return bytes * copies.perSite
  }

  /** What files earn at a site, in cut-offs. */
  #timesAt({ trunk, branches, branch }: Node): (file: number) => number {
    if (!branch) return (file) => this.#timesAtTrunk(trunk!, branches, file)
    const alone = cutOffAt(branch, 0, 0)
    const cutOffs = new Map(branch.chain.map((above) => [above, cutOffAt(branch, insteadOf(above), 0)]))
    return (file) => {
      const first = this.#firstAbove(branch, file)
      const cutOff = first ? cutOffs.get(first)! : alone
      return timesOf((branch.bands.share[file] ?? 0) * branch.demand, cutOff, this.#bytesOf(branch.bands, file))
    }
  }

  /** The first parent that would hold a file, but for `without`. */
  #firstAbove({ chain }: Branch, file: number, without?: Trunk): Above | undefined {
    return chain.find(({ trunk, kind }) => trunk !== without && this.#held.get(kind)!.has(file))
  }

  #atBranch(branch: Branch, file: number): Standing {
    const share = branch.bands.share[file] ?? 0
    const demand = share * branch.demand
    const bytes = this.#bytesOf(branch.bands, file)
    const first = this.#firstAbove(branch, file)
    const instead = first ? insteadOf(first) : 0
    // To a site that holds nothing yet, everything has to come.
    const bonus = this.#holders.has(this.#keys[branch.site]!) ? this.#churnBonus : 0
    const moving = bonus * branch.types.reduce((most, _, t) => Math.max(most, storagePrice(branch, t)), 0)
    return {
      role: 'Edge',
      demand,
      share,
      timesCutOff: timesOf(demand, cutOffAt(branch, instead, 0), bytes),
      timesCutOffToCome: timesOf(demand, cutOffAt(branch, instead, moving), bytes),
      timesCutOffAlone: timesOf(demand, cutOffAt(branch, 0, 0), bytes),
      ...(first && { parent: this.#keys[first.trunk.site]! }),
    }
  }

  #atTrunk({ branches }: Node, trunk: Trunk, file: number): Standing {
    const all = branches.reduce((sum, branch) => sum + branch.demand, 0)
    const demand = branches.reduce((sum, { bands, demand: of }) => sum + (bands.share[file] ?? 0) * of, 0)
    const times = this.#timesAtTrunk(trunk, branches, file)
    return {
      role: 'Parent',
      demand,
      share: all > 0 ? demand / all : 0,
      timesCutOff: times,
      timesCutOffToCome: times / (1 + (this.#holders.has(this.#keys[trunk.site]!) ? this.#churnBonus : 0)),
      timesCutOffAlone: times,
    }
  }

  /** In the cut-offs of the kind that it stands best at. */
  #timesAtTrunk(trunk: Trunk, branches: readonly Branch[], file: number): number {
    const bytes = this.#bytesOf(trunk.bands, file)
    return Math.max(
      ...trunk.kinds.map((kind) => timesOf(this.#sparedBy(trunk, kind, branches, file), kind.storagePrice, bytes)),
    )
  }

  /** What it is worth to all branches below together that a kind of the trunk's holds a file, beside what their other parents hold. */
  #sparedBy(trunk: Trunk, kind: Kind, branches: readonly Branch[], file: number): number {
    let gain = 0
    for (const branch of branches) {
      const bytes = this.#bytesOf(branch.bands, file)
      const demand = (branch.bands.share[file] ?? 0) * branch.demand
      if (!(demand > 0)) continue
      const { types, prices } = branch
      let best = 0
      for (let t = 0; t < types.length; t++) best = Math.max(best, lineOf(types, prices, t, bytes / demand))
      const other = this.#firstAbove(branch, file, trunk)
      const mine = branch.chain.find((above) => above.kind === kind)!
      gain += Math.max(0, insteadOf(mine) - Math.max(best, other ? insteadOf(other) : 0)) * demand
    }
    return gain
  }

  /** Of all copies. */
  #bytesOf({ copies }: Bands, file: number): number {
    const there = copies[file]!
    return this.#input.sizes[file]! * (there === 0 || there === ONLY_ABOVE ? this.#input.copies.perSite : there)
  }
}

function unionOf(sets: Iterable<FileSet>): FileSet {
  const all = new FileSet()
  for (const set of sets) all.addAll(set)
  return all
}

const storagePrice = ({ types, prices }: Branch, t: number) => prices[t]! / Math.max(types[t]!.storage, 1)

/** What a byte must earn at a branch; `extra`: what each byte must earn besides. Infinite where no byte can earn enough. */
function cutOffAt(branch: Branch, instead: number, extra: number): number {
  let least = Number.POSITIVE_INFINITY
  for (let t = 0; t < branch.types.length; t++) {
    // What is left of the value of a unit served once its throughput is paid for.
    const left = lineOf(branch.types, branch.prices, t, 0) - instead
    if (left > 0) least = Math.min(least, (storagePrice(branch, t) + extra) / left)
  }
  return least
}

/** Files that nobody asks for earn nothing, even where nothing is scarce; an empty one needs to earn nothing, if there is any type of appliance that it may be on. */
function timesOf(earns: number, cutOff: number, bytes: number): number {
  if (!(earns > 0) || cutOff === Number.POSITIVE_INFINITY) return 0
  const needed = cutOff * bytes
  return needed > 0 ? earns / needed : Number.POSITIVE_INFINITY
}
