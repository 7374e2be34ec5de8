import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { ResourceInfo } from '../resource.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

/** meta.k8s.io/v1 Table of a list (with the list's metadata), of one object, or of one watch event's object. */
export function toTable(
  _resource: ResourceInfo,
  _objects: readonly KubeObject[],
  _options: {
    readonly includeObject: IncludeObject
    /** `g/v` asked for: `meta.k8s.io/v1` or `meta.k8s.io/v1beta1`. */
    readonly apiVersion: string
    readonly listMetadata?: JsonObject
    /** Watch events after the first carry no columns. */
    readonly noHeaders?: boolean
    /** For ages that the server prints. */
    readonly now: Date
  },
): JsonObject {
  throw new Error('not written yet')
}
