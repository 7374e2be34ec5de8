import type { Site } from '../../crds/types.gen.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { type Address, newPrefix, parsePrefix } from '../../reconcilers/steering/address.ts'
import { RouteTable } from '../../reconcilers/steering/client/route-table.ts'
import type { ClientMap, Place } from '../../reconcilers/steering/locate.ts'
import { inSlices } from './in-slices.ts'

type Network = Site['spec']['network'] | undefined

/** Texts of prefixes that are taken up per slice, about: well under a millisecond. */
const PER_SLICE = 256

/**
 * Where clients are by what sites announce: the longest prefix counts; of several sites that announce the same one, the first to do so. Only what
 * has changed of a site is taken up.
 */
export class SiteNetworks implements ClientMap {
  readonly #routes = new RouteTable('site')
  /** As each site has it; a site that has not changed has the very same object. */
  readonly #known = new Map<string, Network>()
  readonly #prefix = newPrefix()
  #latest: Iterable<Site> | undefined
  #isFollowing = false
  #followed = Promise.resolve()
  #looked = 0

  find(address: Readonly<Address>): Place | undefined {
    return this.#routes.find(address)
  }

  /**
   * Takes up all sites that there are, slice by slice: what few sites have changed is taken up when this returns, and hundreds of thousands of prefixes
   * over a second. Resolves when the last that it was told is taken up.
   */
  follow(sites: Iterable<Site>): Promise<void> {
    this.#latest = sites
    if (!this.#isFollowing) {
      this.#isFollowing = true
      this.#followed = inSlices(this.#takeLatest())
    }
    return this.#followed
  }

  *#takeLatest(): Generator<void, void> {
    try {
      for (let sites = this.#latest; sites; sites = this.#latest) {
        this.#latest = undefined
        yield* this.#takeAll(sites)
      }
    } finally {
      // Whatever it is told from here on is not seen any more, even before whoever waits has heard that it is over.
      this.#isFollowing = false
    }
  }

  *#takeAll(sites: Iterable<Site>): Generator<void, void> {
    const gone = new Set(this.#known.keys())
    for (const site of sites) {
      const key = keyOf(site)
      gone.delete(key)
      yield* this.#take(key, site.spec.network)
    }
    for (const key of gone) {
      yield* this.#take(key, undefined)
      this.#known.delete(key)
    }
  }

  /** A site is taken up to its end, as what is known of it then: others wait for it. */
  *#take(site: string, network: Network): Generator<void, void> {
    const before = this.#known.get(site)
    this.#known.set(site, network)
    if (before === network) return
    const prefix = this.#prefix
    const [had, has] = [new Set(before?.prefixes), new Set(network?.prefixes)]
    for (const text of has) {
      if (!had.has(text) && parsePrefix(text, prefix) === undefined)
        this.#routes.announce(site, site, { prefix, pathLength: 0, med: 0 })
      if (this.#isSliceOver()) yield
    }
    for (const text of had) {
      if (!has.has(text) && parsePrefix(text, prefix) === undefined) this.#routes.withdraw(site, prefix)
      if (this.#isSliceOver()) yield
    }
    // The same prefix may be written in several ways, of which some stay.
    for (const text of had.size > 0 ? has : []) {
      if (parsePrefix(text, prefix) === undefined) this.#routes.announce(site, site, { prefix, pathLength: 0, med: 0 })
      if (this.#isSliceOver()) yield
    }
  }

  #isSliceOver(): boolean {
    return ++this.#looked % PER_SLICE === 0
  }
}

/** Where clients are by what these sites announce. */
export async function siteNetworks(sites: Iterable<Site>): Promise<ClientMap> {
  const networks = new SiteNetworks()
  await networks.follow(sites)
  return networks
}
