import type { JsonObject } from '../metadata.ts'
import type { FieldError } from './field-error.ts'

/** Fills in what Kubernetes fills in on a CustomResourceDefinition (singular, listKind, conversion, scope of columns …). */
export function defaultCustomResourceDefinition(_crd: JsonObject): JsonObject {
  throw new Error('not written yet')
}

/** Everything wrong with a (defaulted) CustomResourceDefinition, CEL compile errors and cost limits included. */
export function validateCustomResourceDefinition(_crd: JsonObject, _old?: JsonObject): FieldError[] {
  throw new Error('not written yet')
}
