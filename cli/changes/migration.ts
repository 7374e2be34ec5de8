import { type FieldSet, hasField, NO_FIELDS, union } from '../../crds/fieldmanager/field-set.ts'
import { decodeFields, encodeFields } from '../../crds/fieldmanager/fields-v1.ts'
import type { PathElement } from '../../crds/fieldmanager/path-element.ts'
import { equalValues, isMap } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, JsonValue, ManagedFieldsEntry } from '../../crds/metadata.ts'
import type { Body } from './change.ts'
import { LAST_APPLIED as LAST_APPLIED_ANNOTATION } from './mask.ts'

// Client-side apply (`kubectl apply`) writes as a manager that *updates*; whoever applies the same manifest from the server's side later
// would never take away what the manifest loses, because that manager still owns it. So its fields become ours, as
// `kubectl apply --server-side` makes them kubectl's. Source: k8s.io/client-go/util/csaupgrade.

const LAST_APPLIED = ['f:metadata', 'f:annotations', `f:${LAST_APPLIED_ANNOTATION}`]
/** What client-side apply has left on an object. */
export interface Migration {
  /** Who applied it, such as `kubectl-client-side-apply`. */
  readonly managers: readonly string[]
  /** Fields that only they own, so that they go when the manifest does not have them. */
  readonly removed: readonly FieldPath[]
}

type FieldPath = readonly PathElement[]

/** What has to be migrated of an object as it will be once it is applied; undefined: nothing. */
export function migrationOf(applied: Body | undefined, fieldManager: string): Migration | undefined {
  const entries = applied?.metadata.managedFields ?? []
  const managers = clientSideManagers(entries, fieldManager)
  if (managers.length === 0) return undefined
  const [theirs, others] = [true, false].map((is) =>
    entries
      .filter((entry) => isClientSide(entry, managers) === is)
      .reduce<FieldSet>((all, entry) => union(all, fieldsOf(entry)), NO_FIELDS),
  )
  const lastApplied = lastAppliedOf(applied!)
  const removed = onlyIn(theirs!, others!)
    .filter((path) => path.join() !== LAST_APPLIED.join())
    // What the server had defaulted is theirs too, and comes back.
    .filter((path) => lastApplied === undefined || has(lastApplied, path))
  return { managers, removed }
}

/**
 * An object as it is once what client-side apply has left is migrated and gone. What the server would fill in for it is not known; kubectl's copy
 * stays, as nobody wants to read of that.
 */
export function migrated(applied: Body, { removed }: Migration): Body {
  return without(applied, removed) as Body
}

/** A value without these fields, and without what is empty because of that. */
function without(value: JsonValue, paths: readonly FieldPath[]): JsonValue | undefined {
  if (paths.some(({ length }) => length === 0)) return undefined
  if (isMap(value)) {
    const entries = Object.entries(value).flatMap(([key, part]) => {
      const left = withoutIn(part!, paths, (element) => element === `f:${key}`)
      return left === undefined ? [] : [[key, left] as const]
    })
    return entries.length === 0 ? undefined : Object.fromEntries(entries)
  }
  if (!Array.isArray(value)) return value
  const items = value.flatMap((item: JsonValue, index) => {
    const left = withoutIn(item, paths, (element) =>
      element.startsWith('i:') ? element === `i:${index}` : isItem(item, element),
    )
    return left === undefined ? [] : [left]
  })
  return items.length === 0 ? undefined : items
}

function withoutIn(
  part: JsonValue,
  paths: readonly FieldPath[],
  leadsHere: (element: PathElement) => boolean,
): JsonValue | undefined {
  const here = paths.filter(([element]) => leadsHere(element!))
  if (here.length === 0) return part
  // What names an item of a list goes only with the item.
  if (here.some(([item, field, ...rest]) => field !== undefined && rest.length === 0 && isKeyOf(item!, field)))
    return undefined
  return without(
    part,
    here.map(([, ...rest]) => rest),
  )
}

