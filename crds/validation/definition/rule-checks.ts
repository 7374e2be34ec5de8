import { trimSpace } from '../../cel/library/strings.ts'
import { invalid, notSupported, required } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, index, type Path } from '../field-path.ts'
import type { ValidationRule } from '../json-schema.ts'
import { followRulePath } from '../rule-path.ts'
import { asStructural } from './structural.ts'
import type { AnySchema } from './types.ts'

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

/** What is wrong with how the rules of a schema are written, before they are compiled. */
export function ruleFormErrors(schema: AnySchema, path: Path): FieldError[] {
  const at = child(path, 'x-kubernetes-validations')
  return (schema['x-kubernetes-validations'] ?? []).flatMap((rule, i) => [
    ...textErrors(rule, index(at, i)),
    ...reasonErrors(rule, index(at, i)),
    ...fieldPathErrors(rule, schema, child(index(at, i), 'fieldPath')),
  ])
}

const hasNewline = (text: string): boolean => /[\n\r]/.test(text)

function textErrors({ rule = '', message = '', messageExpression = '' }: ValidationRule, path: Path): FieldError[] {
  const errors: FieldError[] = []
  const at = child(path, 'message')
  const shown = trimSpace(message)
  const text = trimSpace(rule)
  if (text === '') errors.push(required(child(path, 'rule'), 'rule is not specified'))
  else if (message !== '' && shown === '') errors.push(invalid(at, message, 'must be non-empty if specified'))
  else if (hasNewline(shown)) errors.push(invalid(at, message, 'must not contain line breaks'))
  else if (hasNewline(text) && shown === '') {
    errors.push(required(at, 'message must be specified if rule contains line breaks'))
  }
  if (messageExpression !== '' && trimSpace(messageExpression) === '') {
    const detail = 'messageExpression must be non-empty if specified'
    errors.push(required(child(path, 'messageExpression'), detail))
  }
  return errors
}

function reasonErrors({ reason }: ValidationRule, path: Path): FieldError[] {
  if (reason === undefined || REASONS.includes(reason)) return []
  return [notSupported(child(path, 'reason'), reason, REASONS)]
}

function fieldPathErrors({ fieldPath = '' }: ValidationRule, schema: AnySchema, path: Path): FieldError[] {
  if (fieldPath === '') return []
  const errors: FieldError[] = []
  if (trimSpace(fieldPath) === '') errors.push(invalid(path, fieldPath, 'must be non-empty if specified'))
  if (hasNewline(fieldPath)) errors.push(invalid(path, fieldPath, 'must not contain line breaks'))
  const structural = asStructural(schema)
  if (structural.ok && !followRulePath(fieldPath, structural.schema).ok) {
    errors.push(invalid(path, fieldPath, 'must be a valid path'))
  }
  return errors
}
