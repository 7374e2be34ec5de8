import { managerName, trackUpdate, withoutTimeChurn } from '../../crds/fieldmanager/track-update.ts'
import type { Api, Target } from '../api.ts'
import { badRequest, conflict, invalid, modified, notFound } from '../api-error.ts'
import { type ApiObject, asObject, deepEqual, rfc3339, withMetadata } from '../json.ts'
import type { Representation, Subresource } from '../served.ts'
import type { Stored, Transaction } from '../storage/store.ts'
import type { Strategy } from '../strategy.ts'
import { createIn, inRequestNamespace } from './create.ts'
import { lastState } from './last-state.ts'
import type { WriteOptions } from './options.ts'
import { objectRevision } from './resource-version.ts'
import { put, transact } from './write.ts'

export interface Updated {
  readonly object: Representation
  readonly created: boolean
}

/** Replaces an object (decoded), or its status. */
export function updateObject(api: Api, target: Target, object: ApiObject, options: WriteOptions): Promise<Updated> {
  const { served, name, subresource } = target
  checkName(object, name)
  const given = inRequestNamespace(target, named(object, name))
  return transact(api, options.dryRun, (tx) => {
    const stored = tx.get(served.key(target.namespace, name))
    if (!stored && !(served.strategy.allowCreateOnUpdate && subresource === '')) {
      throw notFound(served.groupResource, name)
    }
    const live = stored && served.read(stored).value
    if (live) checkUid(target, given, live)
    const updated = asObject(
      trackUpdate({
        scope: served.scope(subresource),
        ...(live ? { live } : {}),
        updated: served.strategy.applyDefaults(given),
        manager: managerName(options.fieldManager, options.userAgent),
        now: rfc3339(api.clock.now()),
      }),
    )
    if (!stored || !live) {
      target.authorizeCreate?.()
      return { object: createIn(api, tx, target, updated, options.dryRun), created: true }
    }
    return { object: updateIn(api, tx, target, stored, updated, options.dryRun), created: false }
  })
}

function checkName(object: ApiObject, name: string): void {
  const has = object.metadata.name ?? ''
  if (has !== '' && has !== name) {
    throw badRequest(`the name of the object (${has}) does not match the name on the URL (${name})`)
  }
}

function named(object: ApiObject, name: string): ApiObject {
  return object.metadata.name ? object : withMetadata(object, { name })
}

function checkUid({ served, name, namespace }: Target, object: ApiObject, live: ApiObject): void {
  const { uid } = object.metadata
  if (!uid || uid === live.metadata.uid) return
  throw conflict(
    served.groupResource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${served.key(namespace, name)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`,
  )
}

/**
 * Puts `object` (defaulted, managedFields tracked) in the place of what is stored. Nothing is written where nothing changes; an object under
 * deletion that loses its last finalizer goes.
 */
export function updateIn(
  api: Api,
  tx: Transaction,
  target: Target,
  stored: Stored,
  object: ApiObject,
  dryRun: boolean,
): Representation {
  const { served, name, subresource } = target
  const { strategy } = served
  const before = served.read(stored)
  const live = before.value
  checkRevision(target, object, live)
  const isStatus = subresource === 'status'
  const kept = keepSystemFields(object, live)
  const prepared = prepare(strategy, subresource, kept, live)
  const updated = asObject(withoutTimeChurn(prepared, live))
  const attributes = { operation: 'UPDATE', target, name, object: updated, old: live, dryRun } as const
  api.admission.enter(attributes, tx)
  if (updated !== live) {
    const errors = isStatus ? strategy.validateStatusUpdate(updated, live) : strategy.validateUpdate(updated, live)
    if (errors.length > 0) throw invalid(served.groupKind, name, errors)
  }
  for (const text of strategy.warnings(updated, live)) target.warn(text)
  api.admission.validate(attributes, tx)
  if (
    live.metadata.deletionTimestamp &&
    (updated.metadata.finalizers ?? []).length === 0 &&
    strategy.finished(updated)
  ) {
    return lastState(tx, served, stored.key, updated, dryRun)
  }
  // What was stored under an older schema is written anew by any update, as clients that migrate storage count on.
  if (updated === live && (live === stored.value || deepEqual(served.toStorage(live), asObject(stored.value))))
    return before
  return put(tx, served, stored.key, updated, dryRun)
}

function prepare(strategy: Strategy, subresource: Subresource, object: ApiObject, live: ApiObject): ApiObject {
  if (subresource === 'status') return strategy.prepareForStatusUpdate(object, live)
  if (subresource === 'finalize' && strategy.prepareForFinalize) return strategy.prepareForFinalize(object, live)
  return strategy.prepareForUpdate(object, live)
}

/** An object that names a revision must name the current one; some kinds must name one. */
function checkRevision({ served, name }: Target, object: ApiObject, live: ApiObject): void {
  const revision = objectRevision(object.metadata.resourceVersion)
  if (revision === 0) {
    if (served.strategy.allowUnconditionalUpdate) return
    throw invalid({ group: served.info.group, kind: served.info.plural }, name, [
      {
        reason: 'FieldValueInvalid',
        field: 'metadata.resourceVersion',
        path: ['metadata', 'resourceVersion'],
        message: 'Invalid value: 0: must be specified for an update',
      },
    ])
  }
  if (revision !== objectRevision(live.metadata.resourceVersion)) throw modified(served.groupResource, name)
}

/** What an update never changes, whatever it says. */
function keepSystemFields(object: ApiObject, live: ApiObject): ApiObject {
  const has = object.metadata
  const old = live.metadata
  return withMetadata(object, {
    uid: has.uid || old.uid,
    creationTimestamp: old.creationTimestamp ?? has.creationTimestamp,
    deletionTimestamp: old.deletionTimestamp ?? has.deletionTimestamp,
    deletionGracePeriodSeconds: has.deletionGracePeriodSeconds ?? old.deletionGracePeriodSeconds,
    generation: old.generation,
    resourceVersion: old.resourceVersion,
    ...('selfLink' in has ? { selfLink: undefined } : {}),
  })
}
