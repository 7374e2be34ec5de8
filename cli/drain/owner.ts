import type { JsonObject } from '../../crds/metadata.ts'
import type { Appliance } from '../../crds/types.gen.ts'
import { LAST_APPLIED } from '../changes/mask.ts'

/**
 * Whether somebody keeps saying what an appliance's mode is: a manager that applies it, or a manifest that kubectl applied. Whoever only once
 * created or updated the object owns the mode as well, be it by default, and will not say it again.
 */
export function isModeApplied({ metadata }: Appliance): boolean {
  const applied = (metadata.managedFields ?? []).some(({ operation, fieldsV1, subresource }) => {
    const spec = (fieldsV1 as JsonObject | undefined)?.['f:spec'] as JsonObject | undefined
    return operation === 'Apply' && !subresource && spec?.['f:mode'] !== undefined
  })
  return applied || lastApplied(metadata.annotations?.[LAST_APPLIED])
}

function lastApplied(text: string | undefined): boolean {
  if (text === undefined) return false
  try {
    return (JSON.parse(text) as { spec?: { mode?: unknown } }).spec?.mode !== undefined
  } catch {
    return false
  }
}
