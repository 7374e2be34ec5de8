import { mix } from '../placement/hash.ts'
import { inCanaryShare } from './choose-policy.ts'
import type { ClientMatch, CompiledPolicy } from './compiled-policy.ts'
import { firstShelf, nextShelf, touchShelf } from './places.ts'
import { findHolders, SHELF, touchLine, touchRecord } from './shelf.ts'
import { touchSiteLine } from './site-lines.ts'
import type { SteerRequest } from './types.ts'
import type { World } from './world.ts'

/** Below its limit by so much, an appliance begins to be passed over, the more often the closer it gets: several servers do not all turn away at once. */
const RAMP = 0.04

/** Who of a shelf verifiably holds all files that are asked for: a bit per member. Nobody holds no files. */
export function holdersOnShelf({ lines, shelves }: World, { catalog, files }: SteerRequest, shelf: number): number {
  const records = shelves[catalog]
  if (records === undefined || files.length === 0) return 0
  const { words } = lines
  let who = findHolders(words, records, shelf, files[0]!)
  for (let i = 1; i < files.length && who !== 0; i++) who &= findHolders(words, records, shelf, files[i]!)
  return who
}

/**
 * Reads, ahead of use, what says where the lines of a site's first shelf are, and who stands there. A large fleet does not fit into caches, and waiting for
 * memory is most of what a decision costs: reads that do not depend on each other are waited for together. Returns what is of no other use than to be read.
 */
export function touchSite({ siteLines, shelves, places }: World, { catalog }: SteerRequest, site: number): number {
  const shelf = firstShelf(site)
  return touchSiteLine(siteLines, site) ^ touchRecord(shelves[catalog], shelf) ^ touchShelf(places, shelf)
}

/** Reads the lines of the first file on a site's first two shelves ahead of use, once `touchSite` has read what is known of the first. */
export function touchFile({ shelves, lines, places }: World, { catalog, files }: SteerRequest, site: number): number {
  const records = shelves[catalog]
  if (records === undefined || files.length === 0) return 0
  const first = firstShelf(site)
  const touched = touchLine(lines.words, records, first, files[0]!)
  const next = nextShelf(places, first)
  return next === 0 ? touched : touched ^ touchLine(lines.words, records, next, files[0]!) ^ touchShelf(places, next)
}

/** Whether an appliance verifiably holds all files that are asked for. */
export function holdsAll(world: World, request: SteerRequest, appliance: number): boolean {
  const place = world.appliancePlace[appliance]!
  return ((holdersOnShelf(world, request, Math.floor(place / SHELF)) >>> (place & (SHELF - 1))) & 1) === 1
}

/** Whether the client said that it must not be named. */
export function isExcluded({ excluded }: SteerRequest, appliance: number): boolean {
  for (let i = 0; i < excluded.length; i++) if (excluded[i] === appliance) return true
  return false
}

/** Whether a drain of the policy keeps these clients away from it. */
export function isDrained(world: World, request: SteerRequest, { drains }: CompiledPolicy, appliance: number): boolean {
  for (let i = 0; i < drains.length; i++) {
    const { appliances, clients, untilMs } = drains[i]!
    if (appliances[appliance] === 1 && world.nowMs < untilMs && matchesClient(clients, request)) return true
  }
  return false
}

/** Whether it is on trial, and this client not among those who try. */
export function isForOthers(policy: CompiledPolicy, request: SteerRequest, appliance: number): boolean {
  return policy.canaryAppliances?.[appliance] === 1 && !inCanaryShare(policy, request.canaryKey)
}

/** Whether an appliance of this load and hash is too busy for a purpose with this limit. */
export function isBusy(seed: number, limit: number, load: number, hash: number): boolean {
  const over = load - limit
  if (over < -RAMP) return false
  return over >= 0 || mix(seed ^ hash) / 2 ** 32 < 1 + over / RAMP
}

export function matchesClient({ networkClasses, regions }: ClientMatch, { client }: SteerRequest): boolean {
  return (!networkClasses || networkClasses[client.networkClass] === 1) && (!regions || regions[client.region] === 1)
}
