import { registry } from '../../crds/registry.gen.ts'
import type { Catalog, HardwareClass, PlacementPolicy } from '../../crds/types.gen.ts'
import {
  isDue,
  isWanted,
  nextPublicationInMs,
  type Publication,
  publicationDay,
  publish,
  withdraw,
} from '../../reconcilers/demand/publication.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { hashString } from '../../reconcilers/placement/hash.ts'
import { type BlobStore, digestOf } from '../../runtime/blob-store.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import type { Client } from '../../runtime/client/client.ts'
import type { Resource } from '../../runtime/client/resource.ts'
import type { Clock } from '../../runtime/clock.ts'
import { Controller, type ControllerObserver, type Result } from '../../runtime/controller/controller.ts'
import { isNotFound, Retryable } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { countOnThread } from './count.ts'

const catalogs: Resource<Catalog> = registry.Catalog
const policies: Resource<PlacementPolicy> = registry.PlacementPolicy
const hardwareClasses: Resource<HardwareClass> = registry.HardwareClass

/** Gateways begin a new day apart from each other, so that most often the first has published when the next looks. */
const SPREAD_MS = 600_000

export interface PublisherOptions {
  readonly client: Client
  readonly fieldManager: string
  readonly blobs: BlobStore
  /** Where demand is kept, as `--demand` names it. */
  readonly where: string
  /** The gateway's id. */
  readonly gateway: string
  readonly clock: Clock
  readonly log: Log
  readonly observer?: ControllerObserver
}

/**
 * Publishes, once a day and for each catalog that a policy plans by demand, what was counted and what is to be expected from it: two demand blobs, named in the
 * Catalog's status. Any gateway that shares the database may; the first one does.
 */
export class DemandPublisher {
  readonly #options: PublisherOptions
  readonly #catalogs: Cache<Catalog>
  readonly #policies: Cache<PlacementPolicy>
  readonly #classes: Cache<HardwareClass>
  readonly #controller: Controller

  constructor(options: PublisherOptions) {
    const { client, clock, log, observer } = options
    this.#options = options
    this.#catalogs = new Cache({ client, clock, log, resource: catalogs })
    const catalogOf = ({ metadata, spec }: PlacementPolicy) => [`${metadata.namespace}/${spec.catalogRef.name}`]
    this.#policies = new Cache({ client, clock, log, resource: policies, indexes: { catalog: catalogOf } })
    this.#classes = new Cache({ client, clock, log, resource: hardwareClasses })
    this.#controller = new Controller({
      name: 'demand',
      clock,
      log,
      ...(observer && { observer }),
      reconcile: (key, { signal }) => this.#reconcile(key, signal),
    })
      .reconciles(this.#catalogs)
      .watches(this.#policies, catalogOf)
  }

  start(): void {
    this.#catalogs.start()
    this.#policies.start()
    this.#classes.start()
    this.#controller.start()
  }

  /** What appliances of a hardware class can serve, in Gbit/s, where that is known. */
  throughputGbps(hardwareClass: string): number | undefined {
    return this.#classes.get(hardwareClass)?.spec.throughputGbps
  }

  async close(): Promise<void> {
    await this.#controller.close()
    await Promise.all([this.#catalogs, this.#policies, this.#classes].map((cache) => cache.close()))
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const { clock, log } = this.#options
    await Promise.all([this.#catalogs.waitForSync(signal), this.#policies.waitForSync(signal)])
    const catalog = this.#catalogs.get(key)
    if (!catalog) return { type: 'done' }
    if (!isWanted(this.#policies.byIndex('catalog', key))) {
      await this.#apply(withdraw(catalog), signal)
      return { type: 'done' }
    }
    if (isDue(catalog, clock.now())) {
      const publication = await this.#count(catalog, signal)
      const { days, files, refused, firstRefused } = publication.counted
      if (refused !== undefined)
        log.warn({ catalog: key, refused, first: firstRefused }, 'rows of the demand database cannot be')
      if (await this.#publish(catalog, publication, signal)) log.info({ catalog: key, days, files }, 'published demand')
    }
    return {
      type: 'requeue',
      afterMs: nextPublicationInMs(clock.now()) + (hashString(this.#options.gateway) % SPREAD_MS),
    }
  }

  async #count(catalog: Catalog, signal: AbortSignal): Promise<Publication> {
    const { blobs, where, clock } = this.#options
    const { digest = '', demandDigest = '' } = catalog.status ?? {}
    const [bytes, demand] = await Promise.all([blobs.get(digest), blobs.get(demandDigest)])
    if (!bytes || !demand) throw new Retryable('BlobMissing', `a blob of Catalog ${keyOf(catalog)} is not in the store`)
    const job = { where, name: keyOf(catalog), today: publicationDay(clock.now()), catalog: { digest, bytes, demand } }
    return await countOnThread(job, signal)
  }

  /** On the catalog as it is now: counting may have taken a while. */
  async #publish(
    { metadata, status }: Catalog,
    { counted, observed, forecast }: Publication,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { client, blobs, clock } = this.#options
    const name = { name: metadata.name!, namespace: metadata.namespace! }
    const now = await client.get(catalogs, name, { signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined
      throw error
    })
    if (!now || now.metadata.uid !== metadata.uid) return false
    const digests =
      observed && forecast ? { observedDigest: digestOf(observed), forecastDigest: digestOf(forecast) } : undefined
    const apply = publish(now, { counted, ...(digests && { digests }) }, status?.demandDigest ?? '', clock.now())
    if (!apply) return false
    if (observed && forecast && digests) {
      await blobs.put(observed, digests.observedDigest)
      await blobs.put(forecast, digests.forecastDigest)
    }
    await this.#apply(apply, signal)
    return true
  }

  async #apply(object: ReturnType<typeof withdraw>, signal: AbortSignal): Promise<void> {
    const { client, fieldManager } = this.#options
    if (object) await client.applyStatus(catalogs, object as Catalog, { fieldManager, force: true, signal })
  }
}
