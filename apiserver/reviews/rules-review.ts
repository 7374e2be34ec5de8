import type { JsonObject } from '../../crds/metadata.ts'
import { badRequest } from '../api-error.ts'
import type { RbacAuthorizer, Rule } from '../auth/rbac.ts'
import { isObject, withFields } from '../json.ts'
import type { Review } from '../served.ts'

const everything: Rule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
]

/** SelfSubjectRulesReview: what may I do in a namespace (`kubectl auth can-i --list`). */
export function rulesReview(authorizer: RbacAuthorizer): Review {
  return (object, user) => {
    const namespace = isObject(object.spec) ? object.spec.namespace : undefined
    if (typeof namespace !== 'string' || namespace === '') throw badRequest('no namespace on request')
    const rules = user.groups.includes('system:masters') ? everything : authorizer.rulesOf(user, namespace)
    const resourceRules: JsonObject[] = []
    const nonResourceRules: JsonObject[] = []
    for (const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } of rules) {
      if (resources.length > 0) {
        resourceRules.push({ verbs, apiGroups, resources, ...(resourceNames.length > 0 ? { resourceNames } : {}) })
      }
      if (nonResourceURLs.length > 0) nonResourceRules.push({ verbs, nonResourceURLs })
    }
    return withFields(object, { status: { resourceRules, nonResourceRules, incomplete: false } })
  }
}
