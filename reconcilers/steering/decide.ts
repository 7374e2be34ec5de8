import { mix, rendezvousScore } from '../placement/hash.ts'
import { choosePolicy, inCanaryShare } from './choose-policy.ts'
import type { ClientMatch, CompiledPolicy } from './compiled-policy.ts'
import { holds } from './inventory.ts'
import {
  type Answer,
  type CandidateReason,
  MAX_URLS,
  type Miss,
  PURPOSES,
  type Scratch,
  type SteerRequest,
  TIERS,
  type Tier,
} from './types.ts'
import { STATE, type World } from './world.ts'

/** Working memory for decisions of one thread. */
export function newScratch(): Scratch {
  return {
    answer: {
      count: 0,
      appliances: new Int32Array(MAX_URLS),
      tiers: new Uint8Array(MAX_URLS),
      scores: new Float64Array(MAX_URLS),
      policy: 0,
      ttlSeconds: 0,
      miss: 'none',
      considered: [],
    },
  }
}

/**
 * Who should serve these files to this client, best first. Goes through the policy's tiers in order; within a site it prefers the same appliances
 * for the same affinity key as long as they are not busier than the rest. Only appliances whose verified inventory holds every file are named.
 * Pure: the same world (as of its last `tick`), request and seed give the same answer. The answer belongs to the scratch.
 */
export function decide(world: World, request: SteerRequest, scratch: Scratch): Answer {
  const { answer } = scratch
  answer.count = 0
  answer.miss = 'none'
  answer.considered = []
  const ordinal = choosePolicy(world, request)
  const policy = world.policies[ordinal]!
  answer.policy = ordinal
  answer.ttlSeconds = policy.ttlSeconds
  const wanted = Math.min(MAX_URLS, policy.maxUrls, request.maxUrls > 0 ? request.maxUrls : MAX_URLS)
  const fallbacks = policy.fallbacks.filter(({ purposes }) => (purposes >> PURPOSES.indexOf(request.purpose)) & 1)
  const room = Math.max(1, wanted - (fallbacks.length > 0 ? 1 : 0))
  const context: Context = { world, request, policy, ordinal, answer, room, busy: [] }
  const seen = new Set<number>()
  for (const t of policy.tiers) {
    const tier = TIERS[t]!
    for (const site of sitesOf(context, tier)) {
      if (seen.has(site)) continue
      seen.add(site)
      const found = rankSite(context, tier, site)
      if (tier === 'Site' && answer.miss === 'none') answer.miss = found
    }
    if (tier !== 'Fallback') continue
    policy.fallbacks.forEach((fallback, i) => {
      if (fallbacks.includes(fallback) && answer.count < wanted) add(answer, -1 - i, tier, 0)
    })
  }
  if (answer.count === 0)
    for (const { appliance, tier } of context.busy.slice(0, wanted)) add(answer, appliance, tier, 0)
  return answer
}

interface Context {
  readonly world: World
  readonly request: SteerRequest
  readonly policy: CompiledPolicy
  readonly ordinal: number
  readonly answer: Answer
  /** How many appliances may be named. */
  readonly room: number
  /** Appliances that would do but are too busy. */
  readonly busy: { readonly appliance: number; readonly tier: Tier }[]
}

function sitesOf({ world, request, policy }: Context, tier: Tier): number[] {
  const { site, region } = request.client
  const list = ({ start, items }: { start: Uint32Array; items: Uint32Array }, i: number) =>
    i < 0 ? [] : [...items.subarray(start[i], start[i + 1])]
  switch (tier) {
    case 'Site':
      return [
        ...policy.pins.flatMap((pin) =>
          world.nowMs < pin.untilMs && matches(pin.clients, request) ? [...pin.sites] : [],
        ),
        ...(site < 0 ? [] : [site]),
      ]
    case 'Siblings':
      return list(world.siblings, site)
    case 'Parents':
      return list(world.parents, site)
    case 'Region':
      return list(world.regionSites, region)
    case 'Fallback':
      return []
  }
}

