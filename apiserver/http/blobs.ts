import { BUNDLE_TYPE, type BundledBlobs, requestedDigests, writeBundle } from '../../runtime/blob-bundle.ts'
import { badRequest } from '../api-error.ts'
import type { HttpExchange } from './exchange.ts'

/** Answers with the blobs that a query names, to whoever may `get` the path. Throws a bad request; what breaks later breaks the connection. */
export async function serveBlobs({ query, res, method }: HttpExchange, blobs: BundledBlobs): Promise<void> {
  const digests = requestedDigests(query)
  if ('refused' in digests) throw badRequest(digests.refused)
  res.writeHead(200, { 'Content-Type': BUNDLE_TYPE, 'Cache-Control': 'private, max-age=31536000' })
  try {
    if (method !== 'HEAD') await writeBundle(blobs, digests, res)
    res.end()
  } catch {
    // A bundle that ends early must not look whole; who has gone away has gone away.
    res.destroy()
  }
}
