import type { JsonObject, JsonValue, KubeObject, ObjectMeta } from '../crds/metadata.ts'

/** An API object whose every field can be read by name. */
export type ApiObject = KubeObject & JsonObject

/** Sees an API object with its fields open: KubeObjects are JSON, which their type alone does not say. */
export function asObject(object: KubeObject): ApiObject {
  return object as ApiObject
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** The same object with some metadata changed; a field set to undefined goes away. */
export function withMetadata<T extends KubeObject>(object: T, change: ObjectMeta): T {
  // Built key by key: an object that fields were deleted from is a slow one for good.
  const metadata: Record<string, unknown> = {}
  const given: Readonly<Record<string, unknown>> = { ...change }
  for (const [key, value] of Object.entries(object.metadata)) {
    const next = Object.hasOwn(given, key) ? given[key] : value
    if (next !== undefined) metadata[key] = next
  }
  for (const [key, value] of Object.entries(given)) if (value !== undefined) metadata[key] = value
  return { ...object, metadata }
}

/** The same object with some top-level fields replaced; apiVersion, kind and metadata stay as they are typed. */
export function withFields(object: ApiObject, fields: JsonObject): ApiObject {
  return { ...object, ...fields } as unknown as ApiObject
}

/** The same object without one top-level field. */
export function without<T extends KubeObject>(object: T, field: string): T {
  if (!Object.hasOwn(object, field)) return object
  const { [field]: _, ...rest } = object as unknown as JsonObject
  return rest as unknown as T
}

/** Deep equality of JSON values; the order of keys does not matter, a field that is undefined counts as absent. */
export function deepEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (isArray(a)) {
    if (!isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!deepEqual(a[i], b[i])) return false
    return true
  }
  if (isArray(b)) return false
  const left = a as JsonObject
  const right = b as JsonObject
  let count = 0
  for (const key in left) {
    if (left[key] === undefined) continue
    if (!deepEqual(left[key], right[key])) return false
    count++
  }
  for (const key in right) if (right[key] !== undefined) count--
  return count === 0
}

/** Reads a nested value; undefined where the path leads nowhere. */
export function at(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  let here = value
  for (const step of path) {
    if (!isObject(here) || !Object.hasOwn(here, step)) return undefined
    here = here[step]
  }
  return here
}

/** A time as Kubernetes writes metav1.Time: RFC 3339, seconds, UTC. */
export function rfc3339(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}
