import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { forbidden, invalid, notSupported, required } from '../../crds/validation/errors.ts'
import type { FieldError } from '../../crds/validation/field-error.ts'
import { child, index, type Path, pathOf } from '../../crds/validation/field-path.ts'
import { nameIsDnsSubdomain } from '../../crds/validation/names.ts'
import { compilePolicy } from '../admission/policy/compile.ts'
import { type ApiObject, deepEqual, isArray, isObject, withFields } from '../json.ts'
import type { BuiltInKind } from './built-in.ts'

const group = 'admissionregistration.k8s.io'

export const validatingAdmissionPolicy: BuiltInKind = {
  group,
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  categories: ['api-extensions'],
  namespaced: false,
  hasStatus: true,
  counted: true,
  defaults(object) {
    if (!isObject(object.spec)) return object
    const spec = {
      failurePolicy: 'Fail',
      ...object.spec,
      ...(isObject(object.spec.matchConstraints)
        ? { matchConstraints: withMatchDefaults(object.spec.matchConstraints) }
        : {}),
    }
    return deepEqual(spec, object.spec) ? object : withFields(object, { spec })
  },
  validate: policyErrors,
}

export const validatingAdmissionPolicyBinding: BuiltInKind = {
  group,
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  categories: ['api-extensions'],
  namespaced: false,
  counted: true,
  defaults(object) {
    if (!isObject(object.spec) || !isObject(object.spec.matchResources)) return object
    const spec = { ...object.spec, matchResources: withMatchDefaults(object.spec.matchResources) }
    return deepEqual(spec, object.spec) ? object : withFields(object, { spec })
  },
  validate: bindingErrors,
}

function withMatchDefaults(match: JsonObject): JsonObject {
  const scoped = (rules: JsonValue | undefined) =>
    isArray(rules) ? rules.map((r) => (isObject(r) ? { ...r, scope: r.scope ?? '*' } : r)) : undefined
  const { resourceRules, excludeResourceRules } = match
  return {
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    ...match,
    ...(resourceRules ? { resourceRules: scoped(resourceRules) } : {}),
    ...(excludeResourceRules ? { excludeResourceRules: scoped(excludeResourceRules) } : {}),
  }
}

function policyErrors(object: ApiObject): readonly FieldError[] {
  const spec = isObject(object.spec) ? object.spec : {}
  const path = pathOf(['spec'])
  const errors: FieldError[] = []
  if (spec.failurePolicy !== 'Fail' && spec.failurePolicy !== 'Ignore') {
    errors.push(notSupported(child(path, 'failurePolicy'), spec.failurePolicy, ['Fail', 'Ignore']))
  }
  if (isObject(spec.paramKind)) {
    for (const field of ['apiVersion', 'kind']) {
      if (!spec.paramKind[field]) errors.push(required(child(child(path, 'paramKind'), field), ''))
    }
  }
  if (!isObject(spec.matchConstraints)) errors.push(required(child(path, 'matchConstraints'), ''))
  else {
    errors.push(...matchErrors(spec.matchConstraints, child(path, 'matchConstraints')))
    if (size(spec.matchConstraints.resourceRules) === 0) {
      errors.push(required(child(child(path, 'matchConstraints'), 'resourceRules'), ''))
    }
  }
  if (size(spec.validations) === 0) {
    errors.push(required(child(path, 'validations'), 'validations or auditAnnotations must contain at least one item'))
  }
  if (size(spec.auditAnnotations) > 0) {
    errors.push(forbidden(child(path, 'auditAnnotations'), 'this server keeps no audit log'))
  }
  for (const [i, validation] of (isArray(spec.validations) ? spec.validations : []).entries()) {
    errors.push(...validationErrors(validation, index(child(path, 'validations'), i)))
  }
  return [...errors, ...compilePolicy(object).errors]
}

