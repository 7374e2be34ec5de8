import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { invalid as invalidField } from '../../crds/validation/errors.ts'
import type { FieldError } from '../../crds/validation/field-error.ts'
import { pathOf } from '../../crds/validation/field-path.ts'
import { invalid } from '../api-error.ts'
import type { Access, Authorizer } from '../auth/authorize.ts'
import type { User } from '../auth/user.ts'
import { type ApiObject, isArray, isObject, withFields } from '../json.ts'
import type { Review } from '../served.ts'

type Whose = 'self' | 'subject' | 'local'

/** SelfSubjectAccessReview, SubjectAccessReview, LocalSubjectAccessReview: may somebody do something. */
export function accessReview(kind: string, whose: Whose, authorizer: Authorizer): Review {
  return (object, asking) => {
    const spec = isObject(object.spec) ? object.spec : {}
    const errors = specErrors(object, spec, whose)
    if (errors.length > 0) throw invalid({ group: 'authorization.k8s.io', kind }, '', errors)
    const user = whose === 'self' ? asking : subject(spec)
    const { allowed, reason } = authorizer.authorize(user, accessOf(spec))
    return withFields(object, { status: { allowed, ...(reason === '' ? {} : { reason }) } })
  }
}

function specErrors(object: ApiObject, spec: JsonObject, whose: Whose): FieldError[] {
  const errors: FieldError[] = []
  const { resourceAttributes: resource, nonResourceAttributes: other } = spec
  if (isObject(resource) && isObject(other)) {
    const message = 'cannot be specified in combination with resourceAttributes'
    errors.push(invalidField(pathOf(['spec', 'nonResourceAttributes']), other, message))
  }
  if (!isObject(resource) && !isObject(other)) {
    const message = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    errors.push(invalidField(pathOf(['spec', 'resourceAttributes']), null, message))
  }
  if (whose !== 'self' && !spec.user && !(isArray(spec.groups) && spec.groups.length > 0)) {
    const message = 'at least one of user or group must be specified'
    errors.push(invalidField(pathOf(['spec', 'user']), text(spec.user), message))
  }
  if (whose === 'local') {
    const { namespace } = object.metadata
    if (isObject(resource) && text(resource.namespace) !== namespace) {
      const path = pathOf(['spec', 'resourceAttributes', 'namespace'])
      errors.push(invalidField(path, text(resource.namespace), 'must match metadata.namespace'))
    }
    if (isObject(other)) {
      errors.push(invalidField(pathOf(['spec', 'nonResourceAttributes']), other, 'disallowed on this kind of request'))
    }
  }
  return errors
}

function subject(spec: JsonObject): User {
  const groups = isArray(spec.groups) ? spec.groups.filter((g) => typeof g === 'string') : []
  return { name: text(spec.user), groups, ...(text(spec.uid) === '' ? {} : { uid: text(spec.uid) }) }
}

function accessOf(spec: JsonObject): Access {
  const of = spec.resourceAttributes
  if (isObject(of)) {
    return {
      type: 'resource',
      verb: text(of.verb),
      group: text(of.group),
      version: text(of.version),
      namespace: text(of.namespace),
      resource: text(of.resource),
      subresource: text(of.subresource),
      name: text(of.name),
    }
  }
  const path = isObject(spec.nonResourceAttributes) ? spec.nonResourceAttributes : {}
  return { type: 'path', verb: text(path.verb), path: text(path.path) }
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
