import type { JsonObject } from '../metadata.ts'
import type { Correlation } from '../validation/correlation.ts'
import type { FieldError } from '../validation/field-error.ts'
import type { JsonSchema } from '../validation/json-schema.ts'

/** The x-kubernetes-validations rules of a schema, compiled. */
export interface CompiledRules {
  /** Runs all rules that apply. `old` and its correlation on updates. Pure; cost is bounded as Kubernetes bounds it. */
  validate(object: JsonObject, old?: JsonObject, correlation?: Correlation): FieldError[]
}

/** Compiles all rules below a schema; undefined where there are none. `isRoot`: the schema is of a whole object. */
export function compileRules(_schema: JsonSchema, _isRoot: boolean): CompiledRules | undefined {
  return undefined
}
