import { type FieldSet, LEAF } from './field-set.ts'
import type { ObjectAtom } from './object-type.ts'
import type { PathElement } from './path-element.ts'
import { kindOf } from './typing.ts'

const reconciled = new WeakMap<FieldSet, { readonly atom: ObjectAtom; readonly set: FieldSet }>()

/**
 * Adapts a set to a schema that changed since it was written: who owned something inside of what is one whole now, owns the
 * whole. (From one whole to granular nothing changes.) Returns the set itself where nothing did; remembered per set.
 */
export function reconcileWithSchema(set: FieldSet, atom: ObjectAtom): FieldSet {
  const known = reconciled.get(set)
  if (known?.atom === atom) return known.set
  const result = reconcile(set, atom)
  reconciled.set(set, { atom, set: result })
  return result
}

function reconcile(set: FieldSet, atom: ObjectAtom | undefined): FieldSet {
  if (set.children.size === 0 || !atom) return set
  // As upstream: a set has no values, so of an atom with several kinds the first counts.
  const kind = kindOf(atom, undefined)
  if (kind === 'map') {
    if (!atom.map || atom.map.deduced) return set
    if (atom.map.atomic) return LEAF
  } else if (kind === 'list') {
    if (!atom.list || atom.list.atomic) return LEAF
  } else return set

  let children: Map<PathElement, FieldSet> | undefined
  for (const [element, child] of set.children) {
    const type =
      kind === 'map'
        ? ((element.startsWith('f:') ? atom.map?.field(element.slice(2)) : undefined) ?? atom.map?.element)
        : atom.list?.element
    const result = reconcile(child, type)
    if (result === child) continue
    children ??= new Map(set.children)
    children.set(element, result)
  }
  return children ? { member: set.member, children } : set
}
