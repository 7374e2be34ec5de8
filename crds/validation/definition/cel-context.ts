import { type CompiledRule, compileRulesAt } from '../../cel/rule.ts'
import { forbidden, internal, invalid, Shown } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, fieldString, index, type Path } from '../field-path.ts'
import type { ValidationRule } from '../json-schema.ts'
import { ruleJson } from './internal-json.ts'
import { asStructural } from './structural.ts'
import { type AnySchema, valueSchema } from './types.ts'

/** What one rule may cost in the worst case, for all values of one object. */
const RULE_LIMIT = 10_000_000
/** What all rules of a schema may cost together. */
const TOTAL_LIMIT = 100_000_000
/** Cost is counted in Go's uint64. */
const MOST = 2 ** 64

/** What the rules of one schema cost together. */
class TotalCost {
  #total = 0
  #expensive: { readonly path: Path; readonly cost: number }[] = []

  observe(path: Path, cost: number): void {
    this.#total = Math.min(this.#total + cost, MOST)
    if (cost < TOTAL_LIMIT / 100) return
    this.#expensive = [...this.#expensive, { path, cost }].sort((a, b) => b.cost - a.cost).slice(0, 4)
  }

  /** The rules that cost most, and the whole schema, where that is too much. */
  errors(path: Path): FieldError[] {
    if (this.#total <= TOTAL_LIMIT) return []
    const contributed = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
    const total = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
    return [
      ...this.#expensive.map((rule) => forbidden(rule.path, contributed)),
      forbidden(path, costMessage(total, this.#total, TOTAL_LIMIT)),
    ]
  }
}

/** Where a schema stands, as far as the costs of its rules depend on it. */
export class CelContext {
  /** How many values of the schema an object can have; undefined where nothing bounds them. */
  readonly #cardinality: number | undefined
  readonly #total: TotalCost
  readonly #isRoot: boolean

  private constructor(cardinality: number | undefined, total: TotalCost, isRoot: boolean) {
    this.#cardinality = cardinality
    this.#total = total
    this.#isRoot = isRoot
  }

  static root(): CelContext {
    return new CelContext(1, new TotalCost(), true)
  }

  below(schema: AnySchema): CelContext {
    const most = mostElements(schema)
    const bounded = this.#cardinality !== undefined && most !== undefined
    return new CelContext(bounded ? product(this.#cardinality, most) : undefined, this.#total, false)
  }

  totalErrors(path: Path): FieldError[] {
    return this.#total.errors(path)
  }

  /** Compiles the rules of a schema and tells what is wrong with them. */
  ruleErrors(schema: AnySchema, path: Path, options: RuleOptions): FieldError[] {
    const rules = schema['x-kubernetes-validations'] ?? []
    const at = child(path, 'x-kubernetes-validations')
    const untyped = (why: string): FieldError[] => [
      internal(at, `internal error: failed to construct type information for x-kubernetes-validations rules: ${why}`),
    ]
    const structural = asStructural(schema)
    if (!structural.ok) return untyped(structural.error)
    const root = this.#isRoot || schema['x-kubernetes-embedded-resource'] === true
    const compiled = compileRulesAt(rules, structural.schema, root)
    if (compiled.length === 0) return untyped('unable to convert structural schema to CEL declarations')
    return compiled.flatMap((rule, i) => this.#oneRule(rule, index(at, i), options))
  }

  #oneRule(compiled: CompiledRule, path: Path, options: RuleOptions): FieldError[] {
    const { rule } = compiled
    return [
      ...this.#costErrors('rule', product(compiled.maxCost, this.#count(compiled)), child(path, 'rule'), options),
      ...expressionErrors(rule, compiled.error, child(path, 'rule')),
      ...expressionErrors(rule, compiled.messageError, child(path, 'messageExpression')),
      ...(compiled.message
        ? this.#costErrors('messageExpression', compiled.messageMaxCost, child(path, 'messageExpression'), options)
        : []),
      ...oldSelfErrors(compiled, path, options),
    ]
  }

  #count(compiled: CompiledRule): number {
    return this.#cardinality ?? compiled.maxCardinality
  }

  #costErrors(what: string, cost: number, path: Path, options: RuleOptions): FieldError[] {
    this.#total.observe(path, cost)
    if (options.anyCost || cost <= RULE_LIMIT) return []
    return [forbidden(path, costMessage(`estimated ${what} cost`, cost, RULE_LIMIT))]
  }
}

export interface RuleOptions {
  /** The rules were here before: what they cost is not told again. */
  readonly anyCost: boolean
  /** The nearest schema above whose values cannot be told from those before an update. */
  readonly uncorrelatable: Path | undefined
}

function expressionErrors(rule: ValidationRule, error: string | undefined, path: Path): FieldError[] {
  return error === undefined ? [] : [invalid(path, new Shown(ruleJson(rule)), error)]
}

function oldSelfErrors({ rule, transition }: CompiledRule, path: Path, options: RuleOptions): FieldError[] {
  if (transition) {
    if (!options.uncorrelatable) return []
    const where = fieldString(options.uncorrelatable)
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${where}`
    return [invalid(child(path, 'rule'), rule.rule, detail)]
  }
  if (rule.optionalOldSelf === undefined) return []
  const detail = 'may not be set if oldSelf is not used in rule'
  return [invalid(child(path, 'optionalOldSelf'), rule.optionalOldSelf, detail)]
}

/** How many elements a value of the schema has at most; an object with fields counts as one. */
function mostElements(schema: AnySchema): number | undefined {
  const most = (limit: number | undefined): number | undefined => (limit === undefined ? undefined : Math.max(0, limit))
  if (schema.type === 'array') return most(schema.maxItems)
  const map =
    schema.type === 'object' && (schema.additionalProperties === false || schema.additionalProperties === true)
  return map || (schema.type === 'object' && valueSchema(schema)) ? most(schema.maxProperties) : 1
}

function product(a: number, b: number): number {
  return Math.min(a * b, MOST)
}

function costMessage(what: string, cost: number, limit: number): string {
  const advice =
    '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)'
  return `${what} exceeds budget by factor of ${factorText(cost / limit)} ${advice}`
}

function factorText(factor: number): string {
  if (factor > 100) return 'more than 100x'
  if (factor < 1.5) return `${factor.toFixed(6)}x`
  // Go rounds 2.25 down to the even digit; all other halves are rounded alike.
  return `${(factor % 1 === 0.25 ? factor - 0.05 : factor).toFixed(1)}x`
}
