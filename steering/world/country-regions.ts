import type { Site } from '../../crds/types.gen.ts'
import { regionOf } from '../../reconcilers/steering/site-lists.ts'

/** Country → the region that most of its sites are of, the first by name of as many: databases of addresses know countries, fleets may have regions of their own. */
export function regionsOfCountries(sites: readonly Site[]): ReadonlyMap<string, string> {
  const counts = new Map<string, Map<string, number>>()
  for (const site of sites) {
    const { country } = site.spec
    const regions = counts.get(country) ?? new Map<string, number>()
    counts.set(country, regions)
    const region = regionOf(site)
    regions.set(region, (regions.get(region) ?? 0) + 1)
  }
  const most = (regions: ReadonlyMap<string, number>) =>
    [...regions].reduce((best, next) =>
      next[1] > best[1] || (next[1] === best[1] && next[0] < best[0]) ? next : best,
    )[0]
  return new Map(Array.from(counts, ([country, regions]) => [country, most(regions)]))
}
