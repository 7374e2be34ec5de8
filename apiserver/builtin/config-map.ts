import { forbidden, invalid, tooLong } from '../../crds/validation/errors.ts'
import type { FieldError } from '../../crds/validation/field-error.ts'
import { key, pathOf } from '../../crds/validation/field-path.ts'
import { type ApiObject, deepEqual, isObject } from '../json.ts'
import type { BuiltInKind } from './built-in.ts'
import { dataKeyErrors, maxDataBytes } from './data-keys.ts'

export const configMap: BuiltInKind = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  validate: validateData,
  validateUpdate: (object, old) => frozenErrors(object, old, ['data', 'binaryData']),
}

function validateData(object: ApiObject): readonly FieldError[] {
  const errors: FieldError[] = []
  const data = isObject(object.data) ? object.data : {}
  const binary = isObject(object.binaryData) ? object.binaryData : {}
  let bytes = 0
  for (const [name, value] of Object.entries(data)) {
    errors.push(...dataKeyErrors('data', name))
    if (Object.hasOwn(binary, name)) {
      errors.push(invalid(key(pathOf(['data']), name), name, 'duplicate of key present in binaryData'))
    }
    bytes += Buffer.byteLength(String(value))
  }
  for (const [name, value] of Object.entries(binary)) {
    errors.push(...dataKeyErrors('binaryData', name))
    bytes += Buffer.from(String(value), 'base64').length
  }
  if (bytes > maxDataBytes) errors.push({ ...tooLong(undefined, maxDataBytes), field: '' })
  return errors
}

/** What may not change once `immutable` is set. */
export function frozenErrors(object: ApiObject, old: ApiObject, fields: readonly string[]): readonly FieldError[] {
  if (old.immutable !== true) return []
  const why = 'field is immutable when `immutable` is set'
  const errors = object.immutable === true ? [] : [forbidden(pathOf(['immutable']), why)]
  for (const field of fields) {
    if (!deepEqual(object[field], old[field])) errors.push(forbidden(pathOf([field]), why))
  }
  return errors
}
