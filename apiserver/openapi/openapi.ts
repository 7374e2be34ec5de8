import type { Document } from '../discovery/discovery.ts'
import type { ResourceInfo } from '../resource.ts'

export { builtInDefinition, builtInSchema } from './kubernetes.ts'

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
