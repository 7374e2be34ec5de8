import type { Authenticator } from '../auth/authenticate.ts'
import type { RbacAuthorizer } from '../auth/rbac.ts'
import { accessReview } from '../reviews/access-review.ts'
import { selfSubjectReview, tokenReview } from '../reviews/identity-review.ts'
import { rulesReview } from '../reviews/rules-review.ts'
import { type Review, Served } from '../served.ts'
import { builtInInfo, builtInStrategy } from './built-in.ts'

/** Resources that answer questions and store nothing. */
export function reviewResources(authorizer: RbacAuthorizer, authenticator: Authenticator): readonly Served[] {
  const authorization = 'authorization.k8s.io'
  const authentication = 'authentication.k8s.io'
  const access = (kind: string, whose: 'self' | 'subject' | 'local') => accessReview(kind, whose, authorizer)
  return [
    served(authorization, 'SelfSubjectAccessReview', access('SelfSubjectAccessReview', 'self')),
    served(authorization, 'SubjectAccessReview', access('SubjectAccessReview', 'subject')),
    served(authorization, 'LocalSubjectAccessReview', access('LocalSubjectAccessReview', 'local'), true),
    served(authorization, 'SelfSubjectRulesReview', rulesReview(authorizer)),
    served(authentication, 'TokenReview', tokenReview(authenticator)),
    served(authentication, 'SelfSubjectReview', selfSubjectReview),
  ]
}

function served(group: string, kind: string, review: Review, namespaced = false): Served {
  const of = { group, version: 'v1', kind, plural: `${kind.toLowerCase()}s`, namespaced, verbs: ['create'] }
  const info = builtInInfo(of)
  return new Served({ info, versions: [info], strategy: builtInStrategy(of), review })
}
