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
  param,
  STRING,
  TIMESTAMP,
  UINT,
} from '../types/type.ts'
import { compare, equal } from '../values/compare.ts'
import {
  ArrayList,
  CelDuration,
  CelError,
  CelList,
  CelUint,
  items,
  noSuchOverload,
  type Result,
  typeName,
  type Value,
} from '../values/value.ts'
import { add } from './arithmetic.ts'
import { contains } from './standard.ts'

/** Lists: Kubernetes' own functions, the lists extension (version 3) and the sets extension. */

type Args = readonly Value[]
const list = (args: Args, i = 0): CelList => args[i] as CelList
const A = param('A')
const T = param('T')

/** The items, or the first error among them. */
function values(of: CelList): Value[] | CelError {
  const all = items(of)
  return (all.find((item) => item instanceof CelError) as CelError | undefined) ?? (all as Value[])
}

function withValues(of: CelList, run: (values: readonly Value[]) => Result): Result {
  const all = values(of)
  return all instanceof CelError ? all : run(all)
}

function isSorted(all: readonly Value[]): Result {
  for (let i = 1; i < all.length; i++) {
    const order = compare(all[i - 1] as Value, all[i] as Value)
    if (order instanceof CelError) return order
    if (order > 0) return false
  }
  return true
}

function sum(all: readonly Value[], zero: Value): Result {
  let total: Value = zero
  for (const value of all) {
    const next = add(total, value)
    if (next instanceof CelError) return next
    total = next
  }
  return total
}

function extreme(name: 'min' | 'max', all: readonly Value[]): Result {
  let best: Value | undefined
  for (const value of all) {
    if (best === undefined) {
      best = value
      continue
    }
    const order = compare(best, value)
    if (order instanceof CelError) return order
    if (name === 'min' ? order > 0 : order < 0) best = value
  }
  return best === undefined ? new CelError(`${name} called on empty list`) : best
}

function indexOf(all: readonly Value[], wanted: Value): Result {
  return BigInt(all.findIndex((value) => equal(value, wanted) === true))
}

function lastIndexOf(all: readonly Value[], wanted: Value): Result {
  return BigInt(all.findLastIndex((value) => equal(value, wanted) === true))
}

function slice(of: CelList, start: bigint, end: bigint): Result {
  const cannot = (why: string): CelError => new CelError(`cannot slice(${start}, ${end}), ${why}`)
  if (start < 0n || end < 0n) return cannot('negative indexes not supported')
  if (start > end) return cannot('start index must be less than or equal to end index')
  if (BigInt(of.size) < end) return cannot(`list is length ${of.size}`)
  return new ArrayList(items(of).slice(Number(start), Number(end)))
}

function flatten(all: readonly Result[], depth: bigint): Result[] {
  return all.flatMap((item) => (item instanceof CelList && depth > 0n ? flatten(items(item), depth - 1n) : [item]))
}

