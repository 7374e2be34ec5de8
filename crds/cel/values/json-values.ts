import type { JsonObject, JsonValue } from '../../metadata.ts'
import { isArray, isObject } from '../../validation/json.ts'
import { isInt } from '../../validation/numbers.ts'
import type { DeclaredType } from '../declared-type.ts'
import { toText } from '../library/conversions.ts'
import { parseTimestamp } from '../library/time.ts'
import {
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelTypeValue,
  CelUint,
  items,
  type Result,
  type Value,
} from './value.ts'

/** JSON as a value of CEL: whole numbers are ints. Only a declared type makes more of it than that. */
export function jsonValue(json: JsonValue, declared: DeclaredType = 'dyn'): Result {
  if (json === null || typeof json === 'boolean') return json
  if (typeof json === 'string') return declared === 'timestamp' ? (parseTimestamp(json) ?? json) : json
  if (typeof json === 'number') return isInt(json) && declared !== 'double' ? BigInt(json) : json
  if (isArray(json)) return new JsonList(json, itemType(declared))
  return isObject(json) ? new JsonMap(json, declared) : null
}

function itemType(declared: DeclaredType): DeclaredType {
  return typeof declared === 'object' && 'list' in declared ? declared.list : 'dyn'
}

class JsonList extends CelList {
  readonly #json: readonly JsonValue[]
  readonly #items: DeclaredType

  constructor(json: readonly JsonValue[], itemsType: DeclaredType) {
    super()
    this.#json = json
    this.#items = itemsType
  }

  get size(): number {
    return this.#json.length
  }

  at(index: number): Result {
    return jsonValue(this.#json[index] ?? null, this.#items)
  }
}

class JsonMap extends CelMap {
  readonly #json: JsonObject
  readonly #declared: DeclaredType

  constructor(json: JsonObject, declared: DeclaredType) {
    super()
    this.#json = json
    this.#declared = declared
  }

  get size(): number {
    return this.keys().length
  }

  find(key: Value): Result | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.#json, key)) return undefined
    const value = this.#json[key]
    return value === undefined ? undefined : jsonValue(value, this.#fieldType(key))
  }

  #fieldType(key: string): DeclaredType {
    if (typeof this.#declared === 'string' || 'list' in this.#declared) return 'dyn'
    return 'map' in this.#declared ? this.#declared.map : (this.#declared.fields[key] ?? 'dyn')
  }

  keys(): readonly Value[] {
    return Object.keys(this.#json).filter((key) => this.#json[key] !== undefined)
  }
}

/** A value as JSON: times and durations as texts, bytes in base64, `optional.none()` as null. */
export function toJson(value: Value): JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') {
    return value
  }
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof CelUint) return Number(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof CelList) return items(value).map(resultJson)
  if (value instanceof CelMap) return mapJson(value)
  if (value instanceof CelOptional) return value.value === undefined ? null : toJson(value.value)
  if (value instanceof CelTypeValue) return value.name
  const text = toText(value)
  return typeof text === 'string' ? text : null
}

function resultJson(result: Result): JsonValue {
  return result instanceof CelError ? null : toJson(result)
}

function mapJson(map: CelMap): JsonValue {
  return Object.fromEntries(
    map.keys().map((key) => {
      const found = map.find(key)
      return [String(toJson(key)), found === undefined ? null : resultJson(found)]
    }),
  )
}
