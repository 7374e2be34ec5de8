import {
  CelDuration,
  CelError,
  CelList,
  CelTimestamp,
  CelUint,
  noSuchOverload,
  type Result,
  type Value,
} from '../values/value.ts'

/** Arithmetic with Go's 64-bit limits: what would wrap around is an error. */

export const MAX_INT = (1n << 63n) - 1n
export const MIN_INT = -(1n << 63n)
export const MAX_UINT = (1n << 64n) - 1n

const NANOSECONDS = 1_000_000_000n
/** Years 1 to 9999, in seconds since 1970. */
const MIN_SECONDS = -62_135_596_800n
const MAX_SECONDS = 253_402_300_799n

export function int(value: bigint): Result {
  return value < MIN_INT || value > MAX_INT ? new CelError('integer overflow') : value
}

export function uint(value: bigint): Result {
  return value < 0n || value > MAX_UINT ? new CelError('unsigned integer overflow') : new CelUint(value)
}

function duration(nanoseconds: bigint, problem = 'integer overflow'): Result {
  const fits = nanoseconds >= MIN_INT && nanoseconds <= MAX_INT
  return fits ? new CelDuration(nanoseconds) : new CelError(problem)
}

export function timestamp(nanoseconds: bigint, zone = 0): Result {
  const seconds = nanoseconds >= 0n ? nanoseconds / NANOSECONDS : -((-nanoseconds + NANOSECONDS - 1n) / NANOSECONDS)
  const fits = seconds >= MIN_SECONDS && seconds <= MAX_SECONDS
  return fits ? new CelTimestamp(nanoseconds, zone) : new CelError('timestamp overflow')
}

export function add(a: Value, b: Value): Result {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int(a + b)
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (a instanceof CelUint && b instanceof CelUint) return uint(a.value + b.value)
  if (typeof a === 'string' && typeof b === 'string') return a + b
  if (a instanceof Uint8Array && b instanceof Uint8Array) return new Uint8Array([...a, ...b])
  if (a instanceof CelList && b instanceof CelList) return a.plus(b)
  if (a instanceof CelDuration && b instanceof CelDuration) return duration(a.nanoseconds + b.nanoseconds)
  if (a instanceof CelDuration && b instanceof CelTimestamp) return timestamp(a.nanoseconds + b.nanoseconds, b.zone)
  if (a instanceof CelTimestamp && b instanceof CelDuration) return timestamp(a.nanoseconds + b.nanoseconds, a.zone)
  return noSuchOverload()
}

export function subtract(a: Value, b: Value): Result {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int(a - b)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (a instanceof CelUint && b instanceof CelUint) return uint(a.value - b.value)
  if (a instanceof CelDuration && b instanceof CelDuration) return duration(a.nanoseconds - b.nanoseconds)
  if (a instanceof CelTimestamp && b instanceof CelDuration) return timestamp(a.nanoseconds - b.nanoseconds, a.zone)
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) {
    return duration(a.nanoseconds - b.nanoseconds, 'duration overflow')
  }
  return noSuchOverload()
}

export function multiply(a: Value, b: Value): Result {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int(a * b)
  if (typeof a === 'number' && typeof b === 'number') return a * b
  if (a instanceof CelUint && b instanceof CelUint) return uint(a.value * b.value)
  return noSuchOverload()
}

export function divide(a: Value, b: Value): Result {
  if (typeof a === 'bigint' && typeof b === 'bigint') return b === 0n ? new CelError('division by zero') : int(a / b)
  if (typeof a === 'number' && typeof b === 'number') return a / b
  if (a instanceof CelUint && b instanceof CelUint) {
    return b.value === 0n ? new CelError('division by zero') : uint(a.value / b.value)
  }
  return noSuchOverload()
}

export function modulo(a: Value, b: Value): Result {
  if (typeof a === 'bigint' && typeof b === 'bigint') return b === 0n ? new CelError('modulus by zero') : a % b
  if (a instanceof CelUint && b instanceof CelUint) {
    return b.value === 0n ? new CelError('modulus by zero') : uint(a.value % b.value)
  }
  return noSuchOverload()
}

export function negate(a: Value): Result {
  if (typeof a === 'bigint') return int(-a)
  if (typeof a === 'number') return -a
  if (a instanceof CelDuration) return duration(-a.nanoseconds)
  return noSuchOverload()
}
