import { LIST_COST, PATTERN, TRAVERSAL } from '../check/call-estimates.ts'
import { CelFormat } from '../library/named-formats.ts'
import { sizeOf } from '../library/standard.ts'
import { CelError, CelList, CelMap, CelOpaque, CelOptional, items, type Result } from '../values/value.ts'

export type CallCost = (args: readonly Result[], result: Result) => number

/** What calls cost, in CEL's units; cel-go's and Kubernetes' rules. `overload` is '' where types did not decide it. */
export function callCost(name: string, overload: string): CallCost {
  const extension = EXTENSIONS[overload] ?? (overload.endsWith('_sort') ? sortCost : undefined)
  if (extension) return extension
  if (overload.endsWith('_sortByAssociatedKeys')) return (args) => selfCompareCost(args[1])
  const named = BY_NAME[name]
  const otherwise = byOverload(overload)
  return named ? (args, result) => named(args, result, overload) ?? otherwise(args) : otherwise
}

type Cost = (args: readonly Result[], result: Result, overload: string) => number | undefined

/** The size of a value; 1 for what has none. */
export function size(value: Result | undefined): number {
  if (value === undefined || value instanceof CelError) return 1
  if (value instanceof CelOptional && value.value !== undefined) return size(value.value)
  if (value instanceof CelOpaque) return value.size
  return sizeOf(value) ?? 1
}

/** As above, but what is inside of an optional does not count. */
const plainSize = (value: Result | undefined): number => (value instanceof CelOptional ? 1 : size(value))
const walk = (size: number, times = 1): number => Math.ceil(size * TRAVERSAL * times)
const once = (): number => 1
const readsFirst: Cost = ([first]) => (first === undefined ? undefined : walk(plainSize(first)))
const readsTwice: Cost = ([first]) => (first === undefined ? undefined : walk(plainSize(first), 2))

/** Walks through all that is in a value. */
function traversal(value: Result | undefined): number {
  if (typeof value === 'string') return Math.trunc(Buffer.byteLength(value) * TRAVERSAL)
  if (value instanceof Uint8Array) return Math.trunc(value.length * TRAVERSAL)
  if (value instanceof CelList) return items(value).reduce<number>((total, item) => total + traversal(item), 0)
  if (!(value instanceof CelMap)) return 1
  return value.keys().reduce<number>((total, key) => total + traversal(key) + traversal(value.find(key)), 0)
}

function pattern(text: number, pattern: number): number {
  return Math.ceil((1 + text) * TRAVERSAL) * Math.ceil(pattern * PATTERN)
}

const containsIp: Cost = ([cidr, other], _, overload) => {
  const parsed = overload === 'cidr_contains_ip_string' ? walk(plainSize(other)) : 0
  return walk(plainSize(cidr) * 2) + parsed
}

const containsCidr: Cost = ([cidr, other], _, overload) => {
  const parsed = overload === 'cidr_contains_cidr_string' ? walk(plainSize(other)) : 0
  return walk(plainSize(cidr) * 2) + walk(plainSize(cidr)) + 1 + parsed
}

const NOMINAL = [
  'masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast',
  'format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch',
  'getScheme getHostname getHost getPort getEscapedPath getQuery',
].flatMap((names) => names.split(' '))

const BY_NAME: Readonly<Record<string, Cost>> = {
  ...Object.fromEntries(NOMINAL.map((name) => [name, once])),
  ...Object.fromEntries(
    ['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf'].map((name) => [
      name,
      ([first]: readonly Result[]) => (first === undefined ? 0 : traversal(first)),
    ]),
  ),
  ...Object.fromEntries(
    'url lowerAscii upperAscii substring trim cidr isIP isCIDR quantity isQuantity semver isSemver'
      .split(' ')
      .map((name) => [name, readsFirst]),
  ),
  replace: readsTwice,
  split: readsTwice,
  join: (_, result) => walk(plainSize(result), 2),
  find: ([text, regex]) => pattern(plainSize(text), plainSize(regex)),
  findAll: ([text, regex]) => pattern(plainSize(text), plainSize(regex)),
  ip: (args, result, overload) => (overload === 'cidr_ip' ? 1 : readsFirst(args, result, overload)),
  'ip.isCanonical': readsTwice,
  containsIP: containsIp,
  containsCIDR: containsCidr,
  validate: ([format, text]) => (format instanceof CelFormat ? pattern(plainSize(text), format.regexSize) : undefined),
  '_==_': ([left]) => (left instanceof CelOpaque ? 1 : undefined),
}

function byOverload(overload: string): (args: readonly Result[]) => number {
  switch (overload) {
    case 'starts_with_string':
    case 'ends_with_string':
    case 'string_to_bytes':
    case 'bytes_to_string':
    case 'strings_quote':
    case 'string_format':
      return ([a]) => walk(size(a))
    case 'in_list':
      return ([, b]) => size(b)
    case 'add_string':
    case 'add_bytes':
      return ([a, b]) => walk(size(a) + size(b))
    case 'matches_string':
      return ([a, b]) => pattern(size(a), size(b))
    case 'contains_string':
      return ([a, b]) => walk(size(a)) * walk(size(b))
    case 'equals':
    case 'not_equals':
      return ([a, b]) => walk(Math.min(size(a), size(b)))
    default:
      return COMPARES_TEXT.test(overload) ? ([a, b]) => walk(Math.min(size(a), size(b))) : once
  }
}

const COMPARES_TEXT = /^(?:less|greater|less_equals|greater_equals)_(?:string|bytes)$/

const makesList = (size: number, factor = 1): number => Math.trunc(size * factor) + 1 + LIST_COST

function selfCompareCost(list: Result | undefined): number {
  const count = plainSize(list)
  const first = list instanceof CelList && list.size > 0 ? list.at(0) : undefined
  const texts = typeof first === 'string' || first instanceof Uint8Array
  return makesList(count * count, texts ? 2 + TRAVERSAL : 2)
}

const output: CallCost = (_, result) => makesList(plainSize(result))
const sortCost: CallCost = ([list]) => selfCompareCost(list)
const flatten: CallCost = ([list, depth]) => makesList(plainSize(list), typeof depth === 'bigint' ? Number(depth) : 1)
const sets =
  (factor: number): CallCost =>
  ([a, b]) =>
    1 + plainSize(a) * plainSize(b) * factor

const EXTENSIONS: Readonly<Record<string, CallCost>> = {
  list_slice: output,
  list_flatten: flatten,
  list_flatten_int: flatten,
  lists_range: output,
  list_reverse: output,
  list_distinct: sortCost,
  list_sets_contains_list: sets(1),
  list_sets_intersects_list: sets(1),
  list_sets_equivalent_list: sets(2),
}