/** Sorts a list by keys of the same length; equal keys keep their order. */
function sortBy(of: CelList, by: CelList): Result {
  if (of.size !== by.size) {
    const sizes = `${of.size} and ${by.size} elements respectively`
    return new CelError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${sizes}`,
    )
  }
  const keys = values(by)
  if (keys instanceof CelError) return keys
  const first = keys[0]
  if (first === undefined) return of
  const ordered = keys.map((key, i) => ({ key, i }))
  if (keys.some((key) => typeName(key) !== typeName(first)))
    return new CelError('list elements must have the same type')
  if (compare(first, first) instanceof CelError) return new CelError('list elements must be comparable')
  ordered.sort((a, b) => {
    const order = compare(a.key, b.key)
    return order instanceof CelError ? 0 : order
  })
  return new ArrayList(ordered.map(({ i }) => of.at(i)))
}

function distinct(all: readonly Value[]): Result {
  const unique: Value[] = []
  for (const value of all) if (!unique.some((other) => equal(value, other) === true)) unique.push(value)
  return new ArrayList(unique)
}

function containsAll(whole: CelList, part: CelList): Result {
  for (const item of items(part)) {
    const found = item instanceof CelError ? item : contains(whole, item)
    if (found !== true) return found
  }
  return true
}

function intersects(a: CelList, b: CelList): Result {
  return items(a).some((item) => !(item instanceof CelError) && contains(b, item) === true)
}

const COMPARABLE: readonly (readonly [string, CelType])[] = [
  ['int', INT],
  ['uint', UINT],
  ['double', DOUBLE],
  ['bool', BOOL],
  ['duration', DURATION],
  ['timestamp', TIMESTAMP],
  ['string', STRING],
  ['bytes', BYTES],
]

/** What sums start from; only these can be summed. */
const ZEROS: readonly (readonly [string, CelType, Value])[] = [
  ['int', INT, 0n],
  ['uint', UINT, new CelUint(0n)],
  ['double', DOUBLE, 0],
  ['duration', DURATION, new CelDuration(0n)],
]

/** Names of types in ids of the lists extension. */
const goName = (name: string): string =>
  name === 'duration' ? 'google.protobuf.Duration' : name === 'timestamp' ? 'google.protobuf.Timestamp' : name

export const LISTS: Readonly<Record<string, readonly Overload[]>> = {
  isSorted: COMPARABLE.map(([name, type]) =>
    member(`list_${name}_is_sorted_bool`, [listOf(type)], BOOL, (args) => withValues(list(args), isSorted)),
  ),
  sum: ZEROS.map(([name, type, zero]) =>
    member(`list_${name}_sum_${name}`, [listOf(type)], type, (args) => withValues(list(args), (all) => sum(all, zero))),
  ),
  max: COMPARABLE.map(([name, type]) =>
    member(`list_${name}_max_${name}`, [listOf(type)], type, (args) =>
      withValues(list(args), (all) => extreme('max', all)),
    ),
  ),
  min: COMPARABLE.map(([name, type]) =>
    member(`list_${name}_min_${name}`, [listOf(type)], type, (args) =>
      withValues(list(args), (all) => extreme('min', all)),
    ),
  ),
  indexOf: [
    member('list_a_index_of_int', [listOf(A), A], INT, (args) =>
      withValues(list(args), (all) => indexOf(all, args[1] as Value)),
    ),
  ],
  lastIndexOf: [
    member('list_a_last_index_of_int', [listOf(A), A], INT, (args) =>
      withValues(list(args), (all) => lastIndexOf(all, args[1] as Value)),
    ),
  ],
  slice: [
    member('list_slice', [listOf(T), INT, INT], listOf(T), (args) =>
      slice(list(args), args[1] as bigint, args[2] as bigint),
    ),
  ],
  flatten: [
    member('list_flatten', [listOf(listOf(T))], listOf(T), (args) =>
      args[0] instanceof CelList ? new ArrayList(flatten(items(args[0]), 1n)) : noSuchOverload(),
    ),
    member('list_flatten_int', [listOf(DYN), INT], listOf(DYN), (args) => {
      const depth = args[1] as bigint
      if (depth < 0n) return new CelError('level must be non-negative')
      return new ArrayList(flatten(items(list(args)), depth))
    }),
  ],
  sort: COMPARABLE.map(([name, type]) =>
    member(`list_${goName(name)}_sort`, [listOf(type)], listOf(type), (args) => sortBy(list(args), list(args))),
  ),
  '@sortByAssociatedKeys': COMPARABLE.map(([name, type]) =>
    member(`list_${goName(name)}_sortByAssociatedKeys`, [listOf(T), listOf(type)], listOf(T), (args) =>
      sortBy(list(args), list(args, 1)),
    ),
  ),
  'lists.range': [
    overload('lists_range', [INT], listOf(INT), (args) => {
      const length = Number(args[0] as bigint)
      return new ArrayList(Array.from({ length: Math.max(0, length) }, (_, i) => BigInt(i)))
    }),
  ],
  reverse: [member('list_reverse', [listOf(T)], listOf(T), (args) => new ArrayList(items(list(args)).reverse()))],
  distinct: [member('list_distinct', [listOf(T)], listOf(T), (args) => withValues(list(args), distinct))],
  'sets.contains': [
    overload('list_sets_contains_list', [listOf(T), listOf(T)], BOOL, (args) => containsAll(list(args), list(args, 1))),
  ],
  'sets.equivalent': [
    overload('list_sets_equivalent_list', [listOf(T), listOf(T)], BOOL, (args) => {
      const forth = containsAll(list(args), list(args, 1))
      return forth === true ? containsAll(list(args, 1), list(args)) : forth
    }),
  ],
  'sets.intersects': [
    overload('list_sets_intersects_list', [listOf(T), listOf(T)], BOOL, (args) =>
      intersects(list(args), list(args, 1)),
    ),
  ],
}
