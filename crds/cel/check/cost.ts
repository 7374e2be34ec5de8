import { runes } from '../../validation/value-checks.ts'
import type { CallExpr, ComprehensionExpr, Expr } from '../syntax/ast.ts'
import { ACCUMULATOR } from '../syntax/ast.ts'
import type { CelType } from '../types/type.ts'
import {
  type CallEstimate,
  type CostNode,
  estimateCall,
  LIST_COST,
  MAP_COST,
  PATTERN,
  TRAVERSAL,
} from './call-estimates.ts'
import type { Checked } from './checker.ts'
import type { DeclType } from './decl-type.ts'
import { fixed, NOTHING, plus, type Range, scaled, times, UNBOUNDED, UNKNOWN_SIZE, union } from './estimate.ts'

/**
 * Estimates what running a checked expression can cost at most, in CEL's units. The estimate follows cel-go's step by step,
 * with its quirks, for it decides which rules a CRD may have. `root` tells the sizes of what `self` and `oldSelf` can hold.
 */
export function estimateCost(expr: Expr, checked: Checked, root: DeclType | undefined): Range {
  return new Coster(checked, root).cost(expr)
}

/** Sizes of the keys and values of a list or map that an expression makes. */
interface EntrySizes {
  readonly container: 'list' | 'map'
  readonly key: Range
  readonly value: Range
}

/** A variable within the expression: where in the schema its values come from, and how large they are. */
interface Local {
  readonly path: readonly string[]
  readonly size: Range | undefined
  readonly entries: EntrySizes | undefined
}

class Coster {
  readonly #checked: Checked
  readonly #root: DeclType | undefined
  readonly #paths = new Map<Expr, readonly string[]>()
  readonly #sizes = new Map<Expr, Range>()
  readonly #entries = new Map<Expr, EntrySizes>()
  readonly #locals = new Map<string, Local[]>()

  constructor(checked: Checked, root: DeclType | undefined) {
    this.#checked = checked
    this.#root = root
  }

  cost(expr: Expr): Range {
    const name = this.#checked.nameOf(expr)
    if (name !== undefined) return this.#ident(expr, name)
    switch (expr.kind) {
      case 'select':
        return this.#select(expr)
      case 'call':
        return this.#call(expr)
      case 'list':
        return this.#list(expr)
      case 'map':
        return this.#map(expr)
      case 'comprehension':
        return isBinding(expr) ? this.#binding(expr) : this.#loop(expr)
      default:
        return NOTHING
    }
  }

