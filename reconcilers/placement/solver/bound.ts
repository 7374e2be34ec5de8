import { type Bands, NO_BAND, STORED } from './bands.ts'
import { insteadOf, type Tree, type Trunk } from './model.ts'
import { lineOf } from './site-dual.ts'

/**
 * An upper bound on the value of any placement in a tree, by weak duality: at any prices, the dual value is one. Each file takes the best of its lines; a band's
 * files all count with the density of its densest, so that nothing is rounded down. Trunks hold a file where that is worth more to all branches together than
 * their storage costs, in whatever set of them is best; their storage prices are chosen here, to make the bound low. Value as in `tree.ts`: 1 per unit of demand served at the site.
 */
export function boundOf({ trunks, branches }: Tree): number {
  let bound = 0
  for (const { prices, types } of branches) {
    for (let p = 0; p < prices.length; p++) if (Number.isFinite(costOf(types, p))) bound += prices[p]!
  }
  const [root] = trunks
  if (!root) {
    for (const branch of branches) {
      const { bands, demand } = branch
      for (let g = 0; g < bands.count; g++) bound += bands.demand[g]! * demand * bestLine(branch, g)
    }
    return bound
  }
  for (const trunk of trunks) bound += trunk.price * finite(trunk.capacity.throughput)
  const nodes = nodesOf(trunks, branches)
  const classes = new Set(branches.map(({ bands }) => bands))
  const alike =
    classes.size <= 1 && trunks.every(({ bands }) => bands === root.bands && (classes.size === 0 || classes.has(bands)))
  return bound + (alike ? alikeBound(root.bands, nodes) : mixedBound(nodes, [...classes]))
}

/** A trunk, by what the branches directly below it are worth: per band of a class and unit of share, for each set of holders. */
interface Node {
  readonly trunk: Trunk
  readonly children: Node[]
  /** A set has a bit for each holder: 1 for the trunk itself, 2 for its parent, 4 for the parent's. */
  readonly worth: Map<Bands, readonly Float64Array[]>
}

/** Parents before their children. */
function nodesOf(trunks: Tree['trunks'], branches: Tree['branches']): Node[] {
  const nodes = new Map<Trunk, Node>()
  for (const trunk of trunks) {
    const node: Node = { trunk, children: [], worth: new Map() }
    nodes.set(trunk, node)
    const [parent] = trunk.above
    if (parent) nodes.get(parent)!.children.push(node)
  }
  for (const branch of branches) {
    const { bands, demand, chain } = branch
    const { worth } = nodes.get(chain[0]!.trunk)!
    const sets = worth.get(bands) ?? Array.from({ length: 1 << chain.length }, () => new Float64Array(bands.count))
    worth.set(bands, sets)
    const insteads = chain.map(insteadOf)
    for (let g = 0; g < bands.count; g++) {
      const line = bestLine(branch, g)
      for (let set = 0; set < sets.length; set++) {
        let best = line
        for (let k = 0; k < insteads.length; k++) if (set & (1 << k) && insteads[k]! > best) best = insteads[k]!
        sets[set]![g]! += demand * best
      }
    }
  }
  return [...nodes.values()]
}

/** The most a file is worth at and below a node, where `above` of its parents hold it: with a copy at the node, if that pays, or without. */
function bestBelow(
  node: Node,
  above: number,
  worthAt: (node: Node, set: number) => number,
  costAt: (node: Node) => number,
): number {
  let [without, held] = [worthAt(node, above << 1), worthAt(node, (above << 1) | 1) - costAt(node)]
  for (const child of node.children) {
    without += bestBelow(child, above << 1, worthAt, costAt)
    held += bestBelow(child, (above << 1) | 1, worthAt, costAt)
  }
  return Math.max(without, held)
}

/** All are of one class: its bands decide. The storage price of a trunk alone is the best there is; those of several are near what their own choices came to. */
function alikeBound(bands: Bands, nodes: readonly Node[]): number {
  const root = nodes[0]!
  const sets = new Map(nodes.map((node) => [node, node.worth.get(bands)]))
  const at = (priceOf: (node: Node) => number) => {
    let sum = 0
    for (const node of nodes) sum += priceOf(node) * node.trunk.capacity.storage
    for (let g = 0; g < bands.count; g++) {
      if (!(bands.top[g]! > 0)) continue
      const worthAt = (node: Node, set: number) => sets.get(node)?.[set]?.[g] ?? 0
      sum += bands.demand[g]! * bestBelow(root, 0, worthAt, (node) => priceOf(node) / bands.top[g]!)
    }
    return sum
  }
  if (nodes.length > 1) return lowest((factor) => at(({ trunk }) => factor * trunk.storagePrice))
  const [without, held] = sets.get(root) ?? []
  return without && held ? trunkBound(bands, root.trunk.capacity.storage, without, held) : 0
}

