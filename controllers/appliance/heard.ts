import {
  HEARTBEAT_SHARDS,
  type Heard,
  LEASE_DURATION_SECONDS,
  readHeartbeats,
  shardOf,
} from '../../reconcilers/heartbeats/leases.ts'
import type { Cache } from '../../runtime/cache/cache.ts'
import type { Lease } from '../../runtime/client/resource.ts'
import type { Clock } from '../../runtime/clock.ts'

export interface HeardOptions {
  readonly leases: Cache<Lease>
  readonly clock: Clock
  /** Every appliance of these that is heard of, or no longer, or whose shard nobody answers for any more, or again. */
  readonly onChange: (applianceKeys: readonly string[]) => void
  /** `namespace/name` of every appliance there is. */
  readonly applianceKeys: () => Iterable<string>
}

/**
 * What the gateways hear, read once per change of their Leases instead of once per appliance, and read again when a Lease runs out. Says which
 * appliances that concerns, so that a renewal without news costs nothing.
 */
export class HeardView {
  readonly #options: HeardOptions
  #now: Heard = { online: new Set(), freshShards: new Set() }
  #cancelTimer: (() => void) | undefined
  #cancelSettle: () => void
  #settling = true
  #pending = false

  constructor(options: HeardOptions) {
    this.#options = options
    options.leases.onChange(() => this.#soon())
    this.#cancelSettle = options.clock.after(LEASE_DURATION_SECONDS * 1000, () => this.#settle())
  }

  /** Without `expiresAtMs`: whoever asks is told by `onChange`, and need not look again by itself. */
  get now(): Heard {
    const { online, freshShards } = this.#now
    return { online, freshShards, settling: this.#settling }
  }

  close(): void {
    this.#cancelTimer?.()
    this.#cancelSettle()
    this.#pending = true
  }

  /** A gateway had its time to say something: from now on, silence means that there is none. */
  #settle(): void {
    this.#settling = false
    const { applianceKeys, onChange } = this.#options
    const unheard = [...applianceKeys()].filter((key) => !this.#now.freshShards.has(shardOf(key)))
    if (unheard.length > 0) onChange(unheard)
  }

  /** Leases come in bursts, one per shard: they are read together. */
  #soon(): void {
    if (this.#pending) return
    this.#pending = true
    queueMicrotask(() => {
      this.#pending = false
      this.#read()
    })
  }

  #read(): void {
    const { leases, clock, onChange } = this.#options
    const before = this.#now
    const now = clock.now()
    this.#now = readHeartbeats(leases.list(), now)
    this.#cancelTimer?.()
    if (this.#now.expiresAtMs !== undefined) {
      this.#cancelTimer = clock.after(Math.max(1, this.#now.expiresAtMs - now.getTime() + 1), () => this.#read())
    }
    const changed = this.#changedSince(before)
    if (changed.length > 0) onChange(changed)
  }

  #changedSince(before: Heard): string[] {
    const now = this.#now
    const changed = new Set<string>()
    for (const key of now.online) if (!before.online.has(key)) changed.add(key)
    for (const key of before.online) if (!now.online.has(key)) changed.add(key)
    const shards = Array.from({ length: HEARTBEAT_SHARDS }, (_, shard) => shard)
    const turned = new Set(shards.filter((shard) => now.freshShards.has(shard) !== before.freshShards.has(shard)))
    if (turned.size > 0) {
      for (const key of this.#options.applianceKeys()) if (turned.has(shardOf(key))) changed.add(key)
    }
    return [...changed]
  }
}
