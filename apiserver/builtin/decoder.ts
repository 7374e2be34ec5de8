import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { isArray, isObject } from '../json.ts'

/** Thrown where a value has another type than its field: Kubernetes answers 400 with Go's sentence. */
export class DecodeError extends Error {}

/** Where a value is: for messages. */
interface Place {
  /** As unknown fields are reported: `spec.versions[0].name`. */
  readonly path: string
  /** As Go's decoder names it: `ConfigMap.data`. */
  readonly goPath: string
}

type Decode = (value: JsonValue, place: Place, unknown: string[]) => JsonValue | undefined

/** Finds the definition that a `$ref` names. */
export type Definitions = (name: string) => JsonObject | undefined

/**
 * Reads an object of a built-in kind as Go's JSON decoder would: nulls count as absent, unknown fields are dropped and reported, a value of a
 * wrong type is an error, times are normalised.
 */
export function compileDecoder(kind: string, schema: JsonObject, definitions: Definitions) {
  const compiler = new Compiler(definitions)
  const decode = compiler.compile(schema)
  return (object: JsonObject, unknown: string[]): JsonObject =>
    decode(object, { path: '', goPath: kind }, unknown) as JsonObject
}

class Compiler {
  readonly #definitions: Definitions
  readonly #named = new Map<string, Decode>()

  constructor(definitions: Definitions) {
    this.#definitions = definitions
  }

  compile(schema: JsonValue | undefined): Decode {
    if (!isObject(schema)) return anything
    const [only] = isArray(schema.allOf) ? schema.allOf : []
    const ref = schema.$ref ?? (isObject(only) ? only.$ref : undefined)
    if (typeof ref === 'string') return this.#reference(ref.slice(ref.lastIndexOf('/') + 1))
    if (schema['x-kubernetes-int-or-string'] === true || schema.format === 'int-or-string') return anything
    switch (schema.type) {
      case 'object':
        return this.#object(schema)
      case 'array':
        return array(this.compile(schema.items))
      case 'string':
        return schema.format === 'byte' ? base64 : string
      case 'integer':
        return integer
      case 'number':
        return number
      case 'boolean':
        return boolean
      default:
        return anything
    }
  }

  #reference(name: string): Decode {
    if (name.endsWith('.meta.v1.Time')) return time
    if (name.endsWith('.meta.v1.MicroTime')) return microTime
    const known = this.#named.get(name)
    if (known) return known
    // Definitions may contain themselves: the name is taken before its schema is compiled.
    let decode: Decode = anything
    this.#named.set(name, (value, place, unknown) => decode(value, place, unknown))
    decode = this.compile(this.#definitions(name))
    return decode
  }

  #object(schema: JsonObject): Decode {
    const { properties, additionalProperties } = schema
    if (isObject(properties) && Object.keys(properties).length > 0) {
      const required = isArray(schema.required) ? schema.required : []
      const field = (name: string, of: JsonValue | undefined): Decode =>
        isCollection(of) && !required.includes(name) ? unlessEmpty(this.compile(of)) : this.compile(of)
      const fields = new Map(Object.entries(properties).map(([name, of]) => [name, field(name, of)]))
      return struct(fields, structs(properties))
    }
    if (isObject(additionalProperties)) return map(this.compile(additionalProperties))
    return schema['x-kubernetes-preserve-unknown-fields'] === true || !properties ? anyObject : struct(new Map(), [])
  }
}

const anything: Decode = (value) => value

/** Fields that are structs and not pointers in Go: always there. Metadata is read on its own. */
function structs(properties: JsonObject): readonly string[] {
  return Object.keys(properties).filter((name) => {
    const of = properties[name]
    return name !== 'metadata' && isObject(of) && isObject(of.default) && Object.keys(of.default).length === 0
  })
}

/** A list or a map, told from a struct by having no fields of its own. */
function isCollection(schema: JsonValue | undefined): boolean {
  if (!isObject(schema)) return false
  return schema.type === 'array' || (schema.type === 'object' && isObject(schema.additionalProperties))
}

