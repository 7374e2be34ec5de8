import type { JsonObject, JsonValue } from '../../metadata.ts'
import { parseFormatDuration } from '../../validation/formats/duration.ts'
import { isArray, isObject, jsonEqual } from '../../validation/json.ts'
import { additionalSchema, type JsonSchema, property } from '../../validation/json-schema.ts'
import { isInt } from '../../validation/numbers.ts'
import { withTypeAndMetadata } from '../check/decl-type.ts'
import { escapeName, unescapeName } from '../check/escaping.ts'
import { parseTimestamp } from '../library/time.ts'
import { CelDuration, CelError, CelList, CelMap, CelTimestamp, type Result, type Value } from './value.ts'

/** JSON as a value of CEL, typed by its schema. Lists and objects are looked into only when asked. */
export function schemaValue(json: JsonValue, schema: JsonSchema): Result {
  if (json === null) {
    return schema.nullable ? null : new CelError('invalid data, got null for schema with nullable=false')
  }
  if (schema['x-kubernetes-int-or-string']) {
    if (typeof json === 'string') return json
    if (typeof json === 'number' && isInt(json)) return BigInt(json)
    return new CelError('invalid data, expected XIntOrString value to be either a string or integer')
  }
  switch (schema.type) {
    case 'object':
      if (isObject(json)) return objectValue(json, schema)
      return new CelError('invalid data, expected a map for the provided schema with type=object')
    case 'array':
      return listValue(json, schema)
    case 'string':
      return typeof json === 'string' ? textValue(json, schema.format ?? '') : unexpected('string', json)
    case 'number':
      return typeof json === 'number' ? json : unexpected('float', json)
    case 'integer':
      return typeof json === 'number' && isInt(json) ? BigInt(json) : unexpected('int', json)
    case 'boolean':
      return typeof json === 'boolean' ? json : unexpected('bool', json)
    default:
      return new CelError(
        `invalid type, expected object, array, number, integer, boolean or string, or no type with x-kubernetes-int-or-string or x-kubernetes-preserve-unknown-fields is true, got ${schema.type ?? ''}`,
      )
  }
}

function unexpected(expected: string, json: JsonValue): CelError {
  return new CelError(`invalid data, expected ${expected}, got ${goType(json)}`)
}

function goType(json: JsonValue): string {
  if (typeof json === 'string') return 'string'
  if (typeof json === 'boolean') return 'bool'
  if (typeof json === 'number') return isInt(json) ? 'int64' : 'float64'
  return isArray(json) ? '[]interface {}' : 'map[string]interface {}'
}

function textValue(text: string, format: string): Result {
  switch (format) {
    case 'duration': {
      const nanoseconds = parseFormatDuration(text)
      if (nanoseconds !== undefined) return new CelDuration(nanoseconds)
      return new CelError(`Invalid duration ${text}: unable to parse ${text} as duration`)
    }
    case 'date': {
      const time = parseTimestamp(`${text}T00:00:00Z`)
      return time ?? new CelError(`Invalid date formatted string ${text}`)
    }
    case 'date-time': {
      const time = text === '' ? new CelTimestamp(0n) : (parseTimestamp(text) ?? parseTimestamp(`${text}Z`))
      return time ?? new CelError(`Invalid date-time formatted string ${text}`)
    }
    case 'byte': {
      if (/^[A-Za-z0-9_-]*={0,2}$/.test(text) && text.length % 4 === 0)
        return new Uint8Array(Buffer.from(text, 'base64url'))
      const bad = /[^A-Za-z0-9_=-]/.exec(text)?.index ?? text.length - (text.length % 4)
      return new CelError(`Invalid byte formatted string ${text}: illegal base64 data at input byte ${bad}`)
    }
    default:
      return text
  }
}

function objectValue(json: JsonObject, schema: JsonSchema): CelMap {
  const whole = schema['x-kubernetes-embedded-resource'] ? withTypeAndMetadata(schema) : schema
  return new SchemaMap(json, whole)
}

/** An object with named fields (whose names are escaped), or a map. */
class SchemaMap extends CelMap {
  readonly #json: JsonObject
  readonly #schema: JsonSchema
  readonly #isObject: boolean

  constructor(json: JsonObject, schema: JsonSchema) {
    super()
    this.#json = json
    this.#schema = schema
    this.#isObject = schema.properties !== undefined
  }

  get size(): number {
    return Object.keys(this.#json).length
  }

  #schemaOf(name: string): JsonSchema | undefined {
    return this.#isObject ? property(this.#schema, name) : additionalSchema(this.#schema)
  }

