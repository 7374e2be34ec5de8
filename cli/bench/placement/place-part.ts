import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { defaultOptions, Solved, type SolverInput } from '../../../reconcilers/placement/solver/solve.ts'
import { weigh } from '../../../reconcilers/placement/weigh.ts'
import { type InstanceSize, makeInstance, partSites } from './instance.ts'

export interface PartJob {
  readonly size: InstanceSize
  readonly part: number
  readonly parts: number
  /** Place again a day later, and say what that moves. */
  readonly secondDay: boolean
}

export interface PartResult {
  readonly appliances: number
  readonly sites: number
  readonly demand: number
  readonly local: number
  readonly parent: number
  readonly value: number
  readonly bound: number
  /** Bytes placed, and bytes that the second day moves in. */
  readonly bytes: number
  readonly moved: number
  /** Times in ms: making the instance up, and placing it. */
  readonly madeMs: number
  readonly placedMs: number
}

/** Makes the instance up and places one part of it. */
export function placePart({ size, part, parts, secondDay }: PartJob): PartResult {
  const started = performance.now()
  const input = partOf(makeInstance(size), part, parts)
  const made = performance.now()
  const solved = new Solved(input, defaultOptions)
  const before = new Map<string, FileSet>()
  let appliances = 0
  let bytes = 0
  for (const { holdings } of solved.sites()) {
    for (const [key, set] of holdings) {
      appliances++
      if (!secondDay) continue
      before.set(key, set)
      bytes += weigh(input.sizes, set).bytes
    }
  }
  const placed = performance.now()
  const { worth } = solved
  return {
    ...worth,
    appliances,
    sites: input.sites.length,
    bytes,
    moved: secondDay ? movedLater(partOf(makeInstance(size, 1), part, parts), before) : 0,
    madeMs: made - started,
    placedMs: placed - made,
  }
}

function partOf(input: SolverInput, part: number, parts: number): SolverInput {
  return parts === 1 ? input : { ...input, sites: partSites(input.sites, parts)[part]! }
}

function movedLater(input: SolverInput, before: ReadonlyMap<string, FileSet>): number {
  const sites = input.sites.map((site) => ({
    ...site,
    appliances: site.appliances.map((appliance) => ({
      ...appliance,
      held: before.get(appliance.key) ?? new FileSet(),
    })),
  }))
  const solved = new Solved({ ...input, sites }, defaultOptions)
  let moved = 0
  for (const { holdings } of solved.sites())
    for (const [key, set] of holdings)
      moved += weigh(input.sizes, set.difference(before.get(key) ?? new FileSet())).bytes
  return moved
}
