import type { JsonObject } from '../../crds/metadata.ts'
import type { Connection } from '../api/connect.ts'
import type { Change } from '../changes/change.ts'
import { isSecret } from '../changes/mask.ts'
import { withoutPassword } from './changes.ts'
import type { PlanDocument } from './document.ts'
import type { Asking, PlannedWork } from './examine.ts'
import type { FleetSnapshot } from './fleet-model.ts'
import { readOf, readsOf } from './reads.ts'
import { type Named, type SavedPlan, writeSavedPlan } from './saved-plan.ts'

/** Keeps a plan in a file, for `weir apply --plan`. Throws a usage error where it cannot be written. */
export async function savePlan(
  path: string,
  { namespace }: Connection,
  plan: PlanDocument,
  work: PlannedWork,
  snapshot: FleetSnapshot,
  asking: Asking,
): Promise<void> {
  const { changes, deletions, absent } = work
  const toApply = changes.filter(({ action }) => action !== 'unchanged')
  const saved: SavedPlan = {
    apiVersion: 'cli.weir.dev/v1alpha1',
    kind: 'SavedPlan',
    plan,
    asked: {
      namespace,
      fieldManager: asking.fieldManager,
      forceConflicts: asking.take,
      ...(asking.applySet === undefined ? {} : { applySet: asking.applySet }),
      prune: asking.prune,
      delete: asking.delete,
    },
    // An ApplySet is all of its manifests: those that stay as they are belong to it, too.
    objects: (asking.applySet === undefined ? toApply : changes).filter((each) => !isSecretive(each)).map(objectOf),
    withheld: (asking.applySet === undefined ? toApply : changes).filter(isSecretive).map(nameOf),
    deletions: deletions.map(({ object }) => readOf(object)),
    reads: readsOf(snapshot, [
      ...changes.map(({ resolved, before }) => ({ object: resolved.object, live: before })),
      ...deletions.map(({ object }) => ({ object, live: object })),
      ...absent.map(({ object }) => ({ object, live: undefined })),
    ]),
  }
  await writeSavedPlan(path, saved)
}

/** As the manifest has it: a label of an ApplySet is put on again by whoever applies. */
const objectOf = ({ resolved }: Change): JsonObject => {
  const { namespace } = resolved.object.metadata
  const object: JsonObject = resolved.manifest.object
  const metadata = object.metadata as JsonObject
  return { ...object, metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) } }
}

/** A Secret, or an object with a password in an address. */
const isSecretive = ({ resolved: { object } }: Change) => {
  if (isSecret(object)) return true
  const text = JSON.stringify(object)
  return withoutPassword(text) !== text
}

function nameOf({ resolved: { object } }: Change): Named {
  const { apiVersion, kind, metadata } = object
  const { namespace, name = '' } = metadata
  return { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name }
}
