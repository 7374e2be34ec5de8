import { compare } from '../blobs/plan-index.ts'
import type { PlacementWorth, Scarcity } from './problem.ts'

/** What parts that are placed apart are worth together. */
export function sumWorth(parts: readonly PlacementWorth[]): PlacementWorth {
  const sum = (field: keyof PlacementWorth) => parts.reduce((total, worth) => total + worth[field], 0)
  return {
    demand: sum('demand'),
    local: sum('local'),
    parent: sum('parent'),
    value: sum('value'),
    bound: sum('bound'),
  }
}

/** The most valuable first. */
export function byGain(a: Scarcity, b: Scarcity): number {
  return b.gain - a.gain || compare(a.site, b.site) || compare(a.resource, b.resource)
}
