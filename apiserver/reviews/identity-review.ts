import type { JsonObject } from '../../crds/metadata.ts'
import { badRequest } from '../api-error.ts'
import type { Authenticator } from '../auth/authenticate.ts'
import type { User } from '../auth/user.ts'
import { isObject, withFields } from '../json.ts'
import type { Review } from '../served.ts'

/** SelfSubjectReview: who am I (`kubectl auth whoami`). */
export const selfSubjectReview: Review = (object, user) => withFields(object, { status: { userInfo: userInfo(user) } })

/** TokenReview: whose is this token. */
export function tokenReview(authenticator: Authenticator): Review {
  return (object) => {
    const token = isObject(object.spec) ? object.spec.token : undefined
    if (typeof token !== 'string' || token === '')
      throw badRequest('token is required for TokenReview in authentication')
    const user = authenticator.token(token)
    return withFields(object, {
      status: user ? { authenticated: true, user: userInfo(user) } : { authenticated: false },
    })
  }
}

function userInfo({ name, uid, groups, extra }: User): JsonObject {
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) }
}
