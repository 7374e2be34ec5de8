import type { IncomingMessage, ServerResponse } from 'node:http'
import { BLOBS_PATH, BUNDLE_TYPE, type BundledBlobs, requestedDigests, writeBundle } from '../runtime/blob-bundle.ts'
import type { ServerCertificate } from '../runtime/certificates/certificate-files.ts'
import { type Log, silentLog } from '../runtime/log.ts'
import { badRequest, HttpProblem, notFound, unavailable } from './http/problem.ts'
import { sendProblem } from './http/reply.ts'
import { type HttpsServer, type ListenAddress, listenHttps } from './http/server.ts'

export interface BlobDoorOptions {
  readonly blobStore: BundledBlobs
  readonly listen: ListenAddress
  readonly tls: ServerCertificate
  readonly log?: Log
}

/** Bundles under way at once: planning must not keep appliances from their blobs. */
const MAX_UNDER_WAY = 8

/**
 * Opens a door of its own for people who plan: it hands out blobs to who knows their digests, and does nothing else. It is meant to be reached
 * through the API server's proxy of its Service, which lets in who may `get services/proxy` of it; the proxy keeps the user's credentials to
 * itself, so that here a digest is all that counts. No blob can be found without it, and no blob is a secret. Throws where it cannot listen.
 */
export async function openBlobDoor({ blobStore, listen, tls, log = silentLog }: BlobDoorOptions): Promise<HttpsServer> {
  let underWay = 0
  return await listenHttps(listen, tls, (req, res) => {
    underWay++
    answer(blobStore, req, res, underWay > MAX_UNDER_WAY)
      .catch((err: unknown) => {
        if (!(err instanceof HttpProblem) && !res.destroyed) log.error({ err, url: req.url }, 'cannot hand out blobs')
        sendProblem(res, err)
      })
      .finally(() => underWay--)
  })
}

async function answer(
  blobs: BlobDoorOptions['blobStore'],
  req: IncomingMessage,
  res: ServerResponse,
  isBusy: boolean,
): Promise<void> {
  const [path = '', search = ''] = (req.url ?? '').split('?', 2)
  if (path !== BLOBS_PATH) throw notFound('no such path')
  if (req.method !== 'GET')
    throw new HttpProblem(405, 'MethodNotAllowed', `${req.method} is not allowed here`, { Allow: 'GET' })
  const digests = requestedDigests(new URLSearchParams(search))
  if ('refused' in digests) throw badRequest(digests.refused)
  if (isBusy) throw unavailable('too many are being handed blobs', 1)
  res.writeHead(200, { 'Content-Type': BUNDLE_TYPE, 'Cache-Control': 'private, max-age=31536000' })
  await writeBundle(blobs, digests, res)
  res.end()
}
