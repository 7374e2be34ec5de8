import { mix } from '../placement/hash.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { holdersOnShelf, isBusy, isDrained, isExcluded, isForOthers } from './eligible.ts'
import { roomForCandidates, type WorkingMemory } from './scratch.ts'
import { SHELF } from './shelf.ts'
import { MAX_URLS, type SteerRequest } from './types.ts'
import type { World } from './world.ts'

/** Load may differ by so much of what an appliance can send without anybody being busier than another. */
const SLACK = 0.002

/** Keys from here on are of appliances busier than the bound: they come after all others, the least busy first. */
const OVER_BOUND = 1e6

/** -ln of the middle of each 4096th of 0…1: exponential variates for rendezvous hashing, without a logarithm each. */
const EXPONENTIAL = Float64Array.from({ length: 4096 }, (_, i) => -Math.log((i + 0.5) / 4096))

/** One decision under way. */
export interface Steering {
  readonly world: World
  readonly request: SteerRequest
  readonly memory: WorkingMemory
  readonly policy: CompiledPolicy
  /** Of the policy. */
  readonly ordinal: number
  /** Utilisation at which an appliance is too busy for the purpose. */
  readonly limit: number
  /** How many appliances may be named. */
  readonly room: number
  /** How many of one site. */
  readonly perSite: number
  /** Sites where somebody may hold the files: see `holders.ts`. */
  readonly holders: number
}

/**
 * Appends the appliances of a site that will do, in order of preference, until the answer has no more room. Which they prefer follows from the
 * affinity key by weighted rendezvous hashing; one busier than the policy's bound over the site's mean comes after the others; of the first two the
 * less busy one is first.
 * Sources: Thaler and Ravishankar 1998 and Schindelhauer and Schomaker 2005 (rendezvous hashing), Mirrokni et al. 2016 (bounded loads),
 * Mitzenmacher 2001 (two choices).
 */
export function rankSite(steering: Steering, tier: number, site: number): void {
  const { memory } = steering
  let count = gather(steering, tier, site)
  const { candidates, keys } = memory
  const { answer } = memory
  const first = answer.count
  let firstKey = 0
  const end = Math.min(steering.room, first + steering.perSite)
  while (count > 0 && answer.count < end) {
    let best = 0
    for (let i = 1; i < count; i++) if (keys[i]! < keys[best]!) best = i
    const appliance = candidates[best]!
    const key = keys[best]!
    count--
    candidates[best] = candidates[count]!
    keys[best] = keys[count]!
    append(steering, tier, appliance)
    if (answer.count === first + 1) firstKey = key
    else if (answer.count === first + 2 && key < OVER_BOUND && firstKey < OVER_BOUND) {
      preferLessBusy(steering.world, memory, first)
    }
  }
}

/** Everyone at the site who may be named, with a key each. Those who are too busy are kept for when nobody else is left. */
function gather(
  { world, request, memory, policy, ordinal, limit, room }: Steering,
  tier: number,
  site: number,
): number {
  const { start, items } = world.shelvesAt
  const { state, load, weight, applianceHash, shelfMembers } = world
  const from = start[site]!
  const to = start[site + 1]!
  roomForCandidates(memory, (to - from) * SHELF)
  const { candidates, keys } = memory
  const bound = world.siteLoad[site]! * policy.bound + SLACK
  const { affinityKey } = request
  const special = request.excluded.length > 0 || policy.drains.length > 0 || policy.canaryAppliances !== undefined
  let count = 0
  // Where somebody has been found already, spares are taken from the first shelf that has enough; which is first differs by title.
  const { answer } = memory
  const enough = answer.count > 0 ? room - answer.count : Number.POSITIVE_INFINITY
  const turn = answer.count > 0 ? mix(affinityKey) % Math.max(1, to - from) : 0
  for (let n = 0; n < to - from && count < enough; n++) {
    const i = from + n + turn
    const shelf = items[i < to ? i : i - (to - from)]!
    for (let who = holdersOnShelf(world, request, shelf); who !== 0; who &= who - 1) {
      const a = shelfMembers[shelf * SHELF + 31 - Math.clz32(who & -who)]!
      // Without a weight it has come after the last `tick`: policies do not know it yet.
      if (a < 0 || state[a] !== 0 || weight[a] === 0) continue
      if (
        special &&
        (isExcluded(request, a) || isDrained(world, request, policy, a) || isForOthers(policy, ordinal, request, a))
      ) {
        continue
      }
      const busy = load[a]!
      if (isBusy(world, request, limit, a)) {
        keepBusy(world, memory, tier, a)
        continue
      }
      candidates[count] = a
      keys[count] =
        busy > bound ? OVER_BOUND * (1 + busy) : EXPONENTIAL[mix(affinityKey ^ applianceHash[a]!) >>> 20]! / weight[a]!
      count++
    }
  }
  return count
}

function append({ world, memory: { answer } }: Steering, tier: number, appliance: number): void {
  answer.appliances[answer.count] = appliance
  answer.tiers[answer.count] = tier
  answer.scores[answer.count] = 1 - Math.min(1, world.load[appliance]!)
  answer.count++
}

/** Two choices: which of the two that the key prefers is asked first is for their load to say. */
function preferLessBusy(world: World, { answer }: WorkingMemory, first: number): void {
  const { appliances, scores } = answer
  const [a, b] = [appliances[first]!, appliances[first + 1]!]
  if (world.load[b]! >= world.load[a]!) return
  appliances[first] = b
  appliances[first + 1] = a
  const score = scores[first]!
  scores[first] = scores[first + 1]!
  scores[first + 1] = score
}

/** Keeps the least busy, in order. */
function keepBusy(world: World, memory: WorkingMemory, tier: number, appliance: number): void {
  const { busy, busyTiers } = memory
  const load = world.load[appliance]!
  if (memory.busyCount === MAX_URLS) {
    if (load >= world.load[busy[MAX_URLS - 1]!]!) return
    memory.busyCount--
  }
  let at = memory.busyCount++
  for (; at > 0 && world.load[busy[at - 1]!]! > load; at--) {
    busy[at] = busy[at - 1]!
    busyTiers[at] = busyTiers[at - 1]!
  }
  busy[at] = appliance
  busyTiers[at] = tier
}
