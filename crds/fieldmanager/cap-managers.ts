import { union } from './field-set.ts'
import { type Managed, type ManagedSet, type ManagerId, managerKey, unixSeconds } from './managed.ts'
import { compareStrings } from './value.ts'

const MAX_UPDATE_MANAGERS = 10
const OLD_UPDATES = 'ancient-changes'

/** Keeps at most ten entries of updates: the oldest of a version are merged into one, `ancient-changes`. */
export function capUpdateManagers(managed: Managed): Managed {
  const updaters = [...managed].filter(([, { id }]) => id.operation === 'Update')
  let excess = updaters.length - MAX_UPDATE_MANAGERS
  if (excess <= 0) return managed
  updaters.sort(([a, x], [b, y]) => unixSeconds(x.time) - unixSeconds(y.time) || compareStrings(a, b))

  const capped = new Map<string, ManagedSet>(managed)
  const firstOfVersion = new Map<string, string>()
  for (const [key, { id, set, time }] of updaters) {
    if (excess <= 0) break
    const first = firstOfVersion.get(id.apiVersion)
    if (first === undefined) {
      firstOfVersion.set(id.apiVersion, key)
      continue
    }
    const bucketId: ManagerId = {
      manager: OLD_UPDATES,
      operation: 'Update',
      apiVersion: id.apiVersion,
      subresource: '',
    }
    const bucket = managerKey(bucketId)
    const bucketed = capped.get(bucket) ?? capped.get(first)
    if (!capped.has(bucket)) capped.delete(first)
    capped.set(bucket, { id: bucketId, set: bucketed ? union(set, bucketed.set) : set, time })
    if (key !== bucket) capped.delete(key)
    excess--
  }
  return capped
}
