import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { unknownFieldMessages } from '../../crds/validation/custom-resource.ts'
import type { Target } from '../api.ts'
import { badRequest, invalid } from '../api-error.ts'
import { type ApiObject, asObject } from '../json.ts'
import type { Served } from '../served.ts'
import { asJsonObject, BodyError, type ParsedBody } from './body.ts'
import type { FieldValidation } from './options.ts'

/** `spec.x` is given twice or unknown: refused, or warned of. `refuse` makes the error of what is wrong. */
export function checkStrict(
  problems: readonly string[],
  validation: FieldValidation,
  warn: (text: string) => void,
  refuse: (message: string) => Error,
): void {
  if (problems.length === 0 || validation === 'Ignore') return
  if (validation === 'Strict') throw refuse(`strict decoding error: ${problems.join(', ')}`)
  for (const p of problems) warn(p)
}

/** An object of a request's body, read as the kind that the endpoint serves: decoded and defaulted. Throws 400, or 422 where kinds differ. */
export function decodeObject(target: Target, parse: () => ParsedBody, validation: FieldValidation): ApiObject {
  const { served } = target
  const { value, duplicates } = parsed(served, parse)
  const object = checkKind(served, value)
  const { kind, version } = served.info
  const refuse = (message: string) =>
    badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${message}`)
  const decoded = served.strategy.decode(object)
  if (decoded.malformed !== undefined) throw refuse(decoded.malformed)
  checkStrict([...duplicates, ...unknownFieldMessages(decoded.unknownFields)], validation, target.warn, refuse)
  return asObject(decoded.object)
}

function parsed(served: Served, parse: () => ParsedBody): ParsedBody {
  try {
    return parse()
  } catch (err) {
    if (!(err instanceof BodyError)) throw err
    throw badRequest(
      `the object provided is unrecognized (must be of type ${served.info.kind}): couldn't get version/kind; json parse error: ${err.message}`,
    )
  }
}

/** The body as an object of the endpoint's kind. Built-ins may leave apiVersion and kind out, custom resources may not. */
function checkKind(served: Served, value: JsonValue): JsonObject {
  const { info, apiVersion } = served
  const object = asJsonObject(value)
  const unrecognized = (why: string) =>
    badRequest(`the object provided is unrecognized (must be of type ${info.kind}): ${why}`)
  if (!object) throw unrecognized("couldn't get version/kind; json parse error: the body is not an object")
  const kind = object.kind ?? ''
  const version = object.apiVersion ?? ''
  if (typeof kind !== 'string' || typeof version !== 'string') {
    throw unrecognized("couldn't get version/kind; json parse error: apiVersion and kind must be strings")
  }
  if (!info.builtIn) {
    if (kind === '') throw unrecognized(`Object 'Kind' is missing in '${excerpt(object)}'`)
    if (version === '') throw unrecognized(`Object 'apiVersion' is missing in '${excerpt(object)}'`)
  }
  if (version !== '' && version !== apiVersion) {
    throw badRequest(`the API version in the data (${version}) does not match the expected API version (${apiVersion})`)
  }
  if (kind !== '' && kind !== info.kind) throw wrongKind(served, object, kind)
  if (kind !== '' && version !== '') return object
  return { ...object, apiVersion, kind: info.kind }
}

function wrongKind({ info }: Served, object: JsonObject, kind: string): Error {
  if (info.builtIn) {
    return badRequest(
      `${kind} in version "${info.version}" cannot be handled as a ${info.kind}: no kind "${kind}" is registered for version "${info.group === '' ? '' : `${info.group}/`}${info.version}"`,
    )
  }
  const name = asJsonObject(object.metadata ?? null)?.name
  return invalid({ group: info.group, kind }, typeof name === 'string' ? name : '', [
    {
      reason: 'FieldValueInvalid',
      field: 'kind',
      path: ['kind'],
      message: `Invalid value: "${kind}": must be ${info.kind}`,
    },
  ])
}

function excerpt(object: JsonObject): string {
  return JSON.stringify(object).slice(0, 1000)
}
