import type { Api, Target } from '../api.ts'
import { conflict, forbidden, notFound } from '../api-error.ts'
import { type ApiObject, rfc3339, withMetadata } from '../json.ts'
import type { Representation } from '../served.ts'
import type { Transaction } from '../storage/store.ts'
import { lastState } from './last-state.ts'
import type { DeleteOptions } from './options.ts'
import { put, transact } from './write.ts'

export const orphanFinalizer = 'orphan'
export const foregroundFinalizer = 'foregroundDeletion'

/** `gone`: the object was removed at once; else it waits for its finalizers. */
export interface Deleted {
  readonly gone: boolean
  readonly object: Representation
}

export function deleteObject(api: Api, target: Target, options: DeleteOptions): Promise<Deleted> {
  return transact(api, options.dryRun, (tx) => deleteIn(api, tx, target, options))
}

/** Deletes inside a transaction: removes the object, or marks it as deleting where finalizers hold it. */
export function deleteIn(api: Api, tx: Transaction, target: Target, options: DeleteOptions): Deleted {
  const { served, namespace, name } = target
  const key = served.key(namespace, name)
  const stored = tx.get(key)
  if (!stored) throw notFound(served.groupResource, name)
  const before = served.read(stored)
  const live = before.value
  checkPreconditions(target, live, options)
  const refusal = served.strategy.refuseDelete?.(live)
  if (refusal) throw forbidden(served.groupResource, name, refusal)
  api.admission.validate({ operation: 'DELETE', target, name, old: live, dryRun: options.dryRun }, tx)

  const begun = served.strategy.beginDelete?.(live)
  const finalizers = deletionFinalizers(begun ?? live, options, served.strategy.orphansByDefault)
  if (finalizers.length === 0 && !begun) {
    return { gone: true, object: lastState(tx, served, key, live, options.dryRun) }
  }
  const marked = markAsDeleting(begun ?? live, finalizers, rfc3339(api.clock.now()))
  return { gone: false, object: marked === live ? before : put(tx, served, key, marked, options.dryRun) }
}

function checkPreconditions({ served, name }: Target, live: ApiObject, { preconditions }: DeleteOptions): void {
  // Kubernetes names the kind here where it names the resource elsewhere.
  const of = { group: served.info.group, resource: served.info.kind }
  const { uid, resourceVersion } = preconditions
  if (uid !== undefined && uid !== live.metadata.uid) {
    throw conflict(
      of,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${live.metadata.uid}). The object might have been deleted and then recreated`,
    )
  }
  if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion) {
    throw conflict(
      of,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${live.metadata.resourceVersion}). The object might have been modified`,
    )
  }
}

/** The finalizers once the garbage collector's two say what the deletion asks for. */
function deletionFinalizers(live: ApiObject, options: DeleteOptions, orphansByDefault: boolean): readonly string[] {
  const had = live.metadata.finalizers ?? []
  const others = had.filter((f) => f !== orphanFinalizer && f !== foregroundFinalizer)
  switch (propagation(had, options)) {
    case 'Orphan':
      return [...others, orphanFinalizer]
    case 'Foreground':
      return [...others, foregroundFinalizer]
    case 'Background':
      return others
    default:
      return orphansByDefault ? [...others, orphanFinalizer] : others
  }
}

function propagation(finalizers: readonly string[], options: DeleteOptions) {
  if (options.orphanDependents !== undefined) return options.orphanDependents ? 'Orphan' : 'Background'
  if (options.propagationPolicy) return options.propagationPolicy
  const asked = finalizers.find((f) => f === orphanFinalizer || f === foregroundFinalizer)
  if (asked) return asked === orphanFinalizer ? 'Orphan' : 'Foreground'
  return undefined
}

function markAsDeleting(live: ApiObject, finalizers: readonly string[], now: string): ApiObject {
  const { deletionTimestamp, generation = 0, finalizers: had = [] } = live.metadata
  const same = had.length === finalizers.length && finalizers.every((f) => had.includes(f))
  if (deletionTimestamp && same) return live
  return withMetadata(live, {
    finalizers: finalizers.length > 0 ? finalizers : undefined,
    deletionTimestamp: deletionTimestamp ?? now,
    deletionGracePeriodSeconds: 0,
    ...(!deletionTimestamp && generation > 0 ? { generation: generation + 1 } : {}),
  })
}
