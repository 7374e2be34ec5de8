import { member, type Overload, overload } from '../types/declarations.ts'
import { BOOL, type CelType, DOUBLE, INT, QUANTITY, STRING } from '../types/type.ts'
import { CelError, CelOpaque, type Result, type Value } from '../values/value.ts'
import { MAX_INT, MIN_INT } from './arithmetic.ts'

/**
 * apimachinery's resource.Quantity: `value` times ten to the `scale`. `exact` is false where upstream holds it as a big
 * decimal, which it then never takes for an integer.
 */
export class CelQuantity extends CelOpaque {
  readonly type: CelType = QUANTITY
  readonly value: bigint
  readonly scale: number
  readonly exact: boolean

  constructor(value: bigint, scale: number, exact: boolean) {
    super()
    this.value = value
    this.scale = scale
    this.exact = exact
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelQuantity && compareQuantities(this, other) === 0
  }
}

const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const BAD_SUFFIX = "unable to parse quantity's suffix"

const SHAPE = /^([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }

const NANO = -9
/** How many decimal digits surely fit an int64. */
const INT64_DIGITS = 18

interface Suffix {
  readonly base: 2 | 10
  readonly exponent: number
}

function parseSuffix(text: string): Suffix | undefined {
  const decimal = DECIMAL[text]
  if (decimal !== undefined) return { base: 10, exponent: decimal }
  const binary = BINARY[text]
  if (binary !== undefined) return { base: 2, exponent: binary }
  return /^[eE][+-]?\d+$/.test(text) ? { base: 10, exponent: Number(text.slice(1)) } : undefined
}

/** Reads `1.5Gi`, `100m`, `1e3`; errors in upstream's words. */
export function parseQuantity(text: string): CelQuantity | CelError {
  const match = text === '' ? null : SHAPE.exec(text)
  if (!match) return new CelError(FORMAT_WRONG)
  const [, sign, digits = '', fraction = '', suffixText = ''] = match
  const suffix = parseSuffix(suffixText)
  if (!suffix) return new CelError(BAD_SUFFIX)
  const whole = digits === '' ? '0' : digits
  const size = BigInt(whole + fraction)
  const signed = sign === '-' ? -size : size
  return small(signed, whole, fraction, suffix) ?? big(signed, fraction.length, suffix)
}

/** What upstream holds in an int64 and a scale. */
function small(size: bigint, whole: string, fraction: string, suffix: Suffix): CelQuantity | undefined {
  if (suffix.base === 10) {
    const scale = suffix.exponent - fraction.length
    if (INT64_DIGITS - whole.length - fraction.length < 0 || scale < NANO) return undefined
    return fits(size) ? new CelQuantity(size, scale, true) : undefined
  }
  const precision = 15 - whole.length - Math.trunc((suffix.exponent * 3) / 10) - 1
  if (fraction !== '' || precision < 0) return undefined
  const value = size << BigInt(suffix.exponent)
  return fits(value) ? new CelQuantity(value, 0, true) : undefined
}

const fits = (value: bigint): boolean => value >= MIN_INT && value <= MAX_INT

/** Rounded up (away from zero) to nano; binary ones stop at the largest int64. */
function big(size: bigint, fraction: number, suffix: Suffix): CelQuantity {
  const value = suffix.base === 2 ? size << BigInt(suffix.exponent) : size
  const scale = (suffix.base === 2 ? 0 : suffix.exponent) - fraction
  if (scale >= NANO) return capped(value, scale, suffix)
  const step = 10n ** BigInt(NANO - scale)
  const rest = value % step === 0n ? 0n : value < 0n ? -1n : 1n
  return capped(value / step + rest, NANO, suffix)
}

function capped(value: bigint, scale: number, suffix: Suffix): CelQuantity {
  const all = new CelQuantity(value, scale, false)
  const limit = new CelQuantity(MAX_INT, 0, false)
  if (suffix.base !== 2) return all
  if (value >= 0n) return compareQuantities(all, limit) > 0 ? limit : all
  const positive = new CelQuantity(-value, scale, false)
  return compareQuantities(positive, limit) > 0 ? new CelQuantity(-MAX_INT, 0, false) : all
}

/** Both values at the smaller scale. */
function aligned(a: CelQuantity, b: CelQuantity): { a: bigint; b: bigint; scale: number } {
  const scale = Math.min(a.scale, b.scale)
  return { a: a.value * 10n ** BigInt(a.scale - scale), b: b.value * 10n ** BigInt(b.scale - scale), scale }
}

export function compareQuantities(left: CelQuantity, right: CelQuantity): number {
  const { a, b } = aligned(left, right)
  return a < b ? -1 : a > b ? 1 : 0
}

function plus(left: CelQuantity, right: CelQuantity, sign: 1n | -1n): CelQuantity {
  const exact = left.exact && right.exact
  if (exact && right.value === 0n) return left
  if (exact && left.value === 0n) return new CelQuantity(sign * right.value, right.scale, true)
  const { a, b, scale } = aligned(left, right)
  const total = a + sign * b
  return new CelQuantity(total, scale, exact && fits(a) && fits(b) && fits(total))
}

function toInteger(quantity: CelQuantity): bigint | undefined {
  if (!quantity.exact || quantity.scale < 0) return undefined
  const value = quantity.value * 10n ** BigInt(quantity.scale)
  return fits(value) ? value : undefined
}

const q = (value: Value | undefined): CelQuantity => value as CelQuantity
const whole = (value: Value | undefined): CelQuantity => new CelQuantity(value as bigint, 0, true)

function comparison(id: string, holds: (order: number) => boolean): Overload {
  return member(id, [QUANTITY, QUANTITY], BOOL, ([a, b]) => holds(compareQuantities(q(a), q(b))))
}

/** Kubernetes' quantity functions. */
export const QUANTITIES: Readonly<Record<string, readonly Overload[]>> = {
  quantity: [overload('string_to_quantity', [STRING], QUANTITY, ([text]) => parseQuantity(text as string))],
  isQuantity: [
    overload('is_quantity_string', [STRING], BOOL, ([text]) => !(parseQuantity(text as string) instanceof CelError)),
  ],
  sign: [overload('quantity_sign', [QUANTITY], INT, ([a]) => (q(a).value === 0n ? 0n : q(a).value > 0n ? 1n : -1n))],
  isGreaterThan: [comparison('quantity_is_greater_than', (order) => order > 0)],
  isLessThan: [comparison('quantity_is_less_than', (order) => order < 0)],
  compareTo: [
    member('quantity_compare_to', [QUANTITY, QUANTITY], INT, ([a, b]) => BigInt(compareQuantities(q(a), q(b)))),
  ],
  asApproximateFloat: [
    member('quantity_get_float', [QUANTITY], DOUBLE, ([a]) =>
      q(a).scale === 0 ? Number(q(a).value) : Number(q(a).value) * Number(`1e${q(a).scale}`),
    ),
  ],
  asInteger: [
    member(
      'quantity_get_int',
      [QUANTITY],
      INT,
      ([a]): Result => toInteger(q(a)) ?? new CelError('cannot convert value to integer'),
    ),
  ],
  isInteger: [member('quantity_is_integer', [QUANTITY], BOOL, ([a]) => toInteger(q(a)) !== undefined)],
  add: [
    member('quantity_add', [QUANTITY, QUANTITY], QUANTITY, ([a, b]) => plus(q(a), q(b), 1n)),
    member('quantity_add_int', [QUANTITY, INT], QUANTITY, ([a, b]) => plus(q(a), whole(b), 1n)),
  ],
  sub: [
    member('quantity_sub', [QUANTITY, QUANTITY], QUANTITY, ([a, b]) => plus(q(a), q(b), -1n)),
    member('quantity_sub_int', [QUANTITY, INT], QUANTITY, ([a, b]) => plus(q(a), whole(b), -1n)),
  ],
}
