import type { JsonObject, JsonValue } from '../metadata.ts'

/** Small helpers to look at JSON without trusting its shape. */

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** The text there, or '' where there is none. */
export function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** The object there, or an empty one. */
export function object(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {}
}

/** The list there, or an empty one. */
export function list(value: JsonValue | undefined): readonly JsonValue[] {
  return isArray(value) ? value : []
}

/** The texts in a list; anything else in it is left out. */
export function texts(value: JsonValue | undefined): string[] {
  return list(value).filter((item): item is string => typeof item === 'string')
}

export function has(object: JsonObject, key: string): boolean {
  return Object.hasOwn(object, key) && object[key] !== undefined
}

/** Deep equality of JSON values; key order does not matter, a missing key and `undefined` are the same. */
export function jsonEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (isArray(a)) {
    if (!isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!jsonEqual(a[i], b[i])) return false
    return true
  }
  if (isArray(b)) return false
  const left = a as JsonObject
  const right = b as JsonObject
  let count = 0
  for (const key in left) {
    if (left[key] === undefined) continue
    if (!jsonEqual(left[key], right[key])) return false
    count++
  }
  for (const key in right) if (right[key] !== undefined) count--
  return count === 0
}
