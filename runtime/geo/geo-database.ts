import { type CityResponse, type CountryResponse, Reader } from 'mmdb-lib'

/** What a database says of an address. */
export interface GeoRecord {
  /** ISO 3166-1 alpha-2, in capitals. */
  readonly country: string | undefined
  /** Degrees. */
  readonly latitude: number | undefined
  readonly longitude: number | undefined
}

export interface GeoDatabase {
  /** Such as `GeoLite2-City`. */
  readonly type: string
  readonly builtAt: Date
  /** Undefined for an address that the database does not know, and for what is no address. */
  lookup(address: string): GeoRecord | undefined
}

/**
 * Opens a database in MaxMind's format (GeoLite2 or GeoIP2, Country or City, or one of the same shape), read whole into memory. Throws a RangeError where
 * the bytes are none. Source: MaxMind DB File Format Specification 2.0.
 */
export function openGeoDatabase(bytes: Uint8Array): GeoDatabase {
  let reader: Reader<CityResponse & CountryResponse>
  try {
    reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), { cache: newCache() })
  } catch (error) {
    throw new RangeError(`is no database in MaxMind's format: ${(error as Error).message}`)
  }
  const { databaseType, buildEpoch } = reader.metadata
  return {
    type: databaseType,
    builtAt: new Date(buildEpoch),
    lookup: (address) => {
      const found = get(reader, address)
      if (!found) return undefined
      const { country, registered_country, location } = found
      return {
        country: (country ?? registered_country)?.iso_code,
        latitude: location?.latitude,
        longitude: location?.longitude,
      }
    },
  }
}

/** A record has names in many languages, which nobody asks for, and many addresses have the same one: it is taken apart once. */
const MAX_CACHED = 20_000

function newCache() {
  const decoded = new Map<string | number, unknown>()
  return {
    get: (offset: string | number) => decoded.get(offset),
    set(offset: string | number, value: unknown): void {
      if (decoded.size >= MAX_CACHED) decoded.clear()
      decoded.set(offset, value)
    },
  }
}

/** The reader throws for what is no address, and for IPv6 where the database is of IPv4. */
function get<T extends CityResponse & CountryResponse>(reader: Reader<T>, address: string): T | null {
  try {
    return reader.get(address)
  } catch {
    return null
  }
}
