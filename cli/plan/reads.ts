import { createHash } from 'node:crypto'
import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import { isSecret } from '../changes/mask.ts'
import { printJson } from '../output/json.ts'
import { type FleetSnapshot, fleetKinds } from './fleet-model.ts'

/** An object as a plan was made on it. */
export interface Read {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  /** Null: it was not there. */
  readonly uid: string | null
  readonly resourceVersion: string | null
  /**
   * What of it a plan depends on: everything but what the fleet reports all the time (heartbeats, progress), so that a busy fleet does not make
   * a plan stale. Null where only the resourceVersion can tell: of a Secret nothing is kept, not even a digest.
   */
  readonly decisive: string | null
}

/** Everything that a plan was made on: the whole fleet, and what the manifests are about, of whatever kind. */
export function readsOf(
  snapshot: FleetSnapshot,
  others: readonly { readonly object: KubeObject; readonly live: KubeObject | undefined }[],
): Read[] {
  const reads = new Map<string, Read>()
  const note = (read: Read) => reads.set(readKey(read), read)
  for (const kind of fleetKinds) for (const object of snapshot[kind]) note(readOf(object))
  for (const { object, live } of others) {
    const { apiVersion, kind, metadata } = object
    note(
      live ? readOf({ ...live, apiVersion, kind } as KubeObject) : { ...nameOf(apiVersion, kind, metadata), ...absent },
    )
  }
  return [...reads.values()]
}

const absent = { uid: null, resourceVersion: null, decisive: null } as const

export function readOf(object: KubeObject): Read {
  const { apiVersion, kind, metadata } = object
  return {
    ...nameOf(apiVersion, kind, metadata),
    uid: metadata.uid ?? null,
    resourceVersion: metadata.resourceVersion ?? null,
    decisive: isSecret(object) ? null : decisiveDigest(object as KubeObject & JsonObject),
  }
}

export const readKey = ({ apiVersion, kind, namespace, name }: Omit<Read, 'uid' | 'resourceVersion' | 'decisive'>) =>
  `${apiVersion} ${kind} ${namespace ?? ''}/${name}`

function nameOf(apiVersion: string, kind: string, { namespace, name = '' }: KubeObject['metadata']) {
  return { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name }
}

/** Of a status, what others decide on. */
const DECISIVE_STATUS = ['currentPlan', 'digest', 'demandDigest', 'counted'] as const

function decisiveDigest({ metadata, status, ...rest }: KubeObject & JsonObject): string {
  const { labels, annotations, finalizers, ownerReferences, deletionTimestamp } = metadata
  const told = (status ?? {}) as Readonly<Record<string, JsonValue | undefined>>
  const seen = {
    ...(rest as JsonObject),
    metadata: { labels, annotations, finalizers, ownerReferences, deletionTimestamp },
    status: DECISIVE_STATUS.map((field) => told[field] ?? null),
  }
  return createHash('sha256').update(printJson(seen, '')).digest('base64url').slice(0, 22)
}
