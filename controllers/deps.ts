import type { KubeObject } from '../crds/metadata.ts'
import type { BlobStore } from '../runtime/blob-store.ts'
import type { Change } from '../runtime/cache/store.ts'
import type { Client } from '../runtime/client/client.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ControllerObserver } from '../runtime/controller/controller.ts'
import type { Log } from '../runtime/log.ts'
import type { Tracing } from '../runtime/tracing/tracing.ts'
import type { BrakeView } from './brake-view.ts'
import type { EventSink } from './events.ts'
import type { WriteOrder } from './write-order.ts'

/** What every controller is given. */
export interface ControllerDeps {
  readonly client: Client
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly log: Log
  readonly events: EventSink
  readonly brake: BrakeView
  readonly observer?: ControllerObserver
  readonly order: WriteOrder
  readonly assertLead?: () => void
  readonly tracing?: Tracing
}

/** What tells of a controller's work. */
export function watching({ observer, tracing }: ControllerDeps): Pick<ControllerDeps, 'observer' | 'tracing'> {
  return { ...(observer ? { observer } : {}), ...(tracing ? { tracing } : {}) }
}

/** Whether something was asked for: spec, labels or deletion, rather than status. */
export function asked(change: Change<KubeObject>): boolean {
  if (change.type !== 'update') return true
  const { metadata: now } = change.object
  const { metadata: before } = change.old
  return (
    now.uid !== before.uid ||
    now.generation !== before.generation ||
    now.deletionTimestamp !== before.deletionTimestamp ||
    !sameLabels(now.labels, before.labels)
  )
}

/** Whether the object came or went. */
export function cameOrWent(change: Change<KubeObject>): boolean {
  return change.type !== 'update' || change.object.metadata.uid !== change.old.metadata.uid
}

function sameLabels(a: KubeObject['metadata']['labels'] = {}, b: KubeObject['metadata']['labels'] = {}): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
