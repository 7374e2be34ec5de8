/** The kinds of field errors, named as Kubernetes names them in `status.details.causes[].reason`. */
export type FieldErrorReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotFound'
  | 'InternalError'

/**
 * One thing wrong with an object, at one place.
 * `field` is written as Kubernetes writes it (`spec.windows[0].start`, `metadata.labels[a/b]`); `path` is the same as steps, for
 * finding the place in a file. `message` is Kubernetes' own sentence without the field: `Required value`, `Invalid value: 3: must be …`.
 */
export interface FieldError {
  readonly reason: FieldErrorReason
  readonly field: string
  readonly path: readonly (string | number)[]
  readonly message: string
}
