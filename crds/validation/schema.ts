import type { JsonObject, JsonValue } from '../metadata.ts'
import { Correlation } from './correlation.ts'
import { compileDefaults, compileNullPrune } from './defaults.ts'
import { compileEmbedded, compileEmbeddedCoercion } from './embedded.ts'
import type { FieldError } from './field-error.ts'
import { type Path, pathOf } from './field-path.ts'
import { type Finding, fieldErrors } from './findings.ts'
import { asSchema, type JsonSchema } from './json-schema.ts'
import { compileListTypes } from './list-types.ts'
import { compilePrune } from './prune.ts'
import { compileCheck, ratcheted } from './value-checks.ts'

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
export function compileSchema(openAPIV3Schema: JsonObject): CompiledSchema {
  const parts = schemaParts(asSchema(openAPIV3Schema))
  return {
    prune: parts.prune,
    applyDefaults: parts.applyDefaults,
    validate: (object, old) => [
      ...parts.values(object, old),
      ...parts.embedded(object),
      ...parts.listTypes(object, old),
    ],
  }
}

/** The steps that a compiled schema is made of, for those who need them apart and in upstream's order. Compiled when used. */
export interface SchemaParts {
  prune(object: JsonObject): Pruned
  /** Drops nulls that neither may be nor have a default. */
  dropNulls(object: JsonObject): JsonObject
  /** Coerces metadata of embedded resources; throws MalformedMetadata. */
  coerceEmbedded(object: JsonObject, unknown: string[]): JsonObject
  applyDefaults(object: JsonObject): JsonObject
  /** Types and values; `at`: only the part there, errors named from the root. */
  values(object: JsonObject, old?: JsonObject, at?: string): FieldError[]
  embedded(object: JsonObject): FieldError[]
  listTypes(object: JsonObject, old?: JsonObject): FieldError[]
}

export function schemaParts(schema: JsonSchema): SchemaParts {
  const prune = once(() => compilePrune(schema))
  const dropNulls = once(() => compileNullPrune(schema))
  const coerce = once(() => compileEmbeddedCoercion(schema))
  const defaults = once(() => compileDefaults(schema))
  const values = once(() => valuesOf(schema, undefined))
  const below = new Map<string, ReturnType<typeof valuesOf>>()
  const embedded = once(() => compileEmbedded(schema))
  const lists = once(() => compileListTypes(schema))

  const run = (check: ReturnType<typeof compileListTypes>, object: JsonObject): FieldError[] => {
    const errors: FieldError[] = []
    check?.(object, undefined, errors)
    return errors
  }
  return {
    prune(object) {
      const pruned: string[] = []
      return { object: prune()(object, '', pruned) as JsonObject, pruned: pruned.sort() }
    },
    dropNulls: (object) => dropNulls()(object) as JsonObject,
    coerceEmbedded: (object, unknown) => (coerce()?.(object, '', unknown) ?? object) as JsonObject,
    applyDefaults: (object) => (defaults()?.(object) ?? object) as JsonObject,
    values(object, old, at) {
      if (at === undefined) return values()(object, old)
      const part = schema.properties?.[at]
      const value = object[at]
      if (value === undefined || !part) return []
      const check = below.get(at) ?? valuesOf(part, pathOf([at]))
      below.set(at, check)
      return check(value, old?.[at])
    },
    embedded: (object) => run(embedded(), object),
    // A list that was not unique before the update may stay so.
    listTypes: (object, old) => (old && run(lists(), old).length > 0 ? [] : run(lists(), object)),
  }
}

function valuesOf(schema: JsonSchema, base: Path | undefined): (value: JsonValue, old?: JsonValue) => FieldError[] {
  const check = compileCheck(schema)
  const changed = ratcheted(check)
  return (value, old) => {
    const findings: Finding[] = []
    if (old === undefined) check(value, undefined, findings)
    else changed(value, undefined, findings, new Correlation(value, old, schema))
    return findings.length > 0 ? fieldErrors(findings, base) : []
  }
}

/** Made when first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
