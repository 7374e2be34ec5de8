import {
  heartbeatLease,
  planHeartbeats,
  presumedOnline,
  type ShardWritten,
  staleLeases,
} from '../reconcilers/gateway/heartbeats.ts'
import { HEARTBEAT_NAMESPACE, shardOf } from '../reconcilers/heartbeats/leases.ts'
import type { Client } from '../runtime/client/client.ts'
import { leases, namespaces } from '../runtime/client/resource.ts'
import type { Clock } from '../runtime/clock.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Fleet } from './fleet.ts'
import type { Records } from './records.ts'

/** Lets go of a write that gets no answer, however long the server asks to wait: the Lease would run out meanwhile, and the fleet look dark. */
const WRITE_TIMEOUT_MS = 8000
/** The loop looks every 10 s, and no write takes longer than its timeout: after so long without, it does not work any more. */
const STUCK_AFTER_MS = 60_000
/** After a Lease could not be written. */
const RETRY_MS = 1000
const SWEEP_MS = 600_000

export interface HeartbeatOptions {
  readonly client: Client
  readonly gateway: string
  readonly fieldManager: string
  readonly fleet: Fleet
  readonly records: Records
  readonly clock: Clock
  readonly log: Log
  /** Told of every appliance that a Lease has begun to list. */
  readonly onListed: (appliance: string) => void
}

