import type { JsonObject } from '../metadata.ts'
import { type FieldSet, LEAF, NO_FIELDS } from './field-set.ts'
import { readElement } from './path-element.ts'
import { compareStrings, isMap } from './value.ts'

const decoded = new WeakMap<JsonObject, FieldSet>()
const encoded = new WeakMap<FieldSet, JsonObject>()

/** Reads `fieldsV1`. Decoded once per object: entries that are passed on from version to version of an object stay cheap. */
export function decodeFields(fields: JsonObject): FieldSet {
  let set = decoded.get(fields)
  if (!set) {
    const root = decodeNode(fields)
    set = root.children.size > 0 ? { member: false, children: root.children } : NO_FIELDS
    decoded.set(fields, set)
  }
  return set
}

function decodeNode(fields: JsonObject): FieldSet {
  let member = false
  let children: Map<string, FieldSet> | undefined
  for (const key in fields) {
    if (key === '.') {
      member = true
      continue
    }
    const element = readElement(key)
    if (element === undefined) continue
    const below = fields[key]
    children ??= new Map()
    children.set(element, isMap(below) ? decodeNode(below) : LEAF)
  }
  return children ? { member, children } : LEAF
}

/** Writes a set as `fieldsV1`, sorted by key as Kubernetes sends it. */
export function encodeFields(set: FieldSet): JsonObject {
  let fields = encoded.get(set)
  if (!fields) {
    fields = encodeNode(set)
    encoded.set(set, fields)
    decoded.set(fields, set)
  }
  return fields
}

function encodeNode(set: FieldSet): JsonObject {
  const fields: Record<string, JsonObject> = {}
  if (set.member && set.children.size > 0) fields['.'] = {}
  for (const element of [...set.children.keys()].sort(compareStrings)) {
    const child = set.children.get(element)
    if (child) fields[element] = encodeNode(child)
  }
  return fields
}
