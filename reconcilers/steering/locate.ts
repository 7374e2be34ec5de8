import type { Address } from './address.ts'
import { networkClass } from './networks.ts'
import type { ClientLocation, LocationSource } from './types.ts'
import type { World } from './world.ts'

/** What the client map knows of an address. */
export interface Place {
  /** `namespace/name` of the site that serves it; undefined: only the region is known. */
  readonly site: string | undefined
  readonly region: string | undefined
  readonly source: LocationSource
  /** Degrees, where it is known where the client itself is. */
  readonly latitude?: number
  readonly longitude?: number
  /** Where `locateClient` keeps what it has looked up by name. Absent: it looks it up each time. */
  readonly memo?: PlaceMemo
}

export interface PlaceMemo {
  world: World | undefined
  /** Ordinal in that world. */
  site: number
}

export const newMemo = (): PlaceMemo => ({ world: undefined, site: -1 })

/** Says where addresses are; undefined for one that it does not know. */
export interface ClientMap {
  readonly find: (address: Readonly<Address>) => Place | undefined
  /** As `locateClient`, without looking anything up by name, all but the network class. False, with nothing written, where only `find` can say. */
  readonly locate?: ((world: World, address: Readonly<Address>, into: ClientLocation) => boolean) | undefined
}

/** Fills in where a client is, in ordinals of this world. A place that the world does not know (any more) counts as unknown. */
export function locateClient(world: World, map: ClientMap, address: Readonly<Address>, into: ClientLocation): void {
  into.networkClass = networkClass(world.networks, address)
  if (map.locate?.(world, address, into)) return
  const place = map.find(address)
  const site = place === undefined ? -1 : siteOf(world, place)
  // A site that has just been added has no region before the next `tick`; one that has been removed has none after it.
  const region = site < 0 ? -1 : (world.siteRegion[site] ?? -1)
  into.site = region < 0 ? -1 : site
  into.region = region >= 0 || place?.region === undefined ? region : (world.regionOrdinals.get(place.region) ?? -1)
  into.latitude = place?.latitude
  into.longitude = place?.longitude
  into.source = place?.source ?? 'none'
}

function siteOf(world: World, { site, memo }: Place): number {
  if (site === undefined) return -1
  if (memo?.world === world) return memo.site
  const ordinal = world.siteOrdinals.get(site) ?? -1
  if (memo && ordinal >= 0) {
    memo.world = world
    memo.site = ordinal
  }
  return ordinal
}
