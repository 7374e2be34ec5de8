import type { FieldError, FieldErrorReason } from '../../crds/validation/field-error.ts'
import { type ApiError, badRequest, invalid } from '../api-error.ts'
import type {
  DeleteOptions,
  FieldValidation,
  ListOptions,
  PatchOptions,
  Propagation,
  VersionMatch,
  WatchOptions,
  WriteOptions,
} from '../verbs/options.ts'

type Query = URLSearchParams

function problem(field: string, reason: FieldErrorReason, message: string): FieldError {
  return { reason, field, path: field.split('.'), message }
}

function refuse(kind: string, errors: readonly FieldError[]): ApiError {
  return invalid({ group: 'meta.k8s.io', kind }, '', errors)
}

const notSupported = (field: string, value: unknown, supported: readonly string[]) =>
  problem(
    field,
    'FieldValueNotSupported',
    `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((s) => `"${s}"`).join(', ')}`,
  )

/** Go's strconv.ParseBool over a query parameter; '' and "0" are false for the sake of old clients, all else true. */
export function queryBool(query: Query, name: string): boolean | undefined {
  const value = query.get(name)
  if (value === null) return undefined
  return !['', '0', 'false', 'False', 'FALSE', 'f', 'F'].includes(value)
}

function queryInt(query: Query, name: string): number | undefined {
  const value = query.get(name)
  if (value === null || value === '') return undefined
  if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing "${value}": invalid syntax`)
  return Number(value)
}

/** Options that Kubernetes knows and this server does not act on: refused rather than ignored. */
function refuseUnsupported(query: Query): void {
  for (const name of ['shardSelector', 'ignoreStoreReadErrorWithClusterBreakingPotential']) {
    const value = query.get(name)
    if (value !== null && value !== '' && value !== 'false') throw badRequest(`${name} is not supported by this server`)
  }
}

function dryRunErrors(values: readonly string[]): FieldError[] {
  return values.every((v) => v === 'All') ? [] : [notSupported('dryRun', values, ['All'])]
}

function managerErrors(manager: string): FieldError[] {
  const errors: FieldError[] = []
  if (Buffer.byteLength(manager) > 128)
    errors.push(problem('fieldManager', 'FieldValueTooLong', 'Too long: may not be more than 128 bytes'))
  let at = 0
  for (const char of manager) {
    if (!/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char)) {
      const code = char.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
      const message = `Invalid value: ${JSON.stringify(manager)}: invalid character U+${code} (at position ${at})`
      errors.push(problem('fieldManager', 'FieldValueInvalid', message))
    }
    at += Buffer.byteLength(char)
  }
  return errors
}

function fieldValidation(query: Query, errors: FieldError[]): FieldValidation {
  const value = query.get('fieldValidation') ?? ''
  if (value === '') return 'Warn'
  if (value === 'Ignore' || value === 'Warn' || value === 'Strict') return value
  errors.push(notSupported('fieldValidation', value, ['', 'Ignore', 'Strict', 'Warn']))
  return 'Warn'
}

const noQuery = (userAgent: string | undefined): WriteOptions => ({
  dryRun: false,
  fieldManager: undefined,
  fieldValidation: 'Warn',
  userAgent,
})

/** CreateOptions or UpdateOptions (`kind` names them in errors). */
export function writeOptions(query: Query | undefined, userAgent: string | undefined, kind: string): WriteOptions {
  if (!query) return noQuery(userAgent)
  refuseUnsupported(query)
  const dryRun = query.getAll('dryRun')
  const manager = query.get('fieldManager') ?? ''
  const errors = [...managerErrors(manager), ...dryRunErrors(dryRun)]
  const validation = fieldValidation(query, errors)
  if (errors.length > 0) throw refuse(kind, errors)
  return { dryRun: dryRun.length > 0, fieldManager: manager || undefined, fieldValidation: validation, userAgent }
}

export function patchOptions(query: Query | undefined, userAgent: string | undefined, apply: boolean): PatchOptions {
  const errors: FieldError[] = []
  const force = query ? queryBool(query, 'force') : undefined
  if (apply && !query?.get('fieldManager')) {
    errors.push(problem('fieldManager', 'FieldValueRequired', 'Required value: is required for apply patch'))
  }
  if (!apply && force !== undefined) {
    errors.push(problem('force', 'FieldValueForbidden', 'Forbidden: may not be specified for non-apply patch'))
  }
  if (errors.length > 0) throw refuse('PatchOptions', errors)
  return { ...writeOptions(query, userAgent, 'PatchOptions'), force: force ?? false }
}

/** DeleteOptions from the query, or from the body (`from`: its parsed object), which wins where there is one. */
export function deleteOptions(
  query: Query | undefined,
  body: Readonly<Record<string, unknown>> | undefined,
): DeleteOptions {
  if (query) refuseUnsupported(query)
  const from = body ?? fromQuery(query)
  const dryRun = Array.isArray(from.dryRun) ? from.dryRun.map(String) : []
  const policy = from.propagationPolicy
  const errors = dryRunErrors(dryRun)
  const orphan = typeof from.orphanDependents === 'boolean' ? from.orphanDependents : undefined
  if (orphan !== undefined && policy !== undefined && policy !== null) {
    const message = `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`
    errors.push(problem('propagationPolicy', 'FieldValueInvalid', message))
  }
  if (policy !== undefined && policy !== null && !isPropagation(policy)) {
    errors.push(notSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', 'nil']))
  }
  if (from.ignoreStoreReadErrorWithClusterBreakingPotential === true) {
    throw badRequest('ignoreStoreReadErrorWithClusterBreakingPotential is not supported by this server')
  }
  if (errors.length > 0) throw refuse('DeleteOptions', errors)
  const { uid, resourceVersion } = (from.preconditions ?? {}) as Record<string, unknown>
  return {
    dryRun: dryRun.length > 0,
    propagationPolicy: isPropagation(policy) ? policy : undefined,
    orphanDependents: orphan,
    preconditions: {
      uid: typeof uid === 'string' ? uid : undefined,
      resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : undefined,
    },
  }
}

function isPropagation(value: unknown): value is Propagation {
  return value === 'Foreground' || value === 'Background' || value === 'Orphan'
}

function fromQuery(query: Query | undefined): Readonly<Record<string, unknown>> {
  if (!query) return {}
  return {
    dryRun: query.getAll('dryRun'),
    propagationPolicy: query.get('propagationPolicy') ?? undefined,
    orphanDependents: queryBool(query, 'orphanDependents'),
  }
}

function versionMatch(query: Query | undefined): string {
  return query?.get('resourceVersionMatch') ?? ''
}

/** Checks ListOptions of a list (or deletecollection). */
export function listOptions(query: Query | undefined): ListOptions {
  if (query) refuseUnsupported(query)
  const resourceVersion = query?.get('resourceVersion') ?? ''
  const continueToken = query?.get('continue') ?? ''
  const match = versionMatch(query)
  const errors: FieldError[] = []
  const say = (message: string) => problem('resourceVersionMatch', 'FieldValueForbidden', `Forbidden: ${message}`)
  if (match !== '') {
    if (resourceVersion === '') errors.push(say('resourceVersionMatch is forbidden unless resourceVersion is provided'))
    if (continueToken !== '') errors.push(say('resourceVersionMatch is forbidden when continue is provided'))
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']))
    }
    if (match === 'Exact' && resourceVersion === '0') {
      errors.push(say('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    }
  }
  if (query?.has('sendInitialEvents')) {
    errors.push(
      problem('sendInitialEvents', 'FieldValueForbidden', 'Forbidden: sendInitialEvents is forbidden for list'),
    )
  }
  if (errors.length > 0) throw refuse('ListOptions', errors)
  return {
    labelSelector: query?.get('labelSelector') ?? '',
    fieldSelector: query?.get('fieldSelector') ?? '',
    limit: Math.max(0, (query && queryInt(query, 'limit')) ?? 0),
    continueToken,
    resourceVersion,
    resourceVersionMatch: match as VersionMatch,
  }
}

export function watchOptions(query: Query | undefined): WatchOptions {
  if (query) refuseUnsupported(query)
  const match = versionMatch(query)
  const sendInitialEvents = query ? queryBool(query, 'sendInitialEvents') : undefined
  const errors: FieldError[] = []
  const say = (message: string) => problem('resourceVersionMatch', 'FieldValueForbidden', `Forbidden: ${message}`)
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(say('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
  }
  if (match !== '') {
    if (sendInitialEvents === undefined) {
      errors.push(say('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
    }
    if (match !== 'NotOlderThan') errors.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']))
    if (query?.get('continue')) errors.push(say('resourceVersionMatch is forbidden when continue is provided'))
  }
  if (errors.length > 0) throw refuse('ListOptions', errors)
  const timeout = query && queryInt(query, 'timeoutSeconds')
  return {
    labelSelector: query?.get('labelSelector') ?? '',
    fieldSelector: query?.get('fieldSelector') ?? '',
    resourceVersion: query?.get('resourceVersion') ?? '',
    allowBookmarks: (query && queryBool(query, 'allowWatchBookmarks')) ?? false,
    sendInitialEvents,
    timeoutSeconds: timeout !== undefined && timeout > 0 ? timeout : undefined,
  }
}
