import { matchesClient } from './eligible.ts'
import { EVERYWHERE, mayHold } from './holders.ts'
import { roomForSites } from './scratch.ts'
import type { Steering, WorkingMemory } from './steering.ts'
import type { Lists, World } from './world.ts'

/** A site so far away counts half as far as one at the end of the world. */
const HALF_KM = 500

const EARTH_KM = 6371

/** Calls `visit` with each site that a pin in force names for this client, in order. */
export function forEachPinned({ world, request, policy }: Steering, visit: (site: number) => void): void {
  for (const { clients, sites, untilMs } of policy.pins) {
    if (world.nowMs >= untilMs || !matchesClient(clients, request)) continue
    for (const site of sites) visit(site)
  }
}

/** Puts the sites of the client's region into the working memory, with a key each: the lowest is preferred, by the policy's weights. Returns how many there are. */
export function sitesOfRegion({ world, request, memory, policy }: Steering): number {
  const { regionSites } = world
  const owner = request.client.region
  if (owner < 0) return 0
  const from = regionSites.start[owner]!
  const count = regionSites.start[owner + 1]! - from
  roomForSites(memory, count)
  const { sites, siteKeys } = memory
  const { locality, load, cost } = policy.weights
  const origin = clientVector(world, request.client)
  for (let i = 0; i < count; i++) {
    const site = regionSites.items[from + i]!
    const far = origin ? distance(world, site, origin) : i / count
    sites[i] = site
    siteKeys[i] = locality * far + load * world.siteLoadAtTick[site]! + (policy.costs ? cost * policy.costs[site]! : 0)
  }
  return count
}

/** Of so many sites in the working memory, keeps those where somebody may hold the files, in order. Returns how many. */
export function keepHolders({ sites, siteKeys }: WorkingMemory, holders: number, count: number): number {
  if (holders === EVERYWHERE) return count
  let kept = 0
  for (let i = 0; i < count; i++) {
    if (!mayHold(holders, sites[i]!)) continue
    sites[kept] = sites[i]!
    siteKeys[kept] = siteKeys[i]!
    kept++
  }
  return kept
}

/** All sites of a tier, for explanations: none of who is not known, or has come since the last tick. */
export const sitesOf = ({ start, items }: Lists, owner: number): Uint32Array =>
  items.subarray(start[owner] ?? 0, start[owner + 1] ?? 0)

type Vector = readonly [number, number, number]

/** The point of the unit sphere at which a place in degrees is. */
export function unitVector(latitude: number, longitude: number): Vector {
  const [phi, lambda] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180]
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)]
}

/** Where the client is, as far as it is known: by itself, or by its site. */
function clientVector(world: World, { site, latitude, longitude }: Steering['request']['client']): Vector | undefined {
  if (latitude !== undefined && longitude !== undefined) return unitVector(latitude, longitude)
  if (site < 0 || Number.isNaN(world.siteVectors[3 * site]!)) return undefined
  return [world.siteVectors[3 * site]!, world.siteVectors[3 * site + 1]!, world.siteVectors[3 * site + 2]!]
}

/** 0, here, to 1, far away or not known. */
function distance({ siteVectors }: World, site: number, [x, y, z]: Vector): number {
  const [dx, dy, dz] = [siteVectors[3 * site]! - x, siteVectors[3 * site + 1]! - y, siteVectors[3 * site + 2]! - z]
  const km = EARTH_KM * Math.sqrt(dx * dx + dy * dy + dz * dz)
  return Number.isNaN(km) ? 1 : km / (km + HALF_KM)
}
