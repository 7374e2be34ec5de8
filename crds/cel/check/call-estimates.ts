import type { Expr } from '../syntax/ast.ts'
import { type CelType, sameType } from '../types/type.ts'
import { fixed, plus, type Range, scaled, times, UNBOUNDED, union } from './estimate.ts'

/** What one node is known to be when the cost of a call on it is estimated. */
export interface CostNode {
  readonly type: CelType
  /** The expression itself; absent for the items of a list. */
  readonly expr: Expr | undefined
  /** Its size, where the expression tells; otherwise what the schema allows, otherwise anything. */
  readonly size: Range
  /** Its size where the expression or the schema's path tells. */
  readonly computed: Range | undefined
  /** The items of a list. */
  readonly item: CostNode | undefined
}

export interface CallEstimate {
  readonly cost: Range
  /** The size of what the call gives. */
  readonly result?: Range
}

/** The parts of the cost of a call that its arguments' own costs do not include. */
export interface Call {
  readonly name: string
  readonly overload: string
  readonly target: CostNode | undefined
  readonly args: readonly CostNode[]
}

/** What walking a text once costs per character, and applying a pattern per character of the pattern. */
export const TRAVERSAL = 0.1
export const PATTERN = 0.25
export const LIST_COST = 10
export const MAP_COST = 30

const ONE: CallEstimate = { cost: fixed(1) }
const traversal = (size: Range, times = 1): Range => scaled(size, TRAVERSAL * times)

/** Kubernetes' estimates for its own functions and extensions; undefined where the language's own apply. */
export function estimateCall(call: Call): CallEstimate | undefined {
  const extension = EXTENSIONS[call.overload] ?? (SORTS.test(call.overload) ? sortEstimate : undefined)
  return extension?.(call) ?? BY_NAME[call.name]?.(call)
}

type Estimator = (call: Call) => CallEstimate | undefined

/** Reads its first argument, or target, once. */
const readsArgument =
  (keepsSize = false, factor = 1): Estimator =>
  ({ args: [arg] }) => {
    if (!arg) return undefined
    return { cost: traversal(arg.size, factor), ...(keepsSize ? { result: arg.size } : {}) }
  }

const readsTarget: Estimator = ({ target }) => target && { cost: traversal(target.size), result: target.size }

/** One comparison for each item, and a walk through each text. */
const comparesItems: Estimator = ({ target }) => {
  if (!target) return undefined
  const { item } = target
  if (!item) return { cost: traversal(target.size) }
  const texts = item.type.kind === 'string' || item.type.kind === 'bytes'
  const each = texts ? plus(fixed(1), traversal(item.size)) : fixed(1)
  return { cost: times(target.size, each) }
}

const replaces: Estimator = ({ target, args: [old, by] }) => {
  if (!target || !old || !by) return undefined
  const size = target.size
  const most = mostReplaced(size.max, old.size.min, by.size.max)
  const least = leastReplaced(size.min, old.size.max, by.size.min)
  const count = { min: least.count, max: most.count }
  const kept = { min: least.kept, max: most.kept }
  return { cost: traversal(size, 2), result: plus(times(count, by.size), kept) }
}

/** How often a text can be replaced at most to get longest, and what remains of it. */
function mostReplaced(size: number, old: number, by: number): { count: number; kept: number } {
  if (old === 0) return { count: size < UNBOUNDED ? size + 1 : size, kept: size }
  return by <= old ? { count: 0, kept: size } : { count: Math.ceil(size / old), kept: 0 }
}

function leastReplaced(size: number, old: number, by: number): { count: number; kept: number } {
  if (old === 0) return { count: size < UNBOUNDED ? size + 1 : size, kept: size }
  return old <= by ? { count: 0, kept: size } : { count: Math.ceil(size / old), kept: 0 }
}

const splits: Estimator = ({ target, args }) => {
  if (!target) return undefined
  const limit = args[1]?.expr
  const given = limit?.kind === 'literal' && limit.literal.type === 'int' ? Number(limit.literal.value) : undefined
  const most = given === undefined ? target.size.max : given < 0 ? UNBOUNDED : given
  return { cost: traversal(target.size, 2), result: { min: 0, max: most } }
}

const joins: Estimator = ({ target, args: [separator] }) => {
  if (!target) return undefined
  let size = target.item ? times(target.size, target.item.size) : fixed(0)
  if (separator) {
    const gaps = { min: Math.max(0, target.size.min - 1), max: Math.max(0, target.size.max - 1) }
    size = plus(size, times(separator.size, gaps))
  }
  return { cost: traversal(size), result: size }
}

const finds: Estimator = ({ target, args: [pattern] }) => {
  if (!target || !pattern) return undefined
  const text = traversal(plus(target.size, fixed(1)))
  return { cost: times(text, scaled(pattern.size, PATTERN)), result: { min: 0, max: target.size.max } }
}

/** An address has 4 or 16 bytes. */
const ADDRESS: Range = { min: 4, max: 16 }