/** Keeps the heartbeat Leases telling who is heard. Nothing here touches an Appliance. */
export class Heartbeats {
  readonly #options: HeartbeatOptions
  readonly #written = new Map<number, ShardWritten>()
  /** What the Leases list, by shard. */
  readonly #listed = new Map<number, ReadonlySet<string>>()
  /** Shards whose Lease could not be written, and when to try again (monotonic ms). */
  readonly #retryAtMs = new Map<number, number>()
  readonly #writing = new Map<number, { readonly ended: Promise<void>; readonly sinceMs: number }>()
  readonly #stop = new AbortController()
  #cancelTimer: (() => void) | undefined
  #timerDueMs = Number.POSITIVE_INFINITY
  #cancelSweep: (() => void) | undefined
  #looksSoon = false
  /** When the loop last looked, monotonic; undefined until it begins. */
  #lookedAtMs: number | undefined
  #started = false
  #failing = false

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  /** Begins to write. The fleet must have synced. */
  start(): void {
    this.#started = true
    const { fleet, records, clock } = this.#options
    for (const [key, heardMs] of presumedOnline(fleet.appliances.list(), clock.monotonicMs())) {
      if (!records.lastHeardMs.has(key)) records.lastHeardMs.set(key, heardMs)
    }
    fleet.appliances.onChange(({ type }) => {
      if (type !== 'update') this.#wakeIn(0)
    })
    this.#sweepLater(0)
    this.#wakeIn(0)
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the gateway was closed'))
    this.#cancelTimer?.()
    this.#cancelSweep?.()
    await Promise.all(Array.from(this.#writing.values(), ({ ended }) => ended))
  }

  /** Notes that an appliance has been heard just now. */
  heard(key: string): void {
    const { records, clock } = this.#options
    records.lastHeardMs.set(key, clock.monotonicMs())
    if (!this.isListed(key)) this.#wakeIn(0)
  }

  /** What is wrong where the loop has stopped, which must not happen. That the API does not take the Leases is no such thing. */
  get stuck(): string | undefined {
    const nowMs = this.#options.clock.monotonicMs()
    const seconds = (ms: number) => Math.round(ms / 1000)
    if (this.#lookedAtMs !== undefined && nowMs - this.#lookedAtMs > STUCK_AFTER_MS)
      return `nobody has looked after the leases for ${seconds(nowMs - this.#lookedAtMs)} s`
    for (const [shard, { sinceMs }] of this.#writing) {
      if (nowMs - sinceMs > STUCK_AFTER_MS)
        return `the write of lease ${shard} has hung for ${seconds(nowMs - sinceMs)} s`
    }
    return undefined
  }

  /** How many appliances the Leases list. */
  get listed(): number {
    let count = 0
    for (const appliances of this.#listed.values()) count += appliances.size
    return count
  }

  /** Whether a Lease says that the appliance is there. */
  isListed(key: string): boolean {
    return this.#listed.get(shardOf(key))?.has(key) ?? false
  }

  /** Many may come at once: whoever asks within one turn is answered by one look. */
  #wakeIn(ms: number): void {
    if (!this.#started || this.#stop.signal.aborted) return
    if (ms <= 0) this.#lookSoon()
    else this.#lookIn(ms)
  }

  #lookSoon(): void {
    if (this.#looksSoon) return
    this.#looksSoon = true
    queueMicrotask(() => {
      this.#looksSoon = false
      if (!this.#stop.signal.aborted) this.#look()
    })
  }

  #lookIn(ms: number): void {
    const { clock } = this.#options
    const dueMs = clock.monotonicMs() + ms
    if (dueMs >= this.#timerDueMs) return
    this.#cancelTimer?.()
    this.#timerDueMs = dueMs
    this.#cancelTimer = clock.after(ms, () => {
      this.#timerDueMs = Number.POSITIVE_INFINITY
      this.#look()
    })
  }

  #look(): void {
    const { fleet, records, clock } = this.#options
    const isKnown = (key: string) => fleet.appliances.get(key) !== undefined
    const input = { lastHeardMs: records.lastHeardMs, known: fleet.appliances.keys(), isKnown, written: this.#written }
    const nowMs = clock.monotonicMs()
    this.#lookedAtMs = nowMs
    const { renew, afterMs } = planHeartbeats(input, nowMs)
    for (const { shard, online } of renew) {
      // A write that is under way looks again when it has ended.
      if (this.#writing.has(shard) || (this.#retryAtMs.get(shard) ?? 0) > nowMs) continue
      this.#writing.set(shard, { ended: this.#write(shard, online), sinceMs: nowMs })
    }
    this.#wakeIn(afterMs)
  }

  /** Never rejects. */
  async #write(shard: number, online: readonly string[]): Promise<void> {
    const { clock, log } = this.#options
    const atMs = clock.monotonicMs()
    let waitMs = 0
    try {
      await this.#apply(shard, online)
      this.#written.set(shard, { online, atMs })
      this.#noteListed(shard, online)
      this.#retryAtMs.delete(shard)
      if (this.#failing) log.info({}, 'heartbeat leases are written again')
      this.#failing = false
    } catch (err) {
      if (this.#stop.signal.aborted) return
      if (!this.#failing) log.warn({ err, shard }, 'cannot write a heartbeat lease; will go on trying')
      this.#failing = true
      waitMs = RETRY_MS
      this.#retryAtMs.set(shard, clock.monotonicMs() + RETRY_MS)
    } finally {
      this.#writing.delete(shard)
    }
    this.#wakeIn(waitMs)
  }

  async #apply(shard: number, online: readonly string[]): Promise<void> {
    const { client, gateway, fieldManager, clock } = this.#options
    const late = new AbortController()
    const cancel = clock.after(WRITE_TIMEOUT_MS, () =>
      late.abort(new Error(`no answer in ${WRITE_TIMEOUT_MS / 1000} s`)),
    )
    const signal = AbortSignal.any([this.#stop.signal, late.signal])
    const apply = () =>
      client.apply(leases, heartbeatLease(gateway, shard, online, clock.now()), { fieldManager, force: true, signal })
    try {
      await apply()
    } catch (error) {
      if (!isNotFound(error)) throw error
      await this.#makeNamespace(signal)
      await apply()
    } finally {
      cancel()
    }
  }

  async #makeNamespace(signal: AbortSignal): Promise<void> {
    const { client, fieldManager } = this.#options
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HEARTBEAT_NAMESPACE } }
    try {
      await client.create(namespaces, namespace, { fieldManager, signal })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  #noteListed(shard: number, online: readonly string[]): void {
    const before = this.#listed.get(shard)
    this.#listed.set(shard, new Set(online))
    for (const key of online) if (!before?.has(key)) this.#options.onListed(key)
  }

  #sweepLater(ms: number): void {
    this.#cancelSweep = this.#options.clock.after(ms, () => {
      this.#sweep().catch((err: unknown) => {
        if (!this.#stop.signal.aborted) this.#options.log.warn({ err }, 'cannot remove old heartbeat leases')
      })
      this.#sweepLater(SWEEP_MS)
    })
  }

  /** Removes the Leases of gateways that are gone. */
  async #sweep(): Promise<void> {
    const { client, fleet, clock } = this.#options
    for (const { metadata } of staleLeases(fleet.leases.list(), clock.now())) {
      const key = { namespace: HEARTBEAT_NAMESPACE, name: metadata.name ?? '' }
      const { resourceVersion } = metadata
      try {
        await client.delete(leases, key, {
          ...(resourceVersion !== undefined && { preconditions: { resourceVersion } }),
          signal: this.#stop.signal,
        })
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error
      }
    }
  }
}
