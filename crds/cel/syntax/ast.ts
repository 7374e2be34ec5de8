/** A literal as it stands in an expression. Ints are bigints, so that doubles can be numbers. */
export type Literal =
  | { readonly type: 'null'; readonly value: null }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int' | 'uint'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bytes'; readonly value: Uint8Array }

/** `offset`: where to point when something is wrong with the node, in UTF-16 units. */
interface Node {
  readonly offset: number
}

export interface LiteralExpr extends Node {
  readonly kind: 'literal'
  readonly literal: Literal
}

export interface IdentExpr extends Node {
  readonly kind: 'ident'
  readonly name: string
}

/** `operand.field`, or with `test` the macro `has(operand.field)`. */
export interface SelectExpr extends Node {
  readonly kind: 'select'
  readonly operand: Expr
  readonly field: string
  readonly test: boolean
}

/** `function(args)` or `target.function(args)`; operators are calls of functions named `_+_` and so on. */
export interface CallExpr extends Node {
  readonly kind: 'call'
  readonly function: string
  readonly target: Expr | undefined
  readonly args: readonly Expr[]
}

export interface ListExpr extends Node {
  readonly kind: 'list'
  readonly elements: readonly Expr[]
  /** Indexes of elements written `?x`, which are left out where x has no value. */
  readonly optional: ReadonlySet<number>
}

export interface MapEntry extends Node {
  readonly key: Expr
  readonly value: Expr
  readonly optional: boolean
}

export interface MapExpr extends Node {
  readonly kind: 'map'
  readonly entries: readonly MapEntry[]
}

export interface FieldInit extends Node {
  readonly name: string
  readonly value: Expr
  readonly optional: boolean
}

/** `Type{field: value}`. */
export interface StructExpr extends Node {
  readonly kind: 'struct'
  readonly typeName: string
  readonly fields: readonly FieldInit[]
}

/** The loop that macros expand to: fold `range` into `accumulator`, while `condition`, by `step`; give `result`. */
export interface ComprehensionExpr extends Node {
  readonly kind: 'comprehension'
  readonly range: Expr
  readonly variable: string
  /** The second variable (value beside key or index), where the macro has two. */
  readonly variable2: string | undefined
  readonly accumulator: string
  readonly init: Expr
  readonly condition: Expr
  readonly step: Expr
  readonly result: Expr
}

/** Stands where a syntax or macro error was reported; never checked nor run. */
export interface ErrorExpr extends Node {
  readonly kind: 'error'
}

export type Expr =
  | LiteralExpr
  | IdentExpr
  | SelectExpr
  | CallExpr
  | ListExpr
  | MapExpr
  | StructExpr
  | ComprehensionExpr
  | ErrorExpr

/** Names of operators as functions. */
export const OPERATOR = {
  conditional: '_?_:_',
  and: '_&&_',
  or: '_||_',
  not: '!_',
  negate: '-_',
  index: '_[_]',
  optIndex: '_[?_]',
  optSelect: '_?._',
  add: '_+_',
  equals: '_==_',
  in: '@in',
  notStrictlyFalse: '@not_strictly_false',
} as const

/** What a loop's accumulator is called; no expression can name it. */
export const ACCUMULATOR = '@result'

/** Visits a node and everything below it, parents first. */
export function walk(
  expr: Expr,
  visit: (expr: Expr, parents: readonly Expr[]) => void,
  parents: readonly Expr[] = [],
): void {
  visit(expr, parents)
  const below = [...parents, expr]
  for (const child of children(expr)) walk(child, visit, below)
}

function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
    case 'ident':
    case 'error':
      return []
    case 'select':
      return [expr.operand]
    case 'call':
      return expr.target ? [expr.target, ...expr.args] : expr.args
    case 'list':
      return expr.elements
    case 'map':
      return expr.entries.flatMap((entry) => [entry.key, entry.value])
    case 'struct':
      return expr.fields.map((field) => field.value)
    case 'comprehension':
      return [expr.range, expr.init, expr.condition, expr.step, expr.result]
  }
}
