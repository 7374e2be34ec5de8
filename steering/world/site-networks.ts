import type { Site } from '../../crds/types.gen.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { newPrefix, parsePrefix } from '../../reconcilers/steering/address.ts'
import { PrefixMap } from '../../reconcilers/steering/client/prefix-map.ts'
import type { ClientMap, Place } from '../../reconcilers/steering/locate.ts'

/** Where clients are by what sites announce: the longest prefix counts. */
export function siteNetworks(sites: Iterable<Site>): ClientMap {
  const map = new PrefixMap()
  const places: Place[] = []
  const prefix = newPrefix()
  for (const site of sites) {
    const place: Place = { site: keyOf(site), region: undefined, source: 'site' }
    for (const text of site.spec.network?.prefixes ?? []) {
      if (parsePrefix(text, prefix) !== undefined) continue
      map.set(prefix, places.length)
      places.push(place)
    }
  }
  return { find: (address) => places[map.find(address)] }
}
