import { compare } from '../../blobs/plan-index.ts'
import type { SolverSite } from './input.ts'

type Kin = Pick<SolverSite, 'key' | 'parents'> & { readonly appliances: readonly unknown[] }

/**
 * By key, the first parent of each site that is among the sites and has appliances; undefined where there is none. Where that would be a circle, the first by name has none.
 */
export function parentsOf(sites: readonly Kin[]): ReadonlyMap<string, string | undefined> {
  const known = new Map(sites.map((site) => [site.key, site]))
  const parentOf = new Map(
    sites.map(({ key, parents }) => [
      key,
      parents.find((parent) => parent !== key && (known.get(parent)?.appliances.length ?? 0) > 0),
    ]),
  )
  for (const key of [...known.keys()].sort(compare)) {
    const seen = new Set<string>()
    let at = parentOf.get(key)
    while (at !== undefined && at !== key && !seen.has(at)) {
      seen.add(at)
      at = parentOf.get(at)
    }
    if (at === key) parentOf.set(key, undefined)
  }
  return parentOf
}
