import { goFloat } from '../../validation/go-format.ts'
import {
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelUint,
  OPTIONAL_NONE,
  type Result,
  typeName,
  type Value,
} from '../values/value.ts'
import { type Eval, type Frame, spend } from './frame.ts'

/** One selection: `.name`, `[key]`, or with `optional` `.?name` and `[?key]`. */
export interface Qualifier {
  readonly key: Value | Eval
  readonly optional: boolean
  readonly cost: number
}

/**
 * Selects step by step. From the first optional on, what is missing makes the whole `optional.none()`, and what is found is
 * wrapped at the end.
 */
export function qualify(frame: Frame, base: Eval, qualifiers: readonly Qualifier[]): Result {
  const start = base(frame)
  if (qualifiers.length === 0 || start instanceof CelError) return start
  let optional = start instanceof CelOptional
  let value: Value | undefined = start instanceof CelOptional ? start.value : start
  if (value === undefined) return OPTIONAL_NONE
  for (const qualifier of qualifiers) {
    optional ||= qualifier.optional
    const key: Result = typeof qualifier.key === 'function' ? qualifier.key(frame) : qualifier.key
    if (key instanceof CelError) {
      spend(frame, qualifier.cost)
      return key
    }
    const found = look(value, key)
    if (optional && found === undefined) return OPTIONAL_NONE
    if (optional && found instanceof CelError && value instanceof CelList) return found
    spend(frame, qualifier.cost)
    const result: Result = found === undefined ? missing(value, key) : found
    if (result instanceof CelError) return result
    value = result
  }
  return optional ? new CelOptional(value) : value
}

/** What a list or map has for a key; undefined for nothing. */
export function look(value: Value, key: Value): Result | undefined {
  if (value instanceof CelMap) return value.find(key)
  if (value instanceof CelList) {
    const index = indexOf(key)
    if (index instanceof CelError) return index
    if (index < 0 || index >= value.size) return undefined
    if (value.strictIndex && typeof key !== 'bigint') return new CelError(`unsupported index: ${keyText(key)}`)
    return value.at(index)
  }
  return value instanceof CelOptional && value.value !== undefined ? look(value.value, key) : undefined
}

/** Lists take whole numbers of any kind. */
function indexOf(key: Value): number | CelError {
  if (typeof key === 'bigint') return Number(key)
  if (key instanceof CelUint) return Number(key.value)
  if (typeof key !== 'number') return new CelError(`unsupported index type '${typeName(key)}' in list`)
  return Number.isInteger(key) ? key : new CelError(`unsupported index value ${goFloat(key)} in list`)
}

function keyText(key: Value): string {
  if (typeof key === 'number') return goFloat(key)
  return key instanceof CelUint ? String(key.value) : String(key)
}

function missing(value: Value, key: Value): CelError {
  const what = value instanceof CelList ? 'index out of bounds' : 'no such key'
  return new CelError(`${what}: ${keyText(key)}`)
}