  #ident(expr: Expr, name: string): Range {
    this.#paths.set(expr, this.#local(name)?.path ?? [name])
    return fixed(1)
  }

  #select(expr: Expr & { kind: 'select' }): Range {
    const operand = this.cost(expr.operand)
    if (expr.test) return operand
    this.#paths.set(expr, [...this.#path(expr.operand), expr.field])
    const { kind } = this.#checked.typeOf(expr.operand)
    return kind === 'map' || kind === 'struct' || kind === 'param' ? plus(operand, fixed(1)) : operand
  }

  #call(expr: CallExpr): Range {
    const [first] = expr.args
    if (expr.function === 'dyn' && first) {
      const cost = this.cost(first)
      this.#copySizes(expr, first)
      return plus(fixed(1), cost)
    }
    const argCosts = expr.args.map((arg) => this.cost(arg))
    const args = expr.args.map((arg) => this.#node(arg))
    const overloads = this.#checked.overloadsOf(expr)
    if (overloads.length === 0) return NOTHING
    const qualified = this.#checked.qualifiedCall(expr)
    const hasTarget = expr.target !== undefined && qualified === undefined
    const targetCost = hasTarget ? this.cost(expr.target as Expr) : NOTHING
    const target = hasTarget ? this.#node(expr.target as Expr) : undefined
    const name = qualified ?? expr.function
    let cost: Range = { min: UNBOUNDED, max: 0 }
    let result: Range | undefined
    for (const { id } of overloads) {
      const estimate = this.#callEstimate(expr, { name, overload: id, target, args }, argCosts)
      cost = union(cost, estimate.cost)
      if (estimate.result) result = result ? union(result, estimate.result) : estimate.result
      const indexed = id === 'index_list' ? '@items' : id === 'index_map' ? '@values' : undefined
      if (indexed && first) {
        result = this.#entriesOf(first)?.value
        this.#paths.set(expr, [...this.#path(first), indexed])
      }
      result ??= this.#size(expr)
    }
    if (result) this.#sizes.set(expr, result)
    return plus(targetCost, cost)
  }

  #callEstimate(expr: CallExpr, call: CallOf, argCosts: readonly Range[]): CallEstimate {
    const own = estimateCall(call)
    const all = plus(...argCosts)
    if (own) return { ...own, cost: plus(own.cost, all) }
    return this.#language(expr, call, argCosts, all)
  }

  /** What the language itself says of its own operators and functions. */
  #language(expr: CallExpr, call: CallOf, argCosts: readonly Range[], all: Range): CallEstimate {
    const { overload, target, args } = call
    const [a, b, c] = args
    const walk = (size: Range): Range => plus(scaled(size, TRAVERSAL), all)
    switch (overload) {
      case 'string_format':
        if (target) return { cost: walk(target.computed ?? UNKNOWN_SIZE) }
        break
      case 'string_to_bytes':
        if (a) return { cost: walk(known(a)), result: { min: known(a).min, max: known(a).max * 4 } }
        break
      case 'bytes_to_string':
        if (a) return { cost: walk(known(a)), result: { min: Math.trunc(known(a).min / 4), max: known(a).max } }
        break
      case 'strings_quote':
        if (a) return { cost: walk(known(a)), result: { min: known(a).min + 2, max: known(a).max * 2 + 2 } }
        break
      case 'starts_with_string':
      case 'ends_with_string':
        if (a) return { cost: walk(known(a)) }
        break
      case 'in_list':
        if (b) return { cost: plus(scaled(known(b), 1), all) }
        break
      case 'matches_string':
        if (target && a) {
          const text = scaled(plus(known(target), fixed(1)), TRAVERSAL)
          return { cost: plus(times(text, scaled(known(a), PATTERN)), all) }
        }
        break
      case 'contains_string':
        if (target && a) {
          return { cost: plus(times(scaled(known(target), TRAVERSAL), scaled(known(a), TRAVERSAL)), all) }
        }
        break
      case 'logical_or':
      case 'logical_and':
        return { cost: { min: argCosts[0]?.min ?? 0, max: all.max } }
      case 'conditional':
        if (b && c) return this.#conditional(expr, argCosts, union(known(b), known(c)))
        break
      case 'add_string':
      case 'add_bytes':
      case 'add_list':
        if (a && b) return this.#concatenation(expr, overload, plus(known(a), known(b)), all)
        break
      default:
        if (a && b && COMPARES.test(overload)) {
          const smallest = Math.min(known(a).max, known(b).max)
          return { cost: walk({ min: smallest > 0 ? 1 : 0, max: smallest }) }
        }
    }
    return { cost: plus(fixed(1), all) }
  }

  #conditional(expr: CallExpr, argCosts: readonly Range[], size: Range): CallEstimate {
    const [, yes, no] = expr.args
    const entries = bothEntries(yes && this.#entriesOf(yes), no && this.#entriesOf(no))
    if (entries) this.#entries.set(expr, entries)
    const [condition = NOTHING, left = NOTHING, right = NOTHING] = argCosts
    return { cost: plus(condition, union(left, right)), result: size }
  }

  #concatenation(expr: CallExpr, overload: string, size: Range, all: Range): CallEstimate {
    const [left, right] = expr.args
    const entries = bothEntries(left && this.#entriesOf(left), right && this.#entriesOf(right))
    if (entries) this.#entries.set(expr, entries)
    const own = overload === 'add_list' ? fixed(1) : scaled(size, TRAVERSAL)
    return { cost: plus(own, all), result: size }
  }

  #list(expr: Expr & { kind: 'list' }): Range {
    let cost = fixed(LIST_COST)
    let size: Range = { min: expr.elements.length === 0 ? 0 : UNBOUNDED, max: 0 }
    for (const element of expr.elements) {
      cost = plus(cost, this.cost(element))
      size = union(size, this.#size(element) ?? UNKNOWN_SIZE)
    }
    this.#entries.set(expr, { container: 'list', key: fixed(1), value: size })
    return cost
  }

  #map(expr: Expr & { kind: 'map' }): Range {
    const none = expr.entries.length === 0 ? 0 : UNBOUNDED
    let cost = fixed(MAP_COST)
    let key: Range = { min: none, max: 0 }
    let value: Range = { min: none, max: 0 }
    for (const entry of expr.entries) {
      cost = plus(cost, this.cost(entry.key), this.cost(entry.value))
      key = union(key, this.#size(entry.key) ?? UNKNOWN_SIZE)
      value = union(value, this.#size(entry.value) ?? UNKNOWN_SIZE)
    }
    this.#entries.set(expr, { container: 'map', key, value })
    return cost
  }

  #binding(expr: ComprehensionExpr): Range {
    const range = this.cost(expr.range)
    const init = this.cost(expr.init)
    const cost = this.#within(expr.accumulator, this.#localOf(expr.init), () => this.cost(expr.result))
    this.#copySizes(expr, expr.result)
    return plus(range, init, cost)
  }

  #loop(expr: ComprehensionExpr): Range {
    const range = this.cost(expr.range)
    const init = this.cost(expr.init)
    const { each, result } = this.#within(expr.accumulator, this.#localOf(expr.init), () => {
      const [first, second] = this.#iterated(expr)
      const body = (): Range => plus(this.cost(expr.condition), this.cost(expr.step))
      const whole = (): Range => (second ? this.#within(expr.variable2 as string, second, body) : body())
      return { each: this.#within(expr.variable, first, whole), result: this.cost(expr.result) }
    })
    const count = this.#size(expr.range) ?? UNKNOWN_SIZE
    if (expr.init.kind === 'literal') {
      const size = this.#size(expr.init)
      if (size) this.#sizes.set(expr, size)
    } else if (expr.init.kind === 'list' || expr.init.kind === 'map') {
      this.#sizes.set(expr, count)
      const entries = this.#entriesOf(expr.step)
      if (entries) this.#entries.set(expr, entries)
    }
    return plus(range, init, result, times(count, each))
  }

  /** What the loop variables range over. */
  #iterated(expr: ComprehensionExpr): readonly [Local, Local | undefined] {
    const entries = this.#entriesOf(expr.range)
    const path = this.#path(expr.range)
    const isList = (entries?.container ?? this.#checked.typeOf(expr.range).kind) === 'list'
    const local = (step: string, size: Range | undefined): Local => ({
      path: [...path, step],
      size,
      entries: undefined,
    })
    const value = local(isList ? '@items' : '@values', entries?.value)
    if (expr.variable2 !== undefined) return [local(isList ? '@indices' : '@keys', entries?.key), value]
    return [isList ? value : local('@keys', entries?.key), undefined]
  }

  #within<T>(name: string, local: Local, run: () => T): T {
    const stack = this.#locals.get(name) ?? []
    this.#locals.set(name, [...stack, local])
    const result = run()
    this.#locals.set(name, stack)
    return result
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1)
  }

  #localOf(expr: Expr): Local {
    return { path: this.#path(expr), size: this.#size(expr), entries: this.#entriesOf(expr) }
  }

  #path(expr: Expr): readonly string[] {
    const local = expr.kind === 'ident' ? this.#local(expr.name) : undefined
    return local?.path ?? this.#paths.get(expr) ?? []
  }

  #node(expr: Expr): CostNode {
    const path = this.#path(expr)
    const visible = path[0] === ACCUMULATOR || path[0] === '__result__' ? [] : path
    return this.#nodeOf(this.#checked.typeOf(expr), expr, visible, this.#size(expr))
  }

  #nodeOf(type: CelType, expr: Expr | undefined, path: readonly string[], computed: Range | undefined): CostNode {
    const coster = this
    return {
      type,
      expr,
      computed,
      get size(): Range {
        return computed ?? coster.#schemaSize(path) ?? UNKNOWN_SIZE
      },
      get item(): CostNode | undefined {
        const element = type.kind === 'list' ? type.element : parameter(type)
        return element && coster.#nodeOf(element, undefined, path.length > 0 ? [...path, '@items'] : [], undefined)
      },
    }
  }

  #size(expr: Expr): Range | undefined {
    const done = this.#sizes.get(expr) ?? literalSize(expr)
    if (done) return done
    const fromSchema = this.#schemaSize(this.#path(expr))
    if (fromSchema) {
      this.#sizes.set(expr, fromSchema)
      return fromSchema
    }
    if (isScalar(this.#checked.typeOf(expr))) return fixed(1)
    return expr.kind === 'ident' ? this.#local(expr.name)?.size : undefined
  }

  /** What the schema allows at a path; the first step names the variable. */
  #schemaSize(path: readonly string[]): Range | undefined {
    if (path.length === 0) return undefined
    let at = this.#root
    for (const step of path.slice(1)) {
      if (step === '@items' || step === '@values') at = at?.element
      else if (step === '@keys') at = at?.key
      else at = at?.fields?.get(step)
    }
    return at && { min: 0, max: at.maxElements }
  }

  #entriesOf(expr: Expr): EntrySizes | undefined {
    return this.#entries.get(expr) ?? (expr.kind === 'ident' ? this.#local(expr.name)?.entries : undefined)
  }

  #copySizes(to: Expr, from: Expr): void {
    const size = this.#size(from)
    const entries = this.#entriesOf(from)
    if (size) this.#sizes.set(to, size)
    if (entries) this.#entries.set(to, entries)
  }
}

