import { mix } from '../placement/hash.ts'
import { holdersOnShelf, isBusy, isDrained, isExcluded, isForOthers } from './eligible.ts'
import {
  firstShelf,
  hashAt,
  loadAt,
  nextShelf,
  ordinalAt,
  placeOfFirst,
  shelvesFrom,
  stateAt,
  weightAt,
} from './places.ts'
import { roomForCandidates } from './scratch.ts'
import { SHELF } from './shelf.ts'
import { siteLoad } from './site-lines.ts'
import type { Steering, WorkingMemory } from './steering.ts'
import { MAX_URLS, type Miss } from './types.ts'
import type { World } from './world.ts'

/** Load may differ by so much of what an appliance can send without anybody being busier than another. */
const SLACK = 0.002

/** Keys from here on are of appliances busier than the bound: they come after all others, the least busy first. */
const OVER_BOUND = 1e6

/** -ln of the middle of each 4096th of 0…1: exponential variates for rendezvous hashing, without a logarithm each. */
const EXPONENTIAL = Float64Array.from({ length: 4096 }, (_, i) => -Math.log((i + 0.5) / 4096))

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
    const place = candidates[best]!
    const key = keys[best]!
    count--
    candidates[best] = candidates[count]!
    keys[best] = keys[count]!
    append(steering, tier, place)
    if (answer.count === first + 1) firstKey = key
    else if (answer.count === first + 2 && key < OVER_BOUND && firstKey < OVER_BOUND) {
      preferLessBusy(memory, first)
    }
  }
}

/** Everyone at the site who may be named, with a key each. Those who are too busy are kept for when nobody else is left. */
function gather({ world, request, memory, policy, limit, room }: Steering, tier: number, site: number): number {
  const { places } = world
  const firstOfSite = firstShelf(site)
  const bound = siteLoad(world.siteLines, site) * policy.bound + SLACK
  const { affinityKey, seed } = request
  const special = request.excluded.length > 0 || policy.drains.length > 0 || policy.canaryAppliances !== undefined
  let count = 0
  // Where somebody has been found already, spares are taken from the first shelf that has enough; which is first differs by title.
  const { answer } = memory
  const enough = answer.count > 0 ? room - answer.count : Number.POSITIVE_INFINITY
  const shelves = shelvesFrom(places, firstOfSite)
  roomForCandidates(memory, shelves * SHELF)
  const { candidates, keys } = memory
  let miss: Miss = 'content'
  let shelf = firstOfSite
  if (answer.count > 0 && shelves > 1) {
    for (let turn = mix(affinityKey) % shelves; turn > 0; turn--) shelf = nextShelf(places, shelf)
  }
  for (let n = 0; n < shelves && count < enough; n++) {
    for (let who = holdersOnShelf(world, request, shelf); who !== 0; who &= who - 1) {
      const place = placeOfFirst(shelf, who)
      if (miss === 'content') miss = 'health'
      const weight = weightAt(places, place)
      // Without a weight it has come after the last `tick`: policies do not know it yet.
      if (stateAt(places, place) !== 0 || weight === 0) continue
      if (special) {
        const a = ordinalAt(places, place)
        if (isExcluded(request, a) || isDrained(world, request, policy, a) || isForOthers(policy, request, a)) {
          continue
        }
      }
      const load = loadAt(places, place)
      const hash = hashAt(places, place)
      if (isBusy(seed, limit, load, hash)) {
        keepBusy(world, memory, tier, place)
        miss = 'capacity'
        continue
      }
      candidates[count] = place
      keys[count] = load > bound ? OVER_BOUND * (1 + load) : EXPONENTIAL[mix(affinityKey ^ hash) >>> 20]! / weight
      count++
    }
    shelf = nextShelf(places, shelf) || firstOfSite
  }
  if (site === request.client.site && answer.count === 0) memory.atSite = miss
  return count
}

function append({ world: { places }, memory: { answer, loads } }: Steering, tier: number, place: number): void {
  const load = loadAt(places, place)
  answer.appliances[answer.count] = ordinalAt(places, place)
  answer.tiers[answer.count] = tier
  answer.scores[answer.count] = 1 - Math.min(1, load)
  loads[answer.count] = load
  answer.count++
}

/** Two choices: which of the two that the key prefers is asked first is for their load to say. */
function preferLessBusy({ answer, loads }: WorkingMemory, first: number): void {
  if (loads[first + 1]! >= loads[first]!) return
  swap(answer.appliances, first)
  swap(answer.scores, first)
  swap(loads, first)
}

function swap(numbers: Int32Array | Float64Array, first: number): void {
  const number = numbers[first]!
  numbers[first] = numbers[first + 1]!
  numbers[first + 1] = number
}

/** Keeps the least busy, in order. */
function keepBusy({ places }: World, memory: WorkingMemory, tier: number, place: number): void {
  const { busy, busyTiers } = memory
  const load = loadAt(places, place)
  if (memory.busyCount === MAX_URLS) {
    if (load >= loadAt(places, busy[MAX_URLS - 1]!)) return
    memory.busyCount--
  }
  let at = memory.busyCount++
  for (; at > 0 && loadAt(places, busy[at - 1]!) > load; at--) {
    busy[at] = busy[at - 1]!
    busyTiers[at] = busyTiers[at - 1]!
  }
  busy[at] = place
  busyTiers[at] = tier
}
