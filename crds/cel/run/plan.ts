import { compileRe2 } from '../../validation/re2.ts'
import type { Checked } from '../check/checker.ts'
import { CONVERSION_NAMES } from '../library/conversions.ts'
import { FUNCTIONS, TYPE_NAMES } from '../library/environment.ts'
import type { CallExpr, ComprehensionExpr, Expr, Literal, MapExpr } from '../syntax/ast.ts'
import { OPERATOR } from '../syntax/ast.ts'
import type { Overload } from '../types/declarations.ts'
import { equal } from '../values/compare.ts'
import {
  ArrayList,
  CelError,
  CelList,
  CelOptional,
  CelTypeValue,
  CelUint,
  items,
  keyId,
  noSuchOverload,
  type Result,
  type Value,
} from '../values/value.ts'
import { callCost } from './call-costs.ts'
import { dispatch } from './dispatch.ts'
import { type Eval, spend } from './frame.ts'
import { listEval, mapEval } from './literals.ts'
import { loopEval } from './loop.ts'
import { look, type Qualifier, qualify } from './qualify.ts'

/** A planned part: how to run it, and its value where that is known beforehand. */
interface Part {
  readonly eval: Eval
  readonly constant?: Value
  /** The part is a variable with selections, to which more may be added; its own cost is the last of them. */
  readonly attribute?: { readonly base: Eval; readonly qualifiers: readonly Qualifier[] }
}

/** What cannot be made a program although it is of the right types, such as `int('x')`. */
export class PlanError extends Error {}

/** Makes a checked expression runnable. `slots`: where each variable is found. Throws PlanError. */
export function plan(expr: Expr, checked: Checked, slots: ReadonlyMap<string, number>): Eval {
  return new Planner(checked).plan(expr, { names: slots, next: slots.size }).eval
}

/** Variables in sight and the next free slot. */
interface Slots {
  readonly names: ReadonlyMap<string, number>
  readonly next: number
}

function bind(slots: Slots, name: string): { readonly slots: Slots; readonly slot: number } {
  const names = new Map(slots.names).set(name, slots.next)
  return { slots: { names, next: slots.next + 1 }, slot: slots.next }
}

class Planner {
  readonly #checked: Checked

  constructor(checked: Checked) {
    this.#checked = checked
  }

  plan(expr: Expr, slots: Slots): Part {
    const name = this.#checked.nameOf(expr)
    if (name !== undefined) return this.#named(name, slots)
    switch (expr.kind) {
      case 'literal':
        return constant(literalValue(expr.literal))
      case 'select':
        return this.#select(expr, slots)
      case 'call':
        return this.#call(expr, slots)
      case 'list':
        return this.#list(expr, slots)
      case 'map':
        return this.#map(expr, slots)
      case 'comprehension':
        return { eval: this.#loop(expr, slots) }
      default:
        throw new PlanError('unsupported expression')
    }
  }

  #named(name: string, slots: Slots): Part {
    const slot = slots.names.get(name)
    if (slot !== undefined) {
      return attribute((frame) => {
        const value = frame.slots[slot]
        return value === undefined ? new CelError(`no such attribute(s): ${name}`) : value
      }, [])
    }
    const type = TYPE_NAMES.get(name)
    if (type?.value === undefined) throw new PlanError(`reference to undefined type: ${name}`)
    return constant(new CelTypeValue(type.value))
  }

