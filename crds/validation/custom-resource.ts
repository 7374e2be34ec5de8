import type { JsonObject, KubeObject } from '../metadata.ts'
import type { FieldError } from './field-error.ts'

/** One version of a custom resource, as its CRD declares it. apiserver's `ResourceInfo` fits. */
export interface CustomResourceType {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly namespaced: boolean
  /** `openAPIV3Schema`; without one everything is preserved and only metadata is validated. */
  readonly schema?: JsonObject
  readonly preserveUnknownFields?: boolean
  readonly scale?: {
    readonly specReplicasPath: string
    readonly statusReplicasPath: string
    readonly labelSelectorPath?: string
  }
}

/** An object as read from a request or a file, after metadata was coerced and unknown fields dropped. */
export interface Decoded {
  readonly object: KubeObject & JsonObject
  /** Fields that fieldValidation=Strict refuses and =Warn warns of: `unknown field "spec.x"`. */
  readonly unknownFields: readonly string[]
}

/**
 * All that one custom resource version demands of its objects; the API server and the CLI ask the same one.
 * Methods are pure, take the whole object, and report every error at once in Kubernetes' words.
 */
export interface CustomResourceValidator {
  /** Coerces metadata and prunes; does not default. `errors` of a malformed metadata are thrown as `FieldError`s by validate*. */
  decode(object: JsonObject): Decoded
  applyDefaults(object: JsonObject): JsonObject
  /** Metadata, schema, list types, embedded resources, scale paths, and CEL where nothing blocks it. */
  validateCreate(object: JsonObject): FieldError[]
  /** As create, plus immutable metadata, transition rules, and ratcheting against `old`. */
  validateUpdate(object: JsonObject, old: JsonObject): FieldError[]
  validateStatusUpdate(object: JsonObject, old: JsonObject): FieldError[]
  /** Warnings a server should send with the answer (finalizer names). `old` absent on create. */
  warnings(object: JsonObject, old?: JsonObject): string[]
}

export function compileCustomResource(_type: CustomResourceType): CustomResourceValidator {
  throw new Error('not written yet')
}
