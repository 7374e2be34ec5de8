import { parseGoDuration } from '../../validation/formats/duration.ts'
import { goFloat } from '../../validation/go-format.ts'
import { type Overload, overload } from '../types/declarations.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  INT,
  param,
  STRING,
  TIMESTAMP,
  typeOf,
  UINT,
} from '../types/type.ts'
import {
  CelDuration,
  CelError,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  type Result,
  typeName,
  type Value,
} from '../values/value.ts'
import { int, timestamp, uint } from './arithmetic.ts'
import { formatTimestamp, parseTimestamp } from './time.ts'

const notText = (to: string): CelError => new CelError(`type conversion error from 'string' to '${to}'`)

/** Integers as strconv.ParseInt reads them: digits with a sign, no spaces. */
function parseInteger(text: string, to: 'int' | 'uint'): Result {
  const shape = to === 'int' ? /^[+-]?\d+$/ : /^\d+$/
  if (!shape.test(text)) return notText(to)
  const value = BigInt(text.replace(/^\+/, ''))
  const result = to === 'int' ? int(value) : uint(value)
  return result instanceof CelError ? notText(to) : result
}

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const HEX_FLOAT = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/

function parseDouble(text: string): Result {
  if (/^[+-]?(inf|infinity)$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^nan$/i.test(text)) return Number.NaN
  const bare = text.replace(/(\d)_(?=\d)/g, '$1')
  const hex = HEX_FLOAT.exec(bare)
  if (hex && `${hex[2]}${hex[3]}` !== '') {
    const digits = Number.parseInt(`${hex[2]}${hex[3]}`, 16)
    const value = digits * 2 ** (Number(hex[4]) - 4 * (hex[3]?.length ?? 0))
    return hex[1] === '-' ? -value : value
  }
  return FLOAT.test(bare) && Number.isFinite(Number(bare)) ? Number(bare) : notText('double')
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])

function parseBool(text: string): Result {
  return TRUE.has(text) || (FALSE.has(text) ? false : notText('bool'))
}

/** Doubles beyond 64 bits cannot become integers; fractions are cut off. */
function fromDouble(value: number, to: 'int' | 'uint'): Result {
  const limit = to === 'int' ? 2 ** 63 : 2 ** 64
  const problem = to === 'int' ? 'integer overflow' : 'unsigned integer overflow'
  const below = to === 'int' ? value <= -limit : value < 0
  if (Number.isNaN(value) || below || value >= limit) return new CelError(problem)
  return to === 'int' ? BigInt(Math.trunc(value)) : uint(BigInt(Math.trunc(value)))
}

function decodeText(bytes: Uint8Array): Result {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return new CelError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

/** What `string(x)` gives for the types of the language; undefined for others. */
export function toText(value: Value): Result | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return goFloat(value)
  if (value instanceof CelUint) return String(value.value)
  if (value instanceof Uint8Array) return decodeText(value)
  if (value instanceof CelDuration) return `${secondsText(value.nanoseconds)}s`
  if (value instanceof CelTimestamp) return formatTimestamp(value)
  return value instanceof CelTypeValue ? value.name : undefined
}

function secondsText(nanoseconds: bigint): string {
  const seconds = String(Number(nanoseconds) / 1e9)
  return seconds.includes('e')
    ? Number(seconds)
        .toFixed(9)
        .replace(/\.?0+$/, '')
    : seconds
}

function parseDuration(text: string): Result {
  const nanoseconds = parseGoDuration(text)
  return nanoseconds === undefined ? notText('google.protobuf.Duration') : new CelDuration(nanoseconds)
}

const NO_INT_DURATION = "type conversion error from 'int' to 'google.protobuf.Duration'"

type Convert = (value: Value) => Result

function convert(id: string, from: CelType, to: CelType, run: Convert): Overload {
  return overload(id, [from], to, ([value]) => run(value as Value))
}

const same: Convert = (value) => value

/** `int(x)`, `string(x)` and so on, and `type(x)`. */
export const CONVERSIONS: Readonly<Record<string, readonly Overload[]>> = {
  type: [overload('type', [param('A')], typeOf(param('A')), ([value]) => new CelTypeValue(typeName(value as Value)))],
  bool: [
    convert('bool_to_bool', BOOL, BOOL, same),
    convert('string_to_bool', STRING, BOOL, (value) => parseBool(value as string)),
  ],
  bytes: [
    convert('bytes_to_bytes', BYTES, BYTES, same),
    convert('string_to_bytes', STRING, BYTES, (value) => new Uint8Array(Buffer.from(value as string))),
  ],
  double: [
    convert('double_to_double', DOUBLE, DOUBLE, same),
    convert('int64_to_double', INT, DOUBLE, (value) => Number(value)),
    convert('string_to_double', STRING, DOUBLE, (value) => parseDouble(value as string)),
    convert('uint64_to_double', UINT, DOUBLE, (value) => Number((value as CelUint).value)),
  ],
  duration: [
    convert('duration_to_duration', DURATION, DURATION, same),
    // Declared, but never possible.
    convert('int64_to_duration', INT, DURATION, () => new CelError(NO_INT_DURATION)),
    convert('string_to_duration', STRING, DURATION, (value) => parseDuration(value as string)),
  ],
  int: [
    convert('int64_to_int64', INT, INT, same),
    convert('double_to_int64', DOUBLE, INT, (value) => fromDouble(value as number, 'int')),
    convert('duration_to_int64', DURATION, INT, (value) => (value as CelDuration).nanoseconds),
    convert('string_to_int64', STRING, INT, (value) => parseInteger(value as string, 'int')),
    convert('timestamp_to_int64', TIMESTAMP, INT, (value) => floorSeconds((value as CelTimestamp).nanoseconds)),
    convert('uint64_to_int64', UINT, INT, (value) => int((value as CelUint).value)),
  ],
  string: [
    convert('string_to_string', STRING, STRING, same),
    ...[BOOL, BYTES, DOUBLE, DURATION, INT, TIMESTAMP, UINT].map((type) =>
      convert(`${idOf(type)}_to_string`, type, STRING, (value) => toText(value) ?? new CelError('no such overload')),
    ),
  ],
  timestamp: [
    convert('timestamp_to_timestamp', TIMESTAMP, TIMESTAMP, same),
    convert('int64_to_timestamp', INT, TIMESTAMP, (value) => timestamp((value as bigint) * 1_000_000_000n)),
    convert('string_to_timestamp', STRING, TIMESTAMP, (value) => {
      const time = parseTimestamp(value as string)
      return time ? timestamp(time.nanoseconds, time.zone) : notText('google.protobuf.Timestamp')
    }),
  ],
  uint: [
    convert('uint64_to_uint64', UINT, UINT, same),
    convert('double_to_uint64', DOUBLE, UINT, (value) => fromDouble(value as number, 'uint')),
    convert('int64_to_uint64', INT, UINT, (value) => uint(value as bigint)),
    convert('string_to_uint64', STRING, UINT, (value) => parseInteger(value as string, 'uint')),
  ],
}

/** Functions whose calls on constants are worked out when the program is made. */
export const CONVERSION_NAMES: ReadonlySet<string> = new Set([...Object.keys(CONVERSIONS), 'dyn'])

function idOf(type: CelType): string {
  return type.kind === 'int' ? 'int64' : type.kind === 'uint' ? 'uint64' : type.kind
}

function floorSeconds(nanoseconds: bigint): bigint {
  const seconds = nanoseconds / 1_000_000_000n
  return nanoseconds < 0n && nanoseconds % 1_000_000_000n !== 0n ? seconds - 1n : seconds
}
