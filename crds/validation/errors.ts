import type { JsonValue } from '../metadata.ts'
import type { FieldError, FieldErrorReason } from './field-error.ts'
import { fieldString, type Path, stepsOf } from './field-path.ts'
import { goJson, goNumber, goQuote } from './go-format.ts'

/** Constructors of field errors whose sentences are those of apimachinery's `field.Error`. */

/** Leaves the value out of the sentence (`Invalid value: must be …` becomes `Invalid value: …` without one). */
export const OMIT = Symbol('omit')
export type BadValue = JsonValue | undefined | typeof OMIT | Shown

/** A value that is no JSON, as text that was made for it. */
export class Shown {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export function fieldError(path: Path | undefined, reason: FieldErrorReason, message: string): FieldError {
  return { reason, field: fieldString(path), path: stepsOf(path), message }
}

/** A value the way a field error shows it. */
export function showValue(value: JsonValue | undefined): string {
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'number') return goNumber(value)
  return goJson(value)
}

function body(title: string, value: BadValue, detail: string): string {
  const shown = value === OMIT ? title : `${title}: ${value instanceof Shown ? value.text : showValue(value)}`
  return detail === '' ? shown : `${shown}: ${detail}`
}

export const invalid = (path: Path | undefined, value: BadValue, detail: string): FieldError =>
  fieldError(path, 'FieldValueInvalid', body('Invalid value', value, detail))

export const typeInvalid = (path: Path | undefined, value: BadValue, detail: string): FieldError =>
  fieldError(path, 'FieldValueTypeInvalid', body('Invalid value', value, detail))

export const required = (path: Path | undefined, detail: string): FieldError =>
  fieldError(path, 'FieldValueRequired', body('Required value', OMIT, detail))

export const forbidden = (path: Path | undefined, detail: string): FieldError =>
  fieldError(path, 'FieldValueForbidden', body('Forbidden', OMIT, detail))

export const duplicate = (path: Path | undefined, value: BadValue): FieldError =>
  fieldError(path, 'FieldValueDuplicate', body('Duplicate value', value, ''))

export const notFound = (path: Path | undefined, value: BadValue): FieldError =>
  fieldError(path, 'FieldValueNotFound', body('Not found', value, ''))

/** `allowed` are shown in the order given. */
export function notSupported(path: Path | undefined, value: BadValue, allowed: readonly string[]): FieldError {
  const detail = allowed.length > 0 ? `supported values: ${allowed.map(goQuote).join(', ')}` : ''
  return fieldError(path, 'FieldValueNotSupported', body('Unsupported value', value, detail))
}

/** `limit` in bytes; negative where there is none to tell. */
export function tooLong(path: Path | undefined, limit: number): FieldError {
  const detail = limit >= 0 ? `may not be more than ${limit} ${limit === 1 ? 'byte' : 'bytes'}` : 'value is too long'
  return fieldError(path, 'FieldValueTooLong', body('Too long', OMIT, detail))
}

/** `limit` in items; negative where there is none to tell. */
export function tooMany(path: Path | undefined, actual: number, limit: number): FieldError {
  const detail = limit >= 0 ? `must have at most ${limit} ${limit === 1 ? 'item' : 'items'}` : 'has too many items'
  return fieldError(path, 'FieldValueTooMany', body('Too many', actual >= 0 ? actual : OMIT, detail))
}

export const internal = (path: Path | undefined, detail: string): FieldError =>
  fieldError(path, 'InternalError', body('Internal error', OMIT, detail))
