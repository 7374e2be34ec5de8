import type { JsonObject } from '../../crds/metadata.ts'
import type { Document } from '../discovery/discovery.ts'
import type { ResourceInfo } from '../resource.ts'

/** The OpenAPI documents of a set of resources; parts that another set already computed are reused. */
export interface OpenApi {
  /** `/openapi/v3` */
  index(): Document
  /** `/openapi/v3/api/v1`, `/openapi/v3/apis/G/V`; `path` without the leading `/openapi/v3/` */
  groupVersion(path: string, accept: string | undefined): Document | undefined
  /** `/openapi/v2`, JSON or protobuf by `accept` */
  v2(accept: string | undefined): Document
}

export function openApi(_resources: readonly ResourceInfo[]): OpenApi {
  throw new Error('not written yet')
}

/** The schema of a built-in kind, for `ResourceInfo.schema`. It has `$ref`s to other definitions. */
export function builtInSchema(_group: string, _version: string, _kind: string): JsonObject | undefined {
  throw new Error('not written yet')
}

/** A definition that a `$ref` of a built-in schema names (`io.k8s.api.core.v1.Secret`). */
export function builtInDefinition(_name: string): JsonObject | undefined {
  throw new Error('not written yet')
}