type CallOf = Parameters<typeof estimateCall>[0]

const known = (node: CostNode): Range => node.computed ?? UNKNOWN_SIZE
const COMPARES = /^(?:less|greater|less_equals|greater_equals)_(?:string|bytes)$|^equals$|^not_equals$/

function bothEntries(a: EntrySizes | undefined, b: EntrySizes | undefined): EntrySizes | undefined {
  return a && b && { container: a.container, key: union(a.key, b.key), value: union(a.value, b.value) }
}

/** A loop over nothing, which only binds a name. */
function isBinding(expr: ComprehensionExpr): boolean {
  const empty = expr.range.kind === 'list' && expr.range.elements.length === 0
  const never = expr.condition.kind === 'literal' && expr.condition.literal.value === false
  return empty && never
}

function literalSize(expr: Expr): Range | undefined {
  if (expr.kind === 'list') return fixed(expr.elements.length)
  if (expr.kind === 'map') return fixed(expr.entries.length)
  if (expr.kind !== 'literal') return undefined
  if (expr.literal.type === 'string') return fixed(runes(expr.literal.value))
  return fixed(expr.literal.type === 'bytes' ? expr.literal.value.length : 1)
}

function isScalar(type: CelType): boolean {
  if (type.kind === 'opaque' && type.name === 'optional_type') return isScalar(type.params[0] ?? type)
  return ['bool', 'double', 'duration', 'int', 'timestamp', 'uint'].includes(type.kind)
}

/** The first type parameter of a type that has any. */
function parameter(type: CelType): CelType | undefined {
  if (type.kind === 'map') return type.key
  if (type.kind === 'opaque') return type.params[0]
  return type.kind === 'type' ? type.of : undefined
}
