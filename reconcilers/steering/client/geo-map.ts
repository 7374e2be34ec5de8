import { formatAddress } from '../address.ts'
import type { ClientMap } from '../locate.ts'

/** What a database of addresses says of one. */
export interface GeoAnswer {
  readonly country: string | undefined
  readonly latitude: number | undefined
  readonly longitude: number | undefined
}

/**
 * Where clients are by a database of addresses: their region is that of their country, and coordinates say which of its sites is near. No site follows
 * from it. `regionOf` says the region of a country: of the same name, unless told.
 */
export function geoMap(
  lookup: (address: string) => GeoAnswer | undefined,
  regionOf: (country: string) => string = (country) => country,
): ClientMap {
  return {
    find: (address) => {
      const found = lookup(formatAddress(address))
      if (!found) return undefined
      const { country, latitude, longitude } = found
      // One of networks' owners, say, which knows the address, and not where it is.
      if (country === undefined && (latitude === undefined || longitude === undefined)) return undefined
      return {
        site: undefined,
        region: country === undefined ? undefined : regionOf(country),
        source: 'geo',
        ...(latitude !== undefined && longitude !== undefined && { latitude, longitude }),
      }
    },
  }
}
