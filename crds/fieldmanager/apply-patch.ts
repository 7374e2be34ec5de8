import type { JsonObject, KubeObject } from '../metadata.ts'
import { conflictResult } from './conflict.ts'
import {
  difference,
  eachField,
  equalSets,
  type FieldSet,
  growingFieldSet,
  hasField,
  insertField,
  isEmptySet,
} from './field-set.ts'
import { fieldsOfLastApplied, KUBECTL_MANAGER, withLastApplied } from './last-applied.ts'
import { decodeManaged, encodeManaged, type Managed, type ManagedSet, type ManagerId, managerKey } from './managed.ts'
import type { ApplyRequest, ApplyResult } from './request.ts'
import { asJson, asKubeObject, STRIPPED_FIELDS, withManagedFields } from './strip.ts'
import { trackManaged } from './track-update.ts'
import { checkType, TypingError } from './typing.ts'
import { type Applied, ApplyConflict, Updater } from './updater.ts'
import { isMap } from './value.ts'
import { withoutEmptyMetadata } from './without-empty-metadata.ts'

/** Who is said to own what an object had before its first apply, where nothing was tracked. */
const BEFORE_FIRST_APPLY = 'before-first-apply'

/** Server-side apply, as Kubernetes does it. Pure. */
export function applyPatch(request: ApplyRequest): ApplyResult {
  const { scope, patch, manager, now } = request
  if (patch.apiVersion !== scope.apiVersion || patch.kind !== scope.kind) {
    return { outcome: 'invalid', code: 400, message: `invalid object type: ${groupVersionKind(patch)}` }
  }
  if (isMap(patch.metadata) && (patch.metadata.managedFields ?? null) !== null) {
    return { outcome: 'invalid', code: 400, message: 'metadata.managedFields must be nil' }
  }
  const live = request.live ?? scope.emptyObject
  const id: ManagerId = {
    manager: manager === '' ? 'unknown' : manager,
    operation: 'Apply',
    apiVersion: scope.apiVersion,
    subresource: scope.subresource,
  }
  try {
    const managed = managedBeforeApply(request, live)
    const result = applyOrTakeOver(request, live, managed, id)
    return finish(request, live, result, id, now)
  } catch (error) {
    if (error instanceof ApplyConflict) return conflictResult(error.conflicts)
    if (error instanceof TypingError) return { outcome: 'invalid', code: 500, message: error.message }
    throw error
  }
}

function managedBeforeApply({ scope, now }: ApplyRequest, live: KubeObject): Managed {
  let managed: Managed
  try {
    managed = decodeManaged(live.metadata.managedFields)
  } catch (error) {
    throw new TypingError(`failed to decode managed fields: ${(error as Error).message}`)
  }
  if (managed.size > 0) return managed
  return inContext('failed to create manager for existing fields', () =>
    trackManaged(scope, undefined, live, managed, BEFORE_FIRST_APPLY, now),
  )
}

/** Applies; `kubectl` may take over, without force, what client-side apply wrote. */
function applyOrTakeOver(request: ApplyRequest, live: KubeObject, managed: Managed, id: ManagerId): Applied {
  const { scope, patch, force } = request
  const atom = scope.typeOf(scope.apiVersion)?.root
  const before = asJson(withManagedFields(live, undefined))
  if (atom) {
    inContext(`failed to create typed patch object (${describe(patch)})`, () => checkType(patch, atom, false))
    inContext(`failed to create typed live object (${describe(before)})`, () => checkType(before, atom, true))
  }
  const updater = new Updater(scope)
  try {
    return updater.apply(before, patch, managed, id, force)
  } catch (error) {
    if (!(error instanceof ApplyConflict) || request.manager !== KUBECTL_MANAGER) throw error
    const allowed = fieldsOfLastApplied(scope, live)
    if (!allowed) throw error
    const remaining = new Map<string, FieldSet>()
    for (const [key, set] of error.conflicts) {
      const rest = fieldsNotIn(set, allowed)
      if (!isEmptySet(rest)) remaining.set(key, rest)
    }
    if (remaining.size > 0) throw new ApplyConflict(remaining)
    return updater.apply(before, patch, managed, id, true)
  }
}

function fieldsNotIn(set: FieldSet, allowed: FieldSet): FieldSet {
  const rest = growingFieldSet()
  eachField(set, (path) => {
    if (!hasField(allowed, path)) insertField(rest, path)
  })
  return rest
}

function finish(
  request: ApplyRequest,
  live: KubeObject,
  { object: merged, managers }: Applied,
  id: ManagerId,
  now: string,
): ApplyResult {
  const atom = request.scope.typeOf(request.scope.apiVersion)?.root
  let object = merged ? asKubeObject(withoutEmptyMetadata(merged, atom)) : withManagedFields(live, undefined)
  const before = object
  if (request.manager === KUBECTL_MANAGER) object = withLastApplied(object, request.patch)
  const entries = encodeManaged(ownedBy(id, managers, live, merged ? now : undefined), live.metadata.managedFields)
  if (!merged && object === before && request.live && entries === live.metadata.managedFields) {
    return { outcome: 'applied', object: request.live, changed: false }
  }
  return { outcome: 'applied', object: withManagedFields(object, entries), changed: true }
}

/** The managers with the applier's entry as it is stored: without what nobody owns, and stamped if the object changed. */
function ownedBy(id: ManagerId, managers: Managed, live: KubeObject, now: string | undefined): Managed {
  const key = managerKey(id)
  const own = managers.get(key)
  if (!own) return managers
  const result = new Map<string, ManagedSet>(managers)
  const set = difference(own.set, STRIPPED_FIELDS)
  const previous = decodeManaged(live.metadata.managedFields).get(key)
  const time = now ?? previous?.time
  if (isEmptySet(set)) result.delete(key)
  else if (
    previous &&
    previous.time === time &&
    previous.id.apiVersion === id.apiVersion &&
    equalSets(previous.set, set)
  ) {
    result.set(key, previous)
  } else result.set(key, { id, set, time })
  return result
}

function inContext<T>(context: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof TypingError) throw new TypingError(`${context}: ${error.message}`)
    throw error
  }
}

/** `namespace/name; group/version, Kind=K` */
function describe(object: JsonObject): string {
  const metadata = isMap(object.metadata) ? object.metadata : {}
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return `${text(metadata.namespace)}/${text(metadata.name)}; ${groupVersionKind(object)}`
}

function groupVersionKind(object: JsonObject): string {
  const apiVersion = typeof object.apiVersion === 'string' ? object.apiVersion : ''
  const kind = typeof object.kind === 'string' ? object.kind : ''
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`
}
