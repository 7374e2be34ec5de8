import type { JsonObject, JsonValue, KubeObject } from '../../../crds/metadata.ts'
import type { Attributes } from '../admission.ts'
import type { CompiledPolicy } from './compile.ts'

/** CEL cost units that one policy may use on one write. */
const budget = 10_000_000

export interface Denial {
  readonly reason: string
  readonly message: string
}

export interface Asked {
  readonly attributes: Attributes
  readonly namespaceObject: KubeObject | undefined
  readonly params: KubeObject | undefined
}

/** Asks a policy about a write: what it denies it for; empty where it may pass. What cannot be evaluated denies or passes as `failurePolicy` says. */
export function evaluatePolicy(policy: CompiledPolicy, asked: Asked): readonly Denial[] {
  const { attributes, namespaceObject, params } = asked
  const variables: Record<string, JsonValue> = {}
  const scope: Record<string, JsonValue | undefined> = {
    object: json(attributes.object),
    oldObject: json(attributes.old),
    request: request(attributes),
    params: json(params),
    namespaceObject: json(namespaceObject),
    variables,
  }
  const failed = (error: string): readonly Denial[] =>
    policy.failClosed ? [{ reason: 'Invalid', message: error }] : []
  for (const { name, expression } of policy.conditions) {
    const outcome = expression.evaluate(scope, budget)
    if (!outcome.ok) return failed(`matchCondition "${name}": ${outcome.error}`)
    if (outcome.value !== true) return []
  }
  // Those that cannot be evaluated stay absent: only what names them fails.
  for (const { name, expression } of policy.variables) {
    const outcome = expression.evaluate(scope, budget)
    if (outcome.ok) variables[name] = outcome.value
  }
  const denials: Denial[] = []
  for (const { source, expression, message, messageExpression, reason } of policy.validations) {
    const outcome = expression.evaluate(scope, budget)
    if (!outcome.ok) {
      denials.push(...failed(`expression '${source}' resulted in error: ${outcome.error}`))
    } else if (outcome.value !== true) {
      const said = messageExpression?.evaluate(scope, budget)
      const own = said?.ok && typeof said.value === 'string' ? said.value.trim() : ''
      denials.push({ reason, message: own || message || `failed expression: ${source}` })
    }
  }
  return denials
}

function json(object: KubeObject | undefined): JsonObject | undefined {
  return object as JsonObject | undefined
}

/** The write itself, as AdmissionRequest has it. */
function request({ operation, target, name, dryRun }: Attributes): JsonObject {
  const { served, user, namespace, subresource } = target
  const { group, version, kind, plural } = served.info
  const { name: username, uid = '', groups, extra = {} } = user
  const gvk = { group, version, kind }
  const resource = { group, version, resource: plural }
  return {
    kind: gvk,
    resource,
    subResource: subresource,
    requestKind: gvk,
    requestResource: resource,
    requestSubResource: subresource,
    name,
    namespace,
    operation,
    userInfo: { username, uid, groups, extra },
    dryRun,
  }
}
