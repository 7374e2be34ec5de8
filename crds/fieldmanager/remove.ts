import type { JsonValue } from '../metadata.ts'
import type { FieldSet } from './field-set.ts'
import type { ListAtom, MapAtom, ObjectAtom } from './object-type.ts'
import { checkedItemElement, kindOf } from './typing.ts'
import { isEmptyMap, isList, isMap, type Value } from './value.ts'

/**
 * Takes fields and list items out of a value. A map or list that is left without anything becomes null, as in
 * structured-merge-diff: callers name containers too when those shall go.
 */
export function removeFields(value: Value, fields: FieldSet, atom: ObjectAtom): JsonValue {
  if (value === undefined) return null
  switch (kindOf(atom, value)) {
    case 'map':
      return removeFromMap(value, fields, atom.map!)
    case 'list':
      return removeFromList(value, fields, atom.list!)
    default:
      return value
  }
}

function removeFromMap(value: JsonValue, fields: FieldSet, map: MapAtom): JsonValue {
  if (!isMap(value) || isEmptyMap(value) || map.atomic) return null
  const rest: Record<string, JsonValue> = {}
  for (const key in value) {
    const item = value[key]
    if (item === undefined) continue
    const below = fields.children.get(`f:${key}`)
    if (!below) rest[key] = item
    else if (!below.member) rest[key] = removeFields(item, below, map.field(key) ?? map.element ?? {})
  }
  return isEmptyMap(rest) ? null : rest
}

function removeFromList(value: JsonValue, fields: FieldSet, list: ListAtom): JsonValue {
  if (!isList(value) || value.length === 0 || list.atomic) return null
  const rest: JsonValue[] = []
  for (const item of value) {
    const below = fields.children.get(checkedItemElement(list, item))
    if (!below) rest.push(item)
    else if (!below.member) rest.push(removeFields(item, below, list.element))
  }
  return rest.length === 0 ? null : rest
}
