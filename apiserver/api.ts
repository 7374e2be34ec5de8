import type { Clock } from '../runtime/clock.ts'
import type { Admission } from './admission/admission.ts'
import type { User } from './auth/user.ts'
import type { Registry } from './registry.ts'
import type { Served, Subresource } from './served.ts'
import type { Store } from './storage/store.ts'

/** What verbs work on. The HTTP side and the controllers inside the server use the same one. */
export interface Api {
  readonly store: Store
  readonly registry: Registry
  readonly clock: Clock
  readonly admission: Admission
}

/** What a request is about, and who asks. */
export interface Target {
  readonly served: Served
  /** '' for cluster-scoped resources, or for all namespaces. */
  readonly namespace: string
  /** '' for a collection, or for a create. */
  readonly name: string
  readonly subresource: Subresource
  readonly user: User
  /** Sends a warning along with the answer. */
  readonly warn: (text: string) => void
}
