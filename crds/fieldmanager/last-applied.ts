import type { JsonObject, JsonValue, KubeObject } from '../metadata.ts'
import { compareTyped } from './compare.ts'
import { difference, type FieldSet } from './field-set.ts'
import type { FieldScope } from './request.ts'
import { asJson } from './strip.ts'
import { toFieldSet } from './to-field-set.ts'
import { checkType } from './typing.ts'
import { compareStrings, isList, isMap } from './value.ts'

/** Where client-side `kubectl apply` keeps what it applied. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** The manager name by which kubectl asks for the upgrade from client-side to server-side apply. */
export const KUBECTL_MANAGER = 'kubectl'
const MAX_ANNOTATION_BYTES = 256 * 1024

/** What client-side apply wrote and nobody changed since: `kubectl` may take that over without a conflict. Undefined: nothing to tell by. */
export function fieldsOfLastApplied(scope: FieldScope, live: KubeObject): FieldSet | undefined {
  const text = live.metadata.annotations?.[LAST_APPLIED]
  const atom = scope.typeOf(scope.apiVersion)?.root
  if (!text || !atom) return undefined
  try {
    const lastApplied = JSON.parse(text) as JsonValue
    if (!isMap(lastApplied) || lastApplied.apiVersion !== scope.apiVersion) return undefined
    checkType(lastApplied, atom, false)
    checkType(asJson(live), atom, false)
    const { modified, added, removed } = compareTyped(lastApplied, asJson(live), atom)
    return difference(difference(difference(toFieldSet(lastApplied, atom), modified), added), removed)
  } catch {
    return undefined
  }
}

/** Keeps the annotation of client-side apply up to date where there is one, so that a client can go back to it. */
export function withLastApplied(object: KubeObject, applied: JsonObject): KubeObject {
  const annotations = object.metadata.annotations
  if (!annotations?.[LAST_APPLIED]) return object
  const updated: Record<string, string> = {
    ...annotations,
    [LAST_APPLIED]: `${sortedJson(withoutAnnotation(applied))}\n`,
  }
  let bytes = 0
  for (const [key, value] of Object.entries(updated)) bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  if (bytes > MAX_ANNOTATION_BYTES) delete updated[LAST_APPLIED]
  return { ...object, metadata: { ...object.metadata, annotations: updated } }
}

function withoutAnnotation(applied: JsonObject): JsonObject {
  const { metadata } = applied
  if (!isMap(metadata) || !isMap(metadata.annotations)) return applied
  const { [LAST_APPLIED]: _, ...annotations } = metadata.annotations
  return { ...applied, metadata: { ...metadata, annotations } }
}

/** JSON with sorted keys, as Go writes maps. */
function sortedJson(value: JsonValue): string {
  if (isList(value)) return `[${value.map(sortedJson).join(',')}]`
  if (!isMap(value)) return goJson(value)
  const keys = Object.keys(value).filter((key) => value[key] !== undefined)
  return `{${keys
    .sort(compareStrings)
    .map((key) => `${goJson(key)}:${sortedJson(value[key] ?? null)}`)
    .join(',')}}`
}

function goJson(value: JsonValue): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
