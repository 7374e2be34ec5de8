import type { JsonObject, JsonValue } from '../metadata.ts'
import { type Correlation, keyedItems } from '../validation/correlation.ts'
import { type BadValue, duplicate, forbidden, invalid, OMIT, required } from '../validation/errors.ts'
import type { FieldError } from '../validation/field-error.ts'
import { child, index, key, type Path } from '../validation/field-path.ts'
import { goQuote } from '../validation/go-format.ts'
import { isArray, isObject } from '../validation/json.ts'
import { additionalSchema, type JsonSchema, property } from '../validation/json-schema.ts'
import { byteLength } from '../validation/names.ts'
import { once } from '../validation/schema.ts'
import { isDeclared, withTypeAndMetadata } from './check/decl-type.ts'
import { trimSpace } from './library/strings.ts'
import { type CompiledRule, compileRulesAt } from './rule.ts'
import { schemaValue } from './values/schema-values.ts'
import { CelError, CelOptional, OPTIONAL_NONE, type Result, type Value } from './values/value.ts'

/** The x-kubernetes-validations rules of a schema, compiled. */
export interface CompiledRules {
  /**
   * Runs all rules that apply. `old` and its correlation on updates. Pure; cost is bounded as Kubernetes bounds it. `skip`: places whose own
   * rules are not run.
   */
  validate(
    object: JsonObject,
    old?: JsonObject,
    correlation?: Correlation,
    skip?: (path: Path | undefined) => boolean,
  ): RulesResult
  /**
   * Runs the rules over a value that is no whole object, such as a default. `path` starts the errors' fields; `budget` is
   * what the runs may cost together, and what is left of it is returned, negative where it was not enough.
   */
  validateValue(
    value: JsonValue,
    old: JsonValue | undefined,
    path: Path | undefined,
    budget: number,
  ): { readonly errors: FieldError[]; readonly left: number }
}

export interface RulesResult {
  readonly errors: readonly FieldError[]
  /** Rules that do not hold, of what did not change in an update: told as warnings, but forgiven. */
  readonly warnings: readonly string[]
}

/** What one run of one rule may cost, in CEL's units: about a tenth of a second. */
export const PER_CALL_LIMIT = 1_000_000
/** What all rules of one request may cost together. */
export const RUNTIME_BUDGET = 10_000_000
/** How long a message that an expression makes may be. */
const MESSAGE_LIMIT_BYTES = 5 * 1024

/** Compiles all rules below a schema; undefined where there are none. `isRoot`: the schema is of a whole object. */
export function compileRules(schema: JsonSchema, isRoot: boolean): CompiledRules | undefined {
  if (!hasRules(schema)) return undefined
  const node = once(() => buildNode(schema, schema, isRoot))
  const run = (
    value: JsonValue,
    old: JsonValue | undefined,
    path: Path | undefined,
    budget: number,
    correlation?: Correlation,
    skip?: (path: Path | undefined) => boolean,
  ): Run => {
    const made = new Run(budget, skip)
    const root = node()
    if (root) made.visit(root, value, old, path, { current: correlation, parent: undefined })
    return made
  }
  return {
    validate: (object, old, correlation, skip) => run(object, old, undefined, RUNTIME_BUDGET, correlation, skip),
    validateValue: (value, old, path, budget) => run(value, old, path, budget),
  }
}

/** Rules that stand only within allOf are, as upstream, not looked for. */
export function hasRules(schema: JsonSchema): boolean {
  if ((schema['x-kubernetes-validations'] ?? []).length > 0) return true
  if (schema.items && hasRules(schema.items)) return true
  const additional = additionalSchema(schema)
  if (additional && hasRules(additional)) return true
  return Object.values(schema.properties ?? {}).some(hasRules)
}

/** One place of the schema with the rules at it and below it. */
interface Node {
  readonly schema: JsonSchema
  readonly root: boolean
  /** Compiled when a value first gets there. */
  readonly rules: (() => readonly CompiledRule[]) | undefined
  readonly items: Node | undefined
  readonly additional: Node | undefined
  readonly properties: ReadonlyMap<string, Node>
  readonly allOf: readonly Node[]
}

const isEmbedded = (schema: JsonSchema): boolean => schema['x-kubernetes-embedded-resource'] === true

