import { forbidden, invalid, notSupported, required, Shown } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, key, type Path } from '../field-path.ts'
import { itemsJson } from './internal-json.ts'
import { type AnySchema, itemList, itemSchema, namedProperty } from './types.ts'

const LIST_TYPE = 'x-kubernetes-list-type'
const MAP_TYPE = 'x-kubernetes-map-type'
const MAP_KEYS = 'x-kubernetes-list-map-keys'

/** What is wrong with x-kubernetes-map-type. */
export function mapTypeErrors(schema: AnySchema, path: Path): FieldError[] {
  const type = schema[MAP_TYPE]
  if (type === undefined) return []
  const errors: FieldError[] = []
  if (schema.type !== 'object') errors.push(wrongType(schema, path, `must be object if ${MAP_TYPE} is specified`))
  if (type !== 'atomic' && type !== 'granular') {
    errors.push(notSupported(child(path, MAP_TYPE), type, ['atomic', 'granular']))
  }
  return errors
}

/** What is wrong with x-kubernetes-list-type and x-kubernetes-list-map-keys. */
export function listTypeErrors(
  schema: AnySchema,
  path: Path,
  requireAtomicSets: boolean,
  requireMapKeys: boolean,
): FieldError[] {
  const type = schema[LIST_TYPE]
  const keys = schema[MAP_KEYS] ?? []
  const at = child(path, LIST_TYPE)
  const errors: FieldError[] = []
  if (type !== undefined && schema.type !== 'array') {
    errors.push(wrongType(schema, path, `must be array if ${LIST_TYPE} is specified`))
  } else if (requireAtomicSets && type === 'set') errors.push(...setItemErrors(schema, path))
  if (type !== undefined && !['atomic', 'set', 'map'].includes(type)) {
    errors.push(notSupported(at, type, ['atomic', 'set', 'map']))
  }
  if (keys.length > 0 && type !== 'map') {
    const detail = `must be map if ${MAP_KEYS} is non-empty`
    errors.push(type === undefined ? required(at, detail) : invalid(at, type, detail))
  }
  if (type === 'map') errors.push(...keyedListErrors(schema, keys, path))
  if (requireMapKeys) errors.push(...keyErrors(schema, path))
  return errors
}

/** Whether a list of type set has items that can change in parts. */
export const hasNonAtomicSet = (schema: AnySchema): boolean =>
  schema[LIST_TYPE] === 'set' && setItemErrors(schema, child(undefined, '')).length > 0

/** Whether keys of lists of type map can be absent or null. */
export const hasLooseMapKeys = (schema: AnySchema): boolean => keyErrors(schema, child(undefined, '')).length > 0

function wrongType(schema: AnySchema, path: Path, detail: string): FieldError {
  const at = child(path, 'type')
  return schema.type ? invalid(at, schema.type, detail) : required(at, detail)
}

/** Items of a set are compared as wholes, so they must be changed as wholes. */
function setItemErrors(schema: AnySchema, path: Path): FieldError[] {
  const items = itemSchema(schema)
  if (!items) return []
  const own = items[LIST_TYPE]
  const detail = `must be atomic as item of a list with ${LIST_TYPE}=set`
  const at = child(path, 'items')
  if (items.type === 'array' && own !== undefined && own !== 'atomic') {
    return [invalid(child(at, LIST_TYPE), own, detail)]
  }
  // The value shown is of the list type here as well; Kubernetes does so.
  if (items.type === 'object' && items[MAP_TYPE] !== 'atomic') return [invalid(child(at, MAP_TYPE), own, detail)]
  return []
}

function keyedListErrors(schema: AnySchema, keys: readonly string[], path: Path): FieldError[] {
  const errors: FieldError[] = []
  const at = child(path, 'items')
  const items = itemSchema(schema)
  if (keys.length === 0) {
    errors.push(required(child(path, MAP_KEYS), `must not be empty if ${LIST_TYPE} is map`))
  }
  if (schema.items === undefined) errors.push(required(at, `must have a schema if ${LIST_TYPE} is map`))
  if (itemList(schema)) {
    const detail = `must only have a single schema if ${LIST_TYPE} is map`
    errors.push(invalid(at, new Shown(itemsJson(schema.items)), detail))
  }
  if (!items) return errors
  if (items.type !== 'object') {
    const detail = `must be object if parent array's ${LIST_TYPE} is map`
    return [...errors, invalid(child(at, 'type'), items.type ?? '', detail)]
  }
  const seen = new Set<string>()
  for (const name of keys) {
    const property = namedProperty(items, name)
    if (!property) errors.push(invalid(child(path, MAP_KEYS), keys, 'entries must all be names of item properties'))
    else if (property.type === 'array' || property.type === 'object') {
      const detail = `must be a scalar type if parent array's ${LIST_TYPE} is map`
      errors.push(invalid(child(key(child(at, 'properties'), name), 'type'), items.type, detail))
    }
    if (seen.has(name)) errors.push(invalid(child(path, MAP_KEYS), keys, 'must not contain duplicate entries'))
    seen.add(name)
  }
  return errors
}

function keyErrors(schema: AnySchema, path: Path): FieldError[] {
  const items = itemSchema(schema)
  const type = schema[LIST_TYPE]
  if (!items || (type !== 'set' && type !== 'map')) return []
  const errors: FieldError[] = []
  const at = child(path, 'items')
  if (items.nullable) {
    errors.push(forbidden(child(at, 'nullable'), `cannot be nullable when ${LIST_TYPE} is ${type}`))
  }
  if (type === 'set') return errors
  for (const name of schema[MAP_KEYS] ?? []) {
    const property = namedProperty(items, name)
    if (!property) continue
    const where = key(child(at, 'properties'), name)
    const why = `this property is in ${MAP_KEYS}, so it`
    if (!items.required?.includes(name) && property.default === undefined) {
      errors.push(required(child(where, 'default'), `${why} must have a default or be a required property`))
    }
    if (property.nullable) errors.push(forbidden(child(where, 'nullable'), `${why} cannot be nullable`))
  }
  return errors
}
