import type { Address } from '../address.ts'
import type { ClientMap, Place } from '../locate.ts'
import type { Coordinates, RouteTable } from './route-table.ts'

/** What is known of where clients are, the most trusted first. Any of them may be missing. */
export interface ClientSources {
  /** `Site.spec.network.prefixes`. */
  readonly sites?: ClientMap
  /** Routes that appliances hear of by BGP. */
  readonly bgp?: Pick<RouteTable, 'find'> & Partial<Pick<RouteTable, 'locate'>>
  readonly coverage?: ClientMap
  /** A database of addresses: country and coordinates only. */
  readonly geo?: ClientMap
}

/** Asks the sources in order: the first that knows an address at all says where it is, however short its prefix. */
export function clientMap({ sites, bgp, coverage, geo }: ClientSources): ClientMap {
  const locate = (address: Readonly<Address>) => (): Coordinates | undefined => {
    const { latitude, longitude } = geo?.find(address) ?? {}
    return latitude === undefined || longitude === undefined ? undefined : { latitude, longitude }
  }
  const find = (address: Readonly<Address>): Place | undefined =>
    sites?.find(address) ?? bgp?.find(address, geo && locate(address)) ?? coverage?.find(address) ?? geo?.find(address)
  // Nearly everybody is found by BGP where there is BGP at all; whoever a site announces is found as well, a little later.
  const quick: ClientMap['locate'] = (world, at, into) => !sites?.find(at) && bgp?.locate?.(world, at, into) === true
  return { find, locate: bgp?.locate && quick }
}
