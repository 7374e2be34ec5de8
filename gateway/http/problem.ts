/** A request that cannot be answered as asked: the status code, a reason for programs and a sentence for people. */
export class HttpProblem extends Error {
  readonly status: number
  readonly reason: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, reason: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.name = 'HttpProblem'
    this.status = status
    this.reason = reason
    this.headers = headers
  }
}

export const badRequest = (message: string) => new HttpProblem(400, 'BadRequest', message)
export const unauthorized = (message: string) =>
  new HttpProblem(401, 'Unauthorized', message, { 'WWW-Authenticate': 'Bearer' })
export const forbidden = (message: string) => new HttpProblem(403, 'Forbidden', message)
export const notFound = (message: string) => new HttpProblem(404, 'NotFound', message)
export const unavailable = (message: string, retryAfterSeconds: number) =>
  new HttpProblem(503, 'Unavailable', message, { 'Retry-After': String(retryAfterSeconds) })
