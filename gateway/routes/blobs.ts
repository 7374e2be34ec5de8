import { pipeline } from 'node:stream/promises'
import type { Route, RouteRequest } from '../context.ts'
import { badRequest, HttpProblem, notFound } from '../http/problem.ts'
import { parseRange } from '../http/range.ts'

/** `GET /v1/blobs/sha256:<hex>`: a blob, or a range of it. It never changes, so whoever has it need not ask again. */
export const blobsRoute: Route = {
  path: ['v1', 'blobs'],
  restLength: 1,
  opens: 'any-appliance',
  methods: { GET: sendBlob, HEAD: sendBlob },
}

async function sendBlob({ gateway: { blobs, counters }, req, res, rest: [digest = ''] }: RouteRequest): Promise<void> {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw badRequest('the path names no digest: sha256: and 64 hexadecimal digits')
  const info = await blobs.stat(digest)
  if (!info) throw notFound(`blob ${digest} does not exist`)
  const etag = `"${digest.replace(':', '-')}"`
  const headers = { ETag: etag, 'Cache-Control': 'private, max-age=31536000, immutable', 'Accept-Ranges': 'bytes' }
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

function matches(header: string | undefined, etag: string): boolean {
  return (
    header !== undefined && (header === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))
  )
}
