import { choosePolicy } from './choose-policy.ts'
import { holdsAll, isBusy, isDrained, isExcluded, isForOthers, touchShelf } from './eligible.ts'
import { explainAnswer } from './explain.ts'
import { holderMask, mayHold } from './holders.ts'
import { rankSite, type Steering } from './rank-site.ts'
import { beginDecision, type WorkingMemory } from './scratch.ts'
import { forEachPinned, sitesOfTier } from './tier-sites.ts'
import { type Answer, MAX_URLS, type Miss, PURPOSES, type Scratch, type SteerRequest, TIERS } from './types.ts'
import type { World } from './world.ts'

export { newScratch } from './scratch.ts'

const SITE = TIERS.indexOf('Site')
const FALLBACK = TIERS.indexOf('Fallback')

/** So many sites are named at most: enough to go on when a whole site fails. */
const SITES = 2

/** Once somebody has been found, each further tier is searched for another site at so many of them only. */
const SPARE_SITES = 1

/** Of a tier's sites so many are read ahead. */
const AHEAD = 3

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
  if (request.client.site >= 0) memory.touched = touchShelf(world, request, request.client.site)
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
    holders: holderMask(world, request),
  }
  const { tiers } = policy
  let servedAtSite = false
  for (let i = 0; i < tiers.length; i++) {
    const tier = tiers[i]!
    if (tier === FALLBACK) {
      for (let f = 0; f < fallbacks.length && answer.count < wanted; f++) add(answer, -1 - fallbacks[f]!, FALLBACK)
    } else if (tier === SITE) servedAtSite = searchSite(steering)
    else if (answer.count < room && memory.sitesNamed < SITES) searchTier(steering, tier)
  }
  if (answer.count === 0) {
    for (let i = 0; i < memory.busyCount && i < wanted; i++) add(answer, memory.busy[i]!, memory.busyTiers[i]!)
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

function searchTier(steering: Steering, tier: number): void {
  const { memory, room } = steering
  let count = steering.holders === 0 ? 0 : sitesOfTier(steering, tier)
  let spare = SPARE_SITES
  const { answer, sites, siteKeys } = memory
  for (let i = 0; i < count && i < AHEAD; i++) memory.touched ^= touchShelf(steering.world, steering.request, sites[i]!)
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
  const { start, items } = world.siteAppliances
  let miss: Miss = 'content'
  for (let i = start[site]!; i < start[site + 1]!; i++) {
    const a = items[i]!
    if (!holdsAll(world, request, a)) continue
    const able =
      world.state[a] === 0 &&
      !isExcluded(request, a) &&
      !isDrained(world, request, policy, a) &&
      !isForOthers(policy, ordinal, request, a)
    if (able && isBusy(world, request, limit, a)) return 'capacity'
    miss = 'health'
  }
  return miss
}
