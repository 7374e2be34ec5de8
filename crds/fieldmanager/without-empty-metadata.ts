import type { JsonObject, JsonValue } from '../metadata.ts'
import type { ObjectAtom } from './object-type.ts'
import { isList, isMap, isNothing } from './value.ts'

/**
 * The object as it is stored: metadata, those of embedded resources too, keep no null and no empty list or map. Who owns what is
 * told before. Returns the object itself where there is nothing to drop.
 */
export function withoutEmptyMetadata(object: JsonObject, atom: ObjectAtom | undefined): JsonObject {
  return atom ? (tidied(object, atom) as JsonObject) : object
}

function tidied(value: JsonValue, atom: ObjectAtom): JsonValue {
  if (isMap(value)) return atom.map && !atom.map.deduced ? tidiedMap(value, atom) : value
  if (!isList(value) || !atom.list || value.length === 0) return value
  const { element } = atom.list
  let result: JsonValue[] | undefined
  value.forEach((item, i) => {
    const tidy = tidied(item, element)
    if (tidy === item) return
    result ??= [...value]
    result[i] = tidy
  })
  return result ?? value
}

function tidiedMap(value: JsonObject, { map }: ObjectAtom): JsonObject {
  let result: Record<string, JsonValue | undefined> | undefined
  for (const key in value) {
    const item = value[key]
    const type = map?.field(key) ?? map?.element
    if (item === undefined || !type) continue
    const dropped = map?.metadata && isNothing(item)
    const tidy = dropped ? undefined : type.map?.metadata && item === null ? {} : tidied(item, type)
    if (tidy === item) continue
    result ??= { ...value }
    if (tidy === undefined) delete result[key]
    else result[key] = tidy
  }
  return result ?? value
}
