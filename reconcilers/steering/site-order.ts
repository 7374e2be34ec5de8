import type { CompiledPolicy } from './compiled-policy.ts'
import { madeAt, orderAt, SITES_PER_TIER } from './site-lines.ts'
import { TIERS } from './types.ts'
import type { Lists, World } from './world.ts'

const SIBLINGS = TIERS.indexOf('Siblings')

/** By the length of a list: how far, 0 … 1, its first is thought to be, its second and so on. */
const PLACES_IN_LINE = Array.from({ length: SITES_PER_TIER + 1 }, (_, count) =>
  Float64Array.from({ length: count }, (__, i) => i / count),
)

/** Keys of the sites that are being put in order. */
const keys = new Float64Array(SITES_PER_TIER)

/**
 * Which word of the site's lines its siblings or its parents begin at, in the order in which this policy prefers them: see `SiteLines`. They are put in order
 * where they are not yet.
 */
export function orderOf(world: World, policy: number, site: number, tier: number): number {
  const siblings = tier === SIBLINGS
  const { words } = world.siteLines
  const made = madeAt(site, siblings)
  const from = orderAt(site, siblings)
  if (words[made] === world.ticks && words[made | 1] === policy) return from
  words[made] = world.ticks
  words[made | 1] = policy
  putInOrder(world, from, world.policies[policy]!, siblings ? world.siblings : world.parents, site)
  return from
}

/** The lowest key first; of equals, the nearest. */
function putInOrder(
  { siteLines: { words }, siteLoadAtTick }: World,
  from: number,
  { weights: { locality, load, cost }, costs }: CompiledPolicy,
  { start, items }: Lists,
  site: number,
): void {
  const first = start[site]!
  // None of a site that has come after the last tick.
  const count = Math.min(SITES_PER_TIER, (start[site + 1]! - first) | 0)
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