/** An optional list or map that is empty is not stored: Go's `omitempty`. */
function unlessEmpty(decode: Decode): Decode {
  return (value, place, unknown) => {
    const decoded = decode(value, place, unknown)
    return typeof decoded === 'object' && decoded !== null && Object.keys(decoded).length === 0 ? undefined : decoded
  }
}

function mismatch(value: JsonValue, place: Place, type: string): DecodeError {
  const is = isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return new DecodeError(`json: cannot unmarshal ${is} into Go struct field ${place.goPath} of type ${type}`)
}

const anyObject: Decode = (value, place) => {
  if (!isObject(value)) throw mismatch(value, place, 'map[string]interface {}')
  return value
}

function struct(fields: ReadonlyMap<string, Decode>, always: readonly string[]): Decode {
  return (value, place, unknown) => {
    if (!isObject(value)) throw mismatch(value, place, 'struct')
    const result: Record<string, JsonValue | undefined> = {}
    for (const key in value) {
      const item = value[key]
      const decode = fields.get(key)
      const path = place.path === '' ? key : `${place.path}.${key}`
      if (!decode) unknown.push(path)
      else if (item !== null && item !== undefined) {
        result[key] = decode(item, { path, goPath: `${place.goPath}.${key}` }, unknown)
      }
    }
    for (const key of always) result[key] ??= fields.get(key)?.({}, { path: key, goPath: key }, unknown)
    return result
  }
}

function map(items: Decode): Decode {
  return (value, place, unknown) => {
    if (!isObject(value)) throw mismatch(value, place, 'map[string]string')
    const result: Record<string, JsonValue | undefined> = {}
    for (const key in value) {
      const item = value[key]
      if (item === undefined) continue
      const at = { path: `${place.path}.${key}`, goPath: place.goPath }
      // A null in a map of Go strings is the empty string.
      const decoded = item === null ? (items === string || items === base64 ? '' : null) : items(item, at, unknown)
      Object.defineProperty(result, key, { value: decoded, writable: true, enumerable: true, configurable: true })
    }
    return result
  }
}

function array(items: Decode): Decode {
  return (value, place, unknown) => {
    if (!isArray(value)) throw mismatch(value, place, '[]struct')
    return value.map((item, i) =>
      item === null ? null : (items(item, { path: `${place.path}[${i}]`, goPath: place.goPath }, unknown) ?? null),
    )
  }
}

const string: Decode = (value, place) => {
  if (typeof value !== 'string') throw mismatch(value, place, 'string')
  return value
}

const boolean: Decode = (value, place) => {
  if (typeof value !== 'boolean') throw mismatch(value, place, 'bool')
  return value
}

const number: Decode = (value, place) => {
  if (typeof value !== 'number') throw mismatch(value, place, 'float64')
  return value
}

const integer: Decode = (value, place) => {
  if (typeof value !== 'number') throw mismatch(value, place, 'int64')
  if (!Number.isInteger(value)) {
    throw new DecodeError(`json: cannot unmarshal number ${value} into Go struct field ${place.goPath} of type int64`)
  }
  return value
}

const base64: Decode = (value, place) => {
  if (typeof value !== 'string') throw mismatch(value, place, '[]uint8')
  const compact = value.replace(/[\r\n]/g, '')
  const wrong = /[^A-Za-z0-9+/=]/.exec(compact)
  const bytes = Buffer.from(compact, 'base64')
  if (!wrong && bytes.toString('base64') === compact) return compact
  throw new DecodeError(`illegal base64 data at input byte ${wrong ? wrong.index : Math.max(0, compact.length - 1)}`)
}

const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/

function parseTime(value: JsonValue, place: Place): { date: Date; fraction: string } {
  if (typeof value !== 'string') throw mismatch(value, place, 'string')
  const m = timestamp.exec(value)
  const date = new Date(value)
  if (!m || Number.isNaN(date.getTime())) {
    throw new DecodeError(
      `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`,
    )
  }
  return { date, fraction: (m[1] ?? '').slice(1) }
}

const time: Decode = (value, place) => {
  if (value === '') return undefined
  return `${parseTime(value, place).date.toISOString().slice(0, 19)}Z`
}

const microTime: Decode = (value, place) => {
  if (value === '') return undefined
  const { date, fraction } = parseTime(value, place)
  return `${date.toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`
}
