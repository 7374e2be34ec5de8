import type { JsonObject, JsonValue } from '../metadata.ts'

/** A value of an object, or undefined where the object has none. */
export type Value = JsonValue | undefined

export function isMap(value: Value): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: Value): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** Has the map no key? (A key whose value is undefined is no key.) */
export function isEmptyMap(map: JsonObject): boolean {
  for (const key in map) if (map[key] !== undefined) return false
  return true
}

/** Null, or a list or map without anything in it. */
export function isNothing(value: Value): boolean {
  return value === null || (isList(value) ? value.length === 0 : isMap(value) && isEmptyMap(value))
}

/** Deep equality; a key whose value is undefined counts as absent. */
export function equalValues(a: Value, b: Value): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!equalValues(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  return equalMaps(a as JsonObject, b as JsonObject)
}

function equalMaps(a: JsonObject, b: JsonObject): boolean {
  let extra = 0
  // Object.keys and not for…in: code compiled for the keys of one kind of object would be thrown away at the next.
  for (const key of Object.keys(a)) {
    const value = a[key]
    if (value === undefined) continue
    extra++
    if (!equalValues(value, b[key])) return false
  }
  for (const key of Object.keys(b)) if (b[key] !== undefined) extra--
  return extra === 0
}

/** Orders strings by code point, which is the order of their UTF-8 bytes and so Go's. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    return codeUnitRank(x) - codeUnitRank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for code points past U+FFFF: they sort after every other unit. */
function codeUnitRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** A total order over values: numbers, strings, booleans, lists, maps, null. */
export function compareValues(a: Value, b: Value): number {
  const rank = valueRank(a) - valueRank(b)
  if (rank !== 0) return rank
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (isList(a) && isList(b)) return compareLists(a, b)
  if (isMap(a) && isMap(b)) return compareMaps(a, b)
  return 0
}

function compareLists(a: readonly JsonValue[], b: readonly JsonValue[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareValues(a[i], b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareMaps(a: JsonObject, b: JsonObject): number {
  for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort(compareStrings)) {
    if (a[key] === undefined) return 1
    if (b[key] === undefined) return -1
    const order = compareValues(a[key], b[key])
    if (order !== 0) return order
  }
  return 0
}

function valueRank(value: Value): number {
  switch (typeof value) {
    case 'number':
      return 0
    case 'string':
      return 1
    case 'boolean':
      return 2
    default:
      return isList(value) ? 3 : isMap(value) ? 4 : 5
  }
}
