import { type Bands, NO_BAND, STORED } from './bands.ts'
import { insteadOf, type Kind, type Tree, type Trunk } from './model.ts'
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
  for (const { kinds } of trunks) for (const { price, capacity } of kinds) bound += price * finite(capacity.throughput)
  const nodes = nodesOf(trunks, branches)
  const classes = new Set(branches.map(({ bands }) => bands))
  const alike =
    classes.size <= 1 && trunks.every(({ bands }) => bands === root.bands && (classes.size === 0 || classes.has(bands)))
  return bound + (alike ? alikeBound(root.bands, nodes) : mixedBound(nodes, [...classes]))
}

/** A trunk, by what the branches directly below it are worth: per band of a class and unit of share, for each state. */
interface Node {
  readonly trunk: Trunk
  readonly children: Node[]
  /**
   * A state says which kind of the trunk holds a file, from 1, or 0: none; and so on for its parent and that one's parent, in a number whose digits go up to the kinds that
   * each has, the trunk's own first. A second kind at one trunk would be of no use: it serves at its own price whatever the other does.
   */
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
    const { bands, demand } = branch
    const { worth } = nodes.get(branch.chain[0]!.trunk)!
    const insteads = insteadByState(branch)
    const states = worth.get(bands) ?? insteads.map(() => new Float64Array(bands.count))
    worth.set(bands, states)
    for (let g = 0; g < bands.count; g++) {
      const line = bestLine(branch, g)
      for (let state = 0; state < insteads.length; state++)
        states[state]![g]! += demand * Math.max(line, insteads[state]!)
    }
  }
  return [...nodes.values()]
}

/** What a branch has instead of a file of its own, at best, in each state of those above it. */
function insteadByState({ chain }: Tree['branches'][number]): number[] {
  let states = [0]
  for (const kinds of Map.groupBy(chain, ({ trunk }) => trunk).values())
    states = [0, ...kinds.map(insteadOf)].flatMap((instead) => states.map((nearer) => Math.max(nearer, instead)))
  return states
}

/** The most a file is worth at and below a node, where those above are in this state: at the kind of the node's that is best for it, if that pays, or at none. */
function bestBelow(
  node: Node,
  above: number,
  worthAt: (node: Node, state: number) => number,
  costAt: (node: Node, kind: Kind) => number,
): number {
  const { kinds } = node.trunk
  let most = Number.NEGATIVE_INFINITY
  for (let held = 0; held <= kinds.length; held++) {
    const state = held + (kinds.length + 1) * above
    let worth = worthAt(node, state)
    if (held > 0) worth -= costAt(node, kinds[held - 1]!)
    for (const child of node.children) worth += bestBelow(child, state, worthAt, costAt)
    most = Math.max(most, worth)
  }
  return most
}

/** All are of one class: its bands decide. The storage price of a kind alone is the best there is; those of several are near what their own choices came to. */
function alikeBound(bands: Bands, nodes: readonly Node[]): number {
  const root = nodes[0]!
  const states = new Map(nodes.map((node) => [node, node.worth.get(bands)]))
  const at = (prices: Prices) => {
    let sum = costOfStorage(prices)
    for (let g = 0; g < bands.count; g++) {
      if (!(bands.top[g]! > 0)) continue
      const worthAt = (node: Node, state: number) => states.get(node)?.[state]?.[g] ?? 0
      sum += bands.demand[g]! * bestBelow(root, 0, worthAt, (_, kind) => prices.get(kind)! / bands.top[g]!)
    }
    return sum
  }
  if (nodes.length > 1 || root.trunk.kinds.length > 1) return lowest(nodes, FINE, at)
  const [without, held] = states.get(root) ?? []
  return without && held ? trunkBound(bands, root.trunk.kinds[0]!.capacity.storage, without, held) : 0
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
  const at = (prices: Prices) => {
    let sum = costOfStorage(prices)
    for (let f = 0; f < files; f++) {
      const worthAt = ({ worth }: Node, state: number) => {
        let all = 0
        for (const [bands, states] of worth)
          if (bands.of[f] !== NO_BAND) all += bands.share[f]! * states[state]![bands.of[f]!]!
        return all
      }
      // What a trunk may not hold costs more than it can be worth.
      const costAt = ({ trunk: { bands } }: Node, kind: Kind) =>
        bands.of[f] === NO_BAND ? Infinity : prices.get(kind)! * bands.sizes[f]! * STORED[bands.copies[f]!]!
      sum += bestBelow(root, 0, worthAt, costAt)
    }
    return sum
  }
  return lowest(nodes, COARSE, at)
}

/** Of a byte, by kind. */
type Prices = Map<Kind, number>

/** Steps by which prices are tried. */
const FINE = [1.3, 1.1, 1.03, 1.1, 1.03, 1.01]
const COARSE = [1.1]

/** The lowest that is found from the kinds' own prices on: each in turn is raised and lowered by a step for as long as that helps. */
function lowest(nodes: readonly Node[], steps: readonly number[], at: (prices: Prices) => number): number {
  const prices: Prices = new Map(
    nodes.flatMap(({ trunk }) => trunk.kinds.map((kind): [Kind, number] => [kind, kind.storagePrice])),
  )
  let best = at(prices)
  for (const step of steps) {
    for (const [kind, price] of prices) {
      let from = price
      for (const factor of [step, 1 / step]) {
        prices.set(kind, from * factor)
        const tried = at(prices)
        if (tried < best) {
          best = tried
          from = prices.get(kind)!
        }
        prices.set(kind, from)
      }
    }
  }
  return best
}

/** The same, of one trunk: file by file in one pass. */
function mixedTrunkBound(node: Node, classes: readonly Bands[]): number {
  const { trunk, worth } = node
  const { bands, kinds } = trunk
  // Files that the trunk may not hold are in these sums, too.
  let without = 0
  for (const each of classes) for (let g = 0; g < each.count; g++) without += each.demand[g]! * worth.get(each)![0]![g]!
  const bytes = bands.sizes.map((size, f) => size * STORED[bands.copies[f]!]!)
  const gains = kinds.map((_, t) => {
    const gain = new Float64Array(bands.order.length)
    for (const each of classes) {
      const states = worth.get(each)!
      const [alone, held] = [states[0]!, states[t + 1]!]
      for (const [p, f] of bands.order.entries()) {
        const g = each.of[f]!
        if (g !== NO_BAND) gain[p]! += each.share[f]! * (held[g]! - alone[g]!)
      }
    }
    return gain
  })
  return lowest([node], COARSE, (prices) => {
    const each = kinds.map((kind) => prices.get(kind)!)
    let sum = without + costOfStorage(prices)
    for (let p = 0; p < bands.order.length; p++) {
      const size = bytes[bands.order[p]!]!
      let best = 0
      for (let t = 0; t < each.length; t++) best = Math.max(best, gains[t]![p]! - each[t]! * size)
      sum += best
    }
    return sum
  })
}

function costOfStorage(prices: Prices): number {
  let sum = 0
  for (const [{ capacity }, price] of prices) sum += price * capacity.storage
  return sum
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
