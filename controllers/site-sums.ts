import type { Appliance } from '../crds/types.gen.ts'
import type { Labels, Sample } from '../runtime/metrics/metrics.ts'

type Content = NonNullable<NonNullable<Appliance['status']>['content']>

/** What the appliances of one site add up to. */
interface Sums {
  readonly labels: Labels
  readonly states: Map<string, { readonly labels: Labels; count: number }>
  appliances: number
  bytesDesired: number
  bytesHeld: number
  filesFailing: number
}

/**
 * Adds the fleet up by site, for metrics: in one pass over it for all metrics of a collection, and without making anything anew that was made for
 * the collection before.
 */
export class SiteSums {
  readonly #appliances: () => Iterable<Appliance>
  /** By namespace, and there by site. */
  readonly #sites = new Map<string, Map<string, Sums>>()
  #fresh = false

  constructor(appliances: () => Iterable<Appliance>) {
    this.#appliances = appliances
  }

  *appliancesByState(): Generator<Sample> {
    for (const { states } of this.#now())
      for (const { labels, count } of states.values()) if (count > 0) yield { labels, value: count }
  }

  *sums(of: keyof Pick<Content, 'bytesDesired' | 'bytesHeld' | 'filesFailing'>): Generator<Sample> {
    for (const sums of this.#now()) yield { labels: sums.labels, value: sums[of] }
  }

  *#now(): Generator<Sums> {
    if (!this.#fresh) {
      this.#add()
      // All metrics of a collection are asked for in one turn of the event loop.
      this.#fresh = true
      setImmediate(() => {
        this.#fresh = false
      })
    }
    for (const sites of this.#sites.values()) yield* sites.values()
  }

  #add(): void {
    for (const sites of this.#sites.values()) for (const sums of sites.values()) clear(sums)
    for (const { metadata, spec, status } of this.#appliances()) {
      const sums = this.#of(metadata.namespace ?? '', spec.siteRef.name)
      const phase = status?.phase ?? 'Pending'
      const state = sums.states.get(phase)
      if (state) state.count++
      else sums.states.set(phase, { labels: { ...sums.labels, state: phase }, count: 1 })
      sums.appliances++
      if (!status?.content) continue
      sums.bytesDesired += status.content.bytesDesired
      sums.bytesHeld += status.content.bytesHeld
      sums.filesFailing += status.content.filesFailing
    }
    for (const sites of this.#sites.values())
      for (const [site, { appliances }] of sites) if (appliances === 0) sites.delete(site)
  }

  #of(namespace: string, site: string): Sums {
    let sites = this.#sites.get(namespace)
    if (!sites) {
      sites = new Map()
      this.#sites.set(namespace, sites)
    }
    let sums = sites.get(site)
    if (!sums) {
      const labels = { namespace, site }
      sums = { labels, states: new Map(), appliances: 0, bytesDesired: 0, bytesHeld: 0, filesFailing: 0 }
      sites.set(site, sums)
    }
    return sums
  }
}

function clear(sums: Sums): void {
  sums.appliances = 0
  sums.bytesDesired = 0
  sums.bytesHeld = 0
  sums.filesFailing = 0
  for (const state of sums.states.values()) state.count = 0
}
