import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelOpaque,
  CelOptional,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  noSuchOverload,
  type Result,
  type Value,
} from './value.ts'

/** `a == b`. Values of different types differ, but numbers are compared across int, uint and double. */
export function equal(a: Value, b: Value): Result {
  if (a === null || b === null) return a === b
  if (isNumeric(a)) return isNumeric(b) && compareNumbers(a, b) === 0
  if (typeof a === 'string' || typeof a === 'boolean') return a === b
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (a instanceof CelDuration) return b instanceof CelDuration && a.nanoseconds === b.nanoseconds
  if (a instanceof CelTimestamp) return b instanceof CelTimestamp && a.nanoseconds === b.nanoseconds
  if (a instanceof CelTypeValue) return b instanceof CelTypeValue && a.name === b.name
  if (a instanceof CelList) return b instanceof CelList ? equalLists(a, b) : false
  if (a instanceof CelMap) return b instanceof CelMap ? equalMaps(a, b) : false
  if (a instanceof CelOptional) return b instanceof CelOptional ? equalOptionals(a, b) : false
  if (a instanceof CelOpaque && b instanceof CelOpaque && a.constructor === b.constructor) return a.equals(b)
  return noSuchOverload()
}

function equalLists(a: CelList, b: CelList): Result {
  if (a.equalTo) return a.equalTo(b, equal)
  if (a.size !== b.size) return false
  for (let i = 0; i < a.size; i++) {
    const same = equalResults(a.at(i), b.at(i))
    if (same !== true) return same
  }
  return true
}

function equalMaps(a: CelMap, b: CelMap): Result {
  if (a.size !== b.size) return false
  for (const key of a.keys()) {
    const left = a.find(key)
    const right = b.find(key)
    if (left === undefined || right === undefined) {
      if (left === right) continue
      return false
    }
    const same = equalResults(left, right)
    if (same !== true) return same
  }
  return true
}

function equalOptionals(a: CelOptional, b: CelOptional): Result {
  if (a.value === undefined || b.value === undefined) return a.value === b.value
  return equal(a.value, b.value)
}

function equalResults(a: Result, b: Result): Result {
  if (a instanceof CelError) return a
  if (b instanceof CelError) return b
  return equal(a, b)
}

export type Numeric = bigint | number | CelUint

export function isNumeric(value: Value): value is Numeric {
  return typeof value === 'bigint' || typeof value === 'number' || value instanceof CelUint
}

/** Negative, zero or positive; NaN where one is NaN. Integers meet doubles as doubles. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  const left = a instanceof CelUint ? a.value : a
  const right = b instanceof CelUint ? b.value : b
  if (typeof left === typeof right) return left < right ? -1 : left > right ? 1 : left === right ? 0 : Number.NaN
  const [x, y] = [Number(left), Number(right)]
  return x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN
}

/** The order of two values of comparable types: -1, 0, 1; an error where there is none. */
export function compare(a: Value, b: Value): number | CelError {
  if (isNumeric(a) && isNumeric(b)) {
    const order = compareNumbers(a, b)
    return Number.isNaN(order) ? new CelError('NaN values cannot be ordered') : order
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (a instanceof CelDuration && b instanceof CelDuration) return order(a.nanoseconds, b.nanoseconds)
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return order(a.nanoseconds, b.nanoseconds)
  return noSuchOverload()
}

const order = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

/** By bytes of UTF-8, which is by code points; JavaScript's own order is by UTF-16 units. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left === right) continue
    const surrogates = left >= 0xd800 && left <= 0xdfff ? 1 : 0
    const others = right >= 0xd800 && right <= 0xdfff ? 1 : 0
    // Pairs stand for code points past all single units.
    if (surrogates !== others) return surrogates - others
    return left < right ? -1 : 1
  }
  return a.length < b.length ? -1 : 1
}
