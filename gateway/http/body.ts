import type { IncomingMessage } from 'node:http'
import { badRequest, HttpProblem } from './problem.ts'

/** Reads a body of at most `maxBytes`. Throws 413 as soon as there is more, 415 where it is compressed. */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = req.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity')
    throw new HttpProblem(415, 'UnsupportedMediaType', `content encoding "${encoding}" is not supported`)
  const tooLarge = () =>
    // The rest of the body is not read: the connection cannot be used again.
    new HttpProblem(413, 'RequestEntityTooLarge', `the body is longer than ${maxBytes} bytes`, { Connection: 'close' })
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** A body that is one JSON object. */
export async function readJson(req: IncomingMessage, maxBytes: number): Promise<Readonly<Record<string, unknown>>> {
  const body = await readBody(req, maxBytes)
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw badRequest(`the body is not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest('the body is not a JSON object')
  return value as Readonly<Record<string, unknown>>
}
