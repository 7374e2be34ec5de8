import type { Appliance, InventoryRef } from '../crds/types.gen.ts'
import { afterInventory, planReport } from '../reconcilers/gateway/report.ts'
import type { Client } from '../runtime/client/client.ts'
import type { Clock } from '../runtime/clock.ts'
import {
  Controller,
  type ControllerLoad,
  type ControllerObserver,
  type Result,
} from '../runtime/controller/controller.ts'
import { isConflict, isNotFound } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Counters } from './counters.ts'
import { appliances, type Fleet } from './fleet.ts'
import { notFound, unavailable } from './http/problem.ts'
import { RateLimit } from './rate-limit.ts'
import type { ApplianceRecord, Records } from './records.ts'
import type { Traces } from './traces.ts'

/** How long `PUT …/inventory` waits for the API before it tells the agent to try again. */
const STORE_TIMEOUT_MS = 15_000
/** What an appliance says is held back until a Lease says that it is there: it would look silent for a moment. But not longer than this. */
const LISTED_TIMEOUT_MS = 2000

export interface ReportsOptions {
  readonly client: Client
  readonly fieldManager: string
  readonly fleet: Fleet
  readonly records: Records
  readonly clock: Clock
  readonly log: Log
  /** Status writes per second over the whole fleet. */
  readonly writesPerSecond: number
  /** Whether a heartbeat Lease says that the appliance is there. */
  readonly isListed: (key: string) => boolean
  readonly counters: Counters
  readonly traces: Traces
  readonly observer?: ControllerObserver
}

/** Writes what agents report into Appliance.status: only what changed, not too often for any one of them, nor for all together. */
export class Reports {
  readonly #options: ReportsOptions
  readonly #controller: Controller
  readonly #rate: RateLimit
  readonly #waiting = new Map<string, Set<() => void>>()
  /** What a write gave back, until the cache has caught up. */
  readonly #written = new Map<string, Appliance>()
  #closed = false

