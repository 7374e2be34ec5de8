import type { JsonObject } from '../../crds/metadata.ts'
import type { CustomResourceValidator } from '../../crds/validation/custom-resource.ts'

/** What is asked about objects of a kind; the API server asks the same. */
export type ObjectValidator = Pick<CustomResourceValidator, 'decode' | 'applyDefaults' | 'validateCreate'> &
  Partial<Pick<CustomResourceValidator, 'validateRulesBeside'>>

/** A kind whose rules are known without a server: Weir's own, those the embedded server has, or one whose definition was given. */
export interface KnownKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly namespaced: boolean
  /** Has a status that only controllers write: servers drop the one in a manifest. */
  readonly hasStatus: boolean
  readonly schema: JsonObject | undefined
  /** Finds what a `$ref` of the schema names. */
  readonly definition?: (name: string) => JsonObject | undefined
  readonly validator: ObjectValidator
}
