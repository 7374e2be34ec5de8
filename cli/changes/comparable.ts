import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'

type Body = KubeObject & JsonObject

/** An object without what the server writes into it by itself: that is nobody's change. */
export function comparable(object: Body | undefined): JsonObject | undefined {
  if (!object) return undefined
  const { status: _s, ...rest } = object as JsonObject
  const {
    managedFields: _m,
    resourceVersion: _r,
    uid: _u,
    creationTimestamp: _c,
    generation: _g,
    selfLink: _l,
    ...metadata
  } = object.metadata as JsonObject
  return { ...rest, metadata }
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * Two states of an object as they may be shown: of Secrets, values only as `***`, and as `*** (before)`, `*** (after)` where they differ.
 */
export function masked(
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): [JsonObject | undefined, JsonObject | undefined] {
  const either = before ?? after
  if (either?.kind !== 'Secret' || either.apiVersion !== 'v1') return [before, after]
  const hide = (object: JsonObject | undefined, other: JsonObject | undefined, note: string) => {
    if (!object) return undefined
    const hidden = Object.fromEntries(
      ['data', 'stringData'].flatMap((field) =>
        object[field] === undefined ? [] : [[field, maskValues(object[field], other?.[field], note)]],
      ),
    )
    return { ...object, ...hidden, metadata: maskAnnotation(object.metadata as JsonObject) }
  }
  return [hide(before, after, ' (before)'), hide(after, before, ' (after)')]
}

function maskValues(values: JsonValue | undefined, others: JsonValue | undefined, note: string): JsonValue {
  if (!isMap(values)) return '***'
  const other = isMap(others) ? others : {}
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      other[key] === undefined || other[key] === value ? '***' : `***${note}`,
    ]),
  )
}

/** kubectl keeps a copy of the whole Secret in an annotation. */
function maskAnnotation(metadata: JsonObject): JsonObject {
  const annotations = metadata.annotations
  if (!isMap(annotations) || annotations[LAST_APPLIED] === undefined) return metadata
  return { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: '***' } }
}

const isMap = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