  find(key: Value): Result | undefined {
    if (typeof key !== 'string') return new CelError('no such overload')
    const name = this.#isObject ? unescapeName(key) : key
    if (name === undefined || !Object.hasOwn(this.#json, name)) return undefined
    const value = this.#json[name]
    const schema = this.#schemaOf(name)
    // A field that is null is as good as absent; a map's value is not.
    if (value === undefined || !schema || (this.#isObject && value === null)) return undefined
    return schemaValue(value, schema)
  }

  keys(): readonly Value[] {
    const names = Object.keys(this.#json).filter((name) => this.#schemaOf(name) !== undefined)
    return this.#isObject ? names.map((name) => escapeName(name) ?? name) : names
  }
}

function listValue(json: JsonValue, schema: JsonSchema): Result {
  if (!isArray(json)) return new CelError('invalid data, expected an array for the provided schema with type=array')
  if (!schema.items) return new CelError('invalid array type, expected Items with a non-empty Schema')
  const type = schema['x-kubernetes-list-type'] ?? 'atomic'
  if (type === 'set') return new SetList(json, schema.items)
  if (type === 'map') return new KeyedList(json, schema.items, schema['x-kubernetes-list-map-keys'] ?? [])
  return new SchemaList(json, schema.items)
}

class SchemaList extends CelList {
  readonly json: readonly JsonValue[]
  readonly items: JsonSchema

  constructor(json: readonly JsonValue[], items: JsonSchema) {
    super()
    this.json = json
    this.items = items
  }

  get size(): number {
    return this.json.length
  }

  override get strictIndex(): boolean {
    return true
  }

  at(index: number): Result {
    return schemaValue(this.json[index] ?? null, this.items)
  }
}

/** x-kubernetes-list-type `set`: order does not count, `+` is the union. */
class SetList extends SchemaList {
  override equalTo(other: CelList, equal: (a: Value, b: Value) => Result): Result {
    if (other.size !== this.size) return false
    for (let i = 0; i < other.size; i++) {
      const found = this.#has(other.at(i), equal)
      if (found !== true) return found
    }
    return true
  }

  #has(value: Result, equal: (a: Value, b: Value) => Result): Result {
    if (value instanceof CelError) return value
    for (let i = 0; i < this.size; i++) {
      const item = this.at(i)
      if (!(item instanceof CelError) && equal(item, value) === true) return true
    }
    return false
  }

  override plus(other: CelList): Result {
    if (!(other instanceof SchemaList)) return super.plus(other)
    const added = other.json.filter(
      (item, i) => !this.json.includes(item) && other.json.findIndex((one) => jsonEqual(one, item)) === i,
    )
    return new SetList([...this.json, ...added], this.items)
  }
}

/** x-kubernetes-list-type `map`: items belong together by their keys, `+` overwrites in place and appends what is new. */
class KeyedList extends SchemaList {
  readonly #keys: readonly string[]

  constructor(json: readonly JsonValue[], items: JsonSchema, keys: readonly string[]) {
    super(json, items)
    this.#keys = keys
  }

  #keyOf(item: JsonValue): string {
    return JSON.stringify(isObject(item) ? this.#keys.map((key) => item[key] ?? null) : item)
  }

  override equalTo(other: CelList, equal: (a: Value, b: Value) => Result): Result {
    if (other.size !== this.size) return false
    if (!(other instanceof SchemaList)) return itemByItem(this, other, equal)
    const byKey = new Map(this.json.map((item, i) => [this.#keyOf(item), i]))
    for (const [i, item] of other.json.entries()) {
      const own = byKey.get(this.#keyOf(item))
      if (own === undefined) return false
      const left = this.at(own)
      const right = other.at(i)
      if (left instanceof CelError) return left
      const same = right instanceof CelError ? right : equal(left, right)
      if (same !== true) return same
    }
    return true
  }

  override plus(other: CelList): Result {
    if (!(other instanceof SchemaList)) return super.plus(other)
    const merged = [...this.json]
    const places = new Map(merged.map((item, i) => [this.#keyOf(item), i]))
    for (const item of other.json) {
      const place = places.get(this.#keyOf(item))
      if (place === undefined) merged.push(item)
      else merged[place] = item
    }
    return new KeyedList(merged, this.items, this.#keys)
  }
}

function itemByItem(a: CelList, b: CelList, equal: (a: Value, b: Value) => Result): Result {
  for (let i = 0; i < a.size; i++) {
    const left = a.at(i)
    const right = b.at(i)
    if (left instanceof CelError) return left
    const same = right instanceof CelError ? right : equal(left, right)
    if (same !== true) return same
  }
  return true
}
