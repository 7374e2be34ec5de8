import type { JsonValue } from '../metadata.ts'
import { celType, type DeclaredType, declaredStructs } from './declared-type.ts'
import { compile, type Program } from './program.ts'
import { type CelType, formatType, structNamed } from './types/type.ts'
import { jsonValue, toJson } from './values/json-values.ts'
import { CelError, CelMap, type Result, type Value } from './values/value.ts'

export { ADMISSION_REQUEST, type DeclaredType, NAMESPACE } from './declared-type.ts'

/** The names that expressions may use, and what they are. */
export type Declarations = Readonly<Record<string, DeclaredType>>
/** Values of declared names; what is missing is null. */
export type Bindings = Readonly<Record<string, JsonValue | undefined>>
type ResultType = 'bool' | 'string' | 'null'

export interface ExpressionOptions {
  /** Variables in scope, such as object, oldObject, request, params. */
  readonly variables: Declarations
  /** The type the expression must give, or one of several; anything unless told. */
  readonly result?: 'any' | ResultType | readonly ResultType[]
  /** Further expressions that this one may call `variables.name`. */
  readonly named?: NamedExpressions
}

export type Outcome =
  | { readonly ok: true; readonly value: JsonValue; readonly cost: number }
  /** `exhausted`: it cost more than it may, and nothing more should be run. */
  | { readonly ok: false; readonly error: string; readonly cost: number; readonly exhausted: boolean }

export interface CompiledExpression {
  /**
   * Evaluates over JSON values. `budget` is in CEL's cost units. `scope` keeps the values of named expressions between
   * evaluations over the same variables; without one they are evaluated anew. Never throws.
   */
  evaluate(variables: Bindings, budget?: number, scope?: NamedScope): Outcome
}

export type Compilation =
  | { readonly ok: true; readonly expression: CompiledExpression }
  | { readonly ok: false; readonly error: string }

/** What the expressions of one policy may cost together for one request. */
export const EXPRESSION_BUDGET = 10_000_000

const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run'
const NAMED_TYPE = 'kubernetes.variables'

/** Compiles one CEL expression over declared variables, as ValidatingAdmissionPolicy needs them. Never throws. */
export function compileExpression(source: string, options: ExpressionOptions): Compilation {
  const made = make(source, options.variables, options.named)
  if (!made.ok) return made
  const wrong = typeError(made.type, options.result ?? 'any')
  if (wrong !== undefined) return { ok: false, error: wrong }
  const { program } = made
  return {
    ok: true,
    expression: {
      evaluate(variables, budget = EXPRESSION_BUDGET, scope = options.named?.scope(variables)) {
        const before = scope?.cost ?? 0
        const run = program.run([...slots(options.variables, variables), scope?.values], budget)
        const cost = run.cost + (scope?.cost ?? 0) - before
        if (run.exceeded || cost > budget) return { ok: false, error: OUT_OF_BUDGET, cost, exhausted: true }
        if (!(run.result instanceof CelError)) return { ok: true, value: toJson(run.result), cost }
        const error = `expression '${source}' resulted in error: ${run.result.message}`
        return { ok: false, error, cost, exhausted: false }
      },
    },
  }
}

/** Expressions by name, `spec.variables` of a policy. */
export class NamedExpressions {
  readonly #declared: Declarations
  readonly #programs = new Map<string, Named>()
  /** Why those that are wrong did not compile. */
  readonly errors: ReadonlyMap<string, string>

  /** Each may use those before it. One that does not compile can be named nevertheless, and fails when it is evaluated. */
  constructor(named: readonly { readonly name: string; readonly expression: string }[], declared: Declarations) {
    this.#declared = declared
    const errors = new Map<string, string>()
    for (const { name, expression } of named) {
      const made = make(expression, declared, this)
      if (!made.ok) errors.set(name, made.error)
      this.#programs.set(name, made)
    }
    this.errors = errors
  }

