import type { KubeObject } from '../../crds/metadata.ts'
import type { Appliance, HardwareClass, Site, SteeringPolicy } from '../../crds/types.gen.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { buildWorld } from '../../reconcilers/steering/build-world.ts'
import { renewHolders } from '../../reconcilers/steering/holders.ts'
import {
  putAppliance,
  putCatalog,
  putHardwareClass,
  putSite,
  removeAppliance,
  removeCatalog,
  removeHardwareClass,
  removeSite,
  reportLoad,
  setInventory,
  setNamespaceLabels,
  setPolicies,
  setUp,
  tick,
} from '../../reconcilers/steering/update.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import type { Namespace } from '../../runtime/client/resource.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { Health } from '../failure/health.ts'
import type { Blobs } from './blobs.ts'
import type { CatalogIndex } from './catalog-index.ts'
import type { CatalogReader } from './catalog-reader.ts'
import { Inventories } from './inventories.ts'
import { essence, KINDS, type Kind, type ObjectsByKind } from './objects.ts'

export interface ModelOptions {
  readonly blobs: Blobs
  readonly reader: CatalogReader
  readonly clock: Clock
  readonly log: Log
}

/** Hears of what is to be probed, and of where clients are. */
export interface ModelListener {
  /** An appliance can be reached there; undefined: nowhere, or it is gone. */
  onAddress(appliance: string, url: string | undefined): void
  /** An appliance does not answer any more, or answers again. */
  onUp(appliance: string, up: boolean): void
  /** The networks that sites announce may have changed. */
  onSites(sites: Iterable<Site>): void
}

/** Slow start and stale load go by time. */
const TICK_MS = 250
/** Changes that come together are taken up together. */
const SETTLE_MS = 10
/** Lines of shelves that are gone through at a tick to make masks of holders anew: half a millisecond's worth, so 20,000 appliances take some 25 minutes. */
const RENEWED_LINES = 1000
/** Those of few appliances are made at one tick, and not at every one. */
const RENEW_REST_MS = 60_000

/**
 * The world that decisions are made on, and the objects that it is made of: whoever reads them, from the API or a snapshot, puts them in here. What
 * forbids an appliance is in force when `put` returns.
 */
