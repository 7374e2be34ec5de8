import type { JsonObject } from '../crds/metadata.ts'
import type { Decoded } from '../crds/validation/custom-resource.ts'
import type { FieldError } from '../crds/validation/field-error.ts'
import type { ApiObject } from './json.ts'

/**
 * What one resource version demands of its objects, on top of what is demanded of all. Methods are pure and change no argument;
 * objects are at the strategy's version. `old` is the stored state at that version.
 */
export interface Strategy {
  /** Reads an object from a request: coerces metadata, drops what the schema does not know. */
  decode(object: JsonObject): Decoded
  /** Fills in defaults; the same object where nothing was missing. */
  applyDefaults(object: ApiObject): ApiObject
  /** Takes away what clients may not set (status), sets what the server sets (generation). */
  prepareForCreate(object: ApiObject): ApiObject
  prepareForUpdate(object: ApiObject, old: ApiObject): ApiObject
  /** `object` with all but its status and managedFields taken from `old`. */
  prepareForStatusUpdate(object: ApiObject, old: ApiObject): ApiObject
  /** Of the subresource `finalize`, where there is one. */
  prepareForFinalize?(object: ApiObject, old: ApiObject): ApiObject
  validateCreate(object: ApiObject): readonly FieldError[]
  validateUpdate(object: ApiObject, old: ApiObject): readonly FieldError[]
  validateStatusUpdate(object: ApiObject, old: ApiObject): readonly FieldError[]
  /** Warnings to send along; `old` absent on create. */
  warnings(object: ApiObject, old?: ApiObject): readonly string[]
  /** The value of a field that selectors may name, '' when unset; undefined where it is no such field. */
  selectableField(object: ApiObject, field: string): string | undefined
  /** Kubernetes' sentence for a field that selectors may not name; undefined for one they may. */
  fieldSelectorError(field: string): string | undefined
  /** Whether an update may leave out resourceVersion. */
  readonly allowUnconditionalUpdate: boolean
  /** Whether PUT of an object that is not there creates it. */
  readonly allowCreateOnUpdate: boolean
  /** Refuses a deletion: the reason, as of `namespaces "default" is forbidden: …`. */
  refuseDelete?(object: ApiObject): string | undefined
  /** Where deleting is a process even without finalizers: the object as it is once that has begun, else undefined. */
  beginDelete?(object: ApiObject): ApiObject | undefined
  /** Whether an object under deletion without finalizers may go now; a Namespace may not before its content has. */
  finished(object: ApiObject): boolean
  /** Whether deletion keeps dependents unless told otherwise. */
  readonly orphansByDefault: boolean
  /** Whether a deletion is answered with the object instead of a Status. */
  readonly returnsDeleted: boolean
  /** Kinds that may not be patched by strategic merge: custom resources. */
  readonly strategicMerge: boolean
}
