import type { IncomingMessage } from 'node:http'
import { HttpProblem } from './problem.ts'
import { rawHeader } from './raw-header.ts'

/** A question is short; this is room for 64 long paths. */
export const MAX_BODY_BYTES = 64 * 1024

/**
 * Reads a body of bounded length as text and hands it on. With callbacks and not as a promise: this is on the way of every question. What is wrong goes
 * to `fail`; a request whose client has gone ends without either.
 */
export function readBody(
  req: IncomingMessage,
  use: (text: string) => void,
  fail: (problem: HttpProblem) => void,
): void {
  const encoding = rawHeader(req, 'content-encoding')
  if (encoding !== undefined && encoding !== 'identity') {
    fail(new HttpProblem(415, 'UnsupportedMediaType', `content encoding "${encoding}" is not supported`))
    return
  }
  let first: Buffer | undefined
  let more: Buffer[] | undefined
  let bytes = 0
  let over = false
  req.on('data', (chunk: Buffer) => {
    if (over) return
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) {
      over = true
      // The rest is not read: the connection cannot be used again.
      const headers = { Connection: 'close' }
      fail(new HttpProblem(413, 'ContentTooLarge', `the body is longer than ${MAX_BODY_BYTES} bytes`, { headers }))
      return
    }
    if (first === undefined) first = chunk
    else if (more === undefined) more = [first, chunk]
    else more.push(chunk)
  })
  req.on('end', () => {
    if (!over) use((more ? Buffer.concat(more) : first)?.toString('utf8') ?? '')
  })
}
