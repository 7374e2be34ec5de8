import { MAP_INSERT } from '../syntax/macros.ts'
import { member, type Overload, overload } from '../types/declarations.ts'
import { BOOL, DYN, INT, listOf, mapOf, optionalOf, param, STRING } from '../types/type.ts'
import {
  ArrayList,
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelTimestamp,
  CelUint,
  EntryMap,
  items,
  keyId,
  OPTIONAL_NONE,
  type Result,
  type Value,
} from '../values/value.ts'

const K = param('K')
const V = param('V')
const OPTIONAL = optionalOf(V)
const LIST = listOf(V)
const MAP = mapOf(K, V)

/** The zero value of its type: what `optional.ofNonZeroValue` takes for none. */
function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0 || value === 0n || value === '') return true
  if (value instanceof CelUint) return value.value === 0n
  if (value instanceof Uint8Array) return value.length === 0
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0
  if (value instanceof CelDuration) return value.nanoseconds === 0n
  if (value instanceof CelTimestamp) return false
  return value instanceof CelOptional && value.value === undefined
}

function endOf(list: CelList, index: number): Result {
  if (list.size === 0) return OPTIONAL_NONE
  const item = list.at(index)
  return item instanceof CelError ? item : new CelOptional(item)
}

function unwrap(list: CelList): Result {
  const kept: Value[] = []
  for (const item of items(list)) {
    if (!(item instanceof CelOptional)) return new CelError(`value ${String(item)} is not optional`)
    if (item.value !== undefined) kept.push(item.value)
  }
  return new ArrayList(kept)
}

/** Optional values: functions; `.?` and `[?]` are the evaluator's own. */
export const OPTIONALS: Readonly<Record<string, readonly Overload[]>> = {
  'optional.of': [overload('optional_of', [V], OPTIONAL, ([value]) => new CelOptional(value as Value))],
  'optional.ofNonZeroValue': [
    overload('optional_ofNonZeroValue', [V], OPTIONAL, ([value]) =>
      isZero(value as Value) ? OPTIONAL_NONE : new CelOptional(value as Value),
    ),
  ],
  'optional.none': [overload('optional_none', [], OPTIONAL, () => OPTIONAL_NONE)],
  value: [
    member('optional_value', [OPTIONAL], V, ([optional]) => {
      const { value } = optional as CelOptional
      return value === undefined ? new CelError('optional.none() dereference') : value
    }),
  ],
  hasValue: [
    member('optional_hasValue', [OPTIONAL], BOOL, ([optional]) => (optional as CelOptional).value !== undefined),
  ],
  or: [member('optional_or_optional', [OPTIONAL, OPTIONAL], OPTIONAL)],
  orValue: [member('optional_orValue_value', [OPTIONAL, V], V)],
  '_?._': [overload('select_optional_field', [DYN, STRING], OPTIONAL)],
  '_[?_]': [
    overload('list_optindex_optional_int', [LIST, INT], OPTIONAL),
    overload('optional_list_optindex_optional_int', [optionalOf(LIST), INT], OPTIONAL),
    overload('map_optindex_optional_value', [MAP, K], OPTIONAL),
    overload('optional_map_optindex_optional_value', [optionalOf(MAP), K], OPTIONAL),
  ],
  '_[_]': [
    overload('optional_list_index_int', [optionalOf(LIST), INT], OPTIONAL),
    overload('optional_map_index_value', [optionalOf(MAP), K], OPTIONAL),
  ],
  first: [member('list_first', [LIST], OPTIONAL, ([list]) => endOf(list as CelList, 0))],
  last: [member('list_last', [LIST], OPTIONAL, ([list]) => endOf(list as CelList, (list as CelList).size - 1))],
  'optional.unwrap': [overload('optional_unwrap', [listOf(OPTIONAL)], LIST, ([list]) => unwrap(list as CelList))],
  unwrapOpt: [member('optional_unwrapOpt', [listOf(OPTIONAL)], LIST, ([list]) => unwrap(list as CelList))],
  [MAP_INSERT]: [
    overload('@mapInsert_map_key_value', [MAP, K, V], MAP, ([map, key, value]) =>
      insert(map as CelMap, [[key as Value, value as Value]]),
    ),
    overload('@mapInsert_map_map', [MAP, MAP], MAP, ([map, more]) => {
      const entries: [Value, Value][] = []
      for (const key of (more as CelMap).keys()) {
        const value = (more as CelMap).find(key)
        if (value instanceof CelError) return value
        entries.push([key, value ?? null])
      }
      return insert(map as CelMap, entries)
    }),
  ],
}

/** A map with more entries; a key that is there already is an error. */
function insert(map: CelMap, more: readonly (readonly [Value, Value])[]): Result {
  const entries = new Map(map instanceof EntryMap ? map.entries() : [])
  for (const [key, value] of more) {
    const id = keyId(key)
    if (id === undefined) return new CelError('unsupported key type')
    if (entries.has(id)) return new CelError(`insert failed: key ${keyText(key)} already exists`)
    entries.set(id, [key, value])
  }
  return new EntryMap(entries)
}

const keyText = (key: Value): string => (key instanceof CelUint ? String(key.value) : String(key))
