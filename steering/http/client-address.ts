import {
  type Address,
  newAddress,
  newPrefix,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '../../reconcilers/steering/address.ts'
import { contains } from '../../reconcilers/steering/networks.ts'

/** Which header a trusted proxy tells its clients by: one only, because a proxy passes on the other as its client has sent it. */
export const FORWARDING_HEADERS = ['x-forwarded-for', 'forwarded'] as const
export type ForwardingHeader = (typeof FORWARDING_HEADERS)[number]

/** Longest chain of proxies that is read, from the right. */
const MAX_HOPS = 32

/** Whom to believe when they say who their client is. */
export class TrustedProxies {
  readonly #prefixes: readonly Prefix[]

  /** Throws a RangeError that says what is no prefix. */
  constructor(prefixes: readonly string[]) {
    this.#prefixes = prefixes.map((text) => {
      const prefix = newPrefix()
      const wrong = parsePrefix(text, prefix)
      if (wrong !== undefined) throw new RangeError(wrong)
      return prefix
    })
  }

  has(address: Readonly<Address>): boolean {
    for (const prefix of this.#prefixes) if (contains(prefix, address)) return true
    return false
  }
}

const hop = newAddress()

/**
 * Whose request it is, by what the proxies before us say: from the right, the first that is not one of ours. What lies beyond it could have been
 * made up by it. Written into `address`, which holds the peer, a trusted proxy. An entry that is no address ends the search where it is.
 * Source: RFC 7239 section 8.1, and what X-Forwarded-For is in practice.
 */
export function forwardedClient(
  header: string,
  kind: ForwardingHeader,
  trusted: TrustedProxies,
  address: Address,
): void {
  const entries = header.split(',')
  const first = Math.max(0, entries.length - MAX_HOPS)
  for (let i = entries.length - 1; i >= first; i--) {
    const text = kind === 'forwarded' ? forOf(entries[i]!) : entries[i]!.trim()
    if (text === undefined || !parseAddress(withoutPort(text), hop)) return
    address.v6 = hop.v6
    address.words.set(hop.words)
    if (!trusted.has(address)) return
  }
}

/** The node of a `Forwarded` element's `for=`, unquoted; undefined where it has none. */
function forOf(element: string): string | undefined {
  const match = /(?:^|;)\s*for\s*=\s*(?:"([^"\\]*)"|([^\s;",]+))\s*(?:;|$)/i.exec(element)
  return match?.[1] ?? match?.[2]
}

/** `192.0.2.1:4711` and `[2001:db8::1]:4711`, as proxies write them, without their port and brackets. */
function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)
  if (bracketed) return bracketed[1]!
  const colon = text.indexOf(':')
  return colon >= 0 && colon === text.lastIndexOf(':') ? text.slice(0, colon) : text
}
