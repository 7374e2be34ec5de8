import { registry } from '../../crds/registry.gen.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import type { Client } from '../../runtime/client/client.ts'
import { namespaces, type Resource } from '../../runtime/client/resource.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Model } from './model.ts'
import { KINDS, type Kind, type ObjectsByKind } from './objects.ts'

const resources: { readonly [K in Kind]: Resource<ObjectsByKind[K]> } = {
  HardwareClass: registry.HardwareClass,
  Namespace: namespaces,
  Site: registry.Site,
  Appliance: registry.Appliance,
  Catalog: registry.Catalog,
  SteeringPolicy: registry.SteeringPolicy,
}

export interface FeedOptions {
  readonly client: Client
  readonly model: Model
  readonly clock: Clock
  readonly log: Log
}

/**
 * Follows the API into the model. Until all of it has been read once, the model stays as it is, so that what a snapshot knew is not taken apart by what
 * comes first; then every kind is made to hold what the API has, and from there on changes are taken up as they come.
 */
export class Feed {
  readonly #caches: { readonly [K in Kind]: Cache<ObjectsByKind[K]> }
  readonly #model: Model
  readonly #log: Log
  readonly #stop = new AbortController()
  #following = false

  constructor({ client, model, clock, log }: FeedOptions) {
    this.#model = model
    this.#log = log
    const cache = <K extends Kind>(kind: K) =>
      new Cache<ObjectsByKind[K]>({ client, resource: resources[kind], clock, log })
    this.#caches = {
      HardwareClass: cache('HardwareClass'),
      Namespace: cache('Namespace'),
      Site: cache('Site'),
      Appliance: cache('Appliance'),
      Catalog: cache('Catalog'),
      SteeringPolicy: cache('SteeringPolicy'),
    }
  }

  /** Begins to follow; resolves once everything has been read. Rejects when it is closed first. */
  async start(): Promise<void> {
    for (const kind of KINDS) this.#caches[kind].start()
    await Promise.all(KINDS.map((kind) => this.#caches[kind].waitForSync(this.#stop.signal)))
    // In the order of KINDS: sites before the appliances that are at them.
    for (const kind of KINDS) this.#follow(kind)
    this.#model.tick()
    this.#following = true
    this.#log.info(
      { sites: this.#caches.Site.size, appliances: this.#caches.Appliance.size },
      'the fleet has been read',
    )
  }

  /** True once the model is what the API says. */
  get following(): boolean {
    return this.#following
  }

  /** How each cache is, for metrics and health. */
  get caches(): { readonly resource: string; readonly synced: boolean; readonly error?: string }[] {
    return KINDS.map((kind) => {
      const { resource, synced, error } = this.#caches[kind]
      const { group, plural } = resource
      return {
        resource: group === '' ? plural : `${plural}.${group}`,
        synced,
        ...(error ? { error: error.message } : {}),
      }
    })
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('steering was closed'))
    await Promise.all(KINDS.map((kind) => this.#caches[kind].close()))
  }

  #follow<K extends Kind>(kind: K): void {
    const cache = this.#caches[kind]
    this.#model.replace(kind, cache.list())
    let replaying = true
    cache.onChange(({ type, key, object }) => {
      if (replaying) return
      if (type === 'delete') this.#model.remove(kind, key)
      else this.#model.put(kind, object)
    })
    replaying = false
  }
}
