import type { JsonObject, JsonValue } from '../../../crds/metadata.ts'
import { badRequest } from '../../api-error.ts'
import { type ApiObject, deepEqual, isArray, isObject } from '../../json.ts'
import { builtInDefinition } from '../../openapi/openapi.ts'
import type { ResourceInfo } from '../../resource.ts'

const setOrder = '$setElementOrder/'
const deleteFrom = '$deleteFromPrimitiveList/'

/**
 * Strategic merge patch of a built-in kind: lists merge by the key that the schema names (`x-kubernetes-patch-merge-key`), with the
 * directives `$patch`, `$retainKeys`, `$deleteFromPrimitiveList/…` and `$setElementOrder/…`. Throws 400 where the patch is malformed.
 */
export function strategicMerge(info: ResourceInfo, live: ApiObject, patch: JsonObject): JsonObject {
  return mergeMap(live, patch, info.schema)
}

function mergeMap(target: JsonValue | undefined, patch: JsonObject, schema: JsonObject | undefined): JsonObject {
  const directive = patch.$patch
  if (directive === 'replace') return stripped(patch)
  if (directive === 'delete') return {}
  if (directive !== undefined && directive !== 'merge') {
    throw badRequest(`Unknown patch type found in map: ${String(directive)}`)
  }
  const result: Record<string, JsonValue | undefined> = isObject(target) ? { ...target } : {}
  retainKeys(result, patch)
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$patch' || key === '$retainKeys' || key.startsWith(setOrder)) continue
    if (key.startsWith(deleteFrom)) {
      const field = key.slice(deleteFrom.length)
      const gone = isArray(value) ? value : []
      const list = result[field]
      if (isArray(list)) result[field] = list.filter((item) => !gone.some((g) => deepEqual(g, item)))
      continue
    }
    if (value === null || value === undefined) {
      delete result[key]
      continue
    }
    const of = property(schema, key)
    const order = patch[setOrder + key]
    result[key] = mergeValue(result[key], value, of, isArray(order) ? order : undefined)
  }
  for (const [key, order] of Object.entries(patch)) {
    const field = key.slice(setOrder.length)
    const list = result[field]
    if (!key.startsWith(setOrder) || !isArray(order) || !isArray(list) || patch[field] !== undefined) continue
    result[field] = inOrder(list, order, list, mergeKey(property(schema, field)))
  }
  return result
}

function mergeValue(
  target: JsonValue | undefined,
  patch: JsonValue,
  schema: JsonObject | undefined,
  order: readonly JsonValue[] | undefined,
): JsonValue {
  if (isObject(patch)) return mergeMap(target, patch, schema)
  if (!isArray(patch)) return patch
  if (!strategies(schema).includes('merge')) return stripDirectives(patch)
  return mergeList(isArray(target) ? target : [], patch, schema, order)
}

function mergeList(
  target: readonly JsonValue[],
  patch: readonly JsonValue[],
  schema: JsonObject | undefined,
  order: readonly JsonValue[] | undefined,
): readonly JsonValue[] {
  const key = mergeKey(schema)
  if (patch.some((p) => isObject(p) && p.$patch === 'replace')) return stripDirectives(patch)
  let result: JsonValue[] = [...target]
  for (const item of patch) {
    if (key === undefined || !isObject(item)) {
      if (!result.some((r) => deepEqual(r, item))) result.push(item)
      continue
    }
    const id = item[key]
    if (id === undefined) throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`)
    const at = result.findIndex((r) => isObject(r) && deepEqual(r[key], id))
    if (item.$patch === 'delete') {
      result = result.filter((r) => !(isObject(r) && deepEqual(r[key], id)))
    } else {
      const merged = mergeMap(at < 0 ? undefined : result[at], item, items(schema))
      if (at < 0) result.push(merged)
      else result[at] = merged
    }
  }
  const named = patch.filter((item) => !isObject(item) || item.$patch === undefined)
  return inOrder(result, order ?? named, target, key)
}

/**
 * Items that `order` names come in its order, the others in the order they had; of one of each, the one that was before the other
 * stays so, else the named one comes first.
 */
function inOrder(
  list: readonly JsonValue[],
  order: readonly JsonValue[],
  before: readonly JsonValue[],
  key: string | undefined,
): JsonValue[] {
  const id = (v: JsonValue | undefined) => (key !== undefined && isObject(v) ? v[key] : v)
  const rank = (of: readonly JsonValue[], v: JsonValue | undefined) => of.findIndex((o) => deepEqual(id(o), id(v)))
  const byRank = (of: readonly JsonValue[]) => (a: JsonValue, b: JsonValue) => rank(of, a) - rank(of, b)
  const named = list.filter((item) => rank(order, item) >= 0).sort(byRank(order))
  const others = list.filter((item) => rank(order, item) < 0).sort(byRank(before))
  const result: JsonValue[] = []
  for (let i = 0, j = 0; i < others.length || j < named.length; ) {
    const other = others[i]
    const next = named[j]
    const wasNext = rank(before, next)
    const first = next === undefined || (wasNext >= 0 && rank(before, other) >= 0 && rank(before, other) < wasNext)
    if (other !== undefined && first) {
      result.push(other)
      i++
    } else if (next !== undefined) {
      result.push(next)
      j++
    }
  }
  return result
}

function retainKeys(result: Record<string, JsonValue | undefined>, patch: JsonObject): void {
  const keep = patch.$retainKeys
  if (!isArray(keep)) return
  for (const key of Object.keys(result)) if (!keep.includes(key)) delete result[key]
}

function stripped(patch: JsonObject): JsonObject {
  const { $patch: _, ...rest } = patch
  return rest
}

function stripDirectives(list: readonly JsonValue[]): readonly JsonValue[] {
  return list
    .filter((v) => !(isObject(v) && v.$patch !== undefined && Object.keys(v).length === 1))
    .map((v) => (isObject(v) ? stripped(v) : v))
}

/** Follows `$ref` (alone, or as the one member of allOf, as upstream's documents write it). */
function resolve(schema: JsonValue | undefined): JsonObject | undefined {
  if (!isObject(schema)) return undefined
  const [only] = isArray(schema.allOf) ? schema.allOf : []
  const ref = schema.$ref ?? (isObject(only) ? only.$ref : undefined)
  if (typeof ref !== 'string') return schema
  const definition = builtInDefinition(ref.slice(ref.lastIndexOf('/') + 1))
  return definition ? { ...definition, ...extensions(schema) } : schema
}

function extensions(schema: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(schema).filter(([k]) => k.startsWith('x-')))
}

function property(schema: JsonObject | undefined, key: string): JsonObject | undefined {
  const of = resolve(schema)
  const properties = of?.properties
  if (isObject(properties) && Object.hasOwn(properties, key)) return resolve(properties[key])
  return resolve(of?.additionalProperties)
}

function items(schema: JsonObject | undefined): JsonObject | undefined {
  return resolve(resolve(schema)?.items)
}

function strategies(schema: JsonObject | undefined): readonly string[] {
  const strategy = schema?.['x-kubernetes-patch-strategy']
  return typeof strategy === 'string' ? strategy.split(',') : []
}

function mergeKey(schema: JsonObject | undefined): string | undefined {
  const key = schema?.['x-kubernetes-patch-merge-key']
  return typeof key === 'string' ? key : undefined
}
