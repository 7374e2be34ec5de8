import { alignedBytes } from './page-memory.ts'

/** Sites named as siblings or ancestors of a site: enough to find the files, and a decision stays short. */
export const SITES_PER_TIER = 16

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

/** Lines for so many sites of which nothing is known: those that there are, where they are enough. */
export function clearedSiteLines(lines: SiteLines, sites: number): SiteLines {
  if (lines.words.length < sites * WORDS) return newSiteLines(sites + (sites >>> 2))
  lines.words.fill(0)
  return lines
}

/** Mean load of a site's appliances that may be named, by weight; 0 where there is none. */
export const siteLoad = ({ floats }: SiteLines, site: number) => floats[Math.imul(site, WORDS) | LOAD]!

/** `load`: the mean of a site's appliances that may be named, by weight. `weight`: the sum of theirs. */
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

/** What says for which tick and policy the siblings or the parents of a site are in order: the first of two words. */
export const madeAt = (site: number, siblings: boolean) =>
  Math.imul(site, WORDS) | (siblings ? SIBLINGS_MADE : PARENTS_MADE)

/** The first word of the siblings or the parents of a site. */
export const orderAt = (site: number, siblings: boolean) =>
  (Math.imul(site, WORDS) + (siblings ? SIBLINGS_FROM : PARENTS_FROM)) | 0
