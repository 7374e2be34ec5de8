import { invalid } from '../../crds/validation/errors.ts'
import type { FieldError } from '../../crds/validation/field-error.ts'
import { key, pathOf } from '../../crds/validation/field-path.ts'

/** What a ConfigMap or a Secret may hold at most. */
export const maxDataBytes = 1024 * 1024

/** Keys of ConfigMaps and Secrets become file names. */
export function dataKeyErrors(field: string, name: string): FieldError[] {
  const errors: string[] = []
  if (name.length > 253) errors.push('must be no more than 253 characters')
  if (!/^[-._a-zA-Z0-9]+$/.test(name)) {
    errors.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    )
  }
  if (name === '.') errors.push("must not be '.'")
  else if (name === '..') errors.push("must not be '..'")
  else if (name.startsWith('..')) errors.push("must not start with '..'")
  return errors.map((message) => invalid(key(pathOf([field]), name), name, message))
}
