import { NO_BAND, placeWithin, STORED } from './bands.ts'
import type { Branch } from './model.ts'
import { type Capacity, lineOf, type SiteGroups } from './site-dual.ts'

/** Parts of a group nearer than this to none or all are that. */
const NOTHING = 1e-6

/** What part of each group of files goes to which type of appliance at a site. */
export interface GroupParts {
  readonly types: number
  /** Of group j: the part of the first type, of the first two, … at `j * types`. */
  readonly limits: Float64Array
  /** The one type that has all of a group; `types` where none has any of it, -1 where it is parted. */
  readonly whole: Int8Array
}

/** The parts that prices lead to: exp(line / τ), with a line of 0 for not being here. See `site-dual.ts`. */
export function partsOf(groups: SiteGroups, types: readonly Capacity[], prices: Float64Array, tau: number): GroupParts {
  const limits = new Float64Array(groups.count * types.length)
  const whole = new Int8Array(groups.count)
  for (let j = 0; j < groups.count; j++) {
    whole[j] = types.length
    const demand = groups.demand[j]!
    if (!(demand > 0)) continue
    const ratio = groups.bytes[j]! / demand
    const at = j * types.length
    let best = 0
    for (let t = 0; t < types.length; t++) {
      const moving = groups.moving && groups.holder![j] !== t ? groups.moving[j]! : 0
      const line = lineOf(types, prices, t, ratio) - groups.instead[j]! - moving
      limits[at + t] = line
      if (line > best) best = line
    }
    let sum = Math.exp(-best / tau)
    for (let t = 0; t < types.length; t++) {
      limits[at + t] = Math.exp((limits[at + t]! - best) / tau)
      sum += limits[at + t]!
    }
    let all = 0
    for (let t = 0; t < types.length; t++) {
      const part = limits[at + t]! / sum
      if (part > 1 - NOTHING) whole[j] = t
      all += part
      limits[at + t] = all
    }
    if (whole[j] === types.length && all >= NOTHING) whole[j] = -1
  }
  return { types: types.length, limits, whole }
}

/** Where files of a band are best held, if they are to be held. */
export function bestType({ bands, demand, types, prices }: Branch, g: number): number {
  const ratio = bands.bytes[g]! / (bands.demand[g]! * demand)
  let best = 0
  for (let t = 1; t < types.length; t++)
    if (lineOf(types, prices, t, ratio) > lineOf(types, prices, best, ratio)) best = t
  return best
}

/** Where a file stands within its group, 0–1: by the bytes before it where the group is known in full, or else by its place in the band. */
export function placeInGroup(
  position: number,
  group: number,
  { bands, chain: [nearest] }: Branch,
  seen: Float64Array,
  groupBytes: Float64Array | undefined,
): number {
  if (groupBytes) {
    const bytes = bands.sizeAt[position]! * STORED[bands.copiesAt[position]!]!
    seen[group]! += bytes
    return groupBytes[group]! > 0 ? (seen[group]! - bytes / 2) / groupBytes[group]! : 0
  }
  const band = nearest ? nearest.trunk.bands.of[bands.order[position]!]! : NO_BAND
  const held = band === NO_BAND ? 0 : nearest!.kind.held[band]!
  return placeWithin(bands.placeAt[position]!, held)
}
