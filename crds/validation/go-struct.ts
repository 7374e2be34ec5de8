import type { JsonValue } from '../metadata.ts'
import { goNumber, goQuote } from './go-format.ts'
import { isArray, isObject } from './json.ts'

/**
 * JSON read the way Go's encoding/json reads it into a struct, in its words where it cannot be, and written again with
 * `omitempty`: nulls and empty values are left out unless the field is a pointer or says `keep`, as a list only where it was
 * given.
 */
export type Shape =
  | { readonly kind: Scalar; readonly type: string; readonly pointer?: boolean; readonly keep?: boolean }
  | { readonly kind: 'map' | 'list'; readonly of: Shape; readonly type: string; readonly keep?: boolean }
  | { readonly kind: 'struct'; readonly type: string; readonly fields: () => Fields }
  /** A type that unmarshals itself; what is unknown below it goes unnoticed. */
  | { readonly kind: 'own'; readonly read: (value: JsonValue, into: Into) => JsonValue | undefined }

type Scalar = 'string' | 'int64' | 'int32' | 'float64' | 'bool' | 'bytes' | 'time' | 'json'
export type Fields = Readonly<Record<string, Shape>>

/** Where a value goes, as errors tell it. */
export interface Into {
  /** As unknown fields are told: with indexes and the keys of maps. */
  readonly path: string
  /** The names of the struct's fields alone, joined by dots. */
  readonly field: string
  /** The struct whose field it is. */
  readonly struct: string
  /** Unknown fields are added here. */
  readonly unknown: string[]
  /** Fields and keys are read in order of their names, as from a Go map. */
  readonly sorted: boolean
}

/** A value that cannot be read; the message is Go's. */
export class Unreadable extends Error {}

/** Starts at a whole value. */
export const start = (unknown: string[], sorted: boolean): Into => ({
  path: '',
  field: '',
  struct: '',
  unknown,
  sorted,
})

/** The value as Go would write it again; undefined where it would be omitted. Throws Unreadable. */
export function readGo(value: JsonValue | undefined, shape: Shape, into: Into): JsonValue | undefined {
  if (value === null || value === undefined) return undefined
  switch (shape.kind) {
    case 'list':
      return readList(value, shape, into)
    case 'map':
      return readMap(value, shape, into)
    case 'struct':
      return readStruct(value, shape, into)
    case 'own':
      return shape.read(value, into)
    default: {
      const read = readScalar(value, shape.kind, shape.type, into)
      // Raw JSON is a pointer wherever it may be absent.
      const empty = shape.kind !== 'json' && (read === '' || read === 0 || read === false)
      return empty && !shape.pointer && !shape.keep ? undefined : read
    }
  }
}

function readList(
  value: JsonValue,
  shape: Shape & { readonly kind: 'map' | 'list' },
  into: Into,
): JsonValue | undefined {
  if (!isArray(value)) throw mismatch(value, shape.type, into)
  const items = value.map(
    (item, i) => readGo(item, shape.of, { ...into, path: `${into.path}[${i}]` }) ?? zero(shape.of),
  )
  return items.length > 0 || shape.keep ? items : undefined
}

