import { FUNCTIONS, TYPE_NAMES } from '../library/environment.ts'
import type { CallExpr, ComprehensionExpr, Expr, ListExpr, MapExpr, SelectExpr, StructExpr } from '../syntax/ast.ts'
import { OPERATOR } from '../syntax/ast.ts'
import type { Issue } from '../syntax/source.ts'
import type { Overload } from '../types/declarations.ts'
import {
  BOOL,
  type CelType,
  DYN,
  ERROR,
  formatType,
  INT,
  listOf,
  mapOf,
  optionalInner,
  optionalOf,
  param,
  STRING,
  sameType,
} from '../types/type.ts'
import { assignable, type Bindings, formatArguments, mostGeneral, NO_BINDINGS, substitute } from '../types/unify.ts'
import { Scope, type Structs } from './scope.ts'

/** What checking found out of an expression's nodes. */
export interface Checked {
  readonly issues: readonly Issue[]
  /** The type of each node. */
  typeOf(expr: Expr): CelType
  /** The overloads that a call may turn out to be; one where types decide it. */
  overloadsOf(expr: CallExpr): readonly Overload[]
  /** The full name of an identifier or selection that names a variable or a type; undefined for a real selection. */
  nameOf(expr: Expr): string | undefined
  /** Whether a call's target only qualifies its function (`optional.of(x)`): the function's full name then. */
  qualifiedCall(expr: CallExpr): string | undefined
}

/** Infers the type of every node. Errors are cel-go's. */
export function check(expr: Expr, variables: ReadonlyMap<string, CelType>, structs: Structs): Checked {
  const checker = new Checker(new Scope(variables), structs)
  checker.check(expr)
  return checker.finish()
}

class Checker {
  readonly #structs: Structs
  readonly #issues: Issue[] = []
  readonly #types = new Map<Expr, CelType>()
  readonly #overloads = new Map<Expr, readonly Overload[]>()
  readonly #names = new Map<Expr, string>()
  readonly #qualified = new Map<Expr, string>()
  #scope: Scope
  #bindings: Bindings = NO_BINDINGS
  #fresh = 0

  constructor(scope: Scope, structs: Structs) {
    this.#scope = scope
    this.#structs = structs
  }

  finish(): Checked {
    const final = new Map([...this.#types].map(([expr, type]) => [expr, substitute(this.#bindings, type, true)]))
    return {
      issues: this.#issues,
      typeOf: (expr) => final.get(expr) ?? ERROR,
      overloadsOf: (expr) => this.#overloads.get(expr) ?? [],
      nameOf: (expr) => this.#names.get(expr),
      qualifiedCall: (expr) => this.#qualified.get(expr),
    }
  }

  check(expr: Expr): CelType {
    const type = this.#infer(expr)
    this.#types.set(expr, type)
    return type
  }

  #infer(expr: Expr): CelType {
    switch (expr.kind) {
      case 'literal':
        return { kind: expr.literal.type }
      case 'ident':
        return this.#named(expr, expr.name) ?? this.#undeclared(expr, expr.name)
      case 'select':
        return this.#select(expr)
      case 'call':
        return this.#call(expr)
      case 'list':
        return this.#list(expr)
      case 'map':
        return this.#map(expr)
      case 'struct':
        return this.#struct(expr)
      case 'comprehension':
        return this.#comprehension(expr)
      case 'error':
        return ERROR
    }
  }

  #report(expr: { readonly offset: number }, message: string): CelType {
    this.#issues.push({ offset: expr.offset, message })
    return ERROR
  }

