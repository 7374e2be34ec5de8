import type { JsonValue } from '../metadata.ts'

/** What a standalone expression may name. `dyn`: any JSON; a list of names declares nested `variables.*`-like objects. */
export type DeclaredType = 'dyn' | 'bool' | 'int' | 'double' | 'string' | 'list' | 'map'

export interface ExpressionOptions {
  /** Variables in scope, such as object, oldObject, request, params. */
  readonly variables: Readonly<Record<string, DeclaredType>>
  /** The type the expression must give; anything unless told. */
  readonly result?: 'bool' | 'string' | 'any'
}

export type Outcome =
  | { readonly ok: true; readonly value: JsonValue; readonly cost: number }
  | { readonly ok: false; readonly error: string; readonly cost: number }

export interface CompiledExpression {
  /** Evaluates over JSON values. `budget` is in CEL cost units; a missing variable is null. Never throws. */
  evaluate(variables: Readonly<Record<string, JsonValue | undefined>>, budget?: number): Outcome
}

export type Compilation =
  | { readonly ok: true; readonly expression: CompiledExpression }
  | { readonly ok: false; readonly error: string }

/** Compiles one CEL expression over declared variables, as ValidatingAdmissionPolicy needs them. Never throws. */
export function compileExpression(_source: string, _options: ExpressionOptions): Compilation {
  throw new Error('not written yet')
}
