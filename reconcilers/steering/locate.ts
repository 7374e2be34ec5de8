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
}

/** Says where addresses are; undefined for one that it does not know. */
export interface ClientMap {
  readonly find: (address: Readonly<Address>) => Place | undefined
}

/** Fills in where a client is, in ordinals of this world. A place that the world does not know (any more) counts as unknown. */
export function locateClient(world: World, map: ClientMap, address: Readonly<Address>, into: ClientLocation): void {
  const place = map.find(address)
  const site = place?.site === undefined ? -1 : (world.siteOrdinals.get(place.site) ?? -1)
  into.site = site >= 0 && world.sites[site] ? site : -1
  into.region = into.site >= 0 ? world.siteRegion[into.site]! : (world.regionOrdinals.get(place?.region ?? '') ?? -1)
  into.networkClass = networkClass(world.networks, address)
  into.source = place?.source ?? 'none'
}
