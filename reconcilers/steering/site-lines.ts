import type { CompiledPolicy } from './compiled-policy.ts'
import { alignedBytes } from './page-memory.ts'
import { TIERS } from './types.ts'
import { type Lists, SITES_PER_TIER, type World } from './world.ts'

const SIBLINGS = TIERS.indexOf('Siblings')

/** Words of a site: three cache lines, of which decisions mostly read the first. */
const WORDS = 48

/**
 * What a decision reads of a site, side by side:
 *
 *     word  0 load   1 weight   2, 3 siblings: tick, policy   4, 5 parents: tick, policy   8…23 siblings   24…39 parents
 *
 * Load: the mean of its appliances that may be named, by weight. Weight: the sum of theirs.
 * Siblings, parents: ordinal + 1 of sites, the preferred ones first, after the last 0: as of the tick (see `World.ticks`; 0: never) and for the policy that
 * stand before them. What the order goes by changes with every tick only, and most clients of a site are governed by one policy, so that each is worked out
 * once between two ticks, when it is first asked for.
 */
export interface SiteLines {
  readonly floats: Float32Array
  readonly words: Uint32Array
}

const LOAD = 0
const WEIGHT = 1
const SIBLINGS_MADE = 2
const PARENTS_MADE = 4
const SIBLINGS_FROM = 8
const PARENTS_FROM = SIBLINGS_FROM + SITES_PER_TIER

export function newSiteLines(sites: number): SiteLines {
  const bytes = alignedBytes(sites * WORDS * 4)
  return { floats: new Float32Array(bytes), words: new Uint32Array(bytes) }
}

/** Mean load of a site's appliances that may be named, by weight; 0 where there is none. */
export const siteLoad = ({ floats }: SiteLines, site: number) => floats[Math.imul(site, WORDS) | LOAD]!

/** The sum of weights of a site's appliances that may be named. */
export const siteWeight = ({ floats }: SiteLines, site: number) => floats[site * WORDS + WEIGHT]!

export function putSiteLoad({ floats }: SiteLines, site: number, load: number, weight: number): void {
  floats[site * WORDS + LOAD] = load
  floats[site * WORDS + WEIGHT] = weight
}

/** Has appliances of the site do so many Gbit/s more. Where there is no such site, nothing is noted. */
export function addSiteLoad({ floats }: SiteLines, site: number, gbps: number): void {
  const at = site * WORDS
  if (floats[at + WEIGHT]! > 0) floats[at + LOAD]! += gbps / floats[at + WEIGHT]!
}

/** Reads a site's first line ahead of use: see `touchSite`. */
export const touchSiteLine = ({ words }: SiteLines, site: number) => words[Math.imul(site, WORDS)]! | 0

/** Which word the siblings or the parents of a site begin at, in the order in which this policy prefers them. */
export function orderOf(world: World, policy: number, site: number, tier: number): number {
  const { words } = world.siteLines
  const at = Math.imul(site, WORDS)
  const made = at | (tier === SIBLINGS ? SIBLINGS_MADE : PARENTS_MADE)
  const from = (at + (tier === SIBLINGS ? SIBLINGS_FROM : PARENTS_FROM)) | 0
  if (words[made] === world.ticks && words[made | 1] === policy) return from
  words[made] = world.ticks
  words[made | 1] = policy
  putInOrder(world, from, world.policies[policy]!, tier === SIBLINGS ? world.siblings : world.parents, site)
  return from
}

/** By the length of a list: how far, 0 … 1, its first is thought to be, its second and so on. */
const PLACES_IN_LINE = Array.from({ length: SITES_PER_TIER + 1 }, (_, count) =>
  Float64Array.from({ length: count }, (__, i) => i / count),
)

const keys = new Float64Array(SITES_PER_TIER)

/** The lowest key first; of equals, the nearest. */
function putInOrder(
  { siteLines: { words }, siteLoadAtTick }: World,
  from: number,
  { weights: { locality, load, cost }, costs }: CompiledPolicy,
  { start, items }: Lists,
  site: number,
): void {
  const first = start[site]!
  const count = Math.min(SITES_PER_TIER, start[site + 1]! - first)
  const far = PLACES_IN_LINE[count]!
  for (let i = 0; i < count; i++) {
    const one = items[first + i]!
    const key = locality * far[i]! + load * siteLoadAtTick[one]! + (costs ? cost * costs[one]! : 0)
    let at = i
    for (; at > 0 && keys[at - 1]! > key; at--) {
      keys[at] = keys[at - 1]!
      words[from + at] = words[from + at - 1]!
    }
    keys[at] = key
    words[from + at] = one + 1
  }
  words.fill(0, from + count, from + SITES_PER_TIER)
}