/** `rules` tells the rules, `schema` the types: within allOf they are not the same. */
function buildNode(rules: JsonSchema, schema: JsonSchema, root: boolean): Node | undefined {
  const own = rules['x-kubernetes-validations'] ?? []
  const items = rules.items && schema.items && buildNode(rules.items, schema.items, isEmbedded(schema.items))
  const [ruleValues, values] = [additionalSchema(rules), additionalSchema(schema)]
  const additional = ruleValues && values && buildNode(ruleValues, values, isEmbedded(values))
  const properties = new Map<string, Node>()
  for (const [name, ruleProperty] of Object.entries(rules.properties ?? {})) {
    const sub = property(schema, name)
    if (!sub || !isDeclared(sub)) continue
    const node = buildNode(ruleProperty, sub, isEmbedded(sub))
    if (node) properties.set(name, node)
  }
  const allOf = (rules.allOf ?? []).flatMap((branch) => buildNode(branch, schema, root) ?? [])
  if (own.length === 0 && !items && !additional && properties.size === 0 && allOf.length === 0) return undefined
  return {
    schema,
    root,
    rules: own.length > 0 ? once(() => compileRulesAt(own, schema, root)) : undefined,
    items,
    additional,
    properties,
    allOf,
  }
}

/** The value before the update here, or else the nearest one above that can be told. */
interface Ratchet {
  readonly current: Correlation | undefined
  readonly parent: Correlation | undefined
}

const unchanged = ({ current, parent }: Ratchet): boolean =>
  current ? current.unchanged : (parent?.unchanged ?? false)

function below(ratchet: Ratchet, step: string | number): Ratchet {
  const { current, parent } = ratchet
  if (!current) return ratchet
  // apiVersion and kind of the whole cannot be told from before: both sides were converted to one version.
  if (!parent && (step === 'apiVersion' || step === 'kind')) return { current: undefined, parent: undefined }
  return { current: typeof step === 'number' ? current.index(step) : current.key(step), parent: current }
}

/** One pass over an object. Where the budget is used up nothing further runs. */
class Run implements RulesResult {
  readonly errors: FieldError[] = []
  readonly warnings: string[] = []
  /** What of the budget is left; negative where it was not enough. */
  left: number
  readonly #skip: ((path: Path | undefined) => boolean) | undefined

  constructor(budget: number, skip?: (path: Path | undefined) => boolean) {
    this.left = budget
    this.#skip = skip
  }

  visit(node: Node, value: JsonValue, old: JsonValue | undefined, path: Path | undefined, ratchet: Ratchet): void {
    if (value === null) return
    if (node.rules && !this.#skip?.(path)) this.#rules(node, node.rules(), value, old ?? null, path, ratchet)
    for (const branch of node.allOf) {
      if (this.#over) return
      this.visit(branch, value, old, path, { current: undefined, parent: ratchet.parent })
    }
    if (this.#over) return
    if (isArray(value)) this.#list(node, value, old, path, ratchet)
    else if (isObject(value)) this.#object(node, value, old, path, ratchet)
  }

  get #over(): boolean {
    return this.left < 0
  }

  #list(
    node: Node,
    value: readonly JsonValue[],
    old: JsonValue | undefined,
    path: Path | undefined,
    ratchet: Ratchet,
  ): void {
    if (!node.items) return
    const oldItems = isArray(old) ? keyedItems(node.schema, old) : undefined
    for (const [i, item] of value.entries()) {
      if (this.#over) return
      this.visit(node.items, item, oldItems?.get(item), index(path, i), below(ratchet, i))
    }
  }

  #object(node: Node, value: JsonObject, old: JsonValue | undefined, path: Path | undefined, ratchet: Ratchet): void {
    const before = (name: string) => (isObject(old) && Object.hasOwn(old, name) ? old[name] : undefined)
    for (const name in value) {
      const item = value[name]
      const property = node.properties.get(name)
      if (item === undefined) continue
      if (node.additional && !this.#over) {
        this.visit(node.additional, item, before(name), key(path, name), below(ratchet, name))
      }
      if (property && !this.#over) this.visit(property, item, before(name), child(path, name), below(ratchet, name))
    }
  }

  #stop(error: FieldError): void {
    this.errors.push(error)
    this.left = -1
  }

  #rules(
    node: Node,
    rules: readonly CompiledRule[],
    value: JsonValue,
    old: JsonValue,
    path: Path | undefined,
    ratchet: Ratchet,
  ): void {
    const type = node.schema.type ?? ''
    if (this.left <= 0) {
      this.#stop(invalid(path, type, OUT_OF_BUDGET))
      return
    }
    const schema = node.root ? withTypeAndMetadata(node.schema) : node.schema
    const self = schemaValue(value, schema)
    const oldSelf = old === null ? undefined : schemaValue(old, schema)
    for (const compiled of rules) {
      if (this.#over) return
      if (compiled.error !== undefined) {
        this.errors.push(invalid(path, type, `rule compile error: ${compiled.error}`))
      } else if (compiled.program && (oldSelf !== undefined || !compiled.transition || compiled.rule.optionalOldSelf)) {
        this.#rule(compiled, { self, oldSelf, value, type, path, ratchet })
      }
    }
  }

  #rule(compiled: CompiledRule, at: At): void {
    const { rule } = compiled
    const oldSelf = rule.optionalOldSelf ? optional(at.oldSelf) : at.oldSelf
    const run = compiled.program?.run([at.self, oldSelf], PER_CALL_LIMIT)
    if (!run) return
    if (run.cost > this.left) {
      this.#stop(invalid(at.path, at.type, OUT_OF_BUDGET))
      return
    }
    this.left -= run.cost
    if (run.result === true) return
    if (run.result instanceof CelError) {
      const error = invalid(at.path, at.type, runtimeError(run.result.message, run.exceeded, ruleText(compiled)))
      if (run.exceeded) this.#stop(error)
      else this.errors.push(error)
      return
    }
    this.#failed(compiled, at)
  }

