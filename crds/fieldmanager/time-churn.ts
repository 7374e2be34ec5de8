import type { KubeObject, ManagedFieldsEntry } from '../metadata.ts'
import { asJson, withManagedFields } from './strip.ts'
import { equalValues } from './value.ts'

/**
 * Puts the old times back where nothing but times of managedFields entries differs, so that a no-op is not written.
 * Call last, after defaulting; returns `live` itself when the two are otherwise equal.
 */
export function withoutTimeChurn(updated: KubeObject, live: KubeObject): KubeObject {
  const now = updated.metadata.managedFields ?? []
  const old = live.metadata.managedFields ?? []
  if (now.length !== old.length) return updated
  if (!now.every((entry, i) => sameButTime(entry, old[i]))) return updated
  return equalValues(asJson(withManagedFields(updated, undefined)), asJson(withManagedFields(live, undefined)))
    ? live
    : updated
}

function sameButTime(a: ManagedFieldsEntry, b: ManagedFieldsEntry | undefined): boolean {
  if (a === b) return true
  if (!b) return false
  return equalValues({ ...a, time: undefined }, { ...b, time: undefined })
}
