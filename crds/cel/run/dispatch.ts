import type { Overload } from '../types/declarations.ts'
import type { CelType } from '../types/type.ts'
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
  typeName,
  type Value,
} from '../values/value.ts'

/**
 * Chooses among overloads when the program runs, where types were not known before: by what the arguments turn out to be.
 * Errors differ by how cel-go implements the function.
 */
export function dispatch(
  name: string,
  overloads: readonly Overload[],
  args: readonly Value[],
  hasPattern = false,
): Result {
  for (const overload of overloads) {
    if (overload.run && overload.args.length === args.length && fits(overload.args, args)) return overload.run(args)
  }
  const [first] = args
  if (LOOSE.has(name) || hasPattern) return noSuchOverload()
  const operand = SINGLE[name]
  if (operand && first !== undefined) {
    return operand(first) || receives(first) ? noSuchOverload() : new CelError(`no such overload: ${name}`)
  }
  return new CelError(`no such overload: ${name}(${args.map(typeName).join(', ')})`)
}

function fits(types: readonly CelType[], args: readonly Value[]): boolean {
  for (let i = 0; i < types.length; i++) {
    if (!isOf(args[i] as Value, types[i] as CelType)) return false
  }
  return true
}

/** Whether a value is of a type, as far as values show their types: of lists and maps only the first item is looked at. */
export function isOf(value: Value, type: CelType): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'param':
    case 'error':
      return true
    case 'null':
      return value === null
    case 'bool':
      return typeof value === 'boolean'
    case 'int':
      return typeof value === 'bigint'
    case 'uint':
      return value instanceof CelUint
    case 'double':
      return typeof value === 'number'
    case 'string':
      return typeof value === 'string'
    case 'bytes':
      return value instanceof Uint8Array
    case 'duration':
      return value instanceof CelDuration
    case 'timestamp':
      return value instanceof CelTimestamp
    case 'list':
      return value instanceof CelList && (value.size === 0 || resultIsOf(value.at(0), type.element))
    case 'map':
      return value instanceof CelMap && mapIsOf(value, type.key, type.value)
    case 'type':
      return value instanceof CelTypeValue
    case 'struct':
      return value instanceof CelMap || (value instanceof CelOpaque && typeName(value) === type.name)
    case 'opaque':
      if (type.name === 'optional_type') return value instanceof CelOptional
      return value instanceof CelOpaque && typeName(value) === type.name
  }
}

function resultIsOf(value: Result | undefined, type: CelType): boolean {
  return value === undefined || value instanceof CelError || isOf(value, type)
}

function mapIsOf(map: CelMap, key: CelType, value: CelType): boolean {
  const [first] = map.keys()
  return first === undefined || (isOf(first, key) && resultIsOf(map.find(first), value))
}

const isNumber = (value: Value): boolean =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof CelUint
const isTime = (value: Value): boolean => value instanceof CelDuration || value instanceof CelTimestamp
const isText = (value: Value): boolean => typeof value === 'string' || value instanceof Uint8Array
const isComparable = (value: Value): boolean =>
  isNumber(value) || isTime(value) || isText(value) || typeof value === 'boolean'

/** Types that cel-go asks themselves when a function is not theirs. */
const receives = (value: Value): boolean => typeof value === 'string' || isTime(value)

/** Functions of one implementation for all overloads, with what it takes as first operand. */
const SINGLE: Readonly<Record<string, (first: Value) => boolean>> = {
  '_+_': (value) => isNumber(value) || isTime(value) || isText(value) || value instanceof CelList,
  '_-_': (value) => isNumber(value) || isTime(value),
  '_*_': isNumber,
  '_/_': isNumber,
  '_%_': (value) => typeof value === 'bigint' || value instanceof CelUint,
  '-_': (value) => typeof value === 'bigint' || typeof value === 'number' || value instanceof CelDuration,
  '_<_': isComparable,
  '_<=_': isComparable,
  '_>_': isComparable,
  '_>=_': isComparable,
  size: (value) => isText(value) || value instanceof CelList || value instanceof CelMap,
  matches: (value) => typeof value === 'string',
  '!_': () => true,
  '@in': () => true,
}

/** Functions that check their arguments themselves. */
const LOOSE = new Set(['contains', 'startsWith', 'endsWith'])
