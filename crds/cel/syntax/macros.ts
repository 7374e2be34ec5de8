import { ACCUMULATOR, type Expr, type Literal, OPERATOR } from './ast.ts'

/** What a macro's wrong use is told as, and where. */
export interface MacroError {
  readonly error: string
  readonly at: number
}

type Expansion = Expr | MacroError
type Macro = (target: Expr, args: readonly Expr[], offset: number) => Expansion

/** Expands a call that is a macro; undefined where it is an ordinary call. Everything made points at the call's `(`. */
export function expandMacro(
  name: string,
  target: Expr | undefined,
  args: readonly Expr[],
  offset: number,
): Expansion | undefined {
  if (!target) return name === 'has' && args[0] && args.length === 1 ? expandHas(args[0], offset) : undefined
  const macro = MACROS.get(`${name}/${args.length}`)
  return macro?.(target, args, offset)
}

function expandHas(arg: Expr, offset: number): Expansion {
  if (arg.kind !== 'select' || arg.test) return { error: 'invalid argument to has() macro', at: arg.offset }
  return { kind: 'select', offset, operand: arg.operand, field: arg.field, test: true }
}

/** Builds the parts of an expansion, all at one place. */
class At {
  readonly #offset: number

  constructor(offset: number) {
    this.#offset = offset
  }

