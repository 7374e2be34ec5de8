import { mix } from '../placement/hash.ts'
import { inCanaryShare } from './choose-policy.ts'
import type { ClientMatch, CompiledPolicy } from './compiled-policy.ts'
import { holdersOf, touchBlock } from './shelf.ts'
import type { SteerRequest } from './types.ts'
import type { World } from './world.ts'

/** Below its limit by so much, an appliance begins to be passed over, the more often the closer it gets: several servers do not all turn away at once. */
const RAMP = 0.04

/** Who of a shelf verifiably holds all files that are asked for: a bit per member. Nobody holds no files. */
export function holdersOnShelf(world: World, { catalog, files }: SteerRequest, shelf: number): number {
  const packed = world.shelves[catalog]?.[shelf]
  if (packed === undefined || files.length === 0) return 0
  let who = holdersOf(packed, files[0]!)
  for (let i = 1; i < files.length && who !== 0; i++) who &= holdersOf(packed, files[i]!)
  return who
}

/**
 * Reads where the first file's block is on a site's first shelf: memory that will be asked for is then on its way while something else is done. Large
 * fleets do not fit into caches, and waiting is most of what a decision costs.
 */
export function touchShelf({ shelves, shelvesAt }: World, { catalog, files }: SteerRequest, site: number): number {
  const shelf = shelves[catalog]?.[shelvesAt.items[shelvesAt.start[site]!]!]
  return shelf === undefined || files.length === 0 ? 0 : touchBlock(shelf, files[0]!)
}

/** Whether an appliance verifiably holds all files that are asked for. */
export function holdsAll(world: World, request: SteerRequest, appliance: number): boolean {
  return (
    ((holdersOnShelf(world, request, world.applianceShelf[appliance]!) >>> world.applianceBit[appliance]!) & 1) === 1
  )
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
export function isForOthers(
  policy: CompiledPolicy,
  ordinal: number,
  request: SteerRequest,
  appliance: number,
): boolean {
  return policy.canaryAppliances?.[appliance] === 1 && !inCanaryShare(policy, ordinal, request.canaryKey)
}

/** Whether it is too busy for a purpose with this limit. */
export function isBusy(world: World, request: SteerRequest, limit: number, appliance: number): boolean {
  const over = world.load[appliance]! - limit
  if (over < -RAMP) return false
  return over >= 0 || mix(request.seed ^ world.applianceHash[appliance]!) / 2 ** 32 < 1 + over / RAMP
}

export function matchesClient({ networkClasses, regions }: ClientMatch, { client }: SteerRequest): boolean {
  return (!networkClasses || networkClasses[client.networkClass] === 1) && (!regions || regions[client.region] === 1)
}