export class Model {
  readonly world: World
  readonly health: Health
  readonly inventories: Inventories
  readonly #options: ModelOptions
  readonly #objects: { readonly [K in Kind]: Map<string, ObjectsByKind[K]> } = {
    HardwareClass: new Map(),
    Namespace: new Map(),
    Site: new Map(),
    Appliance: new Map(),
    Catalog: new Map(),
    SteeringPolicy: new Map(),
  }
  #listener: ModelListener | undefined
  #settling = false
  #sitesChanged = false
  #cancelTick = () => {}
  /** When masks of holders are made anew again, monotonic ms. */
  #renewAtMs = 0
  #closed = false
  /** Shelves that had been left out when that was told last. */
  #toldLeftOut = 0
  /** Goes up with every change of the objects. */
  version = 0

  constructor(options: ModelOptions) {
    const { clock, log, blobs, reader } = options
    this.#options = options
    this.world = buildWorld({ sites: [], appliances: [] }, clock.now().getTime())
    this.health = new Health({
      clock,
      log,
      onUp: (appliance, up) => {
        setUp(this.world, appliance, up, clock.now().getTime())
        this.#listener?.onUp(appliance, up)
      },
    })
    this.inventories = new Inventories({
      blobs,
      reader,
      clock,
      log,
      onInventory: (appliance, catalog, files) => setInventory(this.world, appliance, catalog, files),
      onCatalog: (catalog, index) => {
        putCatalog(this.world, catalog, index)
        this.#settle()
      },
      onCatalogGone: (catalog) => {
        removeCatalog(this.world, catalog)
        this.#settle()
      },
    })
    this.#tickLater()
  }

  listen(listener: ModelListener): void {
    this.#listener = listener
    for (const [key, appliance] of this.#objects.Appliance) listener.onAddress(key, urlOf(appliance))
    listener.onSites(this.#objects.Site.values())
  }

  objects<K extends Kind>(kind: K): ReadonlyMap<string, ObjectsByKind[K]> {
    return this.#objects[kind]
  }

  /** The files of a catalog, by its ordinal. */
  catalog(ordinal: number): CatalogIndex | undefined {
    return this.world.catalogs[ordinal] as CatalogIndex | undefined
  }

  put<K extends Kind>(kind: K, object: ObjectsByKind[K]): void {
    const key = keyOf(object)
    const next = essence(kind, object)
    const before = this.#objects[kind].get(key)
    if (before && JSON.stringify(before) === JSON.stringify(next)) return
    this.#objects[kind].set(key, next)
    this.#changed(kind)
    this.#put[kind](key, next as never, before as never)
  }

  remove(kind: Kind, key: string): void {
    if (!this.#objects[kind].delete(key)) return
    this.#changed(kind)
    this.#remove[kind](key)
  }

  /** Makes a kind hold exactly these. */
  replace<K extends Kind>(kind: K, objects: Iterable<ObjectsByKind[K]>): void {
    const present = new Set<string>()
    for (const object of objects) {
      present.add(keyOf(object))
      this.put(kind, object)
    }
    for (const key of [...this.#objects[kind].keys()]) if (!present.has(key)) this.remove(kind, key)
  }

  /** What an appliance says of its load, as it is probed. */
  load(appliance: string, load: { readonly requests: number; readonly bytesPerSecond: number }): void {
    const ordinal = this.world.applianceOrdinals.get(appliance)
    if (ordinal === undefined) return
    const gbps = (load.bytesPerSecond * 8) / 1e9
    const report = { inFlight: load.requests, utilisation: gbps / this.world.throughputGbps[ordinal]! }
    reportLoad(this.world, appliance, report, this.#options.clock.now().getTime())
  }

  /** Objects as they are now, for a snapshot. */
  *all(): Generator<KubeObject> {
    for (const kind of KINDS) yield* [...this.#objects[kind].values()]
  }

  /** Takes up at once what would be taken up in a moment. */
  tick(): void {
    const { clock, log } = this.#options
    tick(this.world, clock.now().getTime())
    if (this.#sitesChanged) this.#listener?.onSites(this.#objects.Site.values())
    this.#sitesChanged = false
    const { shelvesLeftOut } = this.world
    if (shelvesLeftOut > this.#toldLeftOut)
      log.error(
        { times: shelvesLeftOut },
        'there is no memory for what some appliances hold; they are not named for it',
      )
    this.#toldLeftOut = shelvesLeftOut
  }

  close(): void {
    this.#closed = true
    this.#cancelTick()
    this.inventories.close()
  }

  readonly #put: { readonly [K in Kind]: (key: string, next: ObjectsByKind[K], before?: ObjectsByKind[K]) => void } = {
    HardwareClass: (_, next: HardwareClass) => putHardwareClass(this.world, next),
    Namespace: () => this.#labels(),
    Site: (_, next: Site) => putSite(this.world, next),
    SteeringPolicy: () => this.#policies(),
    Catalog: (key, next) => {
      const digest = next.status?.digest
      const version = digest === undefined ? undefined : { uid: next.metadata.uid ?? '', digest }
      this.inventories.setCatalog(key, version)
    },
    Appliance: (key, next, before) => this.#putAppliance(key, next, before),
  }

  readonly #remove: { readonly [K in Kind]: (key: string) => void } = {
    HardwareClass: (key) => removeHardwareClass(this.world, key),
    Namespace: () => this.#labels(),
    Site: (key) => removeSite(this.world, key),
    SteeringPolicy: () => this.#policies(),
    Catalog: (key) => this.inventories.setCatalog(key, undefined),
    Appliance: (key) => {
      removeAppliance(this.world, key)
      this.inventories.removeAppliance(key)
      this.health.remove(key)
      this.#listener?.onAddress(key, undefined)
    },
  }

  #putAppliance(key: string, next: Appliance, before: Appliance | undefined): void {
    // Another one of the same name has nothing of what the old one held.
    const isNamesake = before !== undefined && before.metadata.uid !== next.metadata.uid
    if (isNamesake) this.#remove.Appliance(key)
    const parts = ({ metadata, spec, status }: Appliance) => JSON.stringify([metadata, spec, status?.addresses])
    const isNew = this.#isGone(key)
    if (!before || isNamesake || parts(before) !== parts(next)) putAppliance(this.world, next)
    // It has the old one's place, and what it does there; up again, as its condition may say at once, it begins slowly.
    if (isNew) setUp(this.world, key, false, this.#options.clock.now().getTime())
    const online = next.status?.conditions?.find(({ type }) => type === 'Online')?.status
    this.health.setOnline(key, online === undefined || online === 'Unknown' ? undefined : online === 'True')
    this.inventories.setAppliance(key, next.status?.content?.inventories ?? [])
    const url = urlOf(next)
    if (!before || isNamesake || urlOf(before) !== url) this.#listener?.onAddress(key, url)
  }

  /** Whether there was an appliance of this name, and is none. */
  #isGone(key: string): boolean {
    const ordinal = this.world.applianceOrdinals.get(key)
    return ordinal !== undefined && this.world.appliances[ordinal] === undefined
  }

  #labels(): void {
    const labels = new Map<string, Readonly<Record<string, string>>>()
    for (const [name, { metadata }] of this.#objects.Namespace as Map<string, Namespace>)
      labels.set(name, metadata.labels ?? {})
    setNamespaceLabels(this.world, labels)
  }

  #policies(): void {
    setPolicies(this.world, [...this.#objects.SteeringPolicy.values()] as SteeringPolicy[])
  }

  #changed(kind: Kind): void {
    this.version++
    if (kind === 'Site') this.#sitesChanged = true
    this.#settle()
  }

  #settle(): void {
    if (this.#settling || this.#closed) return
    this.#settling = true
    this.#options.clock.after(SETTLE_MS, () => {
      this.#settling = false
      if (this.#closed) return
      this.tick()
    })
  }

  #tickLater(): void {
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      this.tick()
      this.#renewHolders()
      this.#tickLater()
    })
  }

  #renewHolders(): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs >= this.#renewAtMs && renewHolders(this.world, RENEWED_LINES)) this.#renewAtMs = nowMs + RENEW_REST_MS
  }
}

function urlOf({ status }: Appliance): string | undefined {
  return status?.addresses?.find(({ type }) => type === 'HTTP')?.url
}