  #select(expr: Expr & { kind: 'select' }, slots: Slots): Part {
    const operand = this.plan(expr.operand, slots)
    if (!expr.test) return extend(operand, { key: expr.field, optional: false })
    const { base, qualifiers } = attributeOf(operand)
    const field = expr.field
    return {
      eval: (frame) => {
        const value = qualify(frame, base, qualifiers)
        if (value instanceof CelError) return value
        const holder = value instanceof CelOptional ? value.value : value
        if (holder === undefined) return false
        spend(frame, 1)
        const found = look(holder, field)
        return holder instanceof CelList && found instanceof CelError ? found : found !== undefined
      },
    }
  }

  #call(expr: CallExpr, slots: Slots): Part {
    const qualified = this.#checked.qualifiedCall(expr)
    const bare = expr.function.startsWith('.') ? expr.function.slice(1) : expr.function
    const name = qualified ?? bare
    const all = expr.target && qualified === undefined ? [expr.target, ...expr.args] : expr.args
    const args = all.map((arg) => this.plan(arg, slots))
    const [a, b, c] = args
    switch (name) {
      case OPERATOR.and:
        return { eval: logical(evals(args), false) }
      case OPERATOR.or:
        return { eval: logical(evals(args), true) }
      case OPERATOR.conditional:
        return { eval: conditional(a as Part, b as Part, c as Part) }
      case OPERATOR.equals:
        return { eval: equality(args, true) }
      case '_!=_':
        return { eval: equality(args, false) }
      case OPERATOR.index:
        return extend(a as Part, { key: b as Part, optional: false })
      case OPERATOR.optIndex:
      case OPERATOR.optSelect:
        return extend(a as Part, { key: b as Part, optional: true })
      case OPERATOR.notStrictlyFalse:
        return { eval: notStrictlyFalse((a as Part).eval) }
      case 'or':
      case 'orValue':
        return { eval: orElse(args, name === 'orValue') }
    }
    return this.#ordinary(expr, name, args)
  }

  #ordinary(expr: CallExpr, name: string, args: readonly Part[]): Part {
    const overloads = this.#checked.overloadsOf(expr)
    const overload = overloads.length === 1 ? overloads[0] : undefined
    if (overload?.id === 'in_list') {
      const member = membership(args)
      if (member) return member
    }
    const hasPattern = checkPattern(name, args)
    const candidates = overload ? overloads : (FUNCTIONS.get(name) ?? [])
    const run = callEval(name, overload?.id ?? '', candidates, evals(args), hasPattern)
    const [only] = args
    if (args.length !== 1 || only?.constant === undefined || !CONVERSION_NAMES.has(name)) return { eval: run }
    const value = run({ slots: [], cost: 0, limit: Number.POSITIVE_INFINITY })
    if (value instanceof CelError) throw new PlanError(value.message)
    return constant(value)
  }

  #list(expr: Expr & { kind: 'list' }, slots: Slots): Part {
    const parts = expr.elements.map((element) => this.plan(element, slots))
    const run = listEval(evals(parts), expr.optional)
    if (parts.some((part) => part.constant === undefined) || expr.optional.size > 0) return { eval: run }
    return constant(new ArrayList(parts.map((part) => part.constant as Value)))
  }

  #map(expr: MapExpr, slots: Slots): Part {
    const parts = expr.entries.map((entry) => ({
      key: this.plan(entry.key, slots),
      value: this.plan(entry.value, slots),
      optional: entry.optional,
    }))
    const run = mapEval(parts.map(({ key, value, optional }) => ({ key: key.eval, value: value.eval, optional })))
    const known = parts.every(({ key, value }) => key.constant !== undefined && value.constant !== undefined)
    if (!known || parts.some(({ optional }) => optional)) return { eval: run }
    const value = run({ slots: [], cost: 0, limit: Number.POSITIVE_INFINITY })
    return value instanceof CelError ? { eval: run } : constant(value)
  }

  #loop(expr: ComprehensionExpr, slots: Slots): Eval {
    const range = this.plan(expr.range, slots).eval
    const init = this.plan(expr.init, slots).eval
    const accumulator = bind(slots, expr.accumulator)
    const first = bind(accumulator.slots, expr.variable)
    const second = expr.variable2 === undefined ? undefined : bind(first.slots, expr.variable2)
    const inner = (second ?? first).slots
    return loopEval({
      range,
      init,
      condition: this.plan(expr.condition, inner).eval,
      step: this.plan(expr.step, inner).eval,
      result: this.plan(expr.result, accumulator.slots).eval,
      accumulator: accumulator.slot,
      first: first.slot,
      second: second?.slot,
    })
  }
}

const evals = (parts: readonly Part[]): Eval[] => parts.map((part) => part.eval)
const constant = (value: Value): Part => ({ eval: () => value, constant: value })

function literalValue(literal: Literal): Value {
  return literal.type === 'uint' ? new CelUint(literal.value) : literal.value
}

function attribute(base: Eval, qualifiers: readonly Qualifier[]): Part {
  return {
    attribute: { base, qualifiers },
    eval: (frame) => {
      const value = qualify(frame, base, qualifiers)
      spend(frame, 1)
      return value
    },
  }
}

/** What a part selects from: itself where it is no variable. */
function attributeOf(part: Part): { readonly base: Eval; readonly qualifiers: readonly Qualifier[] } {
  return part.attribute ?? { base: part.eval, qualifiers: [] }
}

