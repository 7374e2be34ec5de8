import { type FieldSet, LEAF, NO_FIELDS } from './field-set.ts'
import type { ListAtom, MapAtom, ObjectAtom } from './object-type.ts'
import { fieldElement, type PathElement } from './path-element.ts'
import { checkedItemElement, kindOf } from './typing.ts'
import { isEmptyMap, isList, isMap, type Value } from './value.ts'

/** Every leaf and list item of a value that passed `checkType`. */
export function toFieldSet(value: Value, atom: ObjectAtom): FieldSet {
  const { children } = nodeOf(value, atom)
  return children.size > 0 ? { member: false, children } : NO_FIELDS
}

function nodeOf(value: Value, atom: ObjectAtom): FieldSet {
  switch (kindOf(atom, value)) {
    case 'map':
      return mapNode(value, atom.map!)
    case 'list':
      return listNode(value, atom.list!)
    default:
      return LEAF
  }
}

function mapNode(value: Value, map: MapAtom): FieldSet {
  if (map.atomic) return LEAF
  if (!isMap(value)) return NO_FIELDS
  const children = new Map<PathElement, FieldSet>()
  for (const key in value) {
    const item = value[key]
    if (item === undefined) continue
    const field = map.field(key)
    const type = field ?? map.element
    if (!type) continue
    const below = nodeOf(item, type)
    const whole = item === null || (isMap(item) && isEmptyMap(item)) || !field
    put(children, fieldElement(key), below, whole)
  }
  return children.size > 0 ? { member: false, children } : NO_FIELDS
}

function listNode(value: Value, list: ListAtom): FieldSet {
  if (list.atomic) return LEAF
  if (!isList(value)) return NO_FIELDS
  const children = new Map<PathElement, FieldSet>()
  for (const item of value) {
    const element = checkedItemElement(list, item)
    // An item that is there twice is owned as one whole.
    if (children.has(element)) children.set(element, LEAF)
    else put(children, element, nodeOf(item, list.element), true)
  }
  return children.size > 0 ? { member: false, children } : NO_FIELDS
}

function put(children: Map<PathElement, FieldSet>, element: PathElement, below: FieldSet, member: boolean): void {
  if (member && !below.member)
    children.set(element, below.children.size > 0 ? { member, children: below.children } : LEAF)
  else if (below.member || below.children.size > 0) children.set(element, below)
}
