import type { Address } from '../reconcilers/steering/address.ts'

/**
 * The network of a client, as a key: what one customer is given, so that who has a whole /48 is one voice and not many. The first 24 bits of an
 * IPv4 address, 48 of an IPv6 one. Numbers of IPv4 networks are below 2^24, those of IPv6 ones are above.
 */
export function networkOf({ v6, words }: Readonly<Address>): number {
  return v6 ? 2 ** 24 + words[0]! * 65_536 + (words[1]! >>> 16) : words[0]! >>> 8
}

/** Who is counted as one client: an IPv4 address, or the /64 that an IPv6 host may take addresses from. Numbers are signed: those are keys that need no memory of their own. */
export function clientKey({ v6, words }: Readonly<Address>): number | string {
  return v6 ? `${words[0]!.toString(36)}.${words[1]!.toString(36)}` : words[0]! | 0
}
