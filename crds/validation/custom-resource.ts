import { compileRules } from '../cel/rules.ts'
import type { JsonObject, KubeObject } from '../metadata.ts'
import { Correlation } from './correlation.ts'
import { MalformedMetadata } from './embedded.ts'
import { invalid } from './errors.ts'
import type { FieldError, FieldErrorReason } from './field-error.ts'
import { child, type Path, stepsOf } from './field-path.ts'
import { goQuote } from './go-format.ts'
import { object as asObject, text } from './json.ts'
import { asSchema, type JsonSchema } from './json-schema.ts'
import { coerceMetadata } from './metadata-shape.ts'
import { finalizerWarnings, objectMetaUpdateErrors, validateObjectMeta } from './object-meta.ts'
import { type ScalePaths, scaleSpecErrors, scaleStatusErrors } from './scale.ts'
import { once, schemaParts } from './schema.ts'

/** One version of a custom resource, as its CRD declares it. apiserver's `ResourceInfo` fits. */
export interface CustomResourceType {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly namespaced: boolean
  /** `openAPIV3Schema`; without one everything is preserved and only metadata is validated. */
  readonly schema?: JsonObject
  readonly preserveUnknownFields?: boolean
  readonly scale?: ScalePaths
}

/** An object as read from a request or a file, after metadata was coerced and unknown fields dropped. */
export interface Decoded {
  readonly object: KubeObject & JsonObject
  /** Fields that fieldValidation=Strict refuses and =Warn warns of; `unknownFieldMessages` words them. */
  readonly unknownFields: readonly string[]
  /** Why the object cannot be read at all (400 Bad Request), such as labels that are no texts. Nothing was changed then. */
  readonly malformed?: string
}

/**
 * All that one custom resource version demands of its objects; the API server and the CLI ask the same one.
 * Methods are pure, take the whole object, and report every error at once in Kubernetes' words. Everything is compiled when
 * first needed.
 */
export interface CustomResourceValidator {
  /** Coerces metadata, drops unknown fields and nulls that may not be; does not default. */
  decode(object: JsonObject): Decoded
  applyDefaults(object: JsonObject): JsonObject
  /** Metadata, schema, list types, embedded resources, scale paths, and CEL where nothing blocks it. */
  validateCreate(object: JsonObject): FieldError[]
  /**
   * Of an object whose creation has `errors` that kept its rules from running: the errors of those rules that look at nothing of what is
   * wrong. Servers do not go this far. `complete`: no rule was left out.
   */
  validateRulesBeside(
    object: JsonObject,
    errors: readonly FieldError[],
  ): { readonly errors: readonly FieldError[]; readonly complete: boolean }
  /** As create, plus immutable metadata, transition rules, and ratcheting against `old`. */
  validateUpdate(object: JsonObject, old: JsonObject): FieldError[]
  validateStatusUpdate(object: JsonObject, old: JsonObject): FieldError[]
  /** Warnings a server should send with the answer: odd finalizers, rules forgiven. `old` absent on create. */
  warnings(object: JsonObject, old?: JsonObject): string[]
}

const UNKNOWN: JsonSchema = { 'x-kubernetes-preserve-unknown-fields': true }