const isKeyOf = (item: PathElement, field: PathElement) =>
  item.startsWith('k:') && Object.hasOwn(JSON.parse(item.slice(2)) as object, field.slice(2))

/** kubectl's copy of what it applied; undefined where it cannot be read. */
function lastAppliedOf({ metadata }: Body): JsonValue | undefined {
  try {
    return JSON.parse(metadata.annotations?.[LAST_APPLIED_ANNOTATION] ?? '') as JsonValue
  } catch {
    return undefined
  }
}

function has(value: JsonValue, [element, ...rest]: readonly PathElement[]): boolean {
  if (element === undefined) return true
  const what = element.slice(2)
  if (element.startsWith('f:')) {
    const below = isMap(value) ? value[what] : undefined
    return below !== undefined && has(below, rest)
  }
  if (!Array.isArray(value)) return false
  const index = element.startsWith('i:') ? Number(what) : value.findIndex((item) => isItem(item, element))
  return value[index] !== undefined && has(value[index], rest)
}

function isItem(item: JsonValue, element: PathElement): boolean {
  const wanted = JSON.parse(element.slice(2)) as JsonValue
  if (element.startsWith('v:')) return equalValues(item, wanted)
  // Keys that the manifest left to their defaults are not there.
  return (
    isMap(item) &&
    Object.entries(wanted as JsonObject).every(([key, value]) => equalValues(item[key] ?? value!, value!))
  )
}

/** Fields without parts that one set has and the other has neither them, nor what they are in, nor what is in them. */
function onlyIn(one: FieldSet, other: FieldSet | undefined, path: readonly PathElement[] = []): PathElement[][] {
  return [...one.children].flatMap(([element, child]) => {
    const beside = other?.children.get(element)
    if (beside && beside.children.size === 0) return []
    const at = [...path, element]
    return child.children.size > 0 ? onlyIn(child, beside, at) : beside ? [] : [at]
  })
}

/** Managers that have applied from the client's side: they own kubectl's copy of what was applied. */
export function clientSideManagers(entries: readonly ManagedFieldsEntry[], fieldManager: string): string[] {
  const found = entries.filter(
    (entry) => entry.operation === 'Update' && !entry.subresource && hasField(fieldsOf(entry), LAST_APPLIED),
  )
  return [...new Set(found.map(({ manager = '' }) => manager))].filter((manager) => manager !== fieldManager)
}

const isClientSide = ({ manager = '', operation, subresource }: ManagedFieldsEntry, managers: readonly string[]) =>
  operation === 'Update' && !subresource && managers.includes(manager)

function fieldsOf({ fieldsV1 }: ManagedFieldsEntry): FieldSet {
  try {
    return fieldsV1 ? decodeFields(fieldsV1 as JsonObject) : NO_FIELDS
  } catch {
    // Of a kind yet to come: nothing that could be moved.
    return NO_FIELDS
  }
}

/** managedFields in which `fieldManager` has, besides its own fields, those of the managers that applied from the client's side. */
export function handedOver(
  entries: readonly ManagedFieldsEntry[],
  managers: readonly string[],
  fieldManager: string,
): ManagedFieldsEntry[] {
  const isOurs = ({ manager, operation, subresource }: ManagedFieldsEntry) =>
    manager === fieldManager && operation === 'Apply' && !subresource
  const ours = entries.find(isOurs) ?? entries.find((entry) => isClientSide(entry, managers))!
  // Fields of another version of the kind have other names, perhaps: those are given up, as kubectl gives them up.
  const moved = entries.filter((entry) => isClientSide(entry, managers) && entry.apiVersion === ours.apiVersion)
  const fields = [ours, ...moved].reduce<FieldSet>((all, entry) => union(all, fieldsOf(entry)), NO_FIELDS)
  const merged = { ...ours, manager: fieldManager, operation: 'Apply' as const, fieldsV1: encodeFields(fields) }
  return entries.flatMap((entry) =>
    entry === ours ? [merged] : isClientSide(entry, managers) ? [] : [entry],
  ) as ManagedFieldsEntry[]
}