  constructor(options: ReportsOptions) {
    this.#options = options
    this.#rate = new RateLimit(options.clock, options.writesPerSecond)
    this.#controller = new Controller({
      name: 'gateway',
      clock: options.clock,
      log: options.log,
      concurrency: 16,
      backoff: { baseMs: 200, capMs: 10_000 },
      ...(options.observer ? { observer: options.observer } : {}),
      reconcile: (key, { signal }) => this.#reconcile(key, signal),
    })
  }

  /** Of the loop that writes. */
  get load(): ControllerLoad {
    return this.#controller.load
  }

  start(): void {
    this.#options.fleet.appliances.onChange((change) => {
      const { type, key, object } = change
      const isNamesake = type === 'update' && change.old.metadata.uid !== object.metadata.uid
      if (type === 'delete' || isNamesake) this.#forget(key)
      // Somebody else may have changed what this gateway has told: it tells it again.
      else if (this.#options.records.get(key)) this.#controller.enqueue(key)
    })
    this.#controller.start()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const key of this.#waiting.keys()) this.#wake(key)
    await this.#controller.close()
  }

  /** Something of the appliance's record has changed. */
  changed(key: string): void {
    this.#controller.enqueue(key)
  }

  /** Changes what an appliance advertises of a catalog (undefined: nothing any more); resolves once the API has acknowledged it. */
  async setInventory(key: string, catalog: string, inventory: InventoryRef | undefined): Promise<void> {
    const { fleet, records } = this.#options
    const record = records.obtain(key)
    record.inventories ??= new Map(
      fleet.inventoriesOf(key).map((ref) => [`${ref.catalog.namespace}/${ref.catalog.name}`, ref]),
    )
    if (inventory) record.inventories.set(catalog, inventory)
    else record.inventories.delete(catalog)
    record.inventoriesVersion++
    this.changed(key)
    await this.#stored(key, record, record.inventoriesVersion)
  }

  async #stored(key: string, record: ApplianceRecord, version: number): Promise<void> {
    const { clock, records } = this.#options
    const done = Promise.withResolvers<void>()
    const look = () => {
      if (record.inventoriesStored >= version) done.resolve()
      else if (this.#closed) done.reject(unavailable('the gateway is closing', 1))
      else if (records.get(key) !== record) done.reject(notFound(`appliance ${key} does not exist`))
    }
    const waiting = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, waiting.add(look))
    const cancel = clock.after(STORE_TIMEOUT_MS, () =>
      done.reject(unavailable('the control plane has not taken the inventory yet; send it again', 2)),
    )
    try {
      await done.promise
    } finally {
      cancel()
      waiting.delete(look)
      if (waiting.size === 0) this.#waiting.delete(key)
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const { client, fieldManager, records, clock } = this.#options
    const record = records.get(key)
    const appliance = this.#newest(key)
    if (!record || !appliance) return { type: 'done' }
    const version = record.inventoriesVersion
    const input = {
      appliance,
      report: record.report,
      inventories: record.inventories && [...record.inventories.values()],
      writtenAtMs: record.writtenAtMs,
      inventoriesUntilMs: record.inventoriesUntilMs,
    }
    const decision = planReport(input, clock.monotonicMs())
    if (decision.type === 'later') return { type: 'requeue', afterMs: decision.afterMs }
    if (decision.type === 'write') {
      const waitMs = this.#waitForLease(key, record) || this.#waitForTurn(record)
      if (waitMs > 0) return { type: 'requeue', afterMs: waitMs }
      record.writtenAtMs = clock.monotonicMs()
      if (decision.isInventory)
        record.inventoriesUntilMs = afterInventory(record.inventoriesUntilMs, record.writtenAtMs)
      try {
        const object = decision.object as Appliance
        const write = () => client.applyStatus(appliances, object, { fieldManager, force: true, signal })
        this.#written.set(key, await this.#options.traces.reporting(key, record.report?.content, write))
        this.#options.counters.statusWrites++
      } catch (error) {
        // Gone, or another one of the same name: the cache will say so in a moment.
        if (isNotFound(error) || isConflict(error)) return { type: 'requeue', afterMs: 1000 }
        throw error
      }
    }
    record.inventoriesStored = Math.max(record.inventoriesStored, version)
    this.#wake(key)
    return { type: 'done' }
  }

  #waitForLease(key: string, record: ApplianceRecord): number {
    const { clock, isListed } = this.#options
    if (isListed(key)) {
      delete record.unlistedSinceMs
      return 0
    }
    const nowMs = clock.monotonicMs()
    record.unlistedSinceMs ??= nowMs
    return Math.max(0, record.unlistedSinceMs + LISTED_TIMEOUT_MS - nowMs)
  }

  #waitForTurn(record: ApplianceRecord): number {
    const nowMs = this.#options.clock.monotonicMs()
    record.turnAtMs ??= nowMs + this.#rate.reserve()
    if (record.turnAtMs > nowMs) return record.turnAtMs - nowMs
    delete record.turnAtMs
    return 0
  }

  /** The appliance as the cache or the last write shows it, whichever is newer. */
  #newest(key: string): Appliance | undefined {
    const cached = this.#options.fleet.appliances.get(key)
    const written = this.#written.get(key)
    if (!cached || !written || cached.metadata.uid !== written.metadata.uid || !isOlder(cached, written)) {
      this.#written.delete(key)
      return cached
    }
    return written
  }

  #forget(key: string): void {
    this.#options.records.forget(key)
    this.#written.delete(key)
    this.#wake(key)
  }

  #wake(key: string): void {
    for (const look of this.#waiting.get(key) ?? []) look()
  }
}

/** Versions of one object are decimal numbers that grow. Source: KEP-5504, comparable resource versions. */
function isOlder(a: Appliance, b: Appliance): boolean {
  const [left = '', right = ''] = [a.metadata.resourceVersion, b.metadata.resourceVersion]
  return left.length === right.length ? left < right : left.length < right.length
}