  #undeclared(expr: { readonly offset: number }, name: string): CelType {
    return this.#report(expr, `undeclared reference to '${name}' (in container '')`)
  }

  #mismatch(expr: { readonly offset: number }, expected: CelType, actual: CelType): CelType {
    return this.#report(expr, `expected type '${formatType(expected)}' but found '${formatType(actual)}'`)
  }

  /** The type of a variable or type of that name. A leading dot means the outermost scope, which is all there is. */
  #named(expr: Expr, name: string): CelType | undefined {
    const bare = name.startsWith('.') ? name.slice(1) : name
    const type = this.#scope.find(bare) ?? TYPE_NAMES.get(bare)?.type
    if (type) this.#names.set(expr, bare)
    return type
  }

  #select(expr: SelectExpr): CelType {
    const name = expr.test ? undefined : qualifiedName(expr)
    const named = name === undefined ? undefined : this.#named(expr, name)
    if (named) return named
    const type = this.#field(expr, expr.operand, expr.field, false)
    return expr.test ? BOOL : substitute(this.#bindings, type)
  }

  #field(expr: Expr, operand: Expr, field: string, optional: boolean): CelType {
    const operandType = substitute(this.#bindings, this.check(operand))
    const inner = optionalInner(operandType)
    const result = this.#fieldOf(expr, inner ?? operandType, field)
    return inner || optional ? optionalOf(result) : result
  }

  #fieldOf(expr: Expr, type: CelType, field: string): CelType {
    switch (type.kind) {
      case 'map':
        return type.value
      case 'struct':
        return this.#structField(expr, type.name, field)
      case 'param':
        this.#assign(DYN, type)
        return DYN
      case 'dyn':
      case 'error':
        return DYN
      default:
        this.#report(expr, `type '${formatType(type)}' does not support field selection`)
        return DYN
    }
  }

  #structField(at: { readonly offset: number }, struct: string, field: string): CelType {
    const fields = this.#structs.get(struct)
    if (!fields) return this.#report(at, `unexpected failed resolution of '${struct}'`)
    return fields.get(field) ?? fields.get(`__${field}__`) ?? this.#report(at, `undefined field '${field}'`)
  }

  #call(expr: CallExpr): CelType {
    if (expr.function === OPERATOR.optSelect) return this.#optionalSelect(expr)
    for (const arg of expr.args) this.check(arg)
    if (!expr.target) {
      const bare = expr.function.startsWith('.') ? expr.function.slice(1) : expr.function
      const overloads = FUNCTIONS.get(bare)
      if (!overloads) return this.#undeclared(expr, expr.function)
      return this.#resolve(expr, bare, overloads, undefined)
    }
    const prefix = qualifiedName(expr.target)
    const full = prefix === undefined ? '' : `${prefix}.${expr.function}`
    const qualified = FUNCTIONS.get(full)
    if (qualified) {
      this.#qualified.set(expr, full)
      return this.#resolve(expr, full, qualified, undefined)
    }
    this.check(expr.target)
    const overloads = FUNCTIONS.get(expr.function)
    return overloads
      ? this.#resolve(expr, expr.function, overloads, expr.target)
      : this.#undeclared(expr, expr.function)
  }

  #optionalSelect(expr: CallExpr): CelType {
    const [operand, field] = expr.args
    if (operand === undefined || field?.kind !== 'literal' || field.literal.type !== 'string') {
      return this.#report(expr, 'unsupported optional field selection')
    }
    const type = this.#field(expr, operand, field.literal.value, true)
    this.#types.set(field, STRING)
    const select = FUNCTIONS.get(OPERATOR.optSelect) ?? []
    this.#overloads.set(expr, select)
    return substitute(this.#bindings, type)
  }

  #resolve(expr: CallExpr, name: string, overloads: readonly Overload[], target: Expr | undefined): CelType {
    const args = target ? [target, ...expr.args] : expr.args
    const types = args.map((arg) => this.#types.get(arg) ?? ERROR)
    if (name === OPERATOR.and || name === OPERATOR.or) return this.#logical(expr, overloads, types)
    const matching: Overload[] = []
    let result: CelType | undefined
    for (const overload of overloads) {
      if (overload.member !== (target !== undefined)) continue
      const signature = this.#instantiate(overload)
      const bindings = assignable(this.#bindings, types, signature.args)
      if (!bindings) continue
      this.#bindings = bindings
      matching.push(overload)
      const type = substitute(bindings, signature.result)
      if (!result) result = type
      else if (result.kind !== 'dyn' && !sameType(type, result)) result = DYN
    }
    if (!result) {
      const shown = types.map((type) => substitute(this.#bindings, type, true))
      const signature = formatArguments(shown, target !== undefined)
      return this.#report(expr, `found no matching overload for '${name}' applied to '${signature}'`)
    }
    this.#overloads.set(expr, matching)
    return result
  }

  #logical(expr: CallExpr, overloads: readonly Overload[], types: readonly CelType[]): CelType {
    let failed = false
    for (const [i, type] of types.entries()) {
      if (this.#assign(type, BOOL)) continue
      this.#mismatch(expr.args[i] as Expr, BOOL, type)
      failed = true
    }
    if (failed) return ERROR
    this.#overloads.set(expr, overloads)
    return BOOL
  }

  /** An overload's types with parameters of its own, so that calls do not bind each other's. */
  #instantiate(overload: Overload): { readonly args: readonly CelType[]; readonly result: CelType } {
    const names = new Set<string>()
    for (const type of [...overload.args, overload.result]) collectParams(type, names)
    if (names.size === 0) return overload
    const fresh = new Map([...names].map((name) => [name, this.#free()]))
    return {
      args: overload.args.map((type) => substitute(fresh, type)),
      result: substitute(fresh, overload.result),
    }
  }

  #free(): CelType {
    return param(`_var${this.#fresh++}`)
  }

  #assign(from: CelType, to: CelType): boolean {
    const bindings = assignable(this.#bindings, [from], [to])
    if (bindings) this.#bindings = bindings
    return bindings !== undefined
  }

  /** The most general type of two items of one literal; that they must be of one type is checked later. */
  #join(previous: CelType | undefined, current: CelType): CelType {
    if (!previous) return current
    return this.#assign(previous, current) ? mostGeneral(previous, current) : DYN
  }

  #unwrapped(expr: Expr, type: CelType, optional: boolean): CelType {
    if (!optional) return type
    const inner = optionalInner(type)
    if (!inner && type.kind !== 'dyn') this.#mismatch(expr, optionalOf(type), type)
    return inner ?? type
  }

  #list(expr: ListExpr): CelType {
    let element: CelType | undefined
    for (const [i, item] of expr.elements.entries()) {
      const type = this.#unwrapped(item, this.check(item), expr.optional.has(i))
      element = this.#join(element, type)
    }
    return listOf(element ?? this.#free())
  }

  #map(expr: MapExpr): CelType {
    let key: CelType | undefined
    let value: CelType | undefined
    for (const entry of expr.entries) {
      key = this.#join(key, this.check(entry.key))
      const type = this.#unwrapped(entry.value, this.check(entry.value), entry.optional)
      value = this.#join(value, type)
    }
    return mapOf(key ?? this.#free(), value ?? this.#free())
  }

  /** No type of Kubernetes' expressions can be made by a literal; all that is left is to say what is wrong. */
  #struct(expr: StructExpr): CelType {
    const named = this.#named(expr, expr.typeName)
    if (!named) return this.#undeclared(expr, expr.typeName)
    if (named.kind === 'type') this.#report(expr, `'${named.of ? formatType(named.of) : 'type'}' is not a message type`)
    else this.#report(expr, `'${formatType(named)}' is not a type`)
    for (const field of expr.fields) {
      this.check(field.value)
      this.#report(field, `unexpected failed resolution of '${expr.typeName}'`)
    }
    return ERROR
  }

  #comprehension(expr: ComprehensionExpr): CelType {
    const range = substitute(this.#bindings, this.check(expr.range))
    const accumulator = this.check(expr.init)
    const outer = this.#scope
    const inner = outer.with([expr.accumulator, accumulator])
    const [first, second] = this.#iterated(expr, range)
    const two = expr.variable2 !== undefined
    this.#scope = two
      ? inner.with([expr.variable, first], [expr.variable2 as string, second])
      : inner.with([expr.variable, range.kind === 'list' ? second : first])
    this.#expect(expr.condition, this.check(expr.condition), BOOL)
    this.#expect(expr.step, this.check(expr.step), accumulator)
    this.#scope = inner
    const result = this.check(expr.result)
    this.#scope = outer
    return substitute(this.#bindings, result)
  }

  /** Types of index or key, and of the item or value. */
  #iterated(expr: ComprehensionExpr, range: CelType): readonly [CelType, CelType] {
    switch (range.kind) {
      case 'list':
        return [INT, range.element]
      case 'map':
        return [range.key, range.value]
      case 'dyn':
      case 'error':
      case 'param':
        this.#assign(DYN, range)
        return [DYN, DYN]
      default: {
        const rule = 'cannot be range of a comprehension (must be list, map, or dynamic)'
        this.#report(expr.range, `expression of type '${formatType(range)}' ${rule}`)
        return [ERROR, ERROR]
      }
    }
  }

  #expect(expr: Expr, actual: CelType, expected: CelType): void {
    if (!this.#assign(expected, actual)) this.#mismatch(expr, expected, actual)
  }
}

/** `a.b.c` where an expression is nothing but names. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name
  if (expr.kind !== 'select' || expr.test) return undefined
  const prefix = qualifiedName(expr.operand)
  return prefix === undefined ? undefined : `${prefix}.${expr.field}`
}

function collectParams(type: CelType, names: Set<string>): void {
  switch (type.kind) {
    case 'param':
      names.add(type.name)
      break
    case 'list':
      collectParams(type.element, names)
      break
    case 'map':
      collectParams(type.key, names)
      collectParams(type.value, names)
      break
    case 'opaque':
      for (const one of type.params) collectParams(one, names)
      break
    case 'type':
      if (type.of) collectParams(type.of, names)
  }
}
