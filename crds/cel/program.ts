import { type Checked, check } from './check/checker.ts'
import { estimateCost } from './check/cost.ts'
import type { DeclType } from './check/decl-type.ts'
import { checkLiterals } from './check/literal-checks.ts'
import type { Structs } from './check/scope.ts'
import { CostExceeded, type Eval, type Frame } from './run/frame.ts'
import { PlanError, plan } from './run/plan.ts'
import type { Expr } from './syntax/ast.ts'
import { walk } from './syntax/ast.ts'
import { parse } from './syntax/parser.ts'
import { formatIssues } from './syntax/source.ts'
import type { CelType } from './types/type.ts'
import { CelError, type Result } from './values/value.ts'

/** What an expression may refer to. */
export interface Environment {
  /** Variables in the order of their slots. */
  readonly variables: ReadonlyMap<string, CelType>
  readonly structs: Structs
}

/** An expression, read and checked. */
export interface Compiled {
  readonly expr: Expr
  readonly type: CelType
  /** The most a run can cost, given how large the variables' values can get. */
  maxCost(root: DeclType | undefined): number
  /** Whether the expression refers to a variable. */
  uses(variable: string): boolean
  /** Makes it runnable; what only then turns out to be wrong is told. */
  program(): { readonly ok: true; readonly program: Program } | { readonly ok: false; readonly error: string }
}

export type Compilation =
  | { readonly ok: true; readonly compiled: Compiled }
  /** All issues in cel-go's layout. */
  | { readonly ok: false; readonly error: string }

export interface Program {
  /** Runs it over the variables' values in the order of their slots; an undefined one is not there. */
  run(variables: readonly (Result | undefined)[], limit: number): Run
}

export interface Run {
  readonly result: Result
  readonly cost: number
  /** The run was stopped because it cost more than it may. */
  readonly exceeded: boolean
}

/** Reads and checks an expression. Never throws. */
export function compile(source: string, environment: Environment): Compilation {
  const parsed = parse(source)
  if (parsed.issues.length > 0) return { ok: false, error: formatIssues(source, parsed.issues) }
  const { expr } = parsed
  const checked = check(expr, environment.variables, environment.structs)
  if (checked.issues.length > 0) return { ok: false, error: formatIssues(source, checked.issues) }
  const literals = checkLiterals(expr, checked)
  if (literals.length > 0) return { ok: false, error: formatIssues(source, literals) }
  return { ok: true, compiled: compiled(expr, checked, environment) }
}

function compiled(expr: Expr, checked: Checked, environment: Environment): Compiled {
  return {
    expr,
    type: checked.typeOf(expr),
    maxCost: (root) => estimateCost(expr, checked, root).max,
    uses(variable) {
      let used = false
      walk(expr, (node) => {
        if (checked.nameOf(node) === variable) used = true
      })
      return used
    },
    program() {
      try {
        const slots = new Map([...environment.variables.keys()].map((name, i) => [name, i]))
        return { ok: true, program: programOf(plan(expr, checked, slots)) }
      } catch (error) {
        if (!(error instanceof PlanError)) throw error
        return { ok: false, error: error.message }
      }
    },
  }
}

function programOf(evaluate: Eval): Program {
  return {
    run(variables, limit) {
      const frame: Frame = { slots: [...variables], cost: 0, limit }
      try {
        return { result: evaluate(frame), cost: frame.cost, exceeded: false }
      } catch (error) {
        if (!(error instanceof CostExceeded)) throw error
        return { result: new CelError(error.message), cost: frame.cost, exceeded: true }
      }
    },
  }
}
