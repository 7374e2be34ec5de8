import type { JsonObject } from './metadata.ts'

/** What is known of one of Weir's kinds without reading its schema. */
export interface KindInfo {
  readonly group: string
  readonly version: string
  /** `group/version`. */
  readonly apiVersion: string
  readonly kind: string
  readonly listKind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  /** Its first sentence of description. */
  readonly summary: string
  /** The CustomResourceDefinition, read when first asked for. */
  readonly loadCrd: () => Promise<JsonObject>
}
