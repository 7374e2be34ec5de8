import type { KubeObject } from '../../crds/metadata.ts'
import { hashString } from '../placement/hash.ts'

/** Where the gateways keep their heartbeat Leases, and how they name them. */
export const HEARTBEAT_NAMESPACE = 'weir-system'
export const HEARTBEAT_SHARDS = 16
/** Carried by every heartbeat Lease, so that they can be listed alone. */
export const HEARTBEAT_LABEL = 'fleet.weir.dev/heartbeats'
/** JSON array, sorted, of the appliances (`namespace/name`) of the shard that the gateway heard of within `SILENT_AFTER_MS`. */
export const ONLINE_ANNOTATION = 'fleet.weir.dev/online'
export const LEASE_DURATION_SECONDS = 30
export const LEASE_RENEW_MS = 10_000
export const SILENT_AFTER_MS = 30_000

/** coordination.k8s.io/v1 Lease, as far as heartbeats use it. */
export interface HeartbeatLease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    /** RFC 3339 with microseconds. */
    readonly renewTime?: string
  }
}

/** The shard of an appliance (`namespace/name`): its heartbeats are told in the Leases of that shard. */
export function shardOf(applianceKey: string): number {
  return hashString(applianceKey) % HEARTBEAT_SHARDS
}

export function leaseName(gateway: string, shard: number): string {
  return `weir-heartbeats-${gateway}-${shard}`
}

/** Which appliances some gateway hears. */
export interface Heard {
  readonly online: ReadonlySet<string>
  /** Shards that some living gateway answers for; what is not online there is silent, elsewhere nobody knows. */
  readonly freshShards: ReadonlySet<number>
  /** When the first of the fresh Leases runs out (ms since the epoch), unless it is renewed; undefined when none is fresh. */
  readonly expiresAtMs?: number
  /** The reader has only just begun: that a shard is not fresh may mean that gateways are starting as well. What was known before stays. */
  readonly settling?: boolean
}

/** Reads the heartbeat Leases of all gateways. One that was not renewed in time, or cannot be read, says nothing. */
export function readHeartbeats(leases: readonly HeartbeatLease[], now: Date): Heard {
  const online = new Set<string>()
  const freshShards = new Set<number>()
  let expiresAtMs: number | undefined
  for (const lease of leases) {
    const shard = Number(/-(\d+)$/.exec(lease.metadata.name ?? '')?.[1])
    const renewed = Date.parse(lease.spec?.renewTime ?? '')
    const expires = renewed + (lease.spec?.leaseDurationSeconds ?? LEASE_DURATION_SECONDS) * 1000
    if (!Number.isInteger(shard) || !(expires > now.getTime())) continue
    const listed = onlineOf(lease)
    if (!listed) continue
    freshShards.add(shard)
    for (const key of listed) online.add(key)
    if (expiresAtMs === undefined || expires < expiresAtMs) expiresAtMs = expires
  }
  return { online, freshShards, ...(expiresAtMs !== undefined && { expiresAtMs }) }
}

/** The appliances that a Lease lists, or undefined where its annotation is missing or no list. */
export function onlineOf(lease: HeartbeatLease): readonly string[] | undefined {
  try {
    const listed: unknown = JSON.parse(lease.metadata.annotations?.[ONLINE_ANNOTATION] ?? '')
    return Array.isArray(listed) && listed.every((key) => typeof key === 'string') ? listed : undefined
  } catch {
    return undefined
  }
}
