import { isIP } from 'node:net'
import { mix } from '../../reconcilers/placement/hash.ts'
import type { Address } from '../../reconcilers/steering/address.ts'
import { hashAt, loadOf, stateOf } from '../../reconcilers/steering/places.ts'
import { STATE } from '../../reconcilers/steering/state.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import type { Steerer } from '../steerer.ts'
import { type CatalogIndex, labelHash, titleLabel } from '../world/catalog-index.ts'
import { Names } from './names.ts'

/** Addresses in one answer. */
const MAX_ADDRESSES = 4

/** What a name means for a client: hosts of appliances, best first. */
export interface Found {
  /** IP addresses or host names; none where nobody can serve it now. */
  readonly hosts: readonly string[]
  /** Seconds that the policy lets an answer be used. */
  readonly ttlSeconds: number
  /** Whether another client may get another answer. */
  readonly perClient: boolean
}

/**
 * What is below the zone: `site`, `site.namespace`, `title`, `title.namespace` and `title.catalog.namespace`. A name that both a site and a title have is
 * the site's.
 */
export class Zone {
  readonly #world: World
  readonly #steerer: Pick<Steerer, 'steer'>
  readonly #names: Names

  constructor(world: World, steerer: Pick<Steerer, 'steer'>) {
    this.#world = world
    this.#names = new Names(world)
    this.#steerer = steerer
  }

  /** What these labels (small letters, the one next to the zone last) mean to a client. Undefined: there is no such name. */
  find(labels: readonly string[], client: Readonly<Address>): Found | undefined {
    const [name = '', ...above] = labels
    if (labels.length > 3) return undefined
    const site = labels.length <= 2 ? this.#siteOf(name, above[0]) : undefined
    if (site !== undefined)
      return { hosts: this.#hostsAt(site, client), ttlSeconds: Number.POSITIVE_INFINITY, perClient: false }
    const title = this.#titleOf(name, above)
    if (title) return this.#hostsOf(title, client)
    // A namespace or catalog is a name too, though nothing is at it.
    return this.#isAbove(labels) ? { hosts: [], ttlSeconds: Number.POSITIVE_INFINITY, perClient: false } : undefined
  }

  #siteOf(name: string, namespace: string | undefined): number | undefined {
    if (namespace === undefined) return this.#names.site(name)
    const { siteOrdinals, sites } = this.#world
    const ordinal = siteOrdinals.get(`${namespace}/${name}`)
    return ordinal !== undefined && sites[ordinal] ? ordinal : undefined
  }

  #titleOf(label: string, above: readonly string[]): { readonly title: string; readonly catalog: string } | undefined {
    const { catalogKeys, catalogs, catalogOrdinals } = this.#world
    const [first, second] = above
    const named = second === undefined ? undefined : catalogOrdinals.get(`${second}/${first}`)
    const ordinals = second === undefined ? this.#names.catalogsWith(label, first) : named === undefined ? [] : [named]
    const hash = labelHash(label)
    for (const ordinal of ordinals) {
      const index = catalogs[ordinal] as CatalogIndex | undefined
      const found = index?.labelled(label, hash)
      const title = found && index!.file(found.entry)?.title
      if (title !== undefined && titleLabel(title) === label) return { title, catalog: catalogKeys[ordinal]! }
    }
    return undefined
  }

  #isAbove([first = '', second, third]: readonly string[]): boolean {
    if (second === undefined) return this.#names.hasNamespace(first)
    return third === undefined && this.#world.catalogOrdinals.has(`${second}/${first}`)
  }

  #hostsOf({ title, catalog }: { readonly title: string; readonly catalog: string }, client: Readonly<Address>): Found {
    const { answer } = this.#steerer.steer(client, {
      ...{ files: [], title, catalog, purpose: 'vod', exclude: [], maxUrls: MAX_ADDRESSES, explain: false },
    })
    const hosts: string[] = []
    for (let i = 0; i < answer.count; i++) {
      const ordinal = answer.appliances[i]!
      // A fallback's URL is of another path than an appliance's: by name alone it cannot be found there.
      if (ordinal >= 0) add(hosts, this.#world.urls[ordinal]!)
    }
    return { hosts, ttlSeconds: answer.ttlSeconds, perClient: true }
  }

  /** Hosts at a site, or where none is up at its parents, in an order of the client's own, the busiest last. */
  #hostsAt(site: number, client: Readonly<Address>): string[] {
    const { parents } = this.#world
    // A site that has come since the last tick has no lists yet.
    const above = parents.items.subarray(parents.start[site] ?? 0, parents.start[site + 1] ?? 0)
    const places = [site, ...above]
    for (const place of places) {
      const hosts = this.#upAt(place, mix(client.words[0]! ^ client.words[1]!))
      if (hosts.length > 0) return hosts
    }
    return []
  }

  #upAt(site: number, seed: number): string[] {
    const { siteAppliances, places, appliancePlace, urls } = this.#world
    const from = siteAppliances.start[site] ?? 0
    const to = siteAppliances.start[site + 1] ?? 0
    const up = [...siteAppliances.items.subarray(from, to)].filter(
      (a) => (stateOf(this.#world, a) & ~STATE.OriginOnly) === 0,
    )
    const busy = (a: number) => Math.floor(loadOf(this.#world, a) * 4)
    const turn = (a: number) => mix(seed ^ hashAt(places, appliancePlace[a]!))
    up.sort((a, b) => busy(a) - busy(b) || turn(a) - turn(b))
    const hosts: string[] = []
    for (const a of up.slice(0, MAX_ADDRESSES)) add(hosts, urls[a]!)
    return hosts
  }
}

function add(hosts: string[], url: string): void {
  if (!URL.canParse(url)) return
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  if (!hosts.includes(host)) hosts.push(host)
}

/**
 * Which of the hosts answer a question: those of its family of addresses, or, where no host is an address, the first by name: that is an alias, which
 * answers questions of every type.
 */
export function recordsOf(
  hosts: readonly string[],
  type: string,
): { readonly type: 'A' | 'AAAA' | 'CNAME'; readonly data: string }[] {
  const family = FAMILIES[type]
  const addresses = hosts.filter((host) => isIP(host) === family)
  if (addresses.length > 0) return addresses.map((data) => ({ type: type as 'A' | 'AAAA', data }))
  const [first] = hosts
  return first !== undefined && hosts.every((host) => isIP(host) === 0) ? [{ type: 'CNAME', data: first }] : []
}

const FAMILIES: Readonly<Record<string, number>> = { A: 4, AAAA: 6 }