  /** The types of the expressions so far. */
  get types(): ReadonlyMap<string, CelType> {
    return new Map([...this.#programs].map(([name, made]) => [name, made.ok ? made.type : { kind: 'dyn' }]))
  }

  /** The expressions over given variables: each is evaluated when first asked for, and once. */
  scope(variables: Bindings): NamedScope {
    return new NamedScope(this.#programs, slots(this.#declared, variables))
  }
}

/** Named expressions over the variables of one request. */
export class NamedScope {
  readonly values: CelMap
  /** What those that were evaluated cost. */
  cost = 0

  constructor(programs: ReadonlyMap<string, Named>, variables: readonly Result[]) {
    this.values = new NamedValues(programs, (program) => {
      const run = program.run([...variables, this.values], EXPRESSION_BUDGET)
      this.cost += run.cost
      return run.result
    })
  }
}

class NamedValues extends CelMap {
  readonly #programs: ReadonlyMap<string, Named>
  readonly #run: (program: Program) => Result
  readonly #values = new Map<string, Result>()

  constructor(programs: ReadonlyMap<string, Named>, run: (program: Program) => Result) {
    super()
    this.#programs = programs
    this.#run = run
  }

  get size(): number {
    return this.#programs.size
  }

  keys(): readonly Value[] {
    return [...this.#programs.keys()]
  }

  find(key: Value): Result | undefined {
    const made = typeof key === 'string' ? this.#programs.get(key) : undefined
    if (!made || typeof key !== 'string') return undefined
    const known = this.#values.get(key)
    if (known !== undefined) return known
    const value = this.#evaluate(key, made)
    this.#values.set(key, value)
    return value
  }

  #evaluate(name: string, made: Named): Result {
    const failed = (why: string): CelError => new CelError(`composited variable "${name}" fails to ${why}`)
    if (!made.ok) return failed(`compile: ${made.error}`)
    const result = this.#run(made.program)
    return result instanceof CelError ? failed(`evaluate: ${result.message}`) : result
  }
}

type Named =
  | { readonly ok: true; readonly program: Program; readonly type: CelType }
  | { readonly ok: false; readonly error: string }

function make(source: string, declared: Declarations, named: NamedExpressions | undefined): Named {
  const variables = new Map(Object.entries(declared).map(([name, type]) => [name, celType(type)]))
  const structs = declaredStructs(Object.values(declared))
  if (named) {
    variables.set('variables', structNamed(NAMED_TYPE))
    structs.set(NAMED_TYPE, named.types)
  }
  const compilation = compile(source, { variables, structs })
  if (!compilation.ok) return { ok: false, error: `compilation failed: ${compilation.error}` }
  const program = compilation.compiled.program()
  if (!program.ok) return { ok: false, error: `program instantiation failed: ${program.error}` }
  return { ok: true, program: program.program, type: compilation.compiled.type }
}

function slots(declared: Declarations, variables: Bindings): Result[] {
  return Object.entries(declared).map(([name, type]) => jsonValue(variables[name] ?? null, type))
}

function typeError(type: CelType, result: NonNullable<ExpressionOptions['result']>): string | undefined {
  if (result === 'any') return undefined
  const allowed = typeof result === 'string' ? [result] : result
  if (allowed.some((one) => one === type.kind)) return undefined
  const names = allowed.map((one) => typeText({ kind: one }))
  const expected = names.length === 1 ? names[0] : `one of [${names.join(' ')}]`
  return `must evaluate to ${expected} but got ${typeText(type)}`
}

/** A type's name at run time, which differs from the one in compile errors for some. */
function typeText(type: CelType): string {
  switch (type.kind) {
    case 'null':
      return 'null_type'
    case 'timestamp':
      return 'google.protobuf.Timestamp'
    case 'duration':
      return 'google.protobuf.Duration'
    default:
      return formatType(type)
  }
}
