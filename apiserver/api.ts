import type { Clock } from '../runtime/clock.ts'
import type { Admission } from './admission/admission.ts'
import type { Registry } from './registry.ts'
import type { Store } from './storage/store.ts'

export type { Target } from './target.ts'

/** What verbs work on. The HTTP side and the controllers inside the server use the same one. */
export interface Api {
  readonly store: Store
  readonly registry: Registry
  readonly clock: Clock
  readonly admission: Admission
}
