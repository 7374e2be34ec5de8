import { choosePolicy } from './choose-policy.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { holdersOnShelf, isBusy, isDrained, isExcluded, isForOthers, touchFile, touchSite } from './eligible.ts'
import { explainAnswer } from './explain.ts'
import { holderMask, mayHold } from './holders.ts'
import { firstShelf, hashAt, loadAt, nextShelf, ordinalAt, placeOfFirst, stateAt } from './places.ts'
import { rankSite } from './rank-site.ts'
import { beginDecision } from './scratch.ts'
import { SITES_PER_TIER } from './site-lines.ts'
import { orderOf } from './site-order.ts'
import type { Steering, WorkingMemory } from './steering.ts'
import { forEachPinned, keepHolders, sitesOfRegion } from './tier-sites.ts'
import { type Answer, MAX_URLS, type Miss, purposeIndex, type Scratch, type SteerRequest, TIERS } from './types.ts'
import type { World } from './world.ts'

export { newScratch } from './scratch.ts'

const SITE = TIERS.indexOf('Site')
const SIBLINGS = TIERS.indexOf('Siblings')
const REGION = TIERS.indexOf('Region')
const FALLBACK = TIERS.indexOf('Fallback')

/** So many sites are named at most: enough to go on when a whole site fails. */
const SITES = 2

/** Once somebody has been found, each further tier is searched for another site at so many of them only. */
const SPARE_SITES = 1

/** Places that one site leaves to others, as long as two are left to it. */
const OTHERS = 2

/**
 * Who should serve these files to this client, best first. Goes through the policy's tiers in order; within a site it prefers the same appliances
 * for the same affinity key as long as they are not busier than the rest. Only appliances whose verified inventory holds every file are named.
 * Pure: the same world (as of its last `tick`), request and seed give the same answer. The answer belongs to the scratch.
 */
export function decide(world: World, request: SteerRequest, scratch: Scratch): Answer {
  const memory = scratch as WorkingMemory
  const { answer } = memory
  beginDecision(memory, world.sites.length)
  const { site } = request.client
  const holders = holderMask(world, request)
  if (site >= 0) memory.touched ^= touchSite(world, request, site)
  const ordinal = choosePolicy(world, request)
  const policy = world.policies[ordinal]!
  const purpose = purposeIndex(request.purpose)
  const fallbacks = policy.fallbacksFor[purpose]!
  const wanted = Math.min(MAX_URLS, policy.maxUrls, request.maxUrls > 0 ? request.maxUrls : MAX_URLS)
  const room = Math.max(1, fallbacks.length > 0 ? wanted - 1 : wanted)
  answer.count = 0
  answer.policy = ordinal
  answer.ttlSeconds = policy.ttlSeconds
  if (answer.considered.length > 0) answer.considered = []
  const steering = beginSteering(memory, world, request, policy, policy.limits[purpose]!, room, holders)
  const { tiers } = policy
  if (holders !== 0) readAhead(steering)
  let servedAtSite = false
  for (let i = 0; i < tiers.length; i++) {
    const tier = tiers[i]!
    if (tier === FALLBACK) {
      for (let f = 0; f < fallbacks.length && answer.count < wanted; f++) add(answer, -1 - fallbacks[f]!, FALLBACK)
    } else if (tier === SITE) servedAtSite = searchSite(steering)
    else if (answer.count >= room || memory.sitesNamed >= SITES) continue
    else if (tier === REGION) searchRegion(steering)
    else searchInOrder(steering, tier)
  }
  if (answer.count === 0) {
    for (let i = 0; i < memory.busyCount && i < wanted; i++)
      add(answer, ordinalAt(world.places, memory.busy[i]!), memory.busyTiers[i]!)
  }
  answer.miss = servedAtSite ? 'none' : missAtSite(steering)
  if (request.explain) explainAnswer(steering)
  return answer
}

function beginSteering(
  memory: WorkingMemory,
  world: World,
  request: SteerRequest,
  policy: CompiledPolicy,
  limit: number,
  room: number,
  holders: number,
): Steering {
  const perSite = Math.max(2, room - OTHERS)
  const { steering } = memory
  if (steering === undefined) {
    memory.steering = { world, request, memory, policy, limit, room, perSite, holders }
    return memory.steering
  }
  steering.world = world
  steering.request = request
  steering.policy = policy
  steering.limit = limit
  steering.room = room
  steering.perSite = perSite
  steering.holders = holders
  return steering
}

