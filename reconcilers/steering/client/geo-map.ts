import { formatAddress } from '../address.ts'
import type { ClientMap } from '../locate.ts'

/** What a database of addresses says of one. */
export interface GeoAnswer {
  readonly country: string | undefined
  readonly latitude: number | undefined
  readonly longitude: number | undefined
}

/** Where clients are by a database of addresses: their country is their region, and coordinates say which of its sites is near. No site follows from it. */
export function geoMap(lookup: (address: string) => GeoAnswer | undefined): ClientMap {
  return {
    find: (address) => {
      const found = lookup(formatAddress(address))
      if (!found) return undefined
      const { country, latitude, longitude } = found
      return {
        site: undefined,
        region: country,
        source: 'geo',
        ...(latitude !== undefined && longitude !== undefined && { latitude, longitude }),
      }
    },
  }
}
