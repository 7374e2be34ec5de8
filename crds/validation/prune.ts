import type { JsonObject, JsonValue } from '../metadata.ts'
import { isArray, isObject } from './json.ts'
import { additionalSchema, type JsonSchema } from './json-schema.ts'

/**
 * Drops what the schema does not name. Returns the same value where nothing was dropped. `pruned` gets the path of every
 * dropped field.
 */
export type Prune = (value: JsonValue, path: string, pruned: string[]) => JsonValue

/** apiVersion, kind and metadata belong to every object, whatever its schema says. */
const META_FIELDS = new Set(['apiVersion', 'kind', 'metadata'])

/** Compiles pruning for a whole object. */
export function compilePrune(schema: JsonSchema): Prune {
  return compile({ ...schema, 'x-kubernetes-embedded-resource': true })
}

/** Compiles pruning for a value that is no object of its own, such as a default. */
export function compileValuePrune(schema: JsonSchema): Prune {
  return compile(schema)
}

interface Below {
  readonly fields: ReadonlyMap<string, Prune>
  readonly others: Prune | undefined
  readonly embedded: boolean
}

function compile(schema: JsonSchema): Prune {
  const additional = additionalSchema(schema)
  // Where only `additionalProperties: true` is said of the others, they lose all of their own fields.
  const others = additional ? compile(additional) : schema.additionalProperties === true ? pruneAll : undefined
  const below: Below = {
    fields: new Map(Object.entries(schema.properties ?? {}).map(([name, sub]) => [name, compile(sub)])),
    others,
    embedded: schema['x-kubernetes-embedded-resource'] === true,
  }
  const item = schema.items ? compile(schema.items) : pruneAll
  const preserve = schema['x-kubernetes-preserve-unknown-fields'] === true
  const preservedItem = schema.items ? compilePreserved(schema.items) : undefined

  return (value, path, pruned) => {
    if (isArray(value)) {
      if (!preserve) return pruneItems(value, item, path, pruned)
      return preservedItem ? pruneItems(value, preservedItem, path, pruned) : value
    }
    return isObject(value) ? pruneFields(value, below, preserve, path, pruned) : value
  }
}

/** Items of a preserved list are preserved themselves, and only what they name is pruned further. */
function compilePreserved(schema: JsonSchema): Prune {
  return compile({ ...schema, 'x-kubernetes-preserve-unknown-fields': true })
}

/** Where there is no schema, no field survives. */
const pruneAll: Prune = (value, path, pruned) => {
  if (isArray(value)) return pruneItems(value, pruneAll, path, pruned)
  if (!isObject(value)) return value
  for (const name of Object.keys(value)) pruned.push(join(path, name))
  return Object.keys(value).length > 0 ? {} : value
}

function pruneItems(value: readonly JsonValue[], item: Prune, path: string, pruned: string[]): JsonValue {
  let out: JsonValue[] | undefined
  for (const [i, one] of value.entries()) {
    // Scalars have no fields to lose, and making their path takes longer than all the rest.
    if (typeof one !== 'object' || one === null) continue
    const kept = item(one, `${path}[${i}]`, pruned)
    if (kept === one) continue
    out ??= [...value]
    out[i] = kept
  }
  return out ?? value
}

function pruneFields(value: JsonObject, below: Below, preserve: boolean, path: string, pruned: string[]): JsonObject {
  let out: Record<string, JsonValue | undefined> | undefined
  for (const name in value) {
    const one = value[name]
    if (one === undefined || (below.embedded && META_FIELDS.has(name))) continue
    const prune = below.fields.get(name) ?? below.others
    if (prune) {
      if (typeof one !== 'object' || one === null) continue
      const kept = prune(one, join(path, name), pruned)
      if (kept === one) continue
      out ??= { ...value }
      out[name] = kept
    } else if (!preserve) {
      pruned.push(join(path, name))
      out ??= { ...value }
      delete out[name]
    }
  }
  return out ?? value
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