export function compileCustomResource(type: CustomResourceType): CustomResourceValidator {
  const schema = type.schema ? asSchema(type.schema) : UNKNOWN
  const parts = schemaParts(schema)
  const rules = once(() => compileRules(schema, true))
  const preserve = type.preserveUnknownFields === true || !type.schema

  /** What rules warned of when updates were validated, so that they need not be run again to tell. */
  const forgiven = new WeakMap<JsonObject, { readonly old: JsonObject; readonly warnings: readonly string[] }>()

  const withRules = (errors: readonly FieldError[], object: JsonObject, old?: JsonObject): FieldError[] => {
    const compiled = rules()
    if (!compiled) return [...errors]
    if (old) forgiven.set(object, { old, warnings: [] })
    if (errors.some((error) => BLOCKING.has(error.reason))) return [...errors, RULES_NOT_RUN]
    const correlation = old && new Correlation(object, old, schema)
    const result = compiled.validate(object, old, correlation)
    if (old) forgiven.set(object, { old, warnings: result.warnings })
    return [...errors, ...result.errors]
  }

  return {
    decode(object) {
      const meta = coerceMetadata(object.metadata)
      if (meta.malformed !== undefined) return { object: asKube(object), unknownFields: [], malformed: meta.malformed }
      const unknownFields = meta.unknown.map((field) => `metadata.${field}`)
      try {
        const pruned = preserve ? { object, pruned: [] } : parts.prune(object)
        const nulled = preserve ? pruned.object : parts.dropNulls(pruned.object)
        const unknownEmbedded: string[] = []
        const coerced = parts.coerceEmbedded(nulled, unknownEmbedded)
        unknownFields.push(...pruned.pruned, ...unknownEmbedded.sort())
        const known = object.metadata === undefined ? coerced : { ...coerced, metadata: meta.metadata }
        return { object: asKube(known), unknownFields }
      } catch (error) {
        if (!(error instanceof MalformedMetadata)) throw error
        return { object: asKube(object), unknownFields: [], malformed: error.message }
      }
    },

    applyDefaults: (object) => parts.applyDefaults(object),

    validateCreate(object) {
      const wrongType = typeErrors(object, type)
      const errors = wrongType.length > 0 ? wrongType : [...metadataErrors(object, type), ...parts.values(object)]
      if (type.scale && wrongType.length === 0) {
        errors.push(...scaleSpecErrors(object, type.scale), ...scaleStatusErrors(object, type.scale))
      }
      return withRules([...errors, ...parts.embedded(object), ...parts.listTypes(object)], object)
    },

    validateRulesBeside(object, errors) {
      const broken = errors.filter((error) => BLOCKING.has(error.reason)).map(({ path }) => path)
      let complete = true
      const skip = (at: Path | undefined) => {
        const steps = stepsOf(at)
        const skipped = broken.some((path) => steps.every((step, i) => path[i] === step))
        if (skipped) complete = false
        return skipped
      }
      return { errors: rules()?.validate(object, undefined, undefined, skip).errors ?? [], complete }
    },

    validateUpdate(object, old) {
      const wrongType = typeErrors(object, type)
      const errors =
        wrongType.length > 0 ? wrongType : [...updateErrors(object, old, type), ...parts.values(object, old)]
      if (type.scale && wrongType.length === 0) {
        errors.push(...scaleSpecErrors(object, type.scale), ...scaleStatusErrors(object, type.scale))
      }
      return withRules([...errors, ...parts.embedded(object), ...parts.listTypes(object, old)], object, old)
    },

    validateStatusUpdate(object, old) {
      const wrongType = typeErrors(object, type)
      const errors =
        wrongType.length > 0 ? wrongType : [...updateErrors(object, old, type), ...parts.values(object, old, 'status')]
      if (type.scale && wrongType.length === 0) errors.push(...scaleStatusErrors(object, type.scale))
      return withRules([...errors, ...parts.listTypes(object, old)], object, old)
    },

    warnings(object, old) {
      const finalizers = finalizerWarnings(asObject(object.metadata), old && asObject(old.metadata))
      if (!old || !rules()) return finalizers
      if (forgiven.get(object)?.old !== old) withRules([], object, old)
      return [...(forgiven.get(object)?.warnings ?? []), ...finalizers]
    },
  }
}

/** The sentences of fieldValidation: what Strict refuses with after `strict decoding error: `, joined by commas. */
export function unknownFieldMessages(fields: readonly string[]): string[] {
  return fields.map((field) => `unknown field ${goQuote(field)}`)
}

/** Errors after which rules could meet values of types they were not compiled for. */
const BLOCKING = new Set<FieldErrorReason>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])

/** Told of an object as a whole: errors of its fields kept its rules from running. */
export const RULES_NOT_RUN = invalid(
  undefined,
  null,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)

/** An object without its parts checked; callers know it as one by its kind. */
function asKube(object: JsonObject): KubeObject & JsonObject {
  return object as KubeObject & JsonObject
}

function typeErrors(object: JsonObject, type: CustomResourceType): FieldError[] {
  const errors: FieldError[] = []
  const kind = text(object.kind)
  if (kind !== type.kind) errors.push(invalid(child(undefined, 'kind'), kind, `must be ${type.kind}`))
  const apiVersion = text(object.apiVersion)
  const expected = `${type.group}/${type.version}`
  if (apiVersion !== expected) {
    errors.push(invalid(child(undefined, 'apiVersion'), apiVersion, `must be ${expected}`))
  }
  return errors
}

function metadataErrors(object: JsonObject, type: CustomResourceType): FieldError[] {
  return validateObjectMeta(asObject(object.metadata), { namespaced: type.namespaced })
}

function updateErrors(object: JsonObject, old: JsonObject, type: CustomResourceType): FieldError[] {
  return objectMetaUpdateErrors(asObject(object.metadata), asObject(old.metadata), type.namespaced)
}
