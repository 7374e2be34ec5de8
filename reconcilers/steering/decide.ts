import { choosePolicy } from './choose-policy.ts'
import { holdersOnShelf, isBusy, isDrained, isExcluded, isForOthers, touchFile, touchSite } from './eligible.ts'
import { explainAnswer } from './explain.ts'
import { holderMask, mayHold } from './holders.ts'
import { firstShelf, hashAt, loadAt, nextShelf, ordinalAt, stateAt } from './places.ts'
import { rankSite } from './rank-site.ts'
import { beginDecision, type WorkingMemory } from './scratch.ts'
import { SHELF } from './shelf.ts'
import type { Steering } from './steering.ts'
import { forEachPinned, keepHolders, sitesOfTier } from './tier-sites.ts'
import { type Answer, MAX_URLS, type Miss, PURPOSES, type Scratch, type SteerRequest, TIERS } from './types.ts'
import type { World } from './world.ts'

export { newScratch } from './scratch.ts'

const SITE = TIERS.indexOf('Site')
const SIBLINGS = TIERS.indexOf('Siblings')
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
  const purpose = PURPOSES.indexOf(request.purpose)
  const fallbacks = policy.fallbacksFor[purpose]!
  const wanted = Math.min(MAX_URLS, policy.maxUrls, request.maxUrls > 0 ? request.maxUrls : MAX_URLS)
  const room = Math.max(1, fallbacks.length > 0 ? wanted - 1 : wanted)
  answer.count = 0
  answer.policy = ordinal
  answer.ttlSeconds = policy.ttlSeconds
  if (answer.considered.length > 0) answer.considered = []
  const perSite = Math.max(2, room - OTHERS)
  const steering: Steering = {
    world,
    request,
    memory,
    policy,
    ordinal,
    limit: policy.limits[purpose]!,
    room,
    perSite,
    holders,
  }
  const { tiers } = policy
  const spare = weighAhead(steering)
  if (site >= 0) memory.touched ^= touchFile(world, request, site)
  if (spare >= 0) memory.touched ^= touchFile(world, request, spare)
  let servedAtSite = false
  for (let i = 0; i < tiers.length; i++) {
    const tier = tiers[i]!
    if (tier === FALLBACK) {
      for (let f = 0; f < fallbacks.length && answer.count < wanted; f++) add(answer, -1 - fallbacks[f]!, FALLBACK)
    } else if (tier === SITE) servedAtSite = searchSite(steering)
    else if (answer.count < room && memory.sitesNamed < SITES) searchTier(steering, tier)
  }
  if (answer.count === 0) {
    for (let i = 0; i < memory.busyCount && i < wanted; i++)
      add(answer, ordinalAt(world.places, memory.busy[i]!), memory.busyTiers[i]!)
  }
  answer.miss = servedAtSite ? 'none' : missAtSite(steering)
  if (request.explain) explainAnswer(steering)
  return answer
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

/** Weighs the siblings, and begins to read the best of them ahead: spares are wanted nearly always. Returns that site; -1: there is none. */
function weighAhead(steering: Steering): number {
  const { memory, world, request, policy } = steering
  memory.weighedTier = -1
  if (request.client.site < 0 || !policy.tiers.includes(SIBLINGS)) return -1
  memory.weighedTier = SIBLINGS
  memory.weighed = sitesOfTier(steering, SIBLINGS)
  const { sites, siteKeys, weighed } = memory
  if (weighed === 0) return -1
  let best = 0
  for (let i = 1; i < weighed; i++) if (siteKeys[i]! < siteKeys[best]!) best = i
  memory.touched ^= touchSite(world, request, sites[best]!)
  return sites[best]!
}

function searchTier(steering: Steering, tier: number): void {
  const { memory, room, holders } = steering
  if (holders === 0) return
  let count = keepHolders(memory, holders, memory.weighedTier === tier ? memory.weighed : sitesOfTier(steering, tier))
  memory.weighedTier = -1
  let spare = SPARE_SITES
  const { answer, sites, siteKeys } = memory
  while (count > 0 && answer.count < room && memory.sitesNamed < SITES) {
    if (answer.count > 0 && spare-- === 0) return
    let best = 0
    for (let i = 1; i < count; i++) if (siteKeys[i]! < siteKeys[best]!) best = i
    const site = sites[best]!
    count--
    sites[best] = sites[count]!
    siteKeys[best] = siteKeys[count]!
    visit(steering, tier, site)
  }
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
function missAtSite({ world, request, policy, ordinal, limit, holders }: Steering): Miss {
  const { site } = request.client
  if (site < 0 || !mayHold(holders, site)) return 'content'
  const { places } = world
  let miss: Miss = 'content'
  for (let shelf = firstShelf(site), more = true; more; more = shelf !== 0) {
    for (let who = holdersOnShelf(world, request, shelf); who !== 0; who &= who - 1) {
      const place = shelf * SHELF + 31 - Math.clz32(who & -who)
      const a = ordinalAt(places, place)
      const able =
        stateAt(places, place) === 0 &&
        !isExcluded(request, a) &&
        !isDrained(world, request, policy, a) &&
        !isForOthers(policy, ordinal, request, a)
      if (able && isBusy(request.seed, limit, loadAt(places, place), hashAt(places, place))) return 'capacity'
      miss = 'health'
    }
    shelf = nextShelf(places, shelf)
  }
  return miss
}
