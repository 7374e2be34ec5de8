import type { JsonObject, JsonValue } from '../../../crds/metadata.ts'
import { isArray, isObject } from '../../json.ts'

/** Writes one JSON value as a field of a message, tag included. */
export type FieldEncoder = (value: JsonValue, number: number) => Buffer
/** Writes the fields of a message. */
export type MessageEncoder = (object: JsonObject) => Buffer

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

function tag(number: number, wireType: number): Buffer {
  return varint(BigInt((number << 3) | wireType))
}

function delimited(number: number, payload: Buffer): Buffer {
  return Buffer.concat([tag(number, LENGTH_DELIMITED), varint(BigInt(payload.length)), payload])
}

const NOTHING = Buffer.alloc(0)

export const string: FieldEncoder = (value, number) =>
  typeof value === 'string' && value !== '' ? delimited(number, Buffer.from(value)) : NOTHING

export const bool: FieldEncoder = (value, number) =>
  value === true ? Buffer.concat([tag(number, VARINT), varint(1n)]) : NOTHING

export const int64: FieldEncoder = (value, number) =>
  typeof value === 'number' && value !== 0 ? Buffer.concat([tag(number, VARINT), varint(BigInt(value))]) : NOTHING

export const double: FieldEncoder = (value, number) => {
  if (typeof value !== 'number' || value === 0) return NOTHING
  const payload = Buffer.alloc(8)
  payload.writeDoubleLE(value)
  return Buffer.concat([tag(number, FIXED64), payload])
}

/** A message, written even when it is empty: that it is there may mean something. */
export function message(encode: MessageEncoder): FieldEncoder {
  return (value, number) => (isObject(value) ? delimited(number, encode(value)) : NOTHING)
}

export function repeated(item: FieldEncoder): FieldEncoder {
  return (value, number) => {
    if (!isArray(value)) return NOTHING
    return Buffer.concat(value.map((of) => (of === '' ? delimited(number, NOTHING) : item(of, number))))
  }
}

/** Any value, as the YAML (here JSON) text that gnostic keeps it in. */
export const any: FieldEncoder = (value, number) => delimited(number, string(`${JSON.stringify(value)}\n`, 2))

/** A JSON object as a message that lists names and values. */
export function named(value: FieldEncoder): MessageEncoder {
  return (object) => Buffer.concat(Object.entries(object).map(([name, of]) => namedField(name, of, value, 1)))
}

export function namedField(name: string, of: JsonValue | undefined, value: FieldEncoder, number: number): Buffer {
  if (of === undefined) return NOTHING
  return delimited(number, Buffer.concat([string(name, 1), value(of, 2)]))
}

/** A message whose fields are keys of the JSON object; `extensions` is the field that `x-…` keys go to. */
export function fields(
  known: () => Readonly<Record<string, readonly [number: number, FieldEncoder]>>,
  extensions: number,
): MessageEncoder {
  return (object) => {
    const table = known()
    const parts: Buffer[] = []
    for (const [key, value] of Object.entries(object)) {
      if (value === undefined) continue
      const field = table[key]
      if (field) parts.push(field[1](value, field[0]))
      else if (key.startsWith('x-')) parts.push(namedField(key, value, any, extensions))
    }
    return Buffer.concat(parts)
  }
}
