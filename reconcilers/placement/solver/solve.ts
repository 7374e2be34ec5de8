import { compare } from '../../blobs/plan-index.ts'
import type { SolverControl } from '../control.ts'
import type { PlacementWorth, Scarcity, SolvedPart, SolvedSite, Unmet } from '../problem.ts'
import type { Bands } from './bands.ts'
import { withChurn } from './churn.ts'
import { Cuts } from './cuts.ts'
import type { SolverAppliance, SolverInput } from './input.ts'
import { costOfMoving, gainsOfChanging, sitesThatMayStay, type Viewers, worthOfStaying } from './keep.ts'
import { mostMoved } from './lost.ts'
import { Markets } from './markets.ts'
import type { Branch, Tree, Trunk } from './model.ts'
import { partsOf } from './parts.ts'
import { Pins } from './pins.ts'
import { type Coverage, type PlacingBox, SitePlacing } from './place.ts'
import { plant } from './plant.ts'
import { keepCopies, type RegionMember } from './regional.ts'
import { scarceIn } from './scarce.ts'
import { dearestStorage } from './site-dual.ts'
import { measure, type Site } from './sites.ts'
import { parentsIn, statesBy } from './states.ts'
import { Teller } from './told.ts'
import { type Effort, emptyGroups, priceTree, setGroups } from './tree.ts'
import { type TreePlacing, type Valued, worthOfPlaced } from './valued.ts'

export type { SolverAppliance, SolverInput, SolverSite } from './input.ts'

export interface SolverOptions extends Effort {
  readonly bands: number
  /** What it is worth to serve a byte from the parent site, where serving it at the site is worth 1. */
  readonly parentValue: number
  /** See `Churn`. */
  readonly churnBonus: number
}

export const defaultOptions: SolverOptions = { bands: 512, rounds: 16, tau: 0.002, parentValue: 0.5, churnBonus: 0.5 }

/** About the part of the work that finding prices is. */
const PRICING = 0.3

/** A placement: prices now, files as `sites` is read. */
export class Solved {
  readonly #input: SolverInput
  readonly #options: SolverOptions
  readonly #sites: readonly Site[]
  readonly #markets: Markets
  readonly #pins: Pins
  readonly #cuts: Cuts
  readonly #teller: Teller
  readonly trees: readonly Tree[]
  readonly #control: SolverControl
  readonly #parts: SolvedPart[] = []
  readonly #bounds = new Map<Tree, number>()
  readonly #unmet: Unmet[] = []
  #endedEarly = false

