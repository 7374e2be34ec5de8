import { FileSet } from '../../blobs/file-set.ts'
import { compare } from '../../blobs/plan-index.ts'
import type { SolverControl } from '../control.ts'
import { hashString, mix } from '../hash.ts'
import type { PlacementWorth, Scarcity, SolvedPart, SolvedSite } from '../problem.ts'
import { askTrunk, byFile, servedBy } from './asked.ts'
import { type Bands, cutBands, placedFiles } from './bands.ts'
import { withChurn } from './churn.ts'
import type { SolverAppliance, SolverInput } from './input.ts'
import { type Kept, keepIfWorthIt } from './keep.ts'
import type { Branch, Overlap, Tree, Trunk } from './model.ts'
import { partsOf } from './parts.ts'
import { type Coverage, type PlacingBox, SitePlacing } from './place.ts'
import { scarceIn } from './scarce.ts'
import { type Capacity, dearestStorage } from './site-dual.ts'
import { measure, type Site, totalOf } from './sites.ts'
import { type Effort, emptyGroups, priceTree, setGroups } from './tree.ts'

export type { SolverAppliance, SolverInput, SolverSite } from './input.ts'

export interface SolverOptions extends Effort {
  readonly bands: number
  /** What it is worth to serve a byte from the parent site, where serving it at the site is worth 1. */
  readonly parentValue: number
  /** See `Churn`. */
  readonly churnBonus: number
}

export const defaultOptions: SolverOptions = { bands: 512, rounds: 16, tau: 0.002, parentValue: 0.5, churnBonus: 0.25 }

/** About the part of the work that finding prices is. */
const PRICING = 0.3

/** A placement: prices now, files as `sites` is read. */
export class Solved {
  readonly #input: SolverInput
  readonly #options: SolverOptions
  readonly #sites: readonly Site[]
  readonly #share: readonly Float64Array[]
  readonly #bands: readonly Bands[]
  readonly #pinned: readonly number[]
  readonly #placeable: { readonly files: number; readonly bytes: number }
  readonly trees: readonly Tree[]
  readonly #control: SolverControl
  readonly #parts: SolvedPart[] = []
  readonly #bounds = new Map<Tree, number>()
  #endedEarly = false

