import type { JsonValue } from '../metadata.ts'
import {
  type FieldSet,
  type GrowingFieldSet,
  growingFieldSet,
  insertField,
  isEmptySet,
  recursiveDifference,
} from './field-set.ts'
import type { ListAtom, MapAtom, ObjectAtom } from './object-type.ts'
import { fieldElement, type PathElement } from './path-element.ts'
import { checkedItemElement, kindOf, scalarProblem, TypingError } from './typing.ts'
import { equalValues, isEmptyMap, isList, isMap, type Value } from './value.ts'

/** What distinguishes a new object from an old one. No field is in two of the sets. */
export interface Comparison {
  readonly removed: FieldSet
  readonly modified: FieldSet
  readonly added: FieldSet
}

/** Compares two values of one type. Both must have passed `checkType`. */
export function compareTyped(before: Value, after: Value, atom: ObjectAtom): Comparison {
  const walk = new CompareWalk()
  walk.compare(before, after, atom)
  return walk
}

/** The comparison less what a request could not change. */
export function withoutFields(comparison: Comparison, fields: FieldSet | undefined): Comparison {
  if (!fields || isEmptySet(fields)) return comparison
  return {
    removed: recursiveDifference(comparison.removed, fields),
    modified: recursiveDifference(comparison.modified, fields),
    added: recursiveDifference(comparison.added, fields),
  }
}

export function isSame(comparison: Comparison): boolean {
  return isEmptySet(comparison.removed) && isEmptySet(comparison.modified) && isEmptySet(comparison.added)
}

class CompareWalk implements Comparison {
  readonly removed: GrowingFieldSet = growingFieldSet()
  readonly modified: GrowingFieldSet = growingFieldSet()
  readonly added: GrowingFieldSet = growingFieldSet()
  readonly #path: PathElement[] = []

  /** At most one side is undefined. */
  compare(before: Value, after: Value, atom: ObjectAtom): void {
    const oldKind = kindOf(atom, before)
    const newKind = kindOf(atom, after)
    let leaf: boolean
    if (after === undefined) leaf = this.#walk(oldKind, before, after, atom)
    else {
      // A value that changed its kind is walked as both: what was below the old one is gone.
      if (before !== undefined && oldKind !== newKind) this.#walk(oldKind, before, after, atom)
      leaf = this.#walk(newKind, before, after, atom)
    }
    if (leaf) return
    if (before === undefined) insertField(this.added, this.#path)
    else if (after === undefined) insertField(this.removed, this.#path)
  }

  /** Returns whether the value was treated as one whole. */
  #walk(kind: ReturnType<typeof kindOf>, before: Value, after: Value, atom: ObjectAtom): boolean {
    switch (kind) {
      case 'map':
        return this.#map(before, after, atom.map!)
      case 'list':
        return this.#list(before, after, atom.list!)
      case 'scalar': {
        const kindOfScalar = atom.scalar!
        const problem = scalarProblem(kindOfScalar, before)
        if (problem !== undefined && scalarProblem(kindOfScalar, after) !== undefined) throw new TypingError(problem)
        return this.#leaf(before, after)
      }
      default:
        throw new TypingError('schema error: invalid atom: inlined')
    }
  }

  #leaf(before: Value, after: Value): true {
    if (before === undefined) insertField(this.added, this.#path)
    else if (after === undefined) insertField(this.removed, this.#path)
    else if (!equalValues(before, after)) insertField(this.modified, this.#path)
    return true
  }

  #map(before: Value, after: Value, map: MapAtom): boolean {
    const old = isMap(before) && !isEmptyMap(before) ? before : undefined
    const now = isMap(after) && !isEmptyMap(after) ? after : undefined
    // Nothing below on either side: a leaf, so that empty and null are told apart.
    if (map.atomic || (!old && !now)) return this.#leaf(before, after)
    if (old) {
      for (const key in old) {
        const value = old[key]
        if (value !== undefined) this.#field(key, value, now?.[key], map)
      }
    }
    if (now) {
      for (const key in now) {
        const value = now[key]
        if (value !== undefined && old?.[key] === undefined) this.#field(key, undefined, value, map)
      }
    }
    return false
  }

  #field(key: string, before: Value, after: Value, map: MapAtom): void {
    // Most of an object is the same: equal scalars need no path.
    if (before === after) return
    const atom = map.field(key) ?? map.element
    if (!atom) throw new TypingError(`.${key}: field not declared in schema`)
    this.#path.push(fieldElement(key))
    this.compare(before, after, atom)
    this.#path.pop()
  }

  #list(before: Value, after: Value, list: ListAtom): boolean {
    const old = isList(before) && before.length > 0 ? before : undefined
    const now = isList(after) && after.length > 0 ? after : undefined
    if (list.atomic || (!old && !now)) return this.#leaf(before, after)
    if (old && now && equalValues(old, now)) return false
    const oldItems = itemsByElement(list, old ?? [])
    const newItems = itemsByElement(list, now ?? [])
    for (const element of new Set([...oldItems.keys(), ...newItems.keys()])) {
      this.#path.push(element)
      this.#items(oldItems.get(element) ?? [], newItems.get(element) ?? [], list.element)
      this.#path.pop()
    }
    return false
  }

  /** Items with the same keys. Several on one side are owned as one whole. */
  #items(before: readonly JsonValue[], after: readonly JsonValue[], atom: ObjectAtom): void {
    if (before.length <= 1 && after.length <= 1) this.compare(before[0], after[0], atom)
    else if (before.length >= 2 && after.length >= 2) {
      if (!equalValues(before, after)) insertField(this.modified, this.#path)
    } else if (before.length >= 2) {
      if (after.length > 0) this.compare(undefined, after[0], atom)
      insertField(this.removed, this.#path)
    } else {
      if (before.length > 0) this.compare(before[0], undefined, atom)
      insertField(this.added, this.#path)
    }
  }
}

function itemsByElement(list: ListAtom, items: readonly JsonValue[]): Map<PathElement, JsonValue[]> {
  const byElement = new Map<PathElement, JsonValue[]>()
  for (const item of items) {
    const element = checkedItemElement(list, item)
    const same = byElement.get(element)
    if (same) same.push(item)
    else byElement.set(element, [item])
  }
  return byElement
}