function matches({ networkClasses, regions }: ClientMatch, { client }: SteerRequest): boolean {
  return (!networkClasses || networkClasses[client.networkClass] === 1) && (!regions || regions[client.region] === 1)
}

/** Appends the site's candidates in order of preference. Returns why there is none, if there is none. */
function rankSite(context: Context, tier: Tier, site: number): Miss {
  const { world, request, answer, policy } = context
  const { start, items } = world.siteAppliances
  const limit = policy.limits[PURPOSES.indexOf(request.purpose)]!
  const fit: number[] = []
  let miss: Miss = 'content'
  for (let i = start[site]!; i < start[site + 1]!; i++) {
    const a = items[i]!
    const reason = reject(context, a)
    if (reason === undefined) {
      if (world.load[a]! < limit) {
        fit.push(a)
        continue
      }
      context.busy.push({ appliance: a, tier })
      miss = 'capacity'
    } else if (reason !== 'MissingFiles' && miss === 'content') {
      if (holdsAll(world, request, a)) miss = 'health'
    }
    if (request.explain) consider(context, tier, site, a, reason ?? 'Overloaded')
  }
  const mean = fit.reduce((sum, a) => sum + world.load[a]!, 0) / Math.max(1, fit.length)
  const ranked = fit
    .map((a) => ({
      a,
      over: world.load[a]! > mean * policy.bound + 1e-9,
      score: rendezvousScore(request.affinityKey, world.applianceHash[a]!, world.weight[a]!),
    }))
    .sort((x, y) => Number(x.over) - Number(y.over) || y.score - x.score || x.a - y.a)
  const [first, second] = ranked
  if (first && second && !second.over && world.load[second.a]! < world.load[first.a]!) {
    ranked[0] = second
    ranked[1] = first
  }
  for (const { a } of ranked) {
    const named = answer.count < context.room
    if (named) add(answer, a, tier, 1 - Math.min(1, world.load[a]!))
    if (request.explain) consider(context, tier, site, a, named ? 'Chosen' : 'NotNeeded')
  }
  return ranked.length > 0 ? 'none' : miss
}

function reject({ world, request, policy, ordinal }: Context, a: number): CandidateReason | undefined {
  if (!holdsAll(world, request, a)) return 'MissingFiles'
  const state = world.state[a]!
  if (state & STATE.Draining) return 'Draining'
  if (state & STATE.OriginOnly) return 'OriginOnly'
  if (state & STATE.NoAddress) return 'NoAddress'
  if (state !== 0) return 'Down'
  for (let i = 0; i < request.excluded.length; i++) if (request.excluded[i] === a) return 'Excluded'
  for (const { appliances, clients, untilMs } of policy.drains) {
    if (appliances[a] === 1 && world.nowMs < untilMs && matches(clients, request)) return 'DrainedByPolicy'
  }
  if (policy.canaryAppliances?.[a] === 1 && !inCanaryShare(policy, ordinal, request.canaryKey)) {
    return 'NotInCanaryShare'
  }
  return undefined
}

function holdsAll(world: World, { catalog, files }: SteerRequest, a: number): boolean {
  const inventory = world.inventories[catalog]?.[a]
  if (!inventory || files.length === 0) return false
  for (let i = 0; i < files.length; i++) if (!holds(inventory, files[i]!)) return false
  return true
}

function add(answer: Answer, appliance: number, tier: Tier, score: number): void {
  answer.appliances[answer.count] = appliance
  answer.tiers[answer.count] = TIERS.indexOf(tier)
  answer.scores[answer.count] = score
  answer.count++
}

function consider(context: Context, tier: Tier, site: number, appliance: number, reason: CandidateReason): void {
  context.answer.considered.push({ appliance, tier, site, reason, utilisation: context.world.load[appliance]! })
}

/** A seed for the n-th chance within one decision. */
export const chance = (seed: number, n: number) => mix(seed ^ mix(n))
