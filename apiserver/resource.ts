import type { JsonObject } from '../crds/metadata.ts'

/** One printer column, as CRDs declare it (`additionalPrinterColumns`). */
export interface PrinterColumn {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  readonly priority?: number
  readonly jsonPath: string
}

/** What the API server knows of one served resource at one version: from a CRD, or built in. */
export interface ResourceInfo {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly listKind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  readonly storageVersionHash?: string
  /** The version objects are stored in; conversion (strategy None) only rewrites apiVersion. */
  readonly storageVersion: string
  readonly hasStatus: boolean
  readonly scale?: {
    readonly specReplicasPath: string
    readonly statusReplicasPath: string
    readonly labelSelectorPath?: string
  }
  /** OpenAPI v3 schema of the whole object with `x-kubernetes-*`; undefined where nothing is known (everything preserved). */
  readonly schema?: JsonObject
  readonly preserveUnknownFields: boolean
  readonly printerColumns: readonly PrinterColumn[]
  readonly selectableFields: readonly string[]
  readonly builtIn: boolean
}
