import type { ObjectAtom } from './object-type.ts'
import { compareElements, type PathElement } from './path-element.ts'

/**
 * A set of fields of an object, as a trie of path elements. `member`: the field at this node is in the set (the root's is
 * always false). A node that is neither a member nor has children does not occur, except the root of the empty set.
 * Immutable: operations share what did not change, and return their first argument itself where nothing did.
 */
export interface FieldSet {
  readonly member: boolean
  readonly children: ReadonlyMap<PathElement, FieldSet>
}

const NO_CHILDREN: ReadonlyMap<PathElement, FieldSet> = new Map()
/** The empty set. */
export const NO_FIELDS: FieldSet = { member: false, children: NO_CHILDREN }
/** The node of a field that is in the set, with nothing below it. */
export const LEAF: FieldSet = { member: true, children: NO_CHILDREN }

/** A set that is still being built. */
export interface GrowingFieldSet {
  member: boolean
  readonly children: Map<PathElement, GrowingFieldSet>
}

export function growingFieldSet(): GrowingFieldSet {
  return { member: false, children: new Map() }
}

/** Adds the field at `path`; the whole object (an empty path) is never in a set. */
export function insertField(set: GrowingFieldSet, path: readonly PathElement[]): void {
  if (path.length === 0) return
  let node = set
  for (const element of path) {
    let child = node.children.get(element)
    if (!child) {
      child = growingFieldSet()
      node.children.set(element, child)
    }
    node = child
  }
  node.member = true
}

/** The set of the given paths of field names. */
export function fieldSetOf(...paths: readonly (readonly string[])[]): FieldSet {
  const set = growingFieldSet()
  for (const path of paths)
    insertField(
      set,
      path.map((name) => `f:${name}`),
    )
  return set
}

export function isEmptySet(set: FieldSet): boolean {
  return !set.member && set.children.size === 0
}

function node(member: boolean, children: ReadonlyMap<PathElement, FieldSet>): FieldSet {
  if (children.size === 0) return member ? LEAF : NO_FIELDS
  return { member, children }
}

/** Do two sets have the same fields? */
export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true
  if (a.member !== b.member || a.children.size !== b.children.size) return false
  for (const [element, left] of a.children) {
    const right = b.children.get(element)
    if (!right || !equalSets(left, right)) return false
  }
  return true
}

/** What is in `a` or `b`. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a
  if (isEmptySet(a)) return b
  let children: Map<PathElement, FieldSet> | undefined
  for (const [element, right] of b.children) {
    const left = a.children.get(element)
    const both = left ? union(left, right) : right
    if (both === left) continue
    children ??= new Map(a.children)
    children.set(element, both)
  }
  const member = a.member || b.member
  if (!children && member === a.member) return a
  return node(member, children ?? a.children)
}

/** What is in `a` and in `b`. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a
  const children = new Map<PathElement, FieldSet>()
  let same = true
  for (const [element, left] of a.children) {
    const right = b.children.get(element)
    const both = right ? intersection(left, right) : NO_FIELDS
    if (both !== left) same = false
    if (!isEmptySet(both)) children.set(element, both)
  }
  const member = a.member && b.member
  return same && member === a.member ? a : node(member, children)
}

/** What is in `a` and not in `b`, field by field: what is below a field of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, false)
}

/** What is in `a` and neither in `b` nor below a field of `b`. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, true)
}

function subtract(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet {
  if (isEmptySet(b)) return a
  let children: Map<PathElement, FieldSet> | undefined
  const walkB = b.children.size < a.children.size
  for (const element of (walkB ? b : a).children.keys()) {
    const left = a.children.get(element)
    const right = b.children.get(element)
    if (!left || !right) continue
    const rest = recursive && right.member ? NO_FIELDS : subtract(left, right, recursive)
    if (rest === left) continue
    children ??= new Map(a.children)
    if (isEmptySet(rest)) children.delete(element)
    else children.set(element, rest)
  }
  const member = a.member && !b.member
  if (!children && member === a.member) return a
  return node(member, children ?? a.children)
}

export function hasField(set: FieldSet, path: readonly PathElement[]): boolean {
  if (path.length === 0) return false
  let at: FieldSet | undefined = set
  for (const element of path) {
    at = at.children.get(element)
    if (!at) return false
  }
  return at.member
}

/**
 * Adds every declared field on the way to a field of the set: `a.b` brings `a` where `a` is a field of its parent's type, not
 * where it is a key of a map.
 */
export function withNamedFields(set: FieldSet, atom: ObjectAtom | undefined): FieldSet {
  if (set.children.size === 0) return set
  const children = new Map<PathElement, FieldSet>()
  for (const [element, child] of set.children) {
    const name = element.startsWith('f:') ? element.slice(2) : undefined
    const field = name === undefined ? undefined : atom?.map?.field(name)
    const below =
      field ?? (name !== undefined ? atom?.map?.element : element.startsWith('k:') ? atom?.list?.element : undefined)
    const full = child.children.size === 0 ? child : withNamedFields(child, below)
    const member = full.member || (field !== undefined && full.children.size > 0)
    children.set(element, member === full.member ? full : { member, children: full.children })
  }
  return { member: set.member, children }
}

/** Calls `visit` for each field: first all fields of a level in order, then what is below them. The path is reused. */
export function eachField(
  set: FieldSet,
  visit: (path: readonly PathElement[]) => void,
  path: PathElement[] = [],
): void {
  const sorted = [...set.children.keys()].sort(compareElements)
  for (const element of sorted) {
    if (!set.children.get(element)?.member) continue
    path.push(element)
    visit(path)
    path.pop()
  }
  for (const element of sorted) {
    const child = set.children.get(element)
    if (!child || child.children.size === 0) continue
    path.push(element)
    eachField(child, visit, path)
    path.pop()
  }
}