const containsIp: Estimator = ({ overload, args: [arg] }) => {
  const compared = traversal(plus(ADDRESS, ADDRESS))
  if (!arg) return undefined
  return { cost: overload === 'cidr_contains_ip_string' ? plus(compared, traversal(arg.size)) : compared }
}

const containsCidr: Estimator = ({ overload, args: [arg] }) => {
  const compared = plus(traversal(plus(ADDRESS, ADDRESS)), traversal(ADDRESS), fixed(1))
  if (!arg) return undefined
  return { cost: overload === 'cidr_contains_cidr_string' ? plus(compared, traversal(arg.size)) : compared }
}

/** The longest pattern behind a named format. */
const FORMAT_PATTERN_SIZE = 128
const FORMAT_NAME_SIZE = 64

const validates: Estimator = ({ args: [arg] }) =>
  arg && { cost: scaled(traversal(arg.size), FORMAT_PATTERN_SIZE * PATTERN) }

const CHEAP_TO_COMPARE = new Set(['net.IP', 'net.CIDR', 'kubernetes.Quantity', 'kubernetes.Semver'])

const comparesOpaque: Estimator = ({ args: [left, right] }) => {
  if (!left || !right || !sameType(left.type, right.type)) return undefined
  if (left.type.kind !== 'opaque' && left.type.kind !== 'struct') return undefined
  if (CHEAP_TO_COMPARE.has(left.type.name)) return ONE
  if (left.type.name === 'kubernetes.NamedFormat') return { cost: traversal({ min: 1, max: FORMAT_NAME_SIZE }) }
  if (left.type.name !== 'kubernetes.URL') return undefined
  const size = right.computed ? union(right.computed, right.computed) : fixed(1)
  return { cost: traversal({ min: 1, max: size.max }) }
}

const ip: Estimator = (call) => (call.overload === 'cidr_ip' ? ONE : readsArgument()(call))

const NOMINAL = [
  'masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast',
  'format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch',
  'getScheme getHostname getHost getPort getEscapedPath getQuery',
].flatMap((names) => names.split(' '))

const BY_NAME: Readonly<Record<string, Estimator>> = {
  ...Object.fromEntries(NOMINAL.map((name) => [name, () => ONE])),
  ...Object.fromEntries(
    ['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf'].map((name) => [name, comparesItems]),
  ),
  ...Object.fromEntries(['lowerAscii', 'upperAscii', 'substring', 'trim'].map((name) => [name, readsTarget])),
  ...Object.fromEntries(
    ['cidr', 'isIP', 'isCIDR', 'quantity', 'isQuantity', 'semver', 'isSemver'].map((name) => [name, readsArgument()]),
  ),
  url: readsArgument(true),
  replace: replaces,
  split: splits,
  join: joins,
  find: finds,
  findAll: finds,
  ip,
  'ip.isCanonical': readsArgument(false, 2),
  containsIP: containsIp,
  containsCIDR: containsCidr,
  validate: validates,
  '_==_': comparesOpaque,
}

/** A call that makes a list of a size. */
function makesList(factor: number, size: Range): CallEstimate {
  return { cost: plus(scaled(size, factor), fixed(1), fixed(LIST_COST)), result: size }
}

function intOr(node: CostNode | undefined, otherwise: number): number {
  const expr = node?.expr
  if (expr?.kind !== 'literal' || expr.literal.type !== 'int') return otherwise
  return Math.max(0, Number(expr.literal.value))
}

const sets =
  (factor: number): Estimator =>
  ({ args: [a, b] }) =>
    a && b && { cost: plus(scaled(times(a.size, b.size), factor), fixed(1)) }

const flattens: Estimator = ({ target, args: [depth] }) =>
  target && makesList(depth ? intOr(depth, UNBOUNDED) : 1, target.size)

const SORTS = /^list_(.+)_(sort|sortByAssociatedKeys)$/

/** Every item compared with every other. */
function sortEstimate({ overload, target, args: [keys] }: Call): CallEstimate | undefined {
  const [, type = '', how] = SORTS.exec(overload) ?? []
  const sorted = how === 'sort' ? target : keys
  if (!target || !sorted) return undefined
  const texts = type === 'string' || type === 'bytes'
  return makesList(texts ? 2 + TRAVERSAL : 2, times(sorted.size, sorted.size))
}

/** Estimates of the lists and sets extensions, which come before all others. */
const EXTENSIONS: Readonly<Record<string, Estimator>> = {
  list_slice: ({ target, args: [start, end] }) => {
    if (!target) return undefined
    const length = intOr(end, target.size.max) - intOr(start, 0)
    return makesList(1, fixed(length < 0 ? length + UNBOUNDED : length))
  },
  list_flatten: flattens,
  list_flatten_int: flattens,
  lists_range: ({ args: [end] }) => makesList(1, fixed(intOr(end, UNBOUNDED))),
  list_reverse: ({ target }) => target && makesList(1, target.size),
  list_distinct: ({ target }) => target && makesList(2, times(target.size, target.size)),
  list_sets_contains_list: sets(1),
  list_sets_intersects_list: sets(1),
  list_sets_equivalent_list: sets(2),
}
