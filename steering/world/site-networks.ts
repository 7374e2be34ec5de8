import type { Site } from '../../crds/types.gen.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { type Address, newPrefix, parsePrefix } from '../../reconcilers/steering/address.ts'
import { RouteTable } from '../../reconcilers/steering/client/route-table.ts'
import type { ClientMap, Place } from '../../reconcilers/steering/locate.ts'

type Network = Site['spec']['network'] | undefined

/**
 * Where clients are by what sites announce: the longest prefix counts; of several sites that announce the same one, the first to do so. Only what
 * has changed of a site is taken up: hundreds of thousands of prefixes take a second.
 */
export class SiteNetworks implements ClientMap {
  readonly #routes = new RouteTable('site')
  /** As each site has it; a site that has not changed has the very same object. */
  readonly #known = new Map<string, Network>()
  readonly #prefix = newPrefix()

  find(address: Readonly<Address>): Place | undefined {
    return this.#routes.find(address)
  }

  /** Takes up all sites that there are. */
  follow(sites: Iterable<Site>): void {
    const gone = new Set(this.#known.keys())
    for (const site of sites) {
      const key = keyOf(site)
      gone.delete(key)
      this.#take(key, site.spec.network)
    }
    for (const key of gone) {
      this.#take(key, undefined)
      this.#known.delete(key)
    }
  }

  #take(site: string, network: Network): void {
    const before = this.#known.get(site)
    this.#known.set(site, network)
    if (before === network) return
    const prefix = this.#prefix
    const [had, has] = [new Set(before?.prefixes), new Set(network?.prefixes)]
    for (const text of has) {
      if (!had.has(text) && parsePrefix(text, prefix) === undefined)
        this.#routes.announce(site, site, { prefix, pathLength: 0, med: 0 })
    }
    for (const text of had) {
      if (!has.has(text) && parsePrefix(text, prefix) === undefined) this.#routes.withdraw(site, prefix)
    }
    // The same prefix may be written in several ways, of which some stay.
    for (const text of had.size > 0 ? has : []) {
      if (parsePrefix(text, prefix) === undefined) this.#routes.announce(site, site, { prefix, pathLength: 0, med: 0 })
    }
  }
}

/** Where clients are by what these sites announce. */
export function siteNetworks(sites: Iterable<Site>): ClientMap {
  const networks = new SiteNetworks()
  networks.follow(sites)
  return networks
}
