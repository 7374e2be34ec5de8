import type { JsonObject } from '../metadata.ts'
import type { FieldError } from './field-error.ts'

/** What pruning left, and what it took away. */
export interface Pruned {
  readonly object: JsonObject
  /** Every field that was dropped, written as Kubernetes writes it (`spec.windows[0].foo`), sorted. */
  readonly pruned: readonly string[]
}

/** A structural schema of a whole object, compiled once. No method changes its argument. */
export interface CompiledSchema {
  /** Drops the fields that the schema does not name (x-kubernetes-preserve-unknown-fields and embedded resources respected). */
  prune(object: JsonObject): Pruned
  /** Fills in the schema's defaults. Returns the same object where nothing was missing. */
  applyDefaults(object: JsonObject): JsonObject
  /**
   * Everything the schema has against the object, all at once: types, values, list-type uniqueness, embedded metadata.
   * With `old`, errors in parts that did not change are left out (CRDValidationRatcheting). CEL rules are not run here.
   */
  validate(object: JsonObject, old?: JsonObject): FieldError[]
}

/** Compiles `openAPIV3Schema` of one CRD version. The schema must have passed `validateCustomResourceDefinition`. */
export function compileSchema(_openAPIV3Schema: JsonObject): CompiledSchema {
  throw new Error('not written yet')
}
