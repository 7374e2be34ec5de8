import type { JsonObject } from '../metadata.ts'
import type { FieldError } from './field-error.ts'

/** Says what is wrong with a name, in Kubernetes' sentences; none when it is right. `prefix`: the value is a generateName. */
export type NameCheck = (name: string, prefix: boolean) => string[]

export interface ObjectMetaOptions {
  readonly namespaced: boolean
  /** Which names are allowed; DNS subdomains unless told. */
  readonly nameCheck?: NameCheck
  /** Where the metadata is in its object; `['metadata']` unless told. */
  readonly path?: readonly (string | number)[]
}

/** Validates metadata of a new object as Kubernetes' ValidateObjectMeta does. */
export function validateObjectMeta(_metadata: JsonObject, _options: ObjectMetaOptions): FieldError[] {
  throw new Error('not written yet')
}

/** Validates metadata of an update: what is immutable, and what may not be added while deleting. */
export function validateObjectMetaUpdate(
  _metadata: JsonObject,
  _old: JsonObject,
  _path: readonly (string | number)[] = ['metadata'],
): FieldError[] {
  throw new Error('not written yet')
}
