import type { ResourceInfo } from '../resource.ts'

/** An HTTP document, ready to send. */
export interface Document {
  readonly contentType: string
  readonly body: Buffer
  readonly etag?: string
}

/** The discovery documents of a set of resources. Build one per set; documents are computed on demand. */
export interface Discovery {
  /** `/api`: legacy APIVersions, or aggregated discovery where `accept` asks for it (core group). */
  api(accept: string | undefined): Document
  /** `/apis` */
  apis(accept: string | undefined): Document
  /** `/apis/G` */
  group(group: string): Document | undefined
  /** `/api/v1` and `/apis/G/V` */
  resources(group: string, version: string): Document | undefined
}

export function discovery(_resources: readonly ResourceInfo[]): Discovery {
  throw new Error('not written yet')
}
