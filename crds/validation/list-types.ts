import type { JsonObject, JsonValue } from '../metadata.ts'
import { duplicate, invalid } from './errors.ts'
import type { FieldError } from './field-error.ts'
import { child, index, key, type Path } from './field-path.ts'
import { goJson } from './go-format.ts'
import { isArray, isObject } from './json.ts'
import { additionalSchema, type JsonSchema } from './json-schema.ts'

/** Finds what is twice in lists of x-kubernetes-list-type `set` (whole items) and `map` (their keys). */
export type ListTypeCheck = (value: JsonValue, path: Path | undefined, out: FieldError[]) => void

/** Compiles the check; undefined where nothing below has such a list, so that most objects are never walked. */
export function compileListTypes(schema: JsonSchema): ListTypeCheck | undefined {
  const item = schema.items ? compileListTypes(schema.items) : undefined
  const additional = additionalSchema(schema)
  const others = additional ? compileListTypes(additional) : undefined
  const fields = new Map<string, ListTypeCheck>()
  for (const [name, sub] of Object.entries(schema.properties ?? {})) {
    const check = compileListTypes(sub)
    if (check) fields.set(name, check)
  }
  const own = ownCheck(schema)
  if (!own && !item && !others && fields.size === 0) return undefined

  return (value, path, out) => {
    if (isArray(value)) {
      own?.(value, path, out)
      if (item) for (const [i, one] of value.entries()) item(one, index(path, i), out)
    } else if (isObject(value)) {
      for (const name in value) {
        const one = value[name]
        if (one === undefined) continue
        others?.(one, key(path, name), out)
        fields.get(name)?.(one, child(path, name), out)
      }
    }
  }
}

type Items = (items: readonly JsonValue[], path: Path | undefined, out: FieldError[]) => void

function ownCheck(schema: JsonSchema): Items | undefined {
  const type = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (type === 'set') {
    return (items, path, out) => {
      for (const i of repeated(items)) out.push(duplicate(index(path, i), items[i]))
    }
  }
  if (type !== 'map') return undefined
  return (items, path, out) => {
    const odd = items.findIndex((item) => item !== null && !isObject(item))
    if (odd !== -1) {
      out.push(invalid(index(path, odd), items[odd], 'must be an object for an array of list-type map'))
      return
    }
    const keyed = items.map((item) => keysOf(isObject(item) ? item : {}, keys))
    for (const i of repeated(keyed)) out.push(duplicate(index(path, i), keyed[i]))
  }
}

function keysOf(item: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.filter((name) => item[name] !== undefined).map((name) => [name, item[name]]))
}

/** Where each value is for the second time; a third and fourth are not told again. */
function repeated(items: readonly JsonValue[]): number[] {
  if (items.length <= 1) return []
  const times = new Map<string, number>()
  return items.flatMap((item, i) => {
    const text = goJson(item)
    const seen = times.get(text) ?? 0
    times.set(text, seen + 1)
    return seen === 1 ? [i] : []
  })
}
