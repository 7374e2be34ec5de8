import type { User } from './auth/user.ts'
import type { Served, Subresource } from './served.ts'

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
  /**
   * Throws where whoever asks may not create this object: applying and updating may create what is not there, and need that right then, too. Absent: the
   * server itself asks.
   */
  readonly authorizeCreate?: () => void
}
