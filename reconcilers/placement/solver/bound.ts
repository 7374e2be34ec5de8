import { type Bands, NO_BAND, STORED } from './bands.ts'
import type { Tree, Trunk } from './model.ts'
import { lineOf } from './site-dual.ts'

/**
 * An upper bound on the value of any placement in a tree, by weak duality: at any prices, the dual value is one. Each file takes the best of its lines; a band's
 * files all count with the density of its densest, so that nothing is rounded down. The trunk holds a file where that is worth more to all branches together than
 * its storage costs; its storage price is chosen here, to make the bound the lowest. Value as in `tree.ts`: 1 per unit of demand served at the site.
 */
export function boundOf({ trunk, branches }: Tree): number {
  let bound = 0
  for (const { prices, types } of branches) {
    for (let p = 0; p < prices.length; p++) if (Number.isFinite(costOf(types, p))) bound += prices[p]!
  }
  if (!trunk) {
    for (const branch of branches) {
      const { bands, demand } = branch
      for (let g = 0; g < bands.count; g++) bound += bands.demand[g]! * demand * bestLine(branch, g)
    }
    return bound
  }
  bound += trunk.price * finite(trunk.capacity.throughput)
  const classes = sumByClass(branches, trunk.price)
  const alone = classes.size === 1 && classes.get(trunk.bands)
  return bound + (alone ? trunkBound(trunk, alone) : mixedTrunkBound(trunk, classes))
}

/** Per band of a class, over the branches of that class and per unit of share: the most a file is worth without, and with, a copy at the trunk. */
interface Worth {
  readonly without: Float64Array
  readonly with: Float64Array
}

function sumByClass(branches: Tree['branches'], trunkPrice: number): Map<Bands, Worth> {
  const classes = new Map<Bands, Worth>()
  for (const branch of branches) {
    const { bands, demand, parentValue } = branch
    const worth = classes.get(bands) ?? { without: new Float64Array(bands.count), with: new Float64Array(bands.count) }
    classes.set(bands, worth)
    const instead = Math.max(0, parentValue - trunkPrice)
    for (let g = 0; g < bands.count; g++) {
      const line = bestLine(branch, g)
      worth.without[g]! += demand * line
      worth.with[g]! += demand * Math.max(line, instead)
    }
  }
  return classes
}

/** All branches are of the trunk's class: its bands decide. The storage price is the best there is. */
function trunkBound({ bands, capacity }: Trunk, worth: Worth): number {
  const at = (price: number) => {
    let sum = price * capacity.storage
    for (let g = 0; g < bands.count; g++) {
      if (!(bands.top[g]! > 0)) continue
      sum += bands.demand[g]! * Math.max(worth.without[g]!, worth.with[g]! - price / bands.top[g]!)
    }
    return sum
  }
  let [low, high] = [0, 0]
  for (let g = 0; g < bands.count; g++) {
    if (Number.isFinite(bands.top[g]!)) high = Math.max(high, (worth.with[g]! - worth.without[g]!) * bands.top[g]!)
  }
  for (let i = 0; i < 100; i++) {
    const third = (high - low) / 3
    if (at(low + third) < at(high - third)) high -= third
    else low += third
  }
  return at((low + high) / 2)
}

/** Branches of several classes: each file decides for itself, at the storage price that the trunk's own choice came to, and near it. */
function mixedTrunkBound({ bands, capacity, storagePrice }: Trunk, classes: ReadonlyMap<Bands, Worth>): number {
  const { sizes, copies } = bands
  const parts = [...classes]
  // Files that the trunk may not hold are in these sums, too.
  let without = 0
  for (const [{ demand, count }, worth] of parts)
    for (let g = 0; g < count; g++) without += demand[g]! * worth.without[g]!
  const gains = new Float64Array(bands.order.length)
  for (const [{ of, share }, worth] of parts) {
    for (const [p, f] of bands.order.entries()) {
      const g = of[f]!
      if (g !== NO_BAND) gains[p]! += share[f]! * (worth.with[g]! - worth.without[g]!)
    }
  }
  const at = (price: number) => {
    let sum = without + price * capacity.storage
    for (const [p, f] of bands.order.entries()) sum += Math.max(0, gains[p]! - price * sizes[f]! * STORED[copies[f]!]!)
    return sum
  }
  return Math.min(...[0.9, 1, 1.1].map((factor) => at(factor * storagePrice)))
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
