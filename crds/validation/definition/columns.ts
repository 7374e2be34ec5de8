import { duplicate, invalid, required, tooMany } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, fieldString, index, type Path } from '../field-path.ts'
import type { JsonSchema } from '../json-schema.ts'
import { followRulePath } from '../rule-path.ts'
import type { PrinterColumn, SelectableField, Subresources } from './types.ts'

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const SELECTABLE_LIMIT = 8

/** What is wrong with one column of `additionalPrinterColumns`. */
export function columnErrors(column: PrinterColumn, path: Path): FieldError[] {
  const errors: FieldError[] = []
  if (column.name === '') errors.push(required(child(path, 'name'), ''))
  if (!COLUMN_TYPES.includes(column.type)) {
    const detail = `must be one of ${COLUMN_TYPES.join(',')}`
    const at = child(path, 'type')
    errors.push(column.type === '' ? required(at, detail) : invalid(at, column.type, detail))
  }
  if (column.format && !COLUMN_FORMATS.includes(column.format)) {
    errors.push(invalid(child(path, 'format'), column.format, `must be one of ${COLUMN_FORMATS.join(',')}`))
  }
  const at = child(path, 'JSONPath')
  if (column.jsonPath === '') return [...errors, required(at, '')]
  return [...errors, ...simplePathErrors(column.jsonPath, at)]
}

/** What is wrong with the scale subresource. */
export function subresourceErrors(subresources: Subresources | undefined, path: Path): FieldError[] {
  const scale = subresources?.scale
  if (!scale) return []
  const { labelSelectorPath = '' } = scale
  const selector = child(path, 'scale.labelSelectorPath')
  return [
    ...requiredPathErrors(scale.specReplicasPath, '.spec', child(path, 'scale.specReplicasPath')),
    ...requiredPathErrors(scale.statusReplicasPath, '.status', child(path, 'scale.statusReplicasPath')),
    ...(labelSelectorPath === '' ? [] : pathErrors(labelSelectorPath, ['.spec', '.status'], selector)),
  ]
}

function requiredPathErrors(value: string, below: string, path: Path): FieldError[] {
  return value === '' ? [required(path, '')] : pathErrors(value, [below], path)
}

function pathErrors(value: string, below: readonly string[], path: Path): FieldError[] {
  const errors = simplePathErrors(value, path)
  if (errors.length > 0 || below.some((start) => value.startsWith(`${start}.`))) return errors
  const where = below.length === 1 ? below[0] : `either ${below.join(' or ')}`
  return [invalid(path, value, `should be a json path under ${where}`)]
}

function simplePathErrors(value: string, path: Path): FieldError[] {
  return value.startsWith('.') ? [] : [invalid(path, value, 'must be a simple json path starting with .')]
}

/** What is wrong with `selectableFields`. `anyCount`: there were too many before. */
export function selectableErrors(
  fields: readonly SelectableField[],
  schema: JsonSchema,
  path: Path,
  anyCount: boolean,
): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [i, { jsonPath }] of fields.entries()) {
    const at = child(index(path, i), 'jsonPath')
    if (jsonPath === '') {
      errors.push(required(at, ''))
      continue
    }
    const found = followRulePath(jsonPath, schema, false)
    if (!found.ok) {
      errors.push(invalid(at, jsonPath, `is an invalid path: ${found.error}`))
      continue
    }
    if (rootStep(found.path) === 'metadata') {
      errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'))
    }
    if (!['string', 'boolean', 'integer'].includes(found.schema.type ?? '')) {
      const detail =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
      errors.push(invalid(at, jsonPath, detail))
    }
    const name = fieldString(found.path)
    if (seen.has(name)) errors.push(duplicate(at, jsonPath))
    seen.add(name)
  }
  if (seen.size > SELECTABLE_LIMIT && !anyCount) errors.push(tooMany(path, seen.size, SELECTABLE_LIMIT))
  return errors
}

function rootStep(path: Path | undefined): string | number | undefined {
  let at = path
  while (at?.parent) at = at.parent
  return at?.step
}
