import type { SolvedSite } from '../problem.ts'
import { type Asked, askParents, byFile, servedBy } from './asked.ts'
import type { SolverInput } from './input.ts'
import type { TreeWorth } from './keep.ts'
import type { Tree, Trunk } from './model.ts'
import type { Pins } from './pins.ts'
import type { SitePlacing } from './place.ts'
import type { Site } from './sites.ts'
import { statesBy } from './states.ts'
import type { Teller } from './told.ts'

/** A tree that is placed, and what that is worth. */
export interface Valued extends TreeWorth {
  readonly told: readonly SolvedSite[]
  /** Whether more would have been moved, had it been allowed. */
  readonly isLimited: boolean
}

/** A tree whose sites have their files. */
export interface TreePlacing {
  /** Sites that stay as they are by the plan in force. */
  readonly asBefore: ReadonlySet<SitePlacing>
  readonly tree: Tree
  /** Parents before their children. */
  readonly parents: ReadonlyMap<Trunk, SitePlacing>
  /** Undefined for the viewers of a parent itself. */
  readonly branches: readonly (SitePlacing | undefined)[]
}

interface World {
  readonly input: Pick<SolverInput, 'sizes'>
  readonly sites: readonly Site[]
  readonly pins: Pins
  readonly teller: Teller
}

/** Counts what a tree that is placed is all worth. */
export function worthOfPlaced(placed: TreePlacing, world: World): Valued {
  const { tree, parents, branches: placings } = placed
  const { input, teller } = world
  const { branches } = tree
  const asked = new Map<Trunk, Asked>()
  for (const trunk of parents.keys()) asked.set(trunk, { columns: new Map(), own: 0, worth: 0 })
  const statesOf = statesBy(parents)
  let local = 0
  let parent = 0
  let value = 0
  const told: SolvedSite[] = []
  for (const [i, branch] of branches.entries()) {
    const placing = placings[i]
    if (placing) {
      local += placing.boxes.served
      told.push(teller.told(branch.site, branch.bands, placing))
    }
    const states = statesOf(branch)
    if (states) askParents(branch, states, placing?.holds, asked)
  }
  value += local
  for (const [trunk, placing] of parents) {
    const entry = asked.get(trunk)!
    const byIndex = byFile(entry.columns, input.sizes.length)
    askPinned(placed, trunk, world, byIndex, entry)
    const { served, all } = servedBy(placing, byIndex)
    const part = all > 0 ? served / all : 0
    local += part * entry.own
    parent += part * (all - entry.own)
    value += part * entry.worth
    told.push(teller.told(trunk.site, trunk.bands, placing))
  }
  const isLimited = [...parents.values(), ...placings].some((placing) => placing?.isLimited)
  return { told, local, parent, value, isLimited }
}

/** Pinned files are in no band: adds what viewers ask of a parent for them, where it is the first that holds them. */
function askPinned(
  { tree, parents, branches: placings }: TreePlacing,
  trunk: Trunk,
  { pins, sites }: World,
  byIndex: Float64Array,
  entry: Asked,
): void {
  for (const file of pins.files.filter((each) => parents.get(trunk)!.boxes.has(each))) {
    for (const [i, { site, demand, chain }] of tree.branches.entries()) {
      if (placings[i]?.boxes.has(file)) continue
      const first = chain.findIndex((above) => parents.get(above.trunk)!.boxes.has(file))
      if (chain[first]?.trunk !== trunk) continue
      const more = sites[site]!.market.share[file]! * demand
      byIndex[file]! += more
      entry.worth += more * chain[first]!.value
      if (!placings[i] && chain[first]!.trunk === chain[0]!.trunk) entry.own += more
    }
  }
}
