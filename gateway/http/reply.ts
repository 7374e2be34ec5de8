import type { ServerResponse } from 'node:http'
import { HttpProblem } from './problem.ts'

export function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const payload = Buffer.from(`${JSON.stringify(body)}\n`)
  res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': payload.length,
    'Cache-Control': 'no-store',
    ...headers,
  })
  res.end(payload)
}

export function sendNothing(res: ServerResponse): void {
  res.writeHead(204, { 'Cache-Control': 'no-store' })
  res.end()
}

/** `{"reason","message"}`; what went wrong inside is not told. Where an answer is under way already, it is broken off. */
export function sendProblem(res: ServerResponse, error: unknown): void {
  const problem =
    error instanceof HttpProblem ? error : new HttpProblem(500, 'InternalError', 'the gateway failed; its log says why')
  if (res.headersSent) {
    res.destroy()
    return
  }
  sendJson(res, problem.status, { reason: problem.reason, message: problem.message }, problem.headers)
}
