import { pipeline } from 'node:stream/promises'
import { DELTA_TYPE } from '../../reconcilers/blobs/catalog-delta.ts'
import type { GatewayContext, Route, RouteRequest } from '../context.ts'
import { badRequest, HttpProblem, notFound } from '../http/problem.ts'
import { parseRange } from '../http/range.ts'

const DIGEST = /^sha256:[0-9a-f]{64}$/
const CACHED = 'private, max-age=31536000, immutable'

/**
 * `GET /v1/blobs/sha256:<hex>`: a blob, or a range of it. It never changes, so whoever has it need not ask again. `?from=sha256:<hex>`: the blob is a catalog, and who
 * asks has that version of it: what changed since is enough. The answer's type says which of both it is.
 */
export const blobsRoute: Route = {
  path: ['v1', 'blobs'],
  restLength: 1,
  opens: 'any-appliance',
  methods: { GET: sendBlob, HEAD: sendBlob },
}

async function sendBlob({ gateway, query, req, res, rest: [digest = ''] }: RouteRequest): Promise<void> {
  const { blobs, counters } = gateway
  if (!DIGEST.test(digest)) throw badRequest('the path names no digest: sha256: and 64 hexadecimal digits')
  const from = query.get('from')
  if (from !== null && !DIGEST.test(from)) throw badRequest('from: must be sha256: and 64 hexadecimal digits')
  const info = await blobs.stat(digest)
  if (!info) throw notFound(`blob ${digest} does not exist`)
  const delta = from !== null && req.method === 'GET' ? await changesSince(from, digest, gateway) : undefined
  if (delta) {
    counters.blobsServed++
    counters.catalogDeltasServed++
    counters.blobBytesServed += delta.length
    res.writeHead(200, { 'Content-Type': DELTA_TYPE, 'Content-Length': delta.length, 'Cache-Control': CACHED })
    res.end(delta)
    return
  }
  const etag = `"${digest.replace(':', '-')}"`
  const headers = { ETag: etag, 'Cache-Control': CACHED, 'Accept-Ranges': 'bytes' }
  if (matches(req.headers['if-none-match'], etag)) {
    res.writeHead(304, headers).end()
    return
  }
  // If-Range with anything but this very blob's tag asks for the whole.
  const ifRange = req.headers['if-range']
  const range = ifRange === undefined || ifRange === etag ? parseRange(req.headers.range, info.bytes) : undefined
  if (range === 'unsatisfiable') {
    throw new HttpProblem(416, 'RangeNotSatisfiable', `the blob has ${info.bytes} bytes`, {
      'Content-Range': `bytes */${info.bytes}`,
    })
  }
  res.writeHead(range ? 206 : 200, {
    ...headers,
    'Content-Type': 'application/octet-stream',
    'Content-Length': range ? range.end - range.start + 1 : info.bytes,
    ...(range && { 'Content-Range': `bytes ${range.start}-${range.end}/${info.bytes}` }),
  })
  counters.blobsServed++
  if (req.method === 'GET') counters.blobBytesServed += range ? range.end - range.start + 1 : info.bytes
  if (req.method === 'HEAD' || info.bytes === 0) res.end()
  else await pipeline(blobs.stream(digest, range), res)
}

/** Undefined where the whole must do. */
async function changesSince(
  from: string,
  digest: string,
  { deltas, log }: GatewayContext,
): Promise<Buffer | undefined> {
  try {
    return await deltas.get(from, digest)
  } catch (err) {
    log.warn({ err, from, digest }, 'cannot tell what changed in a catalog; sending the whole')
    return undefined
  }
}

function matches(header: string | undefined, etag: string): boolean {
  return (
    header !== undefined && (header === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))
  )
}