  call(name: string, ...args: readonly Expr[]): Expr {
    return { kind: 'call', offset: this.#offset, function: name, target: undefined, args }
  }
  member(name: string, target: Expr, ...args: readonly Expr[]): Expr {
    return { kind: 'call', offset: this.#offset, function: name, target, args }
  }
  ident(name: string): Expr {
    return { kind: 'ident', offset: this.#offset, name }
  }
  get result(): Expr {
    return this.ident(ACCUMULATOR)
  }
  literal(literal: Literal): Expr {
    return { kind: 'literal', offset: this.#offset, literal }
  }
  bool(value: boolean): Expr {
    return this.literal({ type: 'bool', value })
  }
  int(value: bigint): Expr {
    return this.literal({ type: 'int', value })
  }
  list(...elements: readonly Expr[]): Expr {
    return { kind: 'list', offset: this.#offset, elements, optional: new Set() }
  }
  get emptyMap(): Expr {
    return { kind: 'map', offset: this.#offset, entries: [] }
  }
  loop(range: Expr, variables: Variables, parts: LoopParts): Expr {
    return {
      kind: 'comprehension',
      offset: this.#offset,
      range,
      variable: variables.first,
      variable2: variables.second,
      accumulator: parts.accumulator ?? ACCUMULATOR,
      init: parts.init,
      condition: parts.condition,
      step: parts.step,
      result: parts.result,
    }
  }
}

interface Variables {
  readonly first: string
  readonly second: string | undefined
}

interface LoopParts {
  readonly accumulator?: string
  readonly init: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
}

/** The loop variables that the first one or two arguments name. */
function variables(args: readonly Expr[], count: 1 | 2, notAName: string): Variables | MacroError {
  const names: string[] = []
  for (const arg of args.slice(0, count)) {
    if (arg.kind !== 'ident') return { error: notAName, at: arg.offset }
    names.push(arg.name)
  }
  const [first = '', second] = names
  if (first === second) return { error: `duplicate variable name: ${first}`, at: args[1]?.offset ?? 0 }
  const taken = names.findIndex((name) => name === ACCUMULATOR || name === '__result__')
  if (taken !== -1) {
    return { error: 'iteration variable overwrites accumulator variable', at: args[taken]?.offset ?? 0 }
  }
  return { first, second }
}

type Body = (at: At, predicate: Expr) => LoopParts

const all: Body = (at, predicate) => ({
  init: at.bool(true),
  condition: at.call(OPERATOR.notStrictlyFalse, at.result),
  step: at.call(OPERATOR.and, at.result, predicate),
  result: at.result,
})

const exists: Body = (at, predicate) => ({
  init: at.bool(false),
  condition: at.call(OPERATOR.notStrictlyFalse, at.call(OPERATOR.not, at.result)),
  step: at.call(OPERATOR.or, at.result, predicate),
  result: at.result,
})

const existsOne: Body = (at, predicate) => ({
  init: at.int(0n),
  condition: at.bool(true),
  step: at.call(OPERATOR.conditional, predicate, at.call(OPERATOR.add, at.result, at.int(1n)), at.result),
  result: at.call(OPERATOR.equals, at.result, at.int(1n)),
})

function quantifier(count: 1 | 2, body: Body): Macro {
  return (target, args, offset) => {
    const names = variables(args, count, 'argument must be a simple name')
    if ('error' in names) return names
    const at = new At(offset)
    return at.loop(target, names, body(at, args[count] as Expr))
  }
}

/** map, filter and the transforms: an accumulator grows by one step where the predicate holds. */
function collect(
  count: 1 | 2,
  notAName: string,
  init: (at: At) => Expr,
  grow: (at: At, args: readonly Expr[]) => { step: Expr; predicate: Expr | undefined },
): Macro {
  return (target, args, offset) => {
    const names = variables(args, count, notAName)
    if ('error' in names) return names
    const at = new At(offset)
    const { step, predicate } = grow(at, args)
    return at.loop(target, names, {
      init: init(at),
      condition: at.bool(true),
      step: predicate ? at.call(OPERATOR.conditional, predicate, step, at.result) : step,
      result: at.result,
    })
  }
}

const appended = (at: At, item: Expr): Expr => at.call(OPERATOR.add, at.result, at.list(item))
const NAME = 'argument must be a simple name'
const IDENTIFIER = 'argument is not an identifier'

const map: Macro = collect(
  1,
  IDENTIFIER,
  (at) => at.list(),
  (at, args) => ({
    step: appended(at, args[args.length - 1] as Expr),
    predicate: args.length === 3 ? args[1] : undefined,
  }),
)

const filter: Macro = collect(
  1,
  IDENTIFIER,
  (at) => at.list(),
  (at, args) => ({ step: appended(at, args[0] as Expr), predicate: args[1] }),
)

const transformList: Macro = collect(
  2,
  NAME,
  (at) => at.list(),
  (at, args) => ({
    step: appended(at, args[args.length - 1] as Expr),
    predicate: args.length === 4 ? args[2] : undefined,
  }),
)

/** The function that puts entries into the map a transform builds; no expression can name it. */
export const MAP_INSERT = 'cel.@mapInsert'

const transformMap: Macro = collect(
  2,
  NAME,
  (at) => at.emptyMap,
  (at, args) => ({
    step: at.call(
      MAP_INSERT,
      at.result,
      at.ident((args[0] as Expr & { name: string }).name),
      args[args.length - 1] as Expr,
    ),
    predicate: args.length === 4 ? args[2] : undefined,
  }),
)

const transformMapEntry: Macro = collect(
  2,
  NAME,
  (at) => at.emptyMap,
  (at, args) => ({
    step: at.call(MAP_INSERT, at.result, args[args.length - 1] as Expr),
    predicate: args.length === 4 ? args[2] : undefined,
  }),
)

/** Binds a variable to a value for one expression: a loop over nothing. */
function bind(at: At, name: string, value: Expr, result: Expr): Expr {
  const unused = { first: '#unused', second: undefined }
  const parts = { accumulator: name, init: value, condition: at.bool(false), step: at.ident(name), result }
  return at.loop(at.list(), unused, parts)
}

function optional(name: string, wrap: (at: At, bound: Expr) => Expr): Macro {
  return (target, args, offset) => {
    const [variable, body] = args
    if (variable?.kind !== 'ident') {
      return { error: `${name}() variable name must be a simple identifier`, at: variable?.offset ?? offset }
    }
    const at = new At(offset)
    return at.call(
      OPERATOR.conditional,
      at.member('hasValue', target),
      wrap(at, bind(at, variable.name, at.member('value', target), body as Expr)),
      at.call('optional.none'),
    )
  }
}

const SORT_INPUT = '@__sortBy_input__'
const SORTABLE = new Set<Expr['kind']>(['list', 'select', 'ident', 'comprehension', 'call'])

const sortBy: Macro = (target, args, offset) => {
  if (!SORTABLE.has(target.kind)) {
    const error = 'sortBy can only be applied to a list, identifier, comprehension, call or select expression'
    return { error, at: target.offset }
  }
  const at = new At(offset)
  const keys = map(at.ident(SORT_INPUT), args, offset)
  if ('error' in keys) return keys
  return bind(at, SORT_INPUT, target, at.member('@sortByAssociatedKeys', at.ident(SORT_INPUT), keys))
}

const MACROS: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ['all/2', quantifier(1, all)],
  ['exists/2', quantifier(1, exists)],
  ['exists_one/2', quantifier(1, existsOne)],
  ['all/3', quantifier(2, all)],
  ['exists/3', quantifier(2, exists)],
  ['exists_one/3', quantifier(2, existsOne)],
  ['existsOne/3', quantifier(2, existsOne)],
  ['map/2', map],
  ['map/3', map],
  ['filter/2', filter],
  ['transformList/3', transformList],
  ['transformList/4', transformList],
  ['transformMap/3', transformMap],
  ['transformMap/4', transformMap],
  ['transformMapEntry/3', transformMapEntry],
  ['transformMapEntry/4', transformMapEntry],
  ['optMap/2', optional('optMap', (at, bound) => at.call('optional.of', bound))],
  ['optFlatMap/2', optional('optFlatMap', (_, bound) => bound)],
  ['sortBy/2', sortBy],
])