function readMap(
  value: JsonValue,
  shape: Shape & { readonly kind: 'map' | 'list' },
  into: Into,
): JsonValue | undefined {
  if (!isObject(value)) throw mismatch(value, shape.type, into)
  const entries = names(value, into).map((key): [string, JsonValue] => {
    const read = readGo(value[key], shape.of, { ...into, path: `${into.path}.${key}` })
    return [key, read ?? zero(shape.of)]
  })
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

function readStruct(value: JsonValue, shape: Shape & { readonly kind: 'struct' }, into: Into): JsonValue {
  if (!isObject(value)) throw mismatch(value, shape.type, into)
  const fields = shape.fields()
  const struct = shape.type.replace('v1.', '')
  const out: Record<string, JsonValue> = {}
  for (const name of names(value, into)) {
    const path = into.path === '' ? name : `${into.path}.${name}`
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (!field) {
      into.unknown.push(path)
      continue
    }
    const at = { ...into, path, field: into.field === '' ? name : `${into.field}.${name}`, struct }
    const read = readGo(value[name], field, at)
    if (read !== undefined) out[name] = read
  }
  return withKept(out, fields)
}

function names(value: Readonly<Record<string, JsonValue | undefined>>, into: Into): string[] {
  const all = Object.keys(value).filter((name) => value[name] !== undefined)
  return into.sorted ? all.sort() : all
}

/** Fields without `omitempty` are there even where nothing was given. */
function withKept(out: Record<string, JsonValue>, fields: Fields): JsonValue {
  for (const name in fields) {
    const field = fields[name]
    if (field && 'keep' in field && field.keep && field.kind !== 'list' && out[name] === undefined) {
      out[name] = zero(field)
    }
  }
  return out
}

function zero(shape: Shape): JsonValue {
  switch (shape.kind) {
    case 'struct':
      return withKept({}, shape.fields())
    case 'string':
      return ''
    case 'bool':
      return false
    case 'int64':
    case 'int32':
    case 'float64':
      return 0
    default:
      return null
  }
}

function readScalar(value: JsonValue, kind: Scalar, type: string, into: Into): JsonValue {
  switch (kind) {
    case 'json':
      return value
    case 'time':
      return readTime(value, into)
    case 'bytes':
      return readBytes(value, type, into)
    case 'string':
      if (typeof value !== 'string') throw mismatch(value, type, into)
      return value
    case 'bool':
      if (typeof value !== 'boolean') throw mismatch(value, type, into)
      return value
    case 'float64':
      if (typeof value !== 'number') throw mismatch(value, type, into)
      return value
    default:
      if (typeof value !== 'number') throw mismatch(value, type, into)
      if (!Number.isInteger(value) || (kind === 'int32' && value !== (value | 0))) {
        throw unreadable(`number ${goNumber(value)}`, type, into)
      }
      return value
  }
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** metav1.Time: RFC 3339 in, RFC 3339 in whole seconds and UTC out. */
function readTime(value: JsonValue, into: Into): JsonValue {
  if (typeof value !== 'string') throw mismatch(value, 'string', into)
  if (!RFC3339.test(value) || Number.isNaN(Date.parse(value))) {
    const layout = '"2006-01-02T15:04:05Z07:00"'
    throw new Unreadable(`parsing time ${goQuote(value)} as ${layout}: cannot parse ${goQuote(value)} as "2006"`)
  }
  return `${new Date(Math.floor(Date.parse(value) / 1000) * 1000).toISOString().slice(0, 19)}Z`
}

function readBytes(value: JsonValue, type: string, into: Into): JsonValue {
  if (typeof value !== 'string') throw mismatch(value, type, into)
  const compact = value.replace(/[\r\n]/g, '')
  const bytes = Buffer.from(compact, 'base64')
  if (bytes.toString('base64') === compact) return compact
  const bad = /[^A-Za-z0-9+/=]/.exec(compact)?.index ?? compact.length - (compact.length % 4)
  throw new Unreadable(`illegal base64 data at input byte ${bad}`)
}

function mismatch(value: JsonValue, type: string, into: Into): Unreadable {
  const number = typeof value === 'number' && (type === 'int64' || type === 'int32')
  return unreadable(number ? `number ${goNumber(value)}` : jsonKind(value), type, into)
}

function unreadable(what: string, type: string, into: Into): Unreadable {
  const place = into.field === '' ? 'Go value' : `Go struct field ${into.struct}.${into.field}`
  return new Unreadable(`json: cannot unmarshal ${what} into ${place} of type ${type}`)
}

function jsonKind(value: JsonValue): string {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return 'number'
  return isArray(value) ? 'array' : 'object'
}
