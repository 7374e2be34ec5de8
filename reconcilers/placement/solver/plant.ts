import { type Bands, NO_BAND, STORED } from './bands.ts'
import type { Cuts } from './cuts.ts'
import type { SolverInput } from './input.ts'
import type { Markets } from './markets.ts'
import type { Above, Branch, Kind, Overlap, Tree, Trunk } from './model.ts'
import { parentsOf } from './parents.ts'
import type { Capacity } from './site-dual.ts'
import { type Site, storageOf, totalOf } from './sites.ts'

/** What trees are made from. */
export interface Ground {
  readonly input: SolverInput
  /** By key. */
  readonly sites: readonly Site[]
  readonly markets: Markets
  /** Bytes of pinned files on each appliance of a site, in the order of its types; undefined where nothing is pinned. `site`: its position among the sites. */
  readonly pinnedOn: (site: number, bands: Bands) => Float64Array | undefined
  readonly cuts: Cuts
  /** As `SolverOptions`. */
  readonly parentValue: number
}

/** Groups the sites into trees, and gives each its capacities and first prices. */
export function plant(ground: Ground): Tree[] {
  return new Planter(ground).trees()
}

class Planter {
  readonly #ground: Ground

  constructor(ground: Ground) {
    this.#ground = ground
  }

  trees(): Tree[] {
    const parentOf = parentsOf(this.#ground.input.sites)
    const indexOf = new Map(this.#ground.sites.map(({ key }, i) => [key, i]))
    const kids = Map.groupBy(
      [...this.#ground.sites.keys()],
      (i) => indexOf.get(parentOf.get(this.#ground.sites[i]!.key) ?? '') ?? -1,
    )
    return (kids.get(-1) ?? []).map((root): Tree => {
      const tree = { trunks: [] as Trunk[], branches: [] as Branch[] }
      if (kids.has(root)) this.#grow(root, [], kids, tree)
      else tree.branches.push(this.#branch(root, []))
      return tree
    })
  }

  /** Adds a parent, and all that is below it. `above`: its own parents, the nearest first. */
  #grow(
    index: number,
    above: readonly Trunk[],
    kids: ReadonlyMap<number, readonly number[]>,
    tree: { readonly trunks: Trunk[]; readonly branches: Branch[] },
  ): void {
    const trunk = this.#trunk(index, above, kids)
    tree.trunks.push(trunk)
    const chain = [trunk, ...above]
    for (const kid of kids.get(index)!) {
      if (kids.has(kid)) this.#grow(kid, chain, kids, tree)
      else tree.branches.push(this.#branch(kid, chain))
    }
    if (this.#ground.sites[index]!.demand > 0) tree.branches.push(this.#ownViewers(index, chain))
  }

  #trunk(index: number, above: readonly Trunk[], kids: ReadonlyMap<number, readonly number[]>): Trunk {
    const own = this.#ground.sites[index]!
    const below: number[] = []
    for (let queue = [...kids.get(index)!]; queue.length > 0; queue = queue.flatMap((kid) => kids.get(kid) ?? []))
      below.push(...queue)
    const sites = below.map((kid) => this.#ground.sites[kid]!)
    const demands = new Map<number, number>()
    for (const { klass, demand } of [own, ...sites]) demands.set(klass, (demands.get(klass) ?? 0) + demand)
    // Among equals the trunk's own class, then that of the first branch by name: whatever else there is elsewhere.
    const [[klass]] = [...demands].sort((a, b) => b[1] - a[1]) as [[number, number]]
    const bands = this.#ground.cuts.at(this.#ground.markets.of(klass, own), storageOf(own), 0)
    const capacities = this.#lessPins(index, bands)
    const kinds = own.types.map(
      (type, t): Kind => ({
        appliances: type.map(({ key }) => key),
        capacity: capacities[t]!,
        held: new Float64Array(bands.count),
        missed: new Float64Array(bands.count),
        asked: new Float64Array(bands.count),
        gain: new Float64Array(bands.count),
        price: 0,
        storagePrice: 0,
      }),
    )
    // What nearer parents begin with, others need not.
    if (!below.some((kid) => kids.has(kid))) fillFirst(bands, kinds)
    return { site: index, above, bands, kinds }
  }

  #branch(index: number, chain: readonly Trunk[]): Branch {
    const site = this.#ground.sites[index]!
    const { demand, market, types } = site
    const above = chain.map((trunk) => storageOf(this.#ground.sites[trunk.site]!))
    // Who has no appliances goes by what the parent has.
    const storage = types.length > 0 ? storageOf(site) : (above[0] ?? [])
    const bands = this.#ground.cuts.at(market, storage, Math.max(0, ...above.flat()))
    return {
      site: index,
      demand,
      bands,
      types: this.#lessPins(index, bands),
      prices: new Float64Array(2 * types.length).fill(0.1 * demand),
      chain: chain.flatMap((trunk, k) => this.#above(trunk, bands, this.#ground.parentValue ** (k + 1))),
    }
  }

  /** Viewers of a parent itself: for them it is their own site. */
  #ownViewers(index: number, chain: readonly Trunk[]): Branch {
    const branch = this.#branch(index, chain)
    return {
      ...branch,
      types: [],
      prices: new Float64Array(0),
      chain: chain.flatMap((trunk, k) => this.#above(trunk, branch.bands, this.#ground.parentValue ** k)),
    }
  }

  #above(trunk: Trunk, bands: Bands, value: number): Above[] {
    const overlap = trunk.bands !== bands && { overlap: this.#overlap(bands, trunk.bands) }
    return trunk.kinds.map((kind) => ({ trunk, kind, value, ...overlap }))
  }

  /** What a site's types have, but for the storage that pinned files take. */
  #lessPins(index: number, bands: Bands): Capacity[] {
    const { types, measured } = this.#ground.sites[index]!
    const pinned = this.#ground.pinnedOn(index, bands)
    let next = 0
    return types.map((type) => {
      const { storage, throughput } = totalOf(type, measured)
      let taken = 0
      for (const _ of type) taken += pinned?.[next++] ?? 0
      return { storage: Math.max(0, storage - taken), throughput }
    })
  }

  readonly #overlaps = new Map<Bands, Map<Bands, Overlap>>()

  #overlap(own: Bands, parents: Bands): Overlap {
    const known = this.#overlaps.get(own)?.get(parents)
    if (known) return known
    const overlap = overlapOf(own, parents)
    this.#overlaps.set(own, (this.#overlaps.get(own) ?? new Map<Bands, Overlap>()).set(parents, overlap))
    return overlap
  }
}

/** Begins with the densest files, on the appliances that serve the most for their storage. */
function fillFirst({ count, bytes }: Bands, kinds: readonly Kind[]): void {
  let kind = kinds.length - 1
  let left = kinds[kind]!.capacity.storage
  for (let g = 0; g < count; g++) {
    let rest = bytes[g]!
    while (kind >= 0) {
      const taken = Math.min(rest, left)
      kinds[kind]!.held[g]! = bytes[g]! > 0 ? taken / bytes[g]! : 1
      left -= taken
      rest -= taken
      if (!(rest > 0) || --kind < 0) break
      left = kinds[kind]!.capacity.storage
    }
  }
}

function overlapOf(own: Bands, parents: Bands): Overlap {
  const cells = new Map<number, [number, number]>()
  for (const f of own.order) {
    // What the parent may not hold is in none of its bands.
    if (parents.of[f] === NO_BAND) continue
    const key = own.of[f]! * parents.count + parents.of[f]!
    const cell = cells.get(key)
    const bytes = own.sizes[f]! * STORED[own.copies[f]!]!
    if (cell) {
      cell[0] += own.share[f]!
      cell[1] += bytes
    } else cells.set(key, [own.share[f]!, bytes])
  }
  const keys = Uint32Array.from(cells.keys()).sort()
  return {
    own: Uint16Array.from(keys, (key) => Math.floor(key / parents.count)),
    parents: Uint16Array.from(keys, (key) => key % parents.count),
    demand: Float64Array.from(keys, (key) => cells.get(key)![0]),
    bytes: Float64Array.from(keys, (key) => cells.get(key)![1]),
  }
}