  constructor(input: SolverInput, options: SolverOptions, control: SolverControl = {}) {
    this.#control = control
    this.#input = input
    this.#options = options
    const { sizes, fileHashes, excluded, pins, copies } = input
    const skip = new Uint8Array(sizes.length)
    const pinned = new FileSet()
    for (const { files } of pins) for (const file of files) pinned.add(file)
    const placeable = { files: 0, bytes: 0 }
    this.#pinned = [...pinned].filter((file) => !Number.isNaN(sizes[file] ?? Number.NaN) && !excluded.has(file))
    for (let file = 0; file < sizes.length; file++) {
      const out = Number.isNaN(sizes[file]!) || excluded.has(file)
      if (!out) {
        placeable.files++
        placeable.bytes += sizes[file]!
      }
      skip[file] = out ? 1 : 0
    }
    this.#placeable = placeable
    this.#share = input.popularity.map((popularity) => shareOf(popularity, sizes, skip))
    for (const file of this.#pinned) skip[file] = 1
    // What no appliance can hold is asked for, too, but must draw no prices and is in no bound.
    const largest = input.sites.reduce(
      (most, { appliances }) => appliances.reduce((more, { storageBytes }) => Math.max(more, storageBytes), most),
      0,
    )
    for (let file = 0; file < sizes.length; file++) if (sizes[file]! > largest) skip[file] = 1
    const files = placedFiles(sizes, fileHashes, skip)
    this.#bands = this.#share.map((share) => cutBands(files, share, copies.perSite, options.bands))
    this.#sites = [...input.sites].sort((a, b) => compare(a.key, b.key)).map(measure)
    this.trees = this.#plant()
    for (const [i, tree] of this.trees.entries()) {
      control.onProgress?.((PRICING * i) / this.trees.length)
      const bound = priceTree(tree, options, control.shouldEnd)
      let { value } = bound
      this.#endedEarly ||= bound.endedEarly
      // Pinned files are in no band: at best all of their demand is served where it arises.
      for (const { site, demand } of tree.branches) {
        const share = this.#share[this.#sites[site]!.klass]!
        for (const file of this.#pinned) value += share[file]! * demand
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

  /** Puts files on appliances, tree by tree. */
  *sites(): Generator<SolvedSite> {
    const regional = this.#input.copies.perRegion > this.#input.copies.perSite
    const all: TreePlacing[] = []
    for (const [i, tree] of this.trees.entries()) {
      this.#control.onProgress?.(PRICING + ((1 - PRICING) * i) / this.trees.length)
      const placing = this.#admit(tree)
      if (regional) all.push(placing)
      else yield* this.#finish(placing)
    }
    if (!regional) return
    this.#topUpRegions(all)
    for (const placing of all) yield* this.#finish(placing)
  }

  /** Groups the sites into trees and gives each its capacities and first prices. */
  #plant(): Tree[] {
    const indexOf = new Map(this.#sites.map(({ key }, i) => [key, i]))
    const given = new Map(this.#input.sites.map(({ key, parents }) => [key, parents]))
    const parentOf = this.#sites.map(({ key }) => {
      for (const parent of given.get(key) ?? []) {
        const index = indexOf.get(parent)
        if (index !== undefined && parent !== key && this.#sites[index]!.types.length > 0) return index
      }
      return -1
    })
    const trunks = new Set(parentOf.filter((parent) => parent !== -1))
    const kids = Map.groupBy(
      [...this.#sites.keys()].filter((i) => !trunks.has(i) && parentOf[i] !== -1),
      (i) => parentOf[i]!,
    )
    const trees: Tree[] = []
    for (const i of this.#sites.keys()) {
      if (trunks.has(i)) trees.push(this.#tree(i, kids.get(i) ?? []))
      else if (parentOf[i] === -1) trees.push({ trunk: undefined, branches: [this.#branch(i, undefined)] })
    }
    return trees
  }

  #tree(index: number, kids: readonly number[]): Tree {
    const own = this.#sites[index]!
    const demands = new Map<number, number>()
    for (const { klass, demand } of [own, ...kids.map((kid) => this.#sites[kid]!)])
      demands.set(klass, (demands.get(klass) ?? 0) + demand)
    const [[klass]] = [...demands].sort((a, b) => b[1] - a[1] || a[0] - b[0]) as [[number, number]]
    const bands = this.#bands[klass]!
    const trunk: Trunk = {
      site: index,
      capacity: this.#lessPins(
        own,
        totalOf(own.types.flat(), own.measured || kids.some((kid) => this.#sites[kid]!.measured)),
      ),
      bands,
      held: new Float64Array(bands.count),
      missed: new Float64Array(bands.count),
      asked: 0,
      price: 0,
      storagePrice: 0,
    }
    let left = trunk.capacity.storage
    for (let g = 0; g < bands.count && left > 0; g++) {
      trunk.held[g] = bands.bytes[g]! <= left ? 1 : left / bands.bytes[g]!
      left -= bands.bytes[g]!
    }
    const branches = kids.map((kid) => this.#branch(kid, trunk))
    const { demand } = own
    if (demand > 0)
      branches.push({
        ...this.#branch(index, trunk),
        types: [],
        prices: new Float64Array(0),
        parentValue: 1,
      })
    return { trunk, branches }
  }

  #branch(index: number, trunk: Trunk | undefined): Branch {
    const site = this.#sites[index]!
    const { demand, klass, types, measured } = site
    const bands = this.#bands[klass]!
    const capacities = types.map((type) => this.#lessPins(site, totalOf(type, measured)))
    return {
      site: index,
      demand,
      bands,
      types: capacities,
      prices: new Float64Array(2 * types.length).fill(0.1 * demand),
      parentValue: trunk ? this.#options.parentValue : 0,
      ...(trunk && trunk.bands !== bands && { overlap: this.#overlap(bands, trunk.bands) }),
    }
  }

  /** What pins leave of a type's storage, where each type takes its part of them. */
  #lessPins({ types }: Site, { storage, throughput }: Capacity): Capacity {
    if (this.#pinned.length === 0) return { storage, throughput }
    const boxes = types.flat()
    const all = boxes.reduce((sum, { storageBytes }) => sum + storageBytes, 0)
    const copies = new Map<number, number>()
    for (const pin of this.#input.pins) {
      const wanted = Math.min(pin.copies === 'all' ? boxes.length : pin.copies, boxes.length)
      for (const file of pin.files) copies.set(file, Math.max(wanted, copies.get(file) ?? 0))
    }
    const pinned = this.#pinned.reduce((sum, file) => sum + this.#input.sizes[file]! * copies.get(file)!, 0)
    return { storage: all > 0 ? Math.max(0, storage - (pinned * storage) / all) : 0, throughput }
  }

  readonly #overlaps = new Map<Bands, Map<Bands, Overlap>>()

  #overlap(own: Bands, parents: Bands): Overlap {
    const known = this.#overlaps.get(own)?.get(parents)
    if (known) return known
    const overlap = overlapOf(own, parents)
    this.#overlaps.set(own, (this.#overlaps.get(own) ?? new Map<Bands, Overlap>()).set(parents, overlap))
    return overlap
  }

  /** Pins, then what the prices admit. */
  #admit(tree: Tree): TreePlacing {
    const { trunk, branches } = tree
    const trunkPlacing = trunk && this.#open(trunk.site, trunk.bands)
    const trunkBefore = trunkPlacing?.holdersBefore()
    trunkPlacing?.admitTrunk(trunk!, trunkBefore)
    const covered = new Map<Bands, Uint8Array>()
    if (trunk && trunkPlacing) {
      covered.set(trunk.bands, trunkPlacing.holds)
      for (const { bands } of branches)
        if (!covered.has(bands)) covered.set(bands, translated(trunkPlacing.holds, trunk.bands, bands))
    }
    const befores: (Uint8Array | undefined)[] = []
    const placings = branches.map((branch) => {
      const placing = trunk && branch.site === trunk.site ? undefined : this.#open(branch.site, branch.bands)
      const before = placing?.holdersBefore()
      befores.push(before)
      if (!placing) return undefined
      if (branch.types.length > 0)
        this.#admitBranch(placing, branch, trunk, {
          atTrunk: covered.get(branch.bands),
          scattered: trunkBefore !== undefined,
          before,
        })
      return placing
    })
    return { tree, trunk: trunkPlacing, branches: placings, covered, trunkBefore, befores }
  }

  #admitBranch(placing: SitePlacing, branch: Branch, trunk: Trunk | undefined, at: Coverage): void {
    const { tau, churnBonus } = this.#options
    if (!at.before) {
      const groups = emptyGroups(2 * branch.bands.count)
      setGroups(groups, branch, trunk)
      placing.admit(branch, trunk, partsOf(groups, branch.types, branch.prices, tau), at)
      return
    }
    const churn = { bonus: churnBonus, fillBytes: this.#sites[branch.site]!.fillBytes }
    const { parts, groupBytes, isLimited } = withChurn(branch, trunk, at.atTrunk, at.before, churn, tau)
    if (isLimited) placing.limit()
    placing.admit(branch, trunk, parts, { ...at, groupBytes })
  }

  /** A site with its pins. A trunk goes by the bands of its viewers' class, whatever its own. */
  #open(index: number, bands: Bands): SitePlacing {
    const { types, measured, klass, demand, fillBytes } = this.#sites[index]!
    const boxes = types.map((type) => type.map((appliance) => boxOf(appliance, measured)))
    const { sizes, fileHashes, pins, copies } = this.#input
    const placing = new SitePlacing(bands, copies.perSite, boxes, fillBytes)
    for (const pin of pins) {
      const wanted = Math.min(pin.copies === 'all' ? placing.boxes.count : pin.copies, placing.boxes.count)
      for (const file of pin.files) {
        if (!this.#isPlaceable(file)) continue
        const held = placing.boxes.holds.reduce((n, holds) => n + (holds.has(file) ? 1 : 0), 0)
        if (held < wanted)
          placing.pin(file, fileHashes[file]!, sizes[file]!, this.#share[klass]![file]! * demand, wanted - held)
      }
    }
    return placing
  }

  #isPlaceable(file: number): boolean {
    const { sizes, excluded } = this.#input
    return file < sizes.length && !Number.isNaN(sizes[file]!) && !excluded.has(file)
  }

  /** Adds copies at other sites of the region until it has `perRegion` of every file that is placed in it. */
  #topUpRegions(all: readonly TreePlacing[]): void {
    const { copies, fileHashes, sizes } = this.#input
    const regions = new Map<string, { placing: SitePlacing; bands: Bands; site: Site }[]>()
    for (const { tree, trunk, branches } of all) {
      const add = (placing: SitePlacing | undefined, index: number, bands: Bands) => {
        if (!placing) return
        const site = this.#sites[index]!
        const members = regions.get(site.region)
        if (members) members.push({ placing, bands, site })
        else regions.set(site.region, [{ placing, bands, site }])
      }
      if (tree.trunk) add(trunk, tree.trunk.site, tree.trunk.bands)
      for (const [i, { site, bands }] of tree.branches.entries()) add(branches[i], site, bands)
    }
    const positions = new Map(this.#bands.map((bands) => [bands, positionsOf(bands)]))
    for (const members of regions.values()) {
      members.sort((a, b) => compare(a.site.key, b.site.key))
      const holdings = members.flatMap(({ placing }) => placing.boxes.holds)
      for (const file of [...this.#pinned, ...members[0]!.bands.order]) {
        let missing = holdings.reduce((n, holds) => n - (holds.has(file) ? 1 : 0), copies.perRegion)
        if (missing === copies.perRegion) continue
        const ranked = members
          .map((member) => ({ ...member, score: mix(fileHashes[file]! ^ hashString(member.site.key)) }))
          .sort((a, b) => b.score - a.score || compare(a.site.key, b.site.key))
        for (const { placing, bands, site } of ranked) {
          if (missing <= 0) break
          const position = positions.get(bands)!.get(file)
          const demand = this.#share[site.klass]![file]! * site.demand
          missing -=
            position === undefined
              ? placing.pin(file, fileHashes[file]!, sizes[file]!, demand, missing)
              : placing.put(position, demand, missing)
        }
      }
    }
  }

  /** Uses what storage is left, counts what it is all worth, and hands it over. */
  *#finish({
    tree,
    trunk: trunkPlacing,
    branches: placings,
    covered,
    trunkBefore,
    befores,
  }: TreePlacing): Generator<SolvedSite> {
    const { trunk, branches } = tree
    const { parentValue, churnBonus } = this.#options
    trunkPlacing?.fillUp(0, { before: trunkBefore }, 0, churnBonus)
    // By class and position: what is asked of the trunk.
    const asked = new Map<Bands, Float64Array>()
    if (trunk && trunkPlacing) {
      for (const bands of covered.keys()) {
        asked.set(bands, new Float64Array(bands.order.length))
        if (bands !== trunk.bands) covered.set(bands, translated(trunkPlacing.holds, trunk.bands, bands))
      }
    }
    let own = 0
    let demandOfAll = 0
    let local = 0
    let parent = 0
    const told: SolvedSite[] = []
    for (const [i, branch] of branches.entries()) {
      const { bands, demand } = branch
      const placing = placings[i]
      const atTrunk = covered.get(bands)
      demandOfAll += demand
      if (placing) {
        placing.fillUp(demand, { atTrunk, before: befores[i] }, 1 - parentValue, churnBonus)
        local += placing.boxes.served
        told.push(this.#told(branch.site, placing))
      }
      if (!atTrunk) continue
      const sum = askTrunk(bands, demand, atTrunk, placing?.holds, asked.get(bands)!)
      if (!placing) own += sum
    }
    if (trunkPlacing && trunk) {
      const askedByFile = byFile(asked, this.#input.sizes.length)
      own += this.#askPinned(branches, trunkPlacing, placings, askedByFile)
      const { served, all } = servedBy(trunkPlacing, askedByFile)
      local += all > 0 ? (served * own) / all : 0
      parent += all > 0 ? served * (1 - own / all) : 0
      told.push(this.#told(trunk.site, trunkPlacing))
    }
    const kept = this.#kept(tree, told, local + parentValue * parent)
    if (kept) ({ local, parent } = kept)
    this.#parts.push({
      sites: told.map(({ key }) => key),
      worth: {
        demand: demandOfAll,
        local,
        parent,
        value: local + parentValue * parent,
        bound: this.#bounds.get(tree)!,
      },
      scarce: scarceIn([tree], this.siteKeys),
      isSettled: !(trunkPlacing?.isLimited || placings.some((placing) => placing?.isLimited)),
    })
    yield* kept?.sites ?? told
  }

  /** Pinned files are in no band: adds what viewers ask of the trunk for them. Returns the part of the trunk's own viewers. */
  #askPinned(
    branches: readonly Branch[],
    trunk: SitePlacing,
    placings: readonly (SitePlacing | undefined)[],
    asked: Float64Array,
  ): number {
    let own = 0
    for (const file of this.#pinned.filter((each) => trunk.boxes.has(each))) {
      for (const [i, { site, demand }] of branches.entries()) {
        const placing = placings[i]
        if (placing?.boxes.has(file)) continue
        const more = this.#share[this.#sites[site]!.klass]![file]! * demand
        asked[file]! += more
        if (!placing) own += more
      }
    }
    return own
  }

  /** What the plan in force has there, where the new placement is not worth what it would move. */
  #kept({ trunk, branches }: Tree, told: readonly SolvedSite[], value: number): Kept | undefined {
    const storagePrices = new Map<string, number>()
    for (const { site, types, prices } of branches)
      storagePrices.set(this.#sites[site]!.key, dearestStorage(types, prices))
    if (trunk) storagePrices.set(this.#sites[trunk.site]!.key, trunk.storagePrice)
    return keepIfWorthIt(
      { input: this.#input, share: this.#share, pinned: this.#pinned, placeable: this.#placeable },
      { told, value, storagePrices },
      this.#options,
    )
  }

  #told(index: number, { boxes, held }: SitePlacing): SolvedSite {
    const { files, bytes } = this.#placeable
    const pinned = { files: 0, bytes: 0 }
    for (const file of this.#pinned) {
      if (!boxes.has(file)) continue
      pinned.files++
      pinned.bytes += this.#input.sizes[file]!
    }
    return {
      key: this.#sites[index]!.key,
      holdings: new Map(boxes.keys.map((key, b) => [key, boxes.holds[b]!])),
      leftOut: {
        files: files - held.files - pinned.files,
        bytes: (bytes - held.bytes - pinned.bytes) * Math.max(1, Math.min(this.#input.copies.perSite, boxes.count)),
      },
    }
  }
}

interface TreePlacing {
  readonly tree: Tree
  readonly trunk: SitePlacing | undefined
  /** Undefined for the viewers of the trunk itself. */
  readonly branches: readonly (SitePlacing | undefined)[]
  /** Per class, by position: 1 for files that the trunk holds. */
  readonly covered: Map<Bands, Uint8Array>
  /** Who at the trunk, and at each branch, is to hold each file by the plan in force, as `holdersOf` says it. */
  readonly trunkBefore: Uint8Array | undefined
  readonly befores: readonly (Uint8Array | undefined)[]
}

/** The part of the class's demanded bytes that each file stands for. Where nothing is known of any, all are asked for alike. */
function shareOf(popularity: Float64Array, sizes: Float64Array, skip: Uint8Array): Float64Array {
  const share = new Float64Array(sizes.length)
  let all = 0
  for (let f = 0; f < sizes.length; f++) if (!skip[f]) all += popularity[f]! * sizes[f]!
  const known = all > 0
  if (!known) for (let f = 0; f < sizes.length; f++) if (!skip[f]) all += sizes[f]!
  if (all > 0)
    for (let f = 0; f < sizes.length; f++) if (!skip[f]) share[f] = ((known ? popularity[f]! : 1) * sizes[f]!) / all
  return share
}

function boxOf({ key, storageBytes, throughputGbps, held }: SolverAppliance, measured: boolean): PlacingBox {
  return { key, storage: storageBytes, throughput: measured ? throughputGbps : Infinity, before: held }
}

/** A column by position of one class, by position of another. */
function translated(column: Uint8Array, from: Bands, to: Bands): Uint8Array {
  const byFile = new Uint8Array(from.of.length)
  for (let p = 0; p < column.length; p++) byFile[from.order[p]!] = column[p]!
  return Uint8Array.from(to.order, (file) => byFile[file]!)
}

function positionsOf({ order }: Bands): Map<number, number> {
  return new Map(Array.from(order, (file, position) => [file, position]))
}

function overlapOf(own: Bands, parents: Bands): Overlap {
  const cells = new Map<number, [number, number]>()
  for (const f of own.order) {
    const key = own.of[f]! * parents.count + parents.of[f]!
    const cell = cells.get(key)
    if (cell) {
      cell[0] += own.share[f]!
      cell[1] += own.sizes[f]! * own.copies
    } else cells.set(key, [own.share[f]!, own.sizes[f]! * own.copies])
  }
  const keys = Uint32Array.from(cells.keys()).sort()
  return {
    own: Uint16Array.from(keys, (key) => Math.floor(key / parents.count)),
    parents: Uint16Array.from(keys, (key) => key % parents.count),
    demand: Float64Array.from(keys, (key) => cells.get(key)![0]),
    bytes: Float64Array.from(keys, (key) => cells.get(key)![1]),
  }
}
