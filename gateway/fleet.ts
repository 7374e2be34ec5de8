import { registry } from '../crds/registry.gen.ts'
import type { Appliance, Assignment, InventoryRef, Site } from '../crds/types.gen.ts'
import { APPLIANCE_LABEL } from '../reconcilers/credentials/plan-credentials.ts'
import {
  HEARTBEAT_LABEL,
  HEARTBEAT_NAMESPACE,
  readHeartbeats,
  SILENT_AFTER_MS,
} from '../reconcilers/heartbeats/leases.ts'
import { Cache } from '../runtime/cache/cache.ts'
import type { Client } from '../runtime/client/client.ts'
import { type Lease, leases, type Resource, type Secret, secrets } from '../runtime/client/resource.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Records } from './records.ts'

export const appliances: Resource<Appliance> = registry.Appliance
const sites: Resource<Site> = registry.Site
const assignments: Resource<Assignment> = registry.Assignment

/** What the gateway knows of the fleet: what the API says, and what it has heard itself since. */
export class Fleet {
  readonly appliances: Cache<Appliance>
  readonly sites: Cache<Site>
  readonly assignments: Cache<Assignment>
  readonly secrets: Cache<Secret>
  readonly leases: Cache<Lease>
  readonly #all: readonly Pick<Cache, 'start' | 'close' | 'synced' | 'waitForSync' | 'resource' | 'error'>[]
  readonly #clock: Clock
  readonly #records: Records
  #elsewhere: { readonly atMs: number; readonly online: ReadonlySet<string> } | undefined

  constructor(client: Client, records: Records, clock: Clock, log: Log) {
    const common = { client, clock, log }
    this.#clock = clock
    this.#records = records
    this.appliances = new Cache({
      ...common,
      resource: appliances,
      indexes: { site: ({ metadata, spec }) => [`${metadata.namespace}/${spec.siteRef.name}`] },
    })
    this.sites = new Cache({ ...common, resource: sites })
    this.assignments = new Cache({ ...common, resource: assignments })
    this.secrets = new Cache({ ...common, resource: secrets, labelSelector: APPLIANCE_LABEL })
    this.leases = new Cache({
      ...common,
      resource: leases,
      namespace: HEARTBEAT_NAMESPACE,
      labelSelector: HEARTBEAT_LABEL,
    })
    this.#all = [this.appliances, this.sites, this.assignments, this.secrets, this.leases]
  }

  start(): void {
    for (const cache of this.#all) cache.start()
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((cache) => cache.close()))
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#all.map((cache) => cache.waitForSync(signal)))
  }

  /** How each cache is, for metrics. */
  get caches(): { readonly resource: string; readonly synced: boolean; readonly error?: string }[] {
    return this.#all.map(({ resource: { group, plural }, synced, error }) => ({
      resource: group === '' ? plural : `${plural}.${group}`,
      synced,
      ...(error ? { error: error.message } : {}),
    }))
  }

  /** Whether everything has been read once: before that, nobody can be let in or refused. */
  get synced(): boolean {
    return this.#all.every((cache) => cache.synced)
  }

  /** Whether this gateway, or another one, has heard of the appliance lately. `elsewhere`: from `heardElsewhere`, read once for many. */
  isOnline(key: string, elsewhere: ReadonlySet<string>): boolean {
    const heardMs = this.#records.lastHeardMs.get(key)
    if (heardMs !== undefined && this.#clock.monotonicMs() - heardMs < SILENT_AFTER_MS) return true
    return elsewhere.has(key)
  }

  /** Appliances that other gateways' Leases list; read anew at most once a second. */
  heardElsewhere(gateway: string): ReadonlySet<string> {
    const nowMs = this.#clock.monotonicMs()
    if (this.#elsewhere === undefined || nowMs - this.#elsewhere.atMs > 1000) {
      const others = this.leases.list().filter(({ spec }) => spec?.holderIdentity !== gateway)
      this.#elsewhere = { atMs: nowMs, online: readHeartbeats(others, this.#clock.now()).online }
    }
    return this.#elsewhere.online
  }

  /** What an appliance advertises: as it told this gateway, or else as its status says. */
  inventoriesOf(key: string): readonly InventoryRef[] {
    const told = this.#records.get(key)?.inventories
    return told ? [...told.values()] : (this.appliances.get(key)?.status?.content?.inventories ?? [])
  }
}
