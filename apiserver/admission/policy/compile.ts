import { type CompiledExpression, compileExpression, type DeclaredType } from '../../../crds/cel/expression.ts'
import type { JsonObject, JsonValue } from '../../../crds/metadata.ts'
import { invalid } from '../../../crds/validation/errors.ts'
import type { FieldError } from '../../../crds/validation/field-error.ts'
import { child, index, type Path, pathOf } from '../../../crds/validation/field-path.ts'
import { type ApiObject, isArray, isObject } from '../../json.ts'

export interface Named {
  readonly name: string
  readonly expression: CompiledExpression
}

export interface Validation {
  readonly source: string
  readonly expression: CompiledExpression
  readonly message: string
  readonly messageExpression: CompiledExpression | undefined
  readonly reason: string
}

/** A ValidatingAdmissionPolicy, ready to ask. */
export interface CompiledPolicy {
  readonly name: string
  readonly constraints: JsonValue | undefined
  readonly paramKind: { readonly apiVersion: string; readonly kind: string } | undefined
  /** What a policy that fails to be evaluated does: deny, or let pass. */
  readonly failClosed: boolean
  readonly conditions: readonly Named[]
  readonly variables: readonly Named[]
  readonly validations: readonly Validation[]
}

const scope: Readonly<Record<string, DeclaredType>> = {
  object: 'dyn',
  oldObject: 'dyn',
  request: 'dyn',
  params: 'dyn',
  namespaceObject: 'dyn',
  variables: 'dyn',
}

/** Compiles a policy; what does not compile is told in `errors`, and is left out of the policy. */
export function compilePolicy(policy: ApiObject): {
  readonly policy: CompiledPolicy
  readonly errors: readonly FieldError[]
} {
  const errors: FieldError[] = []
  const spec = isObject(policy.spec) ? policy.spec : {}
  const compile = (source: JsonValue | undefined, result: 'bool' | 'string' | 'any', path: Path) => {
    const compiled = compileExpression(text(source), { variables: scope, result })
    if (compiled.ok) return compiled.expression
    errors.push(invalid(path, text(source), `compilation failed: ${compiled.error}`))
    return undefined
  }
  const named = (field: 'matchConditions' | 'variables', result: 'bool' | 'any'): Named[] =>
    objects(spec[field]).flatMap((item, i) => {
      const path = index(pathOf(['spec', field]), i)
      const expression = compile(item.expression, result, child(path, 'expression'))
      return expression ? [{ name: text(item.name), expression }] : []
    })
  const conditions = named('matchConditions', 'bool')
  const variables = named('variables', 'any')
  const validations = objects(spec.validations).flatMap((item, i): Validation[] => {
    const path = index(pathOf(['spec', 'validations']), i)
    const expression = compile(item.expression, 'bool', child(path, 'expression'))
    const said = text(item.messageExpression)
    const messageExpression = said === '' ? undefined : compile(said, 'string', child(path, 'messageExpression'))
    if (!expression) return []
    const { reason } = item
    const source = text(item.expression).trim()
    return [
      { source, expression, message: text(item.message).trim(), messageExpression, reason: text(reason) || 'Invalid' },
    ]
  })
  return {
    policy: {
      name: policy.metadata.name ?? '',
      constraints: spec.matchConstraints,
      paramKind: paramKind(spec.paramKind),
      failClosed: spec.failurePolicy !== 'Ignore',
      conditions,
      variables,
      validations,
    },
    errors,
  }
}

function paramKind(value: JsonValue | undefined): CompiledPolicy['paramKind'] {
  return isObject(value) ? { apiVersion: text(value.apiVersion), kind: text(value.kind) } : undefined
}

function objects(value: JsonValue | undefined): readonly JsonObject[] {
  return isArray(value) ? value.filter(isObject) : []
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
