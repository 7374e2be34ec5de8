import type { Appliance } from '../../crds/types.gen.ts'
import {
  HEARTBEAT_LABEL,
  HEARTBEAT_NAMESPACE,
  type HeartbeatLease,
  LEASE_DURATION_SECONDS,
  LEASE_RENEW_MS,
  leaseName,
  ONLINE_ANNOTATION,
  SILENT_AFTER_MS,
  shardOf,
} from '../heartbeats/leases.ts'

/** A shard's Lease is written at most so often, however many appliances come and go. */
export const SHARD_INTERVAL_MS = 500
/** For so long after its start, a gateway believes of appliances that were online before that they still are. */
export const START_GRACE_MS = 15_000
/** Leases of gateways that are gone are kept for so long after they have run out. */
export const KEEP_STALE_LEASES_MS = 600_000

/** What the gateway last wrote for a shard. Times are monotonic ms. */
export interface ShardWritten {
  readonly online: readonly string[]
  readonly atMs: number
}

export interface HeartbeatInput {
  /** Appliance (`namespace/name`) → when it was last heard, monotonic ms. */
  readonly lastHeardMs: ReadonlyMap<string, number>
  /** Every appliance that exists. */
  readonly known: Iterable<string>
  readonly isKnown: (key: string) => boolean
  readonly written: ReadonlyMap<number, ShardWritten>
}

export interface HeartbeatPlan {
  /** Shards whose Lease must be written now, with the appliances to list: sorted. */
  readonly renew: readonly { readonly shard: number; readonly online: readonly string[] }[]
  /** When to ask again, if nobody is heard before that who is not listed. */
  readonly afterMs: number
}

/**
 * Decides which heartbeat Leases to renew. A shard is renewed every 10 s while it has appliances, and as soon as the list of those
 * that were heard within 30 s differs from what was written. Pure.
 */
export function planHeartbeats({ lastHeardMs, known, isKnown, written }: HeartbeatInput, nowMs: number): HeartbeatPlan {
  const online = new Map<number, string[]>()
  for (const key of known) if (!online.has(shardOf(key))) online.set(shardOf(key), [])
  let afterMs = LEASE_RENEW_MS
  for (const [key, heardMs] of lastHeardMs) {
    const leftMs = heardMs + SILENT_AFTER_MS - nowMs
    if (leftMs <= 0 || !isKnown(key)) continue
    online.get(shardOf(key))?.push(key)
    afterMs = Math.min(afterMs, leftMs)
  }
  // A shard that has lost its last appliance is written once more, empty.
  for (const [shard, { online: listed }] of written) if (listed.length > 0 && !online.has(shard)) online.set(shard, [])

  const renew: { shard: number; online: string[] }[] = []
  for (const [shard, keys] of [...online].sort(([a], [b]) => a - b)) {
    keys.sort()
    const before = written.get(shard)
    const dueMs = before
      ? before.atMs + (sameList(before.online, keys) ? LEASE_RENEW_MS : SHARD_INTERVAL_MS) - nowMs
      : 0
    if (dueMs <= 0) renew.push({ shard, online: keys })
    else afterMs = Math.min(afterMs, dueMs)
  }
  return { renew, afterMs: Math.max(1, Math.ceil(afterMs)) }
}

/**
 * Who a gateway that has just started takes for online until it could have heard of them: otherwise every restart would make the whole fleet
 * look dark for a moment. As when each was last heard, monotonic ms.
 */
export function presumedOnline(appliances: readonly Appliance[], nowMs: number): Map<string, number> {
  const heardMs = nowMs - SILENT_AFTER_MS + START_GRACE_MS
  const presumed = new Map<string, number>()
  for (const { metadata, status } of appliances) {
    const online = status?.conditions?.find(({ type }) => type === 'Online')
    if (status?.agent && online && online.status !== 'False')
      presumed.set(`${metadata.namespace}/${metadata.name}`, heardMs)
  }
  return presumed
}

/** The Lease that tells of a shard. */
export function heartbeatLease(gateway: string, shard: number, online: readonly string[], now: Date): HeartbeatLease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: leaseName(gateway, shard),
      namespace: HEARTBEAT_NAMESPACE,
      labels: { [HEARTBEAT_LABEL]: gateway },
      annotations: { [ONLINE_ANNOTATION]: JSON.stringify(online) },
    },
    spec: {
      holderIdentity: gateway,
      leaseDurationSeconds: LEASE_DURATION_SECONDS,
      renewTime: now.toISOString().replace('Z', '000Z'),
    },
  }
}

/** Leases that ran out so long ago that the gateway that wrote them is surely gone. */
export function staleLeases<L extends HeartbeatLease>(leases: readonly L[], now: Date): L[] {
  return leases.filter(({ spec }) => {
    const renewedMs = Date.parse(spec?.renewTime ?? '')
    const ranOutMs = renewedMs + (spec?.leaseDurationSeconds ?? LEASE_DURATION_SECONDS) * 1000
    return ranOutMs + KEEP_STALE_LEASES_MS < now.getTime()
  })
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}
