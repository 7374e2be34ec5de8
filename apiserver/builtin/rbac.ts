import type { JsonValue } from '../../crds/metadata.ts'
import { invalid, notSupported, required } from '../../crds/validation/errors.ts'
import type { FieldError } from '../../crds/validation/field-error.ts'
import { child, index, type Path, pathOf } from '../../crds/validation/field-path.ts'
import { nameIsDnsSubdomain, pathSegment } from '../../crds/validation/names.ts'
import { type ApiObject, deepEqual, isArray, isObject, withFields } from '../json.ts'
import type { BuiltInKind } from './built-in.ts'

const group = 'rbac.authorization.k8s.io'
const common = {
  group,
  version: 'v1',
  nameCheck: (name: string) => pathSegment(name, false),
  strategy: { allowCreateOnUpdate: true },
} as const

const createdAt = {
  name: 'Created At',
  type: 'date',
  description: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
  jsonPath: '.metadata.creationTimestamp',
} as const
const roleColumn = {
  name: 'Role',
  type: 'string',
  description: 'The role that is granted.',
  jsonPath: '.roleRef.name',
} as const

export const role: BuiltInKind = {
  ...common,
  kind: 'Role',
  plural: 'roles',
  namespaced: true,
  printerColumns: [createdAt],
  validate: (object) => ruleErrors(object, true),
}

export const clusterRole: BuiltInKind = {
  ...common,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  printerColumns: [createdAt],
  validate: (object) => [...ruleErrors(object, false), ...aggregationErrors(object)],
}

export const roleBinding: BuiltInKind = {
  ...common,
  kind: 'RoleBinding',
  plural: 'rolebindings',
  namespaced: true,
  printerColumns: [roleColumn],
  defaults: withSubjectDefaults,
  validate: (object) => bindingErrors(object, true),
  validateUpdate: roleRefErrors,
}

export const clusterRoleBinding: BuiltInKind = {
  ...common,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
  printerColumns: [roleColumn],
  defaults: withSubjectDefaults,
  validate: (object) => bindingErrors(object, false),
  validateUpdate: roleRefErrors,
}

function ruleErrors(object: ApiObject, namespaced: boolean): readonly FieldError[] {
  const rules = isArray(object.rules) ? object.rules : []
  return rules.flatMap((rule, i) => oneRule(rule, namespaced, index(pathOf(['rules']), i)))
}

function oneRule(rule: JsonValue, namespaced: boolean, path: Path): FieldError[] {
  const errors: FieldError[] = []
  const size = (field: string) => {
    const value = isObject(rule) ? rule[field] : undefined
    return isArray(value) ? value.length : 0
  }
  if (size('verbs') === 0) errors.push(required(child(path, 'verbs'), 'verbs must contain at least one value'))
  if (size('nonResourceURLs') > 0) {
    const urls = child(path, 'nonResourceURLs')
    const value = isObject(rule) ? rule.nonResourceURLs : undefined
    if (namespaced) errors.push(invalid(urls, value, 'namespaced rules cannot apply to non-resource URLs'))
    if (size('apiGroups') + size('resources') + size('resourceNames') > 0) {
      errors.push(invalid(urls, value, 'rules cannot apply to both regular resources and non-resource URLs'))
    }
    return errors
  }
  if (size('apiGroups') === 0) {
    errors.push(required(child(path, 'apiGroups'), 'resource rules must supply at least one api group'))
  }
  if (size('resources') === 0) {
    errors.push(required(child(path, 'resources'), 'resource rules must supply at least one resource'))
  }
  return errors
}

function aggregationErrors(object: ApiObject): FieldError[] {
  if (!isObject(object.aggregationRule)) return []
  const selectors = object.aggregationRule.clusterRoleSelectors
  if (isArray(selectors) && selectors.length > 0) return []
  const path = pathOf(['aggregationRule', 'clusterRoleSelectors'])
  return [required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
}

/** Users and groups are of the RBAC group, service accounts of the core group, unless told; a roleRef is of the RBAC group. */
function withSubjectDefaults(object: ApiObject): ApiObject {
  let result = object
  if (isObject(object.roleRef) && !object.roleRef.apiGroup) {
    result = withFields(result, { roleRef: { ...object.roleRef, apiGroup: group } })
  }
  if (!isArray(object.subjects)) return result
  const subjects = object.subjects.map((s) => {
    if (!isObject(s) || s.apiGroup) return s
    return s.kind === 'User' || s.kind === 'Group' ? { ...s, apiGroup: group } : s
  })
  return deepEqual(subjects, object.subjects) ? result : withFields(result, { subjects })
}

function bindingErrors(object: ApiObject, namespaced: boolean): readonly FieldError[] {
  const errors: FieldError[] = []
  const ref = isObject(object.roleRef) ? object.roleRef : {}
  const name = text(ref.name)
  if (ref.apiGroup !== group) errors.push(notSupported(pathOf(['roleRef', 'apiGroup']), text(ref.apiGroup), [group]))
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  if (!kinds.includes(text(ref.kind))) errors.push(notSupported(pathOf(['roleRef', 'kind']), text(ref.kind), kinds))
  if (name === '') errors.push(required(pathOf(['roleRef', 'name']), ''))
  for (const m of pathSegment(name, false)) errors.push(invalid(pathOf(['roleRef', 'name']), name, m))
  const subjects = isArray(object.subjects) ? object.subjects : []
  for (const [i, subject] of subjects.entries()) {
    errors.push(...subjectErrors(subject, namespaced, index(pathOf(['subjects']), i)))
  }
  return errors
}

function subjectErrors(subject: JsonValue, namespaced: boolean, path: Path): FieldError[] {
  const of = isObject(subject) ? subject : {}
  const name = text(of.name)
  const apiGroup = text(of.apiGroup)
  const errors: FieldError[] = []
  if (name === '') errors.push(required(child(path, 'name'), ''))
  switch (of.kind) {
    case 'ServiceAccount':
      if (name !== '') {
        for (const m of nameIsDnsSubdomain(name, false)) errors.push(invalid(child(path, 'name'), name, m))
      }
      if (apiGroup !== '') errors.push(notSupported(child(path, 'apiGroup'), apiGroup, ['']))
      if (!namespaced && !of.namespace) errors.push(required(child(path, 'namespace'), ''))
      return errors
    case 'User':
    case 'Group':
      if (apiGroup !== group) errors.push(notSupported(child(path, 'apiGroup'), apiGroup, [group]))
      return errors
    default:
      return [...errors, notSupported(child(path, 'kind'), text(of.kind), ['ServiceAccount', 'User', 'Group'])]
  }
}

function roleRefErrors(object: ApiObject, old: ApiObject): FieldError[] {
  return deepEqual(object.roleRef, old.roleRef)
    ? []
    : [invalid(pathOf(['roleRef']), object.roleRef, 'cannot change roleRef')]
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