  constructor(input: SolverInput, options: SolverOptions, control: SolverControl = {}) {
    this.#control = control
    this.#input = input
    this.#options = options
    this.#markets = new Markets(input)
    this.#pins = new Pins(input)
    this.#cuts = new Cuts(input, this.#pins.set, options.bands)
    this.#sites = [...input.sites]
      .sort((one, other) => compare(one.key, other.key))
      .map((site) => measure(site, this.#markets.at(site)))
    this.#teller = new Teller(input, this.#sites, this.#pins)
    this.trees = plant({
      input,
      sites: this.#sites,
      markets: this.#markets,
      pinnedOn: (site, bands) => (this.#pins.files.length > 0 ? this.#open(site, bands).boxes.used : undefined),
      cuts: this.#cuts,
      parentValue: options.parentValue,
    })
    for (const [i, tree] of this.trees.entries()) {
      control.onProgress?.((PRICING * i) / this.trees.length)
      const bound = priceTree(tree, options, control.shouldEnd)
      let { value } = bound
      this.#endedEarly ||= bound.endedEarly
      // Pinned files are in no band: at best all of their demand is served where it arises.
      for (const { site, demand } of tree.branches) {
        const { share } = this.#sites[site]!.market
        for (const file of this.#pins.files) value += share[file]! * demand
      }
      this.#bounds.set(tree, value)
    }
  }

  /** Of the sites read so far, but for its bound: that is of all. */
  get worth(): PlacementWorth {
    const sum = (field: 'demand' | 'local' | 'parent' | 'value') =>
      this.#parts.reduce((total, { worth }) => total + worth[field], 0)
    const bound = [...this.#bounds.values()].reduce((total, each) => total + each, 0)
    return { demand: sum('demand'), local: sum('local'), parent: sum('parent'), value: sum('value'), bound }
  }

  /** The most valuable first. */
  get scarce(): Scarcity[] {
    return scarceIn(this.trees, this.siteKeys)
  }

  /** What is asked for and cannot be had, of the sites read so far. */
  get unmet(): readonly Unmet[] {
    return this.#unmet
  }

  /** What was placed together, of the sites read so far. */
  get parts(): readonly SolvedPart[] {
    return this.#parts
  }

  /** Whether the prices were left before they were as good as they get. */
  get endedEarly(): boolean {
    return this.#endedEarly
  }

  /** Keys of the sites, by the positions that `trees` name them by. */
  get siteKeys(): readonly string[] {
    return this.#sites.map(({ key }) => key)
  }

  #byKey: ReadonlyMap<string, Site> | undefined

  #siteOf(key: string): Site {
    this.#byKey ??= new Map(this.#sites.map((site) => [site.key, site]))
    return this.#byKey.get(key)!
  }

  /** Puts files on appliances, tree by tree. */
  *sites(): Generator<SolvedSite> {
    const regional = this.#input.copies.perRegion > this.#input.copies.perSite
    const all: TreePlacing[] = []
    for (const [i, tree] of this.trees.entries()) {
      this.#control.onProgress?.(PRICING + ((1 - PRICING) * i) / this.trees.length)
      if (regional) all.push(this.#placed(tree))
      else yield* this.#finish(tree, this.#worthOf(this.#placed(tree)))
    }
    if (!regional) return
    const settled = this.#keepRegions(all)
    for (const placing of all) {
      this.#fillUp(placing, settled)
      for (const [i, { site, demand }] of placing.tree.branches.entries())
        placing.branches[i]?.count((file) => this.#sites[site]!.market.share[file]! * demand)
      yield* this.#finish(placing.tree, this.#worthOf(placing))
    }
  }

  /** `staying`: keys of sites that stay as they are by the plan in force. */
  #placed(tree: Tree, staying: ReadonlySet<string> = new Set()): TreePlacing {
    const placing = this.#admit(tree, staying)
    this.#fillUp(placing)
    return placing
  }

  /** Pins, then what the prices admit; or what is there. */
  #admit(tree: Tree, staying: ReadonlySet<string>): TreePlacing {
    const { trunks, branches } = tree
    const parents = new Map<Trunk, SitePlacing>()
    const asBefore = new Set<SitePlacing>()
    const stays = (index: number) => staying.has(this.#sites[index]!.key)
    for (const trunk of trunks) {
      const placing = stays(trunk.site) ? this.#restored(trunk.site, trunk.bands) : this.#open(trunk.site, trunk.bands)
      if (stays(trunk.site)) asBefore.add(placing)
      else placing.admitTrunk(trunk, placing.holdersBefore(), this.#options.churnBonus)
      parents.set(trunk, placing)
    }
    const own = new Set(trunks.map(({ site }) => site))
    const statesOf = statesBy(parents)
    const placings = branches.map((branch) => {
      if (own.has(branch.site)) return undefined
      if (stays(branch.site)) {
        const restored = this.#restored(branch.site, branch.bands)
        asBefore.add(restored)
        return restored
      }
      const placing = this.#open(branch.site, branch.bands)
      const [nearest] = branch.chain
      const scattered = nearest !== undefined && parents.get(nearest.trunk)!.holdersBefore() !== undefined
      if (branch.types.length > 0)
        this.#admitBranch(placing, branch, { states: statesOf(branch), scattered, before: placing.holdersBefore() })
      return placing
    })
    return { tree, parents, branches: placings, asBefore }
  }

  /** A site with what it holds by the plan in force. */
  #restored(index: number, bands: Bands): SitePlacing {
    const { market, demand } = this.#sites[index]!
    const placing = this.#empty(index, bands)
    placing.restore()
    placing.count((file) => market.share[file]! * demand)
    return placing
  }

  #admitBranch(placing: SitePlacing, branch: Branch, coverage: Coverage): void {
    const { tau, churnBonus } = this.#options
    const at = { ...coverage, head: this.#headOf(this.#sites[branch.site]!) }
    const { before, states } = at
    if (!before && branch.chain.length <= 1) {
      const groups = emptyGroups(branch.bands.count * (1 + branch.chain.length))
      setGroups(groups, branch)
      placing.admit(branch, partsOf(groups, branch.types, branch.prices, tau), at)
      return
    }
    // Which files several parents come to hold is known in full only now.
    const churn = before
      ? { bonus: churnBonus, fillBytes: this.#sites[branch.site]!.fillBytes, moveBytes: placing.boxes.moveLeft }
      : { bonus: 0, fillBytes: Infinity, moveBytes: Infinity }
    const { isLimited, ...decided } = withChurn(branch, states, before, placing.typeOf, churn, tau)
    if (isLimited) placing.limit()
    placing.admit(branch, decided.parts, { ...at, ...decided })
  }

  /** What comes first at a site, so that it outlives a loss: no more than those that are left after the worst one could serve. */
  #headOf({ types, market, measured }: Site): Coverage['head'] {
    const { resilience } = this.#input
    const strongest = types
      .flat()
      .map(({ throughputGbps }) => throughputGbps)
      .sort((a, b) => b - a)
    if (!resilience || !market.head || strongest.length <= resilience.survivesLossOf) return undefined
    const left = strongest.slice(resilience.survivesLossOf).reduce((sum, each) => sum + each, 0)
    return { files: market.head, most: measured ? left : Infinity }
  }

  /** A site with its pins. A trunk goes by the bands of its viewers' class, whatever its own. */
  #open(index: number, bands: Bands): SitePlacing {
    const { market, demand, types, gone } = this.#sites[index]!
    const { sizes, fileHashes } = this.#input
    const placing = this.#empty(index, bands)
    for (const [file, copies] of this.#pins.at(market, placing.boxes.count))
      placing.pin(file, fileHashes[file]!, sizes[file]!, market.share[file]! * demand, copies)
    placing.boxes.moveLeft = mostMoved(types.flat(), gone, bands)
    return placing
  }

  #empty(index: number, bands: Bands): SitePlacing {
    const { types, measured, fillBytes } = this.#sites[index]!
    const boxes = types.map((type) => type.map((appliance) => boxOf(appliance, measured)))
    return new SitePlacing(bands, boxes, fillBytes)
  }

  /** By region: 1 by file index for files that have `perRegion` copies there, as all that are left then have. */
  #keepRegions(all: readonly TreePlacing[]): ReadonlyMap<string, Uint8Array> {
    const { copies, sizes } = this.#input
    const regions = new Map<string, RegionMember[]>()
    for (const { tree, parents, branches } of all) {
      const add = (placing: SitePlacing | undefined, index: number, bands: Bands, worthOf: RegionMember['worthOf']) => {
        if (!placing) return
        const { key, region, market } = this.#sites[index]!
        const member = { key, placing, bands, allows: (file: number) => market.allowed[file] === 1, worthOf }
        const members = regions.get(region)
        if (members) members.push(member)
        else regions.set(region, [member])
      }
      const demandOf = ({ bands, demand }: Branch, file: number) => bands.share[file]! * demand
      for (const [trunk, placing] of parents) {
        const below = tree.branches.flatMap((branch) =>
          parentsIn(branch.chain).flatMap(({ trunk: each, value }) => (each === trunk ? [{ branch, value }] : [])),
        )
        add(placing, trunk.site, trunk.bands, (file) =>
          below.reduce((sum, { branch, value }) => sum + value * demandOf(branch, file), 0),
        )
      }
      for (const [i, branch] of tree.branches.entries())
        add(branches[i], branch.site, branch.bands, (file) => demandOf(branch, file))
    }
    const settled = new Map<string, Uint8Array>()
    const { fileHashes } = this.#input
    for (const [region, members] of regions) {
      const kept = keepCopies(members, copies.perRegion, { sizes, fileHashes }, this.#pins.files)
      settled.set(region, kept.settled)
      const ask = 'CopiesPerRegion'
      if (kept.tooFew > 0) this.#unmet.push({ ask, region, limit: 'Appliances', files: kept.tooFew })
      if (kept.noRoom > 0) this.#unmet.push({ ask, region, limit: 'Storage', files: kept.noRoom })
    }
    return settled
  }

  /** Uses what storage is left. `only`: by region, 1 by file index for files that may come. */
  #fillUp({ tree, parents, branches: placings, asBefore }: TreePlacing, only?: ReadonlyMap<string, Uint8Array>): void {
    const { churnBonus } = this.#options
    const allowed = (site: number) => only?.get(this.#sites[site]!.region)
    for (const [{ site }, placing] of parents)
      if (!asBefore.has(placing)) placing.fillUp(0, { before: placing.holdersBefore() }, [1], churnBonus, allowed(site))
    const statesOf = statesBy(parents)
    for (const [i, branch] of tree.branches.entries()) {
      const placing = placings[i]
      if (!placing || asBefore.has(placing)) continue
      const worths = [1, ...branch.chain.map(({ value }) => 1 - value)]
      const at = { states: statesOf(branch), before: placing.holdersBefore() }
      placing.fillUp(branch.demand, at, worths, churnBonus, allowed(branch.site))
    }
  }

  #worthOf(placing: TreePlacing): Valued {
    return worthOfPlaced(placing, { input: this.#input, sites: this.#sites, pins: this.#pins, teller: this.#teller })
  }

  /** Leaves what is not worth moving, and hands the tree over. */
  *#finish(tree: Tree, fresh: Valued): Generator<SolvedSite> {
    const { told: final, local, parent, value } = this.#rather(tree, fresh)
    const unmet = final.flatMap((site) => this.#teller.unmetAt(this.#siteOf(site.key), site))
    this.#unmet.push(...unmet)
    const regions = new Set(final.map(({ key }) => this.#siteOf(key).region))
    const isUnmet = unmet.length > 0 || this.#unmet.some(({ region }) => region !== undefined && regions.has(region))
    this.#parts.push({
      sites: final.map(({ key }) => key),
      worth: {
        demand: tree.branches.reduce((sum, { demand }) => sum + demand, 0),
        local,
        parent,
        value,
        bound: this.#bounds.get(tree)!,
      },
      scarce: scarceIn([tree], this.siteKeys),
      isSettled: !isUnmet && !fresh.isLimited,
    })
    yield* final
  }

  /** Of a new placement, what the plan in force has where that may stay, and what lies between, what is worth most once moving is paid for; see `keep.ts`. */
  #rather(tree: Tree, fresh: Valued): Valued {
    const { told } = fresh
    const world = { input: this.#input, markets: this.#markets, pins: this.#pins }
    const staying = sitesThatMayStay(world, told)
    if (staying.size === 0) return fresh
    const prices = this.#movingPrices(tree)
    const costAt = (site: SolvedSite) => costOfMoving(this.#input, site, staying.get(site.key), prices.get(site.key)!)
    const net = (placed: Valued) => placed.value - placed.told.reduce((sum, site) => sum + costAt(site), 0)
    const all = staying.size === told.length
    const sites = told.map(({ key }) => staying.get(key)!)
    const kept: Valued = all
      ? { told: sites, ...worthOfStaying(world, staying, this.#options.parentValue), isLimited: false }
      : this.#worthOf(this.#placed(tree, new Set(staying.keys())))
    // A little more than rounding.
    if (net(fresh) <= net(kept) + kept.value * 1e-9) return kept
    const gains = gainsOfChanging(this.#viewersOf(tree), told, staying)
    const unmoved = told.filter((site) => staying.has(site.key) && !(gains.get(site.key)! > costAt(site)))
    if (unmoved.length === 0 || unmoved.length === staying.size) return fresh
    const some = this.#worthOf(this.#placed(tree, new Set(unmoved.map(({ key }) => key))))
    return net(fresh) > net(some) + some.value * 1e-9 ? fresh : some
  }

  /** By site: what a byte that is moved in must be worth. */
  #movingPrices({ trunks, branches }: Tree): Map<string, number> {
    const { churnBonus } = this.#options
    const prices = new Map<string, number>()
    for (const { site, types, prices: own } of branches)
      prices.set(this.#sites[site]!.key, churnBonus * dearestStorage(types, own))
    for (const { site, kinds } of trunks)
      prices.set(this.#sites[site]!.key, churnBonus * Math.max(...kinds.map(({ storagePrice }) => storagePrice)))
    return prices
  }

  #viewersOf({ branches }: Tree): Viewers[] {
    return branches.map(({ site, demand, chain }) => ({
      site: this.#sites[site]!.key,
      demand,
      share: this.#sites[site]!.market.share,
      above: parentsIn(chain).map(({ trunk, value }) => ({ site: this.#sites[trunk.site]!.key, value })),
    }))
  }
}

function boxOf({ key, storageBytes, throughputGbps, held }: SolverAppliance, measured: boolean): PlacingBox {
  return { key, storage: storageBytes, throughput: measured ? throughputGbps : Infinity, before: held }
}