function extend(part: Part, selection: { readonly key: string | Part; readonly optional: boolean }): Part {
  const { base, qualifiers } = attributeOf(part)
  return attribute(base, [...qualifiers, qualifierOf(selection.key, selection.optional)])
}

function qualifierOf(key: string | Part, optional: boolean): Qualifier {
  if (typeof key === 'string') return { key, optional, cost: 1 }
  if (key.constant !== undefined) return { key: key.constant, optional, cost: 1 }
  // A computed index that is a variable brings its cost along.
  return { key: key.eval, optional, cost: key.attribute ? 0 : 1 }
}

function callEval(
  name: string,
  id: string,
  overloads: readonly Overload[],
  args: readonly Eval[],
  hasPattern: boolean,
): Eval {
  const last = args.length - 1
  const cost = callCost(name, id)
  return (frame) => {
    const values: Result[] = []
    let problem: CelError | undefined
    for (let i = 0; i <= last; i++) {
      const value = (args[i] as Eval)(frame)
      values.push(value)
      if (!(value instanceof CelError)) continue
      // With three or more arguments the rest is not even looked at, and the call itself costs nothing.
      if (last > 1 && i < last) return value
      problem ??= value
    }
    const result = problem ?? dispatch(name, overloads, values as Value[], hasPattern)
    spend(frame, cost(values, result))
    return result
  }
}

function equality(parts: readonly Part[], positive: boolean): Eval {
  const [left, right] = evals(parts) as [Eval, Eval]
  const cost = positive ? callCost('_==_', 'equals') : callCost('_!=_', 'not_equals')
  return (frame) => {
    const a = left(frame)
    const b = right(frame)
    const same = a instanceof CelError ? a : b instanceof CelError ? b : equal(a, b)
    const result = typeof same === 'boolean' ? same === positive : same
    spend(frame, cost([a, b], result))
    return result
  }
}

/** `&&` (`stop` false) and `||` (`stop` true): a term that decides absorbs errors of the others. */
function logical(terms: readonly Eval[], stop: boolean): Eval {
  return (frame) => {
    let problem: CelError | undefined
    for (const term of terms) {
      const value = term(frame)
      if (value === stop) return stop
      if (typeof value !== 'boolean') problem ??= value instanceof CelError ? value : noSuchOverload()
    }
    return problem ?? !stop
  }
}

/** Branches that are mere variables cost one less than elsewhere, as in cel-go. */
function conditional(condition: Part, yes: Part, no: Part): Eval {
  const branch = (part: Part): Eval => {
    const selected = part.attribute
    return selected ? (frame) => qualify(frame, selected.base, selected.qualifiers) : part.eval
  }
  const left = branch(yes)
  const right = branch(no)
  return (frame) => {
    const chosen = condition.eval(frame)
    if (chosen === true) return left(frame)
    if (chosen === false) return right(frame)
    return chosen instanceof CelError ? chosen : noSuchOverload()
  }
}

function notStrictlyFalse(arg: Eval): Eval {
  return (frame) => {
    const value = arg(frame)
    spend(frame, 1)
    return typeof value === 'boolean' ? value : true
  }
}

function orElse(parts: readonly Part[], unwrap: boolean): Eval {
  const [left, right] = evals(parts) as [Eval, Eval]
  return (frame) => {
    const value = left(frame)
    if (!(value instanceof CelOptional)) return value
    if (value.value === undefined) return right(frame)
    return unwrap ? value.value : value
  }
}

/** Membership of a constant list of plain values is a look into a set, and free. */
function membership(parts: readonly Part[]): Part | undefined {
  const [value, list] = parts
  if (!value || !(list?.constant instanceof CelList)) return undefined
  const all = items(list.constant)
  if (all.length === 0) return constant(false)
  const ids = all.map((item) => (item instanceof CelError ? undefined : keyId(item)))
  if (ids.some((id) => id === undefined)) return undefined
  const set = new Set(ids)
  return {
    eval: (frame) => {
      const one = value.eval(frame)
      if (one instanceof CelError) return one
      const id = keyId(one)
      return id !== undefined && set.has(id)
    },
  }
}

/** Whether a call has a constant pattern, which is compiled beforehand. */
function checkPattern(name: string, args: readonly Part[]): boolean {
  if (name !== 'matches' && name !== 'find' && name !== 'findAll') return false
  const pattern = args[1]?.constant
  if (typeof pattern !== 'string') return false
  const compiled = compileRe2(pattern)
  if (!compiled.ok) throw new PlanError(compiled.error)
  return true
}