function add(answer: Answer, appliance: number, tier: number): void {
  answer.appliances[answer.count] = appliance
  answer.tiers[answer.count] = tier
  answer.scores[answer.count] = 0
  answer.count++
}

/** Pinned sites, then the client's own. Returns whether somebody was found. */
function searchSite(steering: Steering): boolean {
  const { request, policy, memory } = steering
  const before = memory.answer.count
  if (policy.pins.length > 0) forEachPinned(steering, (site) => visit(steering, SITE, site))
  if (request.client.site >= 0) visit(steering, SITE, request.client.site)
  return memory.answer.count > before
}

/** Reads the lines of the client's own site and of the preferred sibling ahead: spares are wanted nearly always. */
function readAhead({ memory, world, request, policy, holders }: Steering): void {
  const { site } = request.client
  if (site < 0) return
  let touched = touchFile(world, request, site)
  if (policy.asksSiblings) {
    const sibling = (world.siteLines.words[orderOf(world, memory.answer.policy, site, SIBLINGS)]! | 0) - 1
    if (sibling >= 0 && mayHold(holders, sibling)) {
      touched ^= touchSite(world, request, sibling) ^ touchFile(world, request, sibling)
    }
  }
  memory.touched ^= touched
}

/** Siblings or parents, the preferred ones first. */
function searchInOrder(steering: Steering, tier: number): void {
  const { world, memory, request, room, holders } = steering
  const { site } = request.client
  if (site < 0 || holders === 0) return
  const { answer } = memory
  const { words } = world.siteLines
  let at = orderOf(world, answer.policy, site, tier)
  const end = at + SITES_PER_TIER
  let spare = SPARE_SITES
  for (; at < end && answer.count < room && memory.sitesNamed < SITES; at++) {
    const next = (words[at]! | 0) - 1
    if (next < 0) return
    if (!mayHold(holders, next)) continue
    if (answer.count > 0 && spare-- === 0) return
    visit(steering, tier, next)
  }
}

function searchRegion(steering: Steering): void {
  const { memory, room, holders } = steering
  if (holders === 0) return
  const { answer, sites, siteKeys } = memory
  let count = keepHolders(memory, holders, sitesOfRegion(steering))
  let spare = SPARE_SITES
  while (count > 0 && answer.count < room && memory.sitesNamed < SITES) {
    if (answer.count > 0 && spare-- === 0) return
    const best = lowest(memory.siteKeys, count)
    const site = sites[best]!
    count--
    sites[best] = sites[count]!
    siteKeys[best] = siteKeys[count]!
    visit(steering, REGION, site)
  }
}

/** The index of the lowest of so many keys. */
function lowest(keys: Float64Array, count: number): number {
  let best = 0
  for (let i = 1; i < count; i++) if (keys[i]! < keys[best]!) best = i
  return best
}

function visit(steering: Steering, tier: number, site: number): void {
  const { answer, seen, decision } = steering.memory
  if (seen[site] === decision || answer.count >= steering.room) return
  seen[site] = decision
  if (!mayHold(steering.holders, site)) return
  const before = answer.count
  rankSite(steering, tier, site)
  if (answer.count > before) steering.memory.sitesNamed++
}

/** Why nobody at the client's own site can serve it. A site that is not known holds nothing. */
function missAtSite({ world, request, memory, policy, limit, holders }: Steering): Miss {
  if (memory.atSite !== 'unknown') return memory.atSite
  const { site } = request.client
  if (site < 0 || !mayHold(holders, site)) return 'content'
  const { places } = world
  let miss: Miss = 'content'
  for (let shelf = firstShelf(site), more = true; more; more = shelf !== 0) {
    for (let who = holdersOnShelf(world, request, shelf); who !== 0; who &= who - 1) {
      const place = placeOfFirst(shelf, who)
      const a = ordinalAt(places, place)
      const able =
        stateAt(places, place) === 0 &&
        !isExcluded(request, a) &&
        !isDrained(world, request, policy, a) &&
        !isForOthers(policy, request, a)
      if (able && isBusy(request.seed, limit, loadAt(places, place), hashAt(places, place))) return 'capacity'
      miss = 'health'
    }
    shelf = nextShelf(places, shelf)
  }
  return miss
}
