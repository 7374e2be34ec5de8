import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import messages from './messages.json' with { type: 'json' }
import { ProtobufError, type WireField, wireFields } from './wire.ts'

/**
 * Kubernetes' protobuf, as Go clients send it for built-in kinds, read into JSON. Only requests are read: answers are JSON, which such clients
 * accept too.
 *
 * messages.json names the fields of every message by number, as `k8s.io/api` and its kin define them: `name type`. `[]` is a list, `{}` a map by
 * string. A field without a name is embedded: its fields are the message's own. Protobuf of Go structs carries zero values that JSON leaves
 * out: `*` (a pointer) and `!` (required) say that zero is to be kept.
 */
const table: Readonly<Record<string, Readonly<Record<string, string>>>> = messages

/** What an envelope starts with. */
const magic = Buffer.from('k8s\0')
const packages: Readonly<Record<string, string>> = {
  v1: 'core',
  'coordination.k8s.io/v1': 'coord',
  'rbac.authorization.k8s.io/v1': 'rbac',
  'events.k8s.io/v1': 'events',
  'authentication.k8s.io/v1': 'authn',
  'authorization.k8s.io/v1': 'authz',
  'admissionregistration.k8s.io/v1': 'adm',
  'apiextensions.k8s.io/v1': 'apiext',
}

/** Decodes an object of a built-in kind. Throws {@link ProtobufError}. */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, 4).equals(magic))
    throw new ProtobufError('provided data does not appear to be a protobuf message')
  let apiVersion = ''
  let kind = ''
  let raw: Buffer = Buffer.alloc(0)
  for (const field of wireFields(body.subarray(4))) {
    if (field.number === 2) raw = bytesOf(field)
    if (field.number !== 1) continue
    for (const f of wireFields(bytesOf(field))) {
      if (f.number === 1) apiVersion = bytesOf(f).toString('utf8')
      if (f.number === 2) kind = bytesOf(f).toString('utf8')
    }
  }
  const name = kind === 'DeleteOptions' ? kind : `${packages[apiVersion] ?? ''}.${kind}`
  const fields = table[name]
  if (!fields) throw new ProtobufError(`${kind} in version ${JSON.stringify(apiVersion)} is not read from protobuf`)
  return { apiVersion, kind, ...message(raw, fields) }
}

interface FieldType {
  readonly name: string
  readonly list: boolean
  readonly map: boolean
  /** Zero values stay. */
  readonly keepZero: boolean
  readonly of: string
}

const types = new Map<string, FieldType>()

function fieldType(text: string): FieldType {
  let type = types.get(text)
  if (!type) {
    const [, name = '', flag = '', many = '', of = ''] = /^(\S*) ([*!]?)(\[\]|\{\})?(.+)$/.exec(text) ?? []
    type = { name, list: many === '[]', map: many === '{}', keepZero: flag !== '', of }
    types.set(text, type)
  }
  return type
}

function message(bytes: Buffer, fields: Readonly<Record<string, string>>): JsonObject {
  const result: Record<string, JsonValue> = {}
  for (const field of wireFields(bytes)) {
    const text = fields[field.number]
    // A field of a newer client: unknown to this server, as it would be in JSON.
    if (text === undefined) continue
    const type = fieldType(text)
    if (type.map) {
      result[type.name] ??= {}
      const entries = result[type.name] as Record<string, JsonValue>
      const [key, value] = mapEntry(bytesOf(field), type.of)
      Object.defineProperty(entries, key, { value, writable: true, enumerable: true, configurable: true })
    } else if (type.list) {
      result[type.name] ??= []
      const list = result[type.name] as JsonValue[]
      list.push(readValue(field, type.of) ?? null)
    } else if (type.name === '') {
      Object.assign(result, readValue(field, type.of))
    } else {
      const value = readValue(field, type.of)
      if (value !== undefined && (type.keepZero || !isZero(value))) result[type.name] = value
    }
  }
  return result
}

