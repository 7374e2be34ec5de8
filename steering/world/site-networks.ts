import type { Site } from '../../crds/types.gen.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { type Address, newPrefix, parsePrefix } from '../../reconcilers/steering/address.ts'
import type { ClientMap, Place } from '../../reconcilers/steering/locate.ts'
import { contains } from '../../reconcilers/steering/networks.ts'

/** Where clients are by what sites announce: the longest prefix counts. */
export function siteNetworks(sites: Iterable<Site>): ClientMap {
  const known = [...sites].flatMap((site) =>
    (site.spec.network?.prefixes ?? []).flatMap((text) => {
      const prefix = newPrefix()
      const place: Place = { site: keyOf(site), region: undefined, source: 'site' }
      return parsePrefix(text, prefix) === undefined ? [{ prefix, place }] : []
    }),
  )
  known.sort((a, b) => b.prefix.length - a.prefix.length)
  return {
    find: (address: Readonly<Address>) => known.find(({ prefix }) => contains(prefix, address))?.place,
  }
}
