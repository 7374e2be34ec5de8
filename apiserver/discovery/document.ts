import { createHash } from 'node:crypto'
import type { JsonObject } from '../../crds/metadata.ts'

/** An HTTP document, ready to send. */
export interface Document {
  readonly contentType: string
  readonly body: Buffer
  /** In quotes, as the header has it. */
  readonly etag?: string
}

export function jsonDocument(object: JsonObject, contentType = 'application/json'): Document {
  return { contentType, body: Buffer.from(JSON.stringify(object)) }
}

/** The document with an ETag of its content, as Kubernetes makes them. */
export function withEtag(document: Document): Document {
  return { ...document, etag: `"${contentHash(document.body)}"` }
}

export function contentHash(body: Buffer): string {
  return createHash('sha512').update(body).digest('hex').toUpperCase()
}
