/** One entry of a Status' `details.causes`: what is wrong with one field. */
export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

/** The part of metav1.Status that clients act on. */
export interface StatusBody {
  readonly kind?: string
  readonly message?: string
  readonly reason?: string
  readonly code?: number
  readonly details?: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly causes?: readonly StatusCause[]
    readonly retryAfterSeconds?: number
  }
}

/** The API server refused a request. `reason` is metav1.StatusReason (`NotFound`, `Conflict`, `Expired`, …), never empty. */
export class ApiError extends Error {
  readonly code: number
  readonly reason: string
  readonly causes: readonly StatusCause[]
  readonly details: StatusBody['details']
  /** What the server asked us to wait before trying again. */
  readonly retryAfterMs: number | undefined
  /** `GET /api/v1/…`: what was asked. */
  readonly request: string

  constructor(request: string, status: StatusBody, httpCode: number, retryAfterMs?: number) {
    super(status.message || `${request}: the server answered ${httpCode}`)
    this.name = 'ApiError'
    this.request = request
    this.code = status.code ?? httpCode
    this.reason = status.reason || (REASONS[this.code] ?? 'Unknown')
    this.details = status.details
    this.causes = status.details?.causes ?? []
    const seconds = status.details?.retryAfterSeconds
    this.retryAfterMs = retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000)
  }
}

/** What a bare HTTP code means where a proxy, rather than an API server, answered. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

/** The server could not be reached, or the connection broke before its answer was whole. */
export class ConnectError extends Error {
  /** The URL that was tried. */
  readonly server: string
  /** True when the request may have been carried out although no answer came. */
  readonly sent: boolean

  constructor(server: string, cause: unknown, sent: boolean) {
    super(`${sent ? 'lost the connection to' : 'cannot reach'} ${server}: ${describeCause(cause)}`, { cause })
    this.name = 'ConnectError'
    this.server = server
    this.sent = sent
  }
}

function describeCause(cause: unknown): string {
  const { message, errors, code } = Object(cause) as { message?: string; errors?: readonly unknown[]; code?: string }
  if (message) return message
  // Node reports "every address failed" as an AggregateError whose own message is empty.
  return errors?.length ? describeCause(errors[0]) : (code ?? String(cause))
}

/** No answer within the time given. */
export class TimeoutError extends Error {
  constructor(request: string, timeoutMs: number) {
    super(`${request}: no answer within ${timeoutMs / 1000} s`)
    this.name = 'TimeoutError'
  }
}

/** There is nothing to prove with who asks: a plugin failed, a token file is gone. No request was sent. */
export class CredentialsError extends Error {
  constructor(cause: unknown) {
    super(`getting credentials: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'CredentialsError'
  }
}

const isReason =
  (reasons: readonly string[]) =>
  (error: unknown): boolean =>
    error instanceof ApiError && reasons.includes(error.reason)

export const isNotFound = isReason(['NotFound'])
/** A resourceVersion, uid or field-manager conflict; not `AlreadyExists`. */
export const isConflict = isReason(['Conflict'])
export const isAlreadyExists = isReason(['AlreadyExists'])
/** The resourceVersion or continue token is too old: list again. */
export const isGone = isReason(['Gone', 'Expired'])
export const isInvalid = isReason(['Invalid'])
export const isForbidden = isReason(['Forbidden'])
export const isUnauthorized = isReason(['Unauthorized'])
export const isTooManyRequests = isReason(['TooManyRequests'])

/** Another try, later, may succeed without anybody changing anything. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectError || error instanceof TimeoutError) return true
  return error instanceof ApiError && (error.code === 429 || error.code >= 500)
}

/** What an error asks the controller loop to do. Thrown from a reconcile; the loop switches on the type, never on text. */
export class ReconcileError extends Error {
  /** A reason constant in CamelCase, as conditions carry it. */
  readonly reason: string

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.reason = reason
  }
}

/** Only a change by a person helps: no retry until something changes. */
export class Stalled extends ReconcileError {}

/** Somebody else must move first: look again after `afterMs`, or when something changes. Not a failure. */
export class Waiting extends ReconcileError {
  readonly afterMs: number | undefined
  constructor(reason: string, message: string, afterMs?: number) {
    super(reason, message)
    this.afterMs = afterMs
  }
}

/** It failed and may work later: exponential back-off, or `afterMs` where the other side has said so. */
export class Retryable extends ReconcileError {
  readonly afterMs: number | undefined
  constructor(reason: string, message: string, options?: ErrorOptions & { readonly afterMs?: number }) {
    super(reason, message, options)
    this.afterMs = options?.afterMs
  }
}