  /** The rule does not hold: tell it, unless it did not hold before and nothing changed. */
  #failed(compiled: CompiledRule, at: At): void {
    const tell = (error: FieldError): void => {
      if (compiled.transition || !unchanged(at.ratchet)) this.errors.push(error)
      else this.warnings.push(`${error.field}: ${error.message}`)
    }
    const place = <T extends FieldError>(error: T): T => placed(error, compiled)
    let detail = compiled.rule.message ? trimSpace(compiled.rule.message) : `failed rule: ${ruleText(compiled)}`
    if (compiled.message) {
      const message = this.#message(compiled, at)
      if ('fatal' in message) {
        tell(place(invalid(at.path, at.type, message.fatal)))
        this.left = -1
        return
      }
      detail = message.text ?? detail
    }
    const compound = at.type === 'object' || at.type === 'array'
    tell(place(failure(compiled.rule.reason, at.path, compound ? OMIT : at.value, detail)))
  }

  /** The message an expression makes; undefined where it makes none that can be shown. */
  #message(compiled: CompiledRule, at: At): { readonly text: string | undefined } | { readonly fatal: string } {
    const source = goQuote(compiled.rule.messageExpression ?? '')
    const run = compiled.message?.run([at.self, at.oldSelf], PER_CALL_LIMIT)
    if (!run) return { text: undefined }
    if (run.cost > this.left) {
      return {
        fatal:
          'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run',
      }
    }
    if (run.exceeded) {
      return {
        fatal: `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${source}`,
      }
    }
    this.left -= run.cost
    if (typeof run.result !== 'string') return { text: undefined }
    const text = trimSpace(run.result)
    const showable = text !== '' && !text.includes('\n') && byteLength(text) <= MESSAGE_LIMIT_BYTES
    return { text: showable ? text : undefined }
  }
}

/** What a rule is run on. */
interface At {
  readonly self: Result
  readonly oldSelf: Result | undefined
  readonly value: JsonValue
  readonly type: string
  readonly path: Path | undefined
  readonly ratchet: Ratchet
}

const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run'

function optional(value: Result | undefined): Value {
  return value === undefined || value instanceof CelError ? OPTIONAL_NONE : new CelOptional(value)
}

function ruleText({ rule }: CompiledRule): string {
  return trimSpace(rule.message ? rule.message : (rule.rule ?? ''))
}

function runtimeError(error: string, exceeded: boolean, rule: string): string {
  if (exceeded) {
    return `'${error}': no further validation rules will be run due to call cost exceeds limit for rule: ${rule}`
  }
  if (error.startsWith('no such overload')) {
    const why = 'call arguments did not match a supported operator, function or macro signature'
    return `'${error}': ${why} for rule: ${rule}`
  }
  return `${error} evaluating rule: ${rule}`
}

function failure(reason: string | undefined, path: Path | undefined, value: BadValue, detail: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(path, detail)
    case 'FieldValueRequired':
      return required(path, detail)
    case 'FieldValueDuplicate':
      return duplicate(path, value)
    default:
      return invalid(path, value, detail)
  }
}

/** Moves an error to where the rule's `fieldPath` points. */
function placed<T extends FieldError>(error: T, { fieldPath }: CompiledRule): T {
  if (!fieldPath) return error
  const field = error.field === '<nil>' ? fieldPath.text : `${error.field}.${fieldPath.text}`
  return { ...error, field, path: [...error.path, ...fieldPath.steps] }
}
