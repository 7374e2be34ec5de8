import type { JsonObject, JsonValue, KubeObject, ManagedFieldsEntry } from '../crds/metadata.ts'

/** Fields that name the object an apply is about; nobody owns them. */
const IDENTITY = new Set(['apiVersion', 'kind'])
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
  return sameObject(withoutIdentity(applied), live as unknown as JsonObject, fieldsOf(entry))
}

function fieldsOf(entry: ManagedFieldsEntry | undefined): JsonObject {
  return entry?.fieldsV1 ?? {}
}

function withoutIdentity(object: KubeObject): JsonObject {
  const { metadata, ...rest } = object as unknown as JsonObject & { readonly metadata: JsonObject }
  const owned = Object.fromEntries(
    Object.entries(metadata).filter(([name, value]) => value !== undefined && !METADATA_IDENTITY.has(name)),
  )
  const fields = Object.fromEntries(
    Object.entries(rest).filter(([name, value]) => value !== undefined && !IDENTITY.has(name)),
  )
  return Object.keys(owned).length === 0 ? fields : { metadata: owned, ...fields }
}

/** Whether a value is as live and owned as `fields` says: `{}` is a whole value, anything else is what is inside it. */
function same(applied: JsonValue, live: JsonValue | undefined, fields: JsonObject): boolean {
  if (live === undefined) return false
  const inside = Object.keys(fields).some((name) => name !== '.')
  if (!inside) return equal(applied, live)
  if (Array.isArray(applied)) return Array.isArray(live) && sameList(applied, live, fields)
  if (!isObject(applied) || !isObject(live)) return false
  return sameObject(applied, live, fields)
}

function sameObject(applied: JsonObject, live: JsonObject, fields: JsonObject): boolean {
  let owned = 0
  for (const name in fields) if (name !== '.') owned++
  let said = 0
  for (const name in applied) {
    const value = applied[name]
    if (value === undefined) continue
    const field = fields[`f:${name}`]
    // Of an empty set or map-like list nothing is recorded, and the server leaves it out or not, depending on what was there before.
    if (field === undefined && isEmptyList(value) && (live[name] === undefined || isEmptyList(live[name]))) continue
    said++
    if (field === undefined || !isObject(field) || !same(value, live[name], field)) return false
  }
  return said === owned
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
  const value = JSON.parse(element.slice(2)) as JsonValue
  if (element.startsWith('v:')) return equal(value, item)
  if (!element.startsWith('k:') || !isObject(value) || !isObject(item)) return false
  // A key that the item leaves out may have a default; then the answer is "in doubt".
  return Object.keys(value).every((key) => equal(value[key] ?? null, item[key] ?? null))
}

function equal(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i] as JsonValue))
  }
  if (!isObject(a) || !isObject(b)) return false
  const names = Object.keys(a).filter((name) => a[name] !== undefined)
  if (names.length !== Object.keys(b).filter((name) => b[name] !== undefined).length) return false
  return names.every((name) => b[name] !== undefined && equal(a[name] as JsonValue, b[name] as JsonValue))
}

function isEmptyList(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.length === 0
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