function mapEntry(bytes: Buffer, of: string): [string, JsonValue] {
  let key = ''
  let value: JsonValue | undefined
  for (const field of wireFields(bytes)) {
    if (field.number === 1) key = bytesOf(field).toString('utf8')
    else if (field.number === 2) value = readValue(field, of)
  }
  return [key, value ?? (of === 'string' || of === 'bytes' ? '' : {})]
}

function isZero(value: JsonValue): boolean {
  if (value === '' || value === 0 || value === false) return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function readValue(field: WireField, of: string): JsonValue | undefined {
  switch (of) {
    case 'string':
      return bytesOf(field).toString('utf8')
    case 'bytes':
      return bytesOf(field).toString('base64')
    case 'int':
      return Number(BigInt.asIntN(64, varintOf(field)))
    case 'bool':
      return varintOf(field) !== 0n
    case 'double':
      if (field.double === undefined) throw new ProtobufError('wrong wire type for a number')
      return field.double
    case 'Time':
      return time(bytesOf(field), 0)
    case 'MicroTime':
      return time(bytesOf(field), 6)
    case 'Raw':
      return rawJson(bytesOf(field))
    case 'Empty':
      return {}
    case 'Extra':
      return [...wireFields(bytesOf(field))].map((f) => bytesOf(f).toString('utf8'))
    case 'SchemaOrBool':
    case 'SchemaOrArray':
    case 'SchemaOrStrings':
      return oneOf(bytesOf(field), of)
    default: {
      const fields = table[of]
      if (!fields) throw new ProtobufError(`${of} is not read from protobuf`)
      return message(bytesOf(field), fields)
    }
  }
}

/** A schema, or what may stand in its place. */
function oneOf(bytes: Buffer, of: string): JsonValue | undefined {
  const schema = table['apiext.JSONSchemaProps'] ?? {}
  const many: JsonValue[] = []
  let allows = false
  for (const field of wireFields(bytes)) {
    if (of === 'SchemaOrBool' && field.number === 1) allows = varintOf(field) !== 0n
    else if (of === 'SchemaOrBool' || field.number === 1) return message(bytesOf(field), schema)
    else many.push(of === 'SchemaOrArray' ? message(bytesOf(field), schema) : bytesOf(field).toString('utf8'))
  }
  return of === 'SchemaOrBool' ? allows : many
}

/** RFC 3339 of google.protobuf.Timestamp's fields; undefined for Go's zero time, which is sent empty. */
function time(bytes: Buffer, fractionDigits: number): string | undefined {
  let seconds: bigint | undefined
  let nanos = 0n
  for (const field of wireFields(bytes)) {
    if (field.number === 1) seconds = BigInt.asIntN(64, varintOf(field))
    else if (field.number === 2) nanos = BigInt.asIntN(32, varintOf(field))
  }
  if (seconds === undefined && nanos === 0n) return undefined
  const whole = new Date(Number(seconds ?? 0n) * 1000)
  if (Number.isNaN(whole.getTime())) throw new ProtobufError('a time is out of range')
  const fraction = fractionDigits === 0 ? '' : `.${nanos.toString().padStart(9, '0').slice(0, fractionDigits)}`
  return `${whole.toISOString().slice(0, 19)}${fraction}Z`
}

/** JSON, wrapped as bytes in a message of one field. */
function rawJson(bytes: Buffer): JsonValue | undefined {
  for (const field of wireFields(bytes)) {
    if (field.number !== 1) continue
    try {
      return JSON.parse(bytesOf(field).toString('utf8')) as JsonValue
    } catch (err) {
      throw new ProtobufError((err as Error).message)
    }
  }
  return undefined
}

function bytesOf(field: WireField): Buffer {
  if (field.bytes === undefined) throw new ProtobufError(`wrong wire type for field ${field.number}`)
  return field.bytes
}

function varintOf(field: WireField): bigint {
  if (field.varint === undefined) throw new ProtobufError(`wrong wire type for field ${field.number}`)
  return field.varint
}
