import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { typeName } from './manifest.ts'

/** A value of a type that its field cannot have. */
export interface Misread {
  readonly path: readonly (string | number)[]
  /** `must be a string, not a number; write "1" in quotes`. */
  readonly message: string
}

export type Definitions = (name: string) => JsonObject | undefined

/** Every value of a wrong type, by an OpenAPI schema with references. Nulls count as absent, as servers take them. */
export function typeErrors(schema: JsonObject, value: JsonValue, definitions: Definitions): Misread[] {
  const errors: Misread[] = []
  visit(schema, value, [], definitions, errors)
  return errors
}

function visit(
  given: JsonObject,
  value: JsonValue | undefined,
  path: Misread['path'],
  definitions: Definitions,
  errors: Misread[],
): void {
  const schema = dereferenced(given, definitions)
  if (value === null || value === undefined || !schema || schema['x-kubernetes-int-or-string'] === true) return
  const refuse = (wanted: string) => errors.push({ path, message: mismatch(wanted, value) })
  switch (schema.format === 'int-or-string' ? undefined : schema.type) {
    case 'object': {
      if (!isMap(value)) return void refuse('a map')
      const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonObject>>
      const others = isMap(schema.additionalProperties) ? schema.additionalProperties : undefined
      for (const [name, item] of Object.entries(value)) {
        const sub = Object.hasOwn(properties, name) ? properties[name] : others
        if (sub) visit(sub, item, [...path, name], definitions, errors)
      }
      return
    }
    case 'array': {
      if (!Array.isArray(value)) return void refuse('a list')
      const items = schema.items
      if (!isMap(items)) return
      for (const [index, item] of value.entries())
        visit(items, item as JsonValue, [...path, index], definitions, errors)
      return
    }
    case 'string':
      if (typeof value !== 'string') refuse('a string')
      else if (!isOfFormat(value, schema.format)) {
        errors.push({
          path,
          message: schema.format === 'byte' ? 'must be base64' : 'must be a time, as 2006-01-02T15:04:05Z',
        })
      }
      return
    case 'boolean':
      if (typeof value !== 'boolean') refuse('a boolean')
      return
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value)) refuse('a whole number')
      return
    case 'number':
      if (typeof value !== 'number') refuse('a number')
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

/** Formats that Go reads into something else than a text. An empty time is none. */
function isOfFormat(value: string, format: JsonValue | undefined): boolean {
  if (format === 'byte') return BASE64.test(value.replace(/[\r\n]/g, ''))
  return format !== 'date-time' || value === '' || (TIME.test(value) && !Number.isNaN(Date.parse(value)))
}

function mismatch(wanted: string, value: JsonValue): string {
  const is = wanted === 'a whole number' && typeof value === 'number' ? `${value}` : typeName(value)
  const quotable = wanted === 'a string' && (typeof value === 'number' || typeof value === 'boolean')
  return `must be ${wanted}, not ${is}${quotable ? `; write "${value}" in quotes` : ''}`
}

/** What a schema refers to: built-in schemas refer by `$ref`, or by `allOf` of one where they have a default. */
export function dereferenced(schema: JsonObject, definitions: Definitions): JsonObject | undefined {
  const [only] = Array.isArray(schema.allOf) ? (schema.allOf as readonly JsonObject[]) : []
  const ref = schema.$ref ?? only?.$ref
  return typeof ref === 'string' ? definitions(ref.slice(ref.lastIndexOf('/') + 1)) : schema
}

function isMap(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
