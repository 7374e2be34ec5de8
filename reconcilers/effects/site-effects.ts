import { FileSet } from '../blobs/file-set.ts'
import type { ContentSpace, Weight } from './content-space.ts'

/** One appliance before and after a change, in contents. */
export interface ApplianceContents {
  /** `namespace/name`. */
  readonly key: string
  /** What it verifiably holds now; what it was asked to hold, where that is all that is known. */
  readonly held: FileSet
  /** What it is asked to hold without the change. */
  readonly before: FileSet
  /** What it is asked to hold with it. */
  readonly after: FileSet
  /** Whether it can give bytes to others now: it is online and advertises them. */
  readonly gives: boolean
  /** Whether clients are sent to it with the change. */
  readonly serves: boolean
}

/** What a change does to one appliance. */
export interface ApplianceEffect {
  readonly key: string
  /** To fill because of the change. */
  readonly fill: Weight
  /** To evict because of the change. */
  readonly evict: Weight
  /** To fill anyway, and still wanted. */
  readonly pending: Weight
  /** Was still to be filled, and no longer is. */
  readonly cancelled: Weight
  /** All that it has yet to fetch once the change is made: `fill` and `pending`. */
  readonly missing: FileSet
}

/** Compares what an appliance is asked to hold with and without the change, and with what it holds. Pure. */
export function applianceEffect(space: ContentSpace, appliance: ApplianceContents): ApplianceEffect {
  const { key, held, before, after } = appliance
  const missing = after.difference(held)
  // As a rule, and then there is less to compare.
  if (held === before) {
    const nothing = { files: 0, bytes: 0 }
    const evict = space.weigh(held, after)
    return { key, fill: space.weigh(missing), pending: nothing, evict, cancelled: nothing, missing }
  }
  return {
    key,
    fill: space.weigh(missing, before),
    pending: space.weigh(missing.intersection(before)),
    // What is held and not wanted even now goes without the change, too.
    evict: space.weigh(held.intersection(before), after),
    cancelled: space.weigh(before.difference(held), after),
    missing,
  }
}

/** Bytes that come to a site over one link. */
export interface LinkLoad {
  /** `peer`: from an appliance of the site. `parent`: from the site `site`. `origin`: from the catalogs' origin. */
  readonly from: 'peer' | 'parent' | 'origin'
  /** `namespace/name` of the parent site. */
  readonly site?: string
  readonly bytes: number
}

export interface ParentContents {
  /** `namespace/name` of the site. */
  readonly site: string
  /** What some appliance of it holds, and gives to others. */
  readonly held: FileSet
}

/**
 * Where the bytes that a site lacks will come from, as agents choose: peers first, then parents in their order, then the origin. Of a file
 * that nobody at the site has, the first copy comes from outside and the others from that one. An estimate: sources may be busy or gone. Pure.
 */
export function linkLoads(
  space: ContentSpace,
  appliances: readonly ApplianceContents[],
  effects: readonly Pick<ApplianceEffect, 'fill' | 'pending' | 'missing'>[],
  parents: readonly ParentContents[],
): LinkLoad[] {
  const copies = effects.reduce((bytes, { fill, pending }) => bytes + fill.bytes + pending.bytes, 0)
  if (copies === 0) return []
  const nearby = unionOf(appliances.filter(({ gives }) => gives).map(({ held }) => held))
  let outside = unionOf(effects.map(({ missing }) => missing)).difference(nearby)
  const loads: LinkLoad[] = [{ from: 'peer', bytes: copies - space.weigh(outside).bytes }]
  for (const { site, held } of parents) {
    loads.push({ from: 'parent', site, bytes: space.weigh(outside.intersection(held)).bytes })
    outside = outside.difference(held)
  }
  loads.push({ from: 'origin', bytes: space.weigh(outside).bytes })
  return loads.filter(({ bytes }) => bytes > 0)
}

/**
 * Files that have `floor` servable copies at the site now and are placed there afterwards, but at worst have fewer on the way: while what goes
 * has gone and what comes has not come. A site with fewer appliances than the floor needs one copy on each. Pure.
 */
export function belowFloor(space: ContentSpace, appliances: readonly ApplianceContents[], floor: number): Weight {
  const needed = Math.min(Math.max(1, floor), appliances.length)
  if (needed === 0) return { files: 0, bytes: 0 }
  const now = atLeast(
    needed,
    appliances.filter(({ gives }) => gives).map(({ held }) => held),
  )
  const after = unionOf(appliances.map((appliance) => appliance.after))
  const staying = appliances.filter(({ gives, serves }) => gives && serves)
  const onTheWay = atLeast(
    needed,
    staying.map((appliance) => appliance.held.intersection(appliance.after)),
  )
  return space.weigh(now.intersection(after), onTheWay)
}

/** What is in at least `n` of the sets. */
function atLeast(n: number, sets: readonly FileSet[]): FileSet {
  // levels[i]: in at least i + 1 of the sets looked at so far.
  const levels = Array.from({ length: n }, () => new FileSet())
  for (const set of sets) {
    for (let i = n - 1; i > 0; i--) levels[i]!.addAll(levels[i - 1]!.intersection(set))
    levels[0]!.addAll(set)
  }
  return levels[n - 1]!
}

export function unionOf(sets: readonly FileSet[]): FileSet {
  if (sets.length <= 1) return sets[0] ?? new FileSet()
  const all = sets[0]!.clone()
  for (const set of sets.slice(1)) all.addAll(set)
  return all
}
