import { equalValues } from '../crds/fieldmanager/value.ts'
import type { JsonObject, JsonValue, KubeObject } from '../crds/metadata.ts'

const NOTHING: ReadonlySet<string> = new Set()
/** Fields that name the object an apply is about; nobody owns them. */
const IDENTITY = new Set(['apiVersion', 'kind', 'metadata'])
const METADATA_IDENTITY = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
])

/**
 * Whether server-side applying `applied` as `manager` would leave `live` as it is: every applied field has that value, and the fields that
 * are recorded for the manager are exactly those applied. Needs no schema, because the recorded field set says which lists merge by key.
 * When in doubt the answer is false: the API server then finds the apply to be a no-op itself.
 */
export function isNoopApply(live: KubeObject, applied: KubeObject, manager: string, subresource = ''): boolean {
  if (live.apiVersion !== applied.apiVersion || live.kind !== applied.kind) return false
  const entry = live.metadata.managedFields?.find(
    (e) => e.manager === manager && e.operation === 'Apply' && (e.subresource ?? '') === subresource,
  )
  if (entry && entry.apiVersion !== applied.apiVersion) return false
  const fields = entry?.fieldsV1 ?? {}
  const metadata = isObject(fields['f:metadata']) ? fields['f:metadata'] : {}
  const body = { ...fields, 'f:metadata': undefined }
  return (
    sameObject(fieldsOf(applied), fieldsOf(live), body, IDENTITY) &&
    sameObject(fieldsOf(applied.metadata), fieldsOf(live.metadata), metadata, METADATA_IDENTITY)
  )
}

const fieldsOf = (object: object) => object as JsonObject

/** Whether a value is as live and owned as `fields` says: `{}` is a whole value, anything else is what is inside it. */
function same(applied: JsonValue, live: JsonValue | undefined, fields: JsonObject): boolean {
  if (live === undefined) return false
  if (countOwned(fields) === 0) return equalValues(applied, live)
  if (Array.isArray(applied)) return Array.isArray(live) && sameList(applied, live, fields)
  if (!isObject(applied) || !isObject(live)) return false
  return sameObject(applied, live, fields, NOTHING)
}

function sameObject(applied: JsonObject, live: JsonObject, fields: JsonObject, identity: ReadonlySet<string>): boolean {
  let said = 0
  for (const name of Object.keys(applied)) {
    const value = applied[name]
    if (value === undefined || identity.has(name)) continue
    const field = fields[`f:${name}`]
    // Of an empty set or map-like list nothing is recorded, and the server leaves it out or not, depending on what was there before.
    if (field === undefined && isEmptyList(value) && (live[name] === undefined || isEmptyList(live[name]))) continue
    said++
    if (field === undefined || !isObject(field) || !same(value, live[name], field)) return false
  }
  return said === countOwned(fields)
}

/** A list that merges: by keys (`k:{…}`) or as a set (`v:…`). */
function sameList(applied: readonly JsonValue[], live: readonly JsonValue[], fields: JsonObject): boolean {
  const owned = Object.keys(fields).filter((name) => name !== '.')
  if (owned.length !== applied.length) return false
  let lastAt = -1
  for (const item of applied) {
    const found = owned.find((name) => names(name, item))
    if (found === undefined) return false
    const at = live.findIndex((candidate) => names(found, candidate))
    // An apply also puts the items that it names in its own order.
    if (at <= lastAt) return false
    lastAt = at
    const field = fields[found]
    if (found.startsWith('k:') && (!isObject(field) || !same(item, live[at], field))) return false
  }
  return true
}

/** Whether a path element, `k:{"type":"Ready"}` or `v:"a"`, names this item of a list. */
function names(element: string, item: JsonValue): boolean {
  const value = parsedElement(element)
  if (element.startsWith('v:')) return equalValues(value, item)
  if (!element.startsWith('k:') || !isObject(value) || !isObject(item)) return false
  // A key that the item leaves out may have a default; then the answer is "in doubt".
  for (const key of Object.keys(value)) if (!equalValues(value[key] ?? null, item[key] ?? null)) return false
  return true
}

/** Path elements that were parsed: those of conditions, finalizers and addresses come again and again. */
const parsed = new Map<string, JsonValue>()
const PARSED_KEPT = 1024

function parsedElement(element: string): JsonValue {
  let value = parsed.get(element)
  if (value === undefined) {
    value = JSON.parse(element.slice(2)) as JsonValue
    if (parsed.size >= PARSED_KEPT) parsed.clear()
    parsed.set(element, value)
  }
  return value
}

/** How many fields or items are recorded, beside the thing itself. */
function countOwned(fields: JsonObject): number {
  let count = 0
  for (const name of Object.keys(fields)) if (name !== '.' && fields[name] !== undefined) count++
  return count
}

function isEmptyList(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.length === 0
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