/** The same, of one trunk, at the storage price that makes it the lowest. */
function trunkBound({ count, demand, top }: Bands, storage: number, without: Float64Array, held: Float64Array): number {
  const at = (price: number) => {
    let sum = price * storage
    for (let g = 0; g < count; g++)
      if (top[g]! > 0) sum += demand[g]! * Math.max(without[g]!, held[g]! - price / top[g]!)
    return sum
  }
  let [low, high] = [0, 0]
  for (let g = 0; g < count; g++)
    if (Number.isFinite(top[g]!)) high = Math.max(high, (held[g]! - without[g]!) * top[g]!)
  for (let i = 0; i < 100; i++) {
    const third = (high - low) / 3
    if (at(low + third) < at(high - third)) high -= third
    else low += third
  }
  return at((low + high) / 2)
}

/** Several classes: each file decides for itself, at the storage prices that the trunks' own choices came to, and near them. */
function mixedBound(nodes: readonly Node[], classes: readonly Bands[]): number {
  const root = nodes[0]!
  if (nodes.length === 1) return mixedTrunkBound(root, classes)
  const files = classes[0]!.of.length
  const at = (factor: number) => {
    let sum = 0
    for (const { trunk } of nodes) sum += factor * trunk.storagePrice * trunk.capacity.storage
    for (let f = 0; f < files; f++) {
      const worthAt = ({ worth }: Node, set: number) => {
        let all = 0
        for (const [bands, sets] of worth)
          if (bands.of[f] !== NO_BAND) all += bands.share[f]! * sets[set]![bands.of[f]!]!
        return all
      }
      // What a trunk may not hold costs more than it can be worth.
      const costAt = ({ trunk: { bands, storagePrice } }: Node) =>
        bands.of[f] === NO_BAND ? Infinity : factor * storagePrice * bands.sizes[f]! * STORED[bands.copies[f]!]!
      sum += bestBelow(root, 0, worthAt, costAt)
    }
    return sum
  }
  return lowest(at)
}

const lowest = (at: (factor: number) => number): number => Math.min(...[0.9, 1, 1.1].map(at))

/** The same, of one trunk: file by file in one pass. */
function mixedTrunkBound({ trunk: { bands, capacity, storagePrice }, worth }: Node, classes: readonly Bands[]): number {
  const { sizes, copies } = bands
  // Files that the trunk may not hold are in these sums, too.
  let without = 0
  for (const each of classes) for (let g = 0; g < each.count; g++) without += each.demand[g]! * worth.get(each)![0]![g]!
  const gains = new Float64Array(bands.order.length)
  for (const each of classes) {
    const [alone, held] = worth.get(each) as [Float64Array, Float64Array]
    for (const [p, f] of bands.order.entries()) {
      const g = each.of[f]!
      if (g !== NO_BAND) gains[p]! += each.share[f]! * (held[g]! - alone[g]!)
    }
  }
  return lowest((factor) => {
    const price = factor * storagePrice
    let sum = without + price * capacity.storage
    for (const [p, f] of bands.order.entries()) sum += Math.max(0, gains[p]! - price * sizes[f]! * STORED[copies[f]!]!)
    return sum
  })
}

const costOf = (types: readonly { readonly storage: number; readonly throughput: number }[], price: number) =>
  price < types.length ? types[price]!.storage : types[price - types.length]!.throughput

const finite = (value: number) => (Number.isFinite(value) ? value : 0)

/** The most that a unit of demand of a band can be worth at its site at these prices, storage and throughput paid. */
function bestLine({ bands, demand, types, prices }: Tree['branches'][number], g: number): number {
  // Of nothing, whatever the prices; these are 0, too.
  if (!(demand > 0)) return 0
  const ratio = 1 / (bands.top[g]! * demand)
  let best = 0
  for (let t = 0; t < types.length; t++) best = Math.max(best, lineOf(types, prices, t, ratio))
  return best
}
