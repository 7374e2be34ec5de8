import type { KubeObject, ManagedFieldsEntry } from '../metadata.ts'
import { capUpdateManagers } from './cap-managers.ts'
import {
  decodeManaged,
  encodeManaged,
  type Managed,
  type ManagerId,
  NOTHING_MANAGED,
  sharedEntries,
} from './managed.ts'
import type { FieldScope, TrackRequest } from './request.ts'
import { asJson, withManagedFields } from './strip.ts'
import { checkType, TypingError } from './typing.ts'
import { Updater } from './updater.ts'

export { withoutTimeChurn } from './time-churn.ts'

/**
 * Gives what a create, update or (non-apply) patch changed to its manager. What does not fit its type loses its managedFields
 * rather than failing the request.
 */
export function trackUpdate(request: TrackRequest): KubeObject {
  const { scope, live, updated, manager, now } = request
  const liveEntries = live?.metadata.managedFields
  const sent = sharedEntries(updated.metadata.managedFields, liveEntries)
  const managed = scope.subresource === '' ? managedOf(scope, sent, liveEntries) : decodeOrNothing(liveEntries)
  // An object that nobody's fields are tracked of stays so until somebody applies, except from its creation.
  if (managed.size === 0 && live?.metadata.uid) return withManagedFields(updated, undefined)
  try {
    const tracked = trackManaged(scope, live, updated, managed, manager, now)
    return withManagedFields(updated, encodeManaged(tracked, liveEntries))
  } catch (error) {
    if (error instanceof TypingError) return withManagedFields(updated, undefined)
    throw error
  }
}

/** The entries that a request starts from: those that it sent, unless it sent none that can be read; `[{}]` resets. */
function managedOf(
  scope: FieldScope,
  sent: readonly ManagedFieldsEntry[] | undefined,
  live: readonly ManagedFieldsEntry[] | undefined,
): Managed {
  if (sent?.length === 0 && scope.emptyListResets) return NOTHING_MANAGED
  if (sent?.length === 1 && Object.values(sent[0] ?? {}).every((value) => value === undefined)) return NOTHING_MANAGED
  const managed = decodeOrNothing(sent)
  return managed.size > 0 ? managed : decodeOrNothing(live)
}

function decodeOrNothing(entries: readonly ManagedFieldsEntry[] | undefined): Managed {
  try {
    return decodeManaged(entries)
  } catch {
    return NOTHING_MANAGED
  }
}

/** The owners after `live` became `updated`. Throws where either does not fit its type. */
export function trackManaged(
  scope: FieldScope,
  live: KubeObject | undefined,
  updated: KubeObject,
  managed: Managed,
  manager: string,
  now: string,
): Managed {
  const before = asJson(withManagedFields(live ?? scope.emptyObject, undefined))
  const after = asJson(withManagedFields(updated, undefined))
  const atom = scope.typeOf(scope.apiVersion)?.root
  if (atom) {
    checkType(before, atom, true)
    checkType(after, atom, true)
  }
  const id: ManagerId = {
    manager: manager === '' ? 'unknown' : manager,
    operation: 'Update',
    apiVersion: scope.apiVersion,
    subresource: scope.subresource,
  }
  return capUpdateManagers(new Updater(scope).update(before, after, managed, id, now))
}

/** `?fieldManager=`, or else the user agent up to its first `/`: printable characters, at most 128 bytes. */
export function managerName(fieldManager: string | undefined, userAgent: string | undefined): string {
  if (fieldManager) return fieldManager
  const agent = (userAgent ?? '').split('/', 1)[0] ?? ''
  let name = ''
  let bytes = 0
  for (const char of agent) {
    bytes += Buffer.byteLength(char)
    if (bytes > 128) break
    if (char === ' ' || !/[\p{C}\p{Z}]/u.test(char)) name += char
  }
  return name
}
