import type { JsonObject, JsonValue } from '../../crds/metadata.ts'

/** Where kubectl's client-side apply keeps a copy of the whole object. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

const MASK = '***'

/** Whether an object's values must never be shown. */
export const isSecret = (object: { readonly apiVersion?: unknown; readonly kind?: unknown }): boolean =>
  object.kind === 'Secret' && object.apiVersion === 'v1'

/**
 * Two states of an object as they may be shown: of Secrets, values only as `***`, and as `*** (before)`, `*** (after)` where they differ.
 */
export function masked(
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): [JsonObject | undefined, JsonObject | undefined] {
  const either = before ?? after
  if (!either || !isSecret(either)) return [before, after]
  const hide = (object: JsonObject | undefined, other: JsonObject | undefined, note: string) => {
    if (!object) return undefined
    const hidden = Object.fromEntries(
      ['data', 'stringData'].flatMap((field) =>
        object[field] === undefined ? [] : [[field, maskValues(object[field], other?.[field], note)]],
      ),
    )
    return { ...object, ...hidden, metadata: maskAnnotation(object.metadata as JsonObject, other, note) }
  }
  return [hide(before, after, ' (before)'), hide(after, before, ' (after)')]
}

function maskValues(values: JsonValue | undefined, others: JsonValue | undefined, note: string): JsonValue {
  if (!isMap(values)) return MASK
  const other = isMap(others) ? others : {}
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      other[key] === undefined || other[key] === value ? MASK : `${MASK}${note}`,
    ]),
  )
}

/** kubectl keeps a copy of the whole Secret in an annotation. */
function maskAnnotation(metadata: JsonObject, other: JsonObject | undefined, note: string): JsonObject {
  const annotations = metadata.annotations
  if (!isMap(annotations) || annotations[LAST_APPLIED] === undefined) return metadata
  const others = isMap(other?.metadata) && isMap(other.metadata.annotations) ? other.metadata.annotations : {}
  const same = others[LAST_APPLIED] === undefined || others[LAST_APPLIED] === annotations[LAST_APPLIED]
  return { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: same ? MASK : `${MASK}${note}` } }
}

const isMap = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
