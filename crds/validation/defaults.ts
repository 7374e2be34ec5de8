import type { JsonObject, JsonValue } from '../metadata.ts'
import { isArray, isObject } from './json.ts'
import { additionalSchema, type JsonSchema } from './json-schema.ts'

/** Changes a value, or returns the same one where there is nothing to change. */
export type Change = (value: JsonValue) => JsonValue

/**
 * Fills in defaults: for fields that are missing, and for nulls where null is not allowed. Undefined where nothing below has
 * a default.
 */
export function compileDefaults(schema: JsonSchema): Change | undefined {
  const item = schema.items ? compileDefaults(schema.items) : undefined
  const additional = additionalSchema(schema)
  const others = additional ? compileDefaults(additional) : undefined
  const fields = new Map<string, { readonly schema: JsonSchema; readonly change: Change | undefined }>()
  for (const [name, sub] of Object.entries(schema.properties ?? {})) {
    fields.set(name, { schema: sub, change: compileDefaults(sub) })
  }
  const defaulted = [...fields].filter(([, field]) => hasDefault(field.schema))
  const below = item || others || defaulted.length > 0 || [...fields.values()].some((field) => field.change)
  if (!below && !(schema.items && hasDefault(schema.items)) && !(additional && hasDefault(additional))) return undefined

  return (value) => {
    if (isArray(value)) return mapItems(value, (one) => filled(one, schema.items, item))
    if (!isObject(value)) return value
    let out: Record<string, JsonValue | undefined> | undefined
    for (const [name, field] of defaulted) {
      const one = Object.hasOwn(value, name) ? value[name] : undefined
      if (one !== undefined && !(one === null && !field.schema.nullable)) continue
      out ??= { ...value }
      out[name] = field.schema.default
    }
    const source: JsonObject = out ?? value
    for (const name in source) {
      const one = source[name]
      if (one === undefined) continue
      const field = fields.get(name)
      const changed = field ? (field.change?.(one) ?? one) : filled(one, additional, others)
      if (changed === one) continue
      out ??= { ...value }
      out[name] = changed
    }
    return out ?? value
  }
}

function hasDefault(schema: JsonSchema): boolean {
  return schema.default !== undefined && schema.default !== null
}

/** A value of a list or map: its own default in place of a null, and the defaults below it. */
function filled(value: JsonValue, schema: JsonSchema | undefined, change: Change | undefined): JsonValue {
  const one = value === null && schema && !schema.nullable ? (schema.default ?? null) : value
  return change?.(one) ?? one
}

/** Drops nulls of fields that may not be null and have no default, as if they had not been written. */
export function compileNullPrune(schema: JsonSchema | undefined): Change {
  const fields = new Map(
    Object.entries(schema?.properties ?? {}).map(
      ([name, sub]) => [name, { schema: sub, change: lazily(sub) }] as const,
    ),
  )
  const additional = schema ? additionalSchema(schema) : undefined
  const others = additional ? { schema: additional, change: lazily(additional) } : undefined
  const item = schema?.items ? lazily(schema.items) : undefined

  return (value) => {
    if (isArray(value)) return item ? mapItems(value, item) : value
    if (!isObject(value)) return value
    let out: Record<string, JsonValue | undefined> | undefined
    for (const name in value) {
      const one = value[name]
      const field = fields.get(name) ?? others
      if (one === undefined || !field) continue
      const dropped = one === null && !field.schema.nullable && !hasDefault(field.schema)
      const changed = dropped ? undefined : field.change(one)
      if (changed === one) continue
      out ??= { ...value }
      if (changed === undefined) delete out[name]
      else out[name] = changed
    }
    return out ?? value
  }
}

/** Compiled only when a value gets there. */
function lazily(schema: JsonSchema): Change {
  let change: Change | undefined
  return (value) => {
    if (typeof value !== 'object' || value === null) return value
    change ??= compileNullPrune(schema)
    return change(value)
  }
}

function mapItems(items: readonly JsonValue[], change: Change): readonly JsonValue[] {
  let out: JsonValue[] | undefined
  for (const [i, one] of items.entries()) {
    const changed = change(one)
    if (changed === one) continue
    out ??= [...items]
    out[i] = changed
  }
  return out ?? items
}
