import type { FieldError } from '../crds/validation/field-error.ts'

/** One entry of `status.details.causes`. */
export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

/** metav1.Status, as every failed request is answered. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string }
  readonly status: 'Failure' | 'Success'
  readonly message?: string
  readonly reason?: string
  readonly details?: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly uid?: string
    readonly causes?: readonly StatusCause[]
    readonly retryAfterSeconds?: number
  }
  readonly code: number
}

/** A resource as messages name it: `configmaps`, `widgets.example.com`. */
export interface GroupResource {
  readonly group: string
  readonly resource: string
}

export function qualified(of: GroupResource): string {
  return of.group === '' ? of.resource : `${of.resource}.${of.group}`
}

/** A failed request: carries the Status to answer with. Thrown by verbs, turned into an answer in one place. */
export class ApiError extends Error {
  readonly status: Status
  constructor(
    code: number,
    reason: string,
    message: string,
    details?: Status['details'],
    metadata: Status['metadata'] = {},
  ) {
    super(message)
    this.name = 'ApiError'
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      reason,
      ...(details ? { details } : {}),
      code,
    }
  }
}

const on = (of: GroupResource, name: string) => ({ name, group: of.group || undefined, kind: of.resource })

export const notFound = (of: GroupResource, name: string) =>
  new ApiError(404, 'NotFound', `${qualified(of)} "${name}" not found`, on(of, name))

export const alreadyExists = (of: GroupResource, name: string) =>
  new ApiError(409, 'AlreadyExists', `${qualified(of)} "${name}" already exists`, on(of, name))

/** `AlreadyExists` for a generated name that stayed taken: clients may try again. */
export const generateNameConflict = (of: GroupResource, name: string, retryAfterSeconds: number) =>
  new ApiError(
    409,
    'AlreadyExists',
    `${qualified(of)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    { ...on(of, name), retryAfterSeconds },
  )

export const conflict = (of: GroupResource, name: string, why: string) =>
  new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(of)} "${name}": ${why}`, on(of, name))

/** The answer to an update whose resourceVersion is not the current one. */
export const modified = (of: GroupResource, name: string) =>
  conflict(of, name, 'the object has been modified; please apply your changes to the latest version and try again')

/** Server-side apply met fields of other managers; `causes` name manager and field. */
export const applyConflict = (causes: readonly StatusCause[], message: string) =>
  new ApiError(409, 'Conflict', message, { causes })

/** `name` '' for a whole resource; a resource of '' is a path that is no resource's. */
export function forbidden(of: GroupResource, name: string, why: string, causes?: readonly StatusCause[]): ApiError {
  const what = name === '' ? qualified(of) : `${qualified(of)} "${name}"`
  const message = of.resource === '' ? `forbidden: ${why}` : `${what} is forbidden: ${why}`
  return new ApiError(403, 'Forbidden', message, {
    ...on(of, name),
    name: name || undefined,
    ...(causes ? { causes } : {}),
  })
}

export const badRequest = (message: string) => new ApiError(400, 'BadRequest', message)

export const unauthorized = () => new ApiError(401, 'Unauthorized', 'Unauthorized')

/** The watch or list asked for a revision that has been compacted away. */
export const expired = (message: string, metadata?: Status['metadata']) =>
  new ApiError(410, 'Expired', message, undefined, metadata)

export const tooManyRequests = (message: string, retryAfterSeconds: number) =>
  new ApiError(429, 'TooManyRequests', message, { retryAfterSeconds })

export const tooLarge = (message: string) => new ApiError(413, 'RequestEntityTooLarge', message)

export const serviceUnavailable = (message: string) => new ApiError(503, 'ServiceUnavailable', message)

export const internalError = (message: string) =>
  new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })

/** A resource exists but not this verb on it. */
export const methodNotSupported = (of: GroupResource, action: string) =>
  new ApiError(405, 'MethodNotAllowed', `${action} is not supported on resources of kind "${qualified(of)}"`, {
    group: of.group || undefined,
    kind: of.resource,
  })

export const unsupportedMediaType = (message: string) => new ApiError(415, 'UnsupportedMediaType', message)

export const notAcceptable = (message: string) => new ApiError(406, 'NotAcceptable', message)

/** A read asks for a state that has not been yet: clients try again. */
export const resourceVersionTooLarge = (wanted: number, current: number, retryAfterSeconds = 1) =>
  new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds,
  })

/** 422 with every cause; `kind` is `{group, kind}` of the object. */
export function invalid(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
) {
  const causes = errors.map((e) => ({ reason: e.reason, message: e.message, field: e.field }))
  const said = [...new Set(errors.map((e) => `${e.field}: ${e.message}`))]
  const list = said.length === 1 ? said[0] : `[${said.join(', ')}]`
  const qualifiedKind = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`
  return new ApiError(
    422,
    'Invalid',
    said.length === 0 ? `${qualifiedKind} "${name}" is invalid` : `${qualifiedKind} "${name}" is invalid: ${list}`,
    { name: name || undefined, group: kind.group || undefined, kind: kind.kind, causes },
  )
}