function validationErrors(validation: JsonValue, path: Path): FieldError[] {
  const of = isObject(validation) ? validation : {}
  const errors: FieldError[] = []
  if (typeof of.expression !== 'string' || of.expression.trim() === '') {
    errors.push(required(child(path, 'expression'), 'expression is not specified'))
  }
  const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized']
  if (of.reason !== undefined && !reasons.includes(String(of.reason))) {
    errors.push(notSupported(child(path, 'reason'), of.reason, reasons))
  }
  if (typeof of.message === 'string' && of.message.includes('\n')) {
    errors.push(invalid(child(path, 'message'), of.message, 'message must not contain line breaks'))
  }
  return errors
}

function bindingErrors(object: ApiObject): readonly FieldError[] {
  const spec = isObject(object.spec) ? object.spec : {}
  const path = pathOf(['spec'])
  const errors: FieldError[] = []
  const policyName = typeof spec.policyName === 'string' ? spec.policyName : ''
  if (policyName === '') errors.push(required(child(path, 'policyName'), ''))
  else
    for (const m of nameIsDnsSubdomain(policyName, false))
      errors.push(invalid(child(path, 'policyName'), policyName, m))
  if (isObject(spec.matchResources)) errors.push(...matchErrors(spec.matchResources, child(path, 'matchResources')))
  if (isObject(spec.paramRef)) errors.push(...paramRefErrors(spec.paramRef, child(path, 'paramRef')))
  const actions = isArray(spec.validationActions) ? spec.validationActions : []
  const actionsPath = child(path, 'validationActions')
  if (actions.length === 0) errors.push(required(actionsPath, ''))
  for (const [i, action] of actions.entries()) {
    if (action === 'Audit') errors.push(forbidden(index(actionsPath, i), 'this server keeps no audit log'))
    else if (action !== 'Deny' && action !== 'Warn') {
      errors.push(notSupported(index(actionsPath, i), action, ['Audit', 'Deny', 'Warn']))
    }
  }
  if (actions.includes('Deny') && actions.includes('Warn')) {
    errors.push(
      invalid(
        actionsPath,
        actions,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    )
  }
  return errors
}

function paramRefErrors(ref: JsonObject, path: Path): FieldError[] {
  const errors: FieldError[] = []
  if (ref.name && ref.selector) errors.push(forbidden(child(path, 'name'), 'name and selector are mutually exclusive'))
  if (!ref.name && !ref.selector) errors.push(required(path, 'one of name or selector must be specified'))
  const action = ref.parameterNotFoundAction
  if (action === undefined) errors.push(required(child(path, 'parameterNotFoundAction'), ''))
  else if (action !== 'Allow' && action !== 'Deny') {
    errors.push(notSupported(child(path, 'parameterNotFoundAction'), action, ['Deny', 'Allow']))
  }
  return errors
}

function matchErrors(match: JsonObject, path: Path): FieldError[] {
  return ['resourceRules', 'excludeResourceRules'].flatMap((field) => {
    const rules = match[field]
    return isArray(rules) ? rules.flatMap((rule, i) => ruleErrors(rule, index(child(path, field), i))) : []
  })
}

function ruleErrors(rule: JsonValue, path: Path): FieldError[] {
  const of = isObject(rule) ? rule : {}
  const errors = ['apiGroups', 'apiVersions', 'operations', 'resources'].flatMap((field) =>
    size(of[field]) === 0 ? [required(child(path, field), '')] : [],
  )
  for (const [i, operation] of (isArray(of.operations) ? of.operations : []).entries()) {
    const known = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
    if (!known.includes(String(operation)))
      errors.push(notSupported(index(child(path, 'operations'), i), operation, known))
  }
  if (of.scope !== undefined && !['*', 'Cluster', 'Namespaced'].includes(String(of.scope))) {
    errors.push(notSupported(child(path, 'scope'), of.scope, ['*', 'Cluster', 'Namespaced']))
  }
  return errors
}

function size(value: JsonValue | undefined): number {
  return isArray(value) ? value.length : 0
}
