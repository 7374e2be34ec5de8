import type { JsonObject } from '../../crds/metadata.ts'
import { invalid, required, tooLong } from '../../crds/validation/errors.ts'
import type { FieldError } from '../../crds/validation/field-error.ts'
import { key, pathOf } from '../../crds/validation/field-path.ts'
import { type ApiObject, isObject, withFields, without } from '../json.ts'
import type { BuiltInKind } from './built-in.ts'
import { frozenErrors } from './config-map.ts'
import { dataKeyErrors, maxDataBytes } from './data-keys.ts'

export const secret: BuiltInKind = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  selectableFields: ['type'],
  defaults: applyDefaults,
  validate,
  validateUpdate(object, old) {
    const same = object.type === old.type
    return [
      ...(same ? [] : [invalid(pathOf(['type']), object.type, 'field is immutable')]),
      ...frozenErrors(object, old, ['data']),
    ]
  },
}

/** stringData is write-only: it is folded into data. */
function applyDefaults(object: ApiObject): ApiObject {
  let result = object
  if (isObject(object.stringData)) {
    const data: Record<string, unknown> = isObject(object.data) ? { ...object.data } : {}
    for (const [name, value] of Object.entries(object.stringData))
      data[name] = Buffer.from(String(value)).toString('base64')
    result = withFields(without(object, 'stringData'), { data: data as JsonObject })
  }
  return result.type === undefined || result.type === '' ? withFields(result, { type: 'Opaque' }) : result
}

const dataPath = pathOf(['data'])

function validate(object: ApiObject): readonly FieldError[] {
  const data = isObject(object.data) ? object.data : {}
  const errors: FieldError[] = []
  let bytes = 0
  for (const [name, value] of Object.entries(data)) {
    errors.push(...dataKeyErrors('data', name))
    bytes += Buffer.from(String(value), 'base64').length
  }
  if (bytes > maxDataBytes) errors.push(tooLong(dataPath, maxDataBytes))
  return [...errors, ...typeErrors(object, data)]
}

const missing = (name: string) => required(key(dataPath, name), '')

/** What each well-known type of Secret must hold. */
function typeErrors(object: ApiObject, data: JsonObject): FieldError[] {
  const lacking = (...names: readonly string[]) => names.filter((n) => !Object.hasOwn(data, n)).map(missing)
  switch (object.type) {
    case 'kubernetes.io/service-account-token': {
      const annotation = 'kubernetes.io/service-account.name'
      if (object.metadata.annotations?.[annotation]) return []
      return [required(key(pathOf(['metadata', 'annotations']), annotation), '')]
    }
    case 'kubernetes.io/tls':
      return lacking('tls.crt', 'tls.key')
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [missing('ssh-privatekey')]
    case 'kubernetes.io/basic-auth': {
      const absent = lacking('username', 'password')
      return absent.length === 2 ? absent : []
    }
    case 'kubernetes.io/dockercfg':
      return dockerErrors(data, '.dockercfg')
    case 'kubernetes.io/dockerconfigjson':
      return dockerErrors(data, '.dockerconfigjson')
    default:
      return []
  }
}

function dockerErrors(data: JsonObject, name: string): FieldError[] {
  const value = data[name]
  if (typeof value !== 'string') return [missing(name)]
  try {
    if (isObject(JSON.parse(Buffer.from(value, 'base64').toString('utf8')))) return []
  } catch {
    // Said below.
  }
  return [invalid(key(dataPath, name), '<secret contents redacted>', 'the value must be a JSON object')]
}
