import { compileRe2 } from '../../validation/re2.ts'
import { runes } from '../../validation/value-checks.ts'
import { member, type Overload, overload } from '../types/declarations.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  param,
  STRING,
  TIMESTAMP,
  UINT,
} from '../types/type.ts'
import { compare, equal } from '../values/compare.ts'
import { CelError, CelList, CelMap, type Result, type Value } from '../values/value.ts'
import { add, divide, modulo, multiply, negate, subtract } from './arithmetic.ts'

const A = param('A')
const B = param('B')
const LIST = listOf(A)
const MAP = mapOf(A, B)

/** A name for a type in overload ids. */
function idOf(type: CelType): string {
  return type.kind === 'int' ? 'int64' : type.kind === 'uint' ? 'uint64' : type.kind
}

function binary(name: string, types: readonly (readonly [CelType, CelType, CelType])[], run: Binary): Overload[] {
  return types.map(([left, right, result]) => {
    const same = left === right && left.kind !== 'duration' && left.kind !== 'timestamp'
    const id = same ? `${name}_${idOf(left)}` : `${name}_${idOf(left)}_${idOf(right)}`
    return overload(id, [left, right], result, (args) => run(args[0] as Value, args[1] as Value))
  })
}

type Binary = (a: Value, b: Value) => Result

/** `<`, `<=`, `>`, `>=`: every comparable type with itself, and numbers with each other. */
function relation(name: string, holds: (order: number) => boolean): Overload[] {
  const run: Binary = (a, b) => {
    const order = compare(a, b)
    return order instanceof CelError ? order : holds(order)
  }
  const numbers = [INT, UINT, DOUBLE]
  const mixed = numbers.flatMap((left) => numbers.map((right) => [left, right] as const))
  const others = [BOOL, STRING, BYTES, TIMESTAMP, DURATION]
  return [...others.map((type) => [type, type] as const), ...mixed].map(([left, right]) => {
    const id = left === right ? `${name}_${idOf(left)}` : `${name}_${idOf(left)}_${idOf(right)}`
    return overload(id, [left, right], BOOL, (args) => run(args[0] as Value, args[1] as Value))
  })
}

/** Membership of a list; an error of one item counts only where no other item is equal. */
export function contains(list: CelList, value: Value): Result {
  let problem: CelError | undefined
  for (let i = 0; i < list.size; i++) {
    const item = list.at(i)
    const same = item instanceof CelError ? item : equal(item, value)
    if (same === true) return true
    if (same instanceof CelError) problem ??= same
  }
  return problem ?? false
}

function isIn(value: Value, container: Value): Result {
  if (container instanceof CelList) return contains(container, value)
  if (!(container instanceof CelMap)) return new CelError('no such overload')
  const found = container.find(value)
  return found instanceof CelError ? found : found !== undefined
}

export function sizeOf(value: Value): number | undefined {
  if (typeof value === 'string') return runes(value)
  if (value instanceof Uint8Array) return value.length
  return value instanceof CelList || value instanceof CelMap ? value.size : undefined
}

const size = (args: readonly Value[]): Result => BigInt(sizeOf(args[0] as Value) ?? 0)

/** Text functions compare parts of a text with a text. */
function text(id: string, run: (text: string, part: string) => Result): Overload {
  return member(id, [STRING, STRING], BOOL, (args) => {
    const [whole, part] = args
    return typeof whole === 'string' && typeof part === 'string' ? run(whole, part) : new CelError('no such overload')
  })
}

export function matches(whole: string, pattern: string): Result {
  const compiled = compileRe2(pattern)
  return compiled.ok ? compiled.regexp.test(whole) : new CelError(compiled.error)
}

const matchArgs = (args: readonly Value[]): Result => matches(args[0] as string, args[1] as string)

/** Operators and functions of the language itself; conversions and times have files of their own. */
export const STANDARD: Readonly<Record<string, readonly Overload[]>> = {
  '_?_:_': [overload('conditional', [BOOL, A, A], A)],
  '_&&_': [overload('logical_and', [BOOL, BOOL], BOOL)],
  '_||_': [overload('logical_or', [BOOL, BOOL], BOOL)],
  '!_': [
    overload('logical_not', [BOOL], BOOL, ([value]) =>
      typeof value === 'boolean' ? !value : new CelError('no such overload'),
    ),
  ],
  '@not_strictly_false': [overload('not_strictly_false', [BOOL], BOOL)],
  '_==_': [overload('equals', [A, A], BOOL)],
  '_!=_': [overload('not_equals', [A, A], BOOL)],
  '_+_': binary(
    'add',
    [
      [BYTES, BYTES, BYTES],
      [DOUBLE, DOUBLE, DOUBLE],
      [DURATION, DURATION, DURATION],
      [DURATION, TIMESTAMP, TIMESTAMP],
      [TIMESTAMP, DURATION, TIMESTAMP],
      [INT, INT, INT],
      [LIST, LIST, LIST],
      [STRING, STRING, STRING],
      [UINT, UINT, UINT],
    ],
    add,
  ),
  '_-_': binary(
    'subtract',
    [
      [DOUBLE, DOUBLE, DOUBLE],
      [DURATION, DURATION, DURATION],
      [INT, INT, INT],
      [TIMESTAMP, DURATION, TIMESTAMP],
      [TIMESTAMP, TIMESTAMP, DURATION],
      [UINT, UINT, UINT],
    ],
    subtract,
  ),
  '_*_': binary('multiply', numbers(), multiply),
  '_/_': binary('divide', numbers(), divide),
  '_%_': binary(
    'modulo',
    [
      [INT, INT, INT],
      [UINT, UINT, UINT],
    ],
    modulo,
  ),
  '-_': [
    overload('negate_double', [DOUBLE], DOUBLE, ([value]) => negate(value as Value)),
    overload('negate_int64', [INT], INT, ([value]) => negate(value as Value)),
  ],
  '_<_': relation('less', (order) => order < 0),
  '_<=_': relation('less_equals', (order) => order <= 0),
  '_>_': relation('greater', (order) => order > 0),
  '_>=_': relation('greater_equals', (order) => order >= 0),
  '_[_]': [overload('index_list', [LIST, INT], A), overload('index_map', [MAP, A], B)],
  '@in': [
    overload('in_list', [A, LIST], BOOL, ([value, list]) => isIn(value as Value, list as Value)),
    overload('in_map', [A, MAP], BOOL, ([value, map]) => isIn(value as Value, map as Value)),
  ],
  size: [BYTES, LIST, MAP, STRING].flatMap((type) => [
    overload(`size_${type.kind}`, [type], INT, size),
    member(`${type.kind}_size`, [type], INT, size),
  ]),
  contains: [text('contains_string', (whole, part) => whole.includes(part))],
  endsWith: [text('ends_with_string', (whole, part) => whole.endsWith(part))],
  startsWith: [text('starts_with_string', (whole, part) => whole.startsWith(part))],
  matches: [
    overload('matches', [STRING, STRING], BOOL, matchArgs),
    member('matches_string', [STRING, STRING], BOOL, matchArgs),
  ],
  dyn: [overload('to_dyn', [A], DYN, ([value]) => value as Value)],
}

function numbers(): readonly (readonly [CelType, CelType, CelType])[] {
  return [DOUBLE, INT, UINT].map((type) => [type, type, type] as const)
}
