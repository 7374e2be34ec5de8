/** What is wrong with one part of a request: a JSON pointer into its body, or the name of a query parameter. */
export interface Fault {
  readonly pointer?: string
  readonly parameter?: string
  readonly detail: string
}

/** A request that cannot be answered as asked, as RFC 9457 tells it: `reason` is for programs, `detail` for people. */
export class HttpProblem extends Error {
  readonly status: number
  readonly reason: string
  readonly faults: readonly Fault[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    reason: string,
    detail: string,
    { faults = [], headers = {} }: { faults?: readonly Fault[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail)
    this.name = 'HttpProblem'
    this.status = status
    this.reason = reason
    this.faults = faults
    this.headers = headers
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

export const PROBLEM_TYPE = 'application/problem+json'

/** The body of a problem. */
export function problemBody({ status, reason, message, faults }: HttpProblem): string {
  return `${JSON.stringify({
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    reason,
    detail: message,
    ...(faults.length > 0 ? { errors: faults } : {}),
  })}\n`
}

/** A request that is wrong at these places. */
export function invalid(faults: readonly Fault[]): HttpProblem {
  const detail = faults.map((fault) => `${fault.pointer || (fault.parameter ?? 'request')}: ${fault.detail}`).join('; ')
  return new HttpProblem(400, 'Invalid', detail, { faults })
}
