import { compileRules, RUNTIME_BUDGET } from '../../cel/rules.ts'
import type { JsonObject, JsonValue } from '../../metadata.ts'
import { compileEmbedded, compileEmbeddedCoercion, MalformedMetadata } from '../embedded.ts'
import { fieldError, invalid } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, key, type Path, stepsOf } from '../field-path.ts'
import { type Finding, fieldErrors } from '../findings.ts'
import { jsonEqual } from '../json.ts'
import { additionalSchema, type JsonSchema } from '../json-schema.ts'
import { compileValuePrune } from '../prune.ts'
import { compileCheck } from '../value-checks.ts'

/**
 * Everything wrong with the defaults of a structural schema: they must be pruned (where asked), fit their own schema, and hold
 * its rules. `path` leads to the schema.
 */
export function defaultErrors(schema: JsonSchema, path: Path | undefined, requirePruned: boolean): FieldError[] {
  const root = asWhole(schema)
  const check = new Defaults(requirePruned)
  check.visit(root, path, { root, steps: [] })
  return check.errors
}

/** Whether any default has fields that its schema does not know. */
export function hasUnprunedDefaults(schema: JsonSchema): boolean {
  const own = schema.default !== undefined && !isPruned(schema, schema.default)
  return own || [schema.items, ...Object.values(schema.properties ?? {})].some((sub) => sub && hasUnprunedDefaults(sub))
}

function isPruned(schema: JsonSchema, value: JsonValue): boolean {
  return jsonEqual(compileValuePrune(schema)(value, '', []), value)
}

function asWhole(schema: JsonSchema): JsonSchema {
  return schema['x-kubernetes-embedded-resource'] ? schema : { ...schema, 'x-kubernetes-embedded-resource': true }
}

/** Where a schema stands within the nearest whole object. */
interface Within {
  readonly root: JsonSchema
  /** Fields, and `undefined` for items, from that object down. */
  readonly steps: readonly (string | undefined)[]
}

const META = new Set(['metadata', 'apiVersion', 'kind'])

class Defaults {
  readonly errors: FieldError[] = []
  readonly #requirePruned: boolean
  #budget = RUNTIME_BUDGET

  constructor(requirePruned: boolean) {
    this.#requirePruned = requirePruned
  }

  /** Defaults below additionalProperties are refused elsewhere. */
  visit(schema: JsonSchema, path: Path | undefined, outer: Within): void {
    const within = schema['x-kubernetes-embedded-resource'] ? { root: schema, steps: [] } : outer
    if (schema.default !== undefined) this.#check(schema, schema.default, child(path, 'default'), within)
    if (this.#budget < 0) return
    const below = (step: string | undefined): Within => ({ ...within, steps: [...within.steps, step] })
    if (schema.items) this.visit(schema.items, child(path, 'items'), below(undefined))
    for (const [name, sub] of Object.entries(schema.properties ?? {})) {
      if (this.#budget < 0) return
      this.visit(sub, key(child(path, 'properties'), name), below(name))
    }
  }

  #check(schema: JsonSchema, value: JsonValue, path: Path, within: Within): void {
    const [first] = within.steps
    const problems =
      first !== undefined && META.has(first)
        ? metaProblems(value, path, within)
        : this.#ownProblems(schema, value, path)
    if (problems.length > 0) {
      this.errors.push(...problems)
      return
    }
    const findings: Finding[] = []
    compileCheck(withoutIntOrString(schema))(value, undefined, findings)
    if (findings.length > 0) this.errors.push(...fieldErrors(findings, path))
    else this.#rules(schema, value, path, schema === within.root)
  }

  /** An unpruned default is told, and checked further nevertheless. */
  #ownProblems(schema: JsonSchema, value: JsonValue, path: Path): FieldError[] {
    if (this.#requirePruned && !isPruned(schema, value)) {
      this.errors.push(invalid(path, value, 'must not have unknown fields'))
    }
    const coerced = coerce(schema, value)
    if (coerced instanceof MalformedMetadata) {
      const field = `${fieldError(path, 'FieldValueInvalid', '').field}.${coerced.field}`
      return [{ reason: 'FieldValueInvalid', field, path: stepsOf(path), message: coerced.sentence }]
    }
    const errors: FieldError[] = []
    compileEmbedded(schema)?.(coerced, path, errors)
    return errors
  }

  /** As a value that is created, and as one that stays as it was: rules with optionalOldSelf hold in both cases. */
  #rules(schema: JsonSchema, value: JsonValue, path: Path, root: boolean): void {
    const rules = compileRules(schema, root)
    if (!rules) return
    const kept = rules.validateValue(value, value, path, this.#budget)
    let { left } = kept
    this.errors.push(...kept.errors)
    if (kept.errors.length === 0) {
      const created = rules.validateValue(value, undefined, path, this.#budget)
      this.errors.push(...created.errors)
      left = Math.min(left, created.left)
    }
    this.#budget = left
  }
}

/** As upstream, defaults of int-or-string fields may be of any type. */
function withoutIntOrString(schema: JsonSchema): JsonSchema {
  const { items, properties } = schema
  const additional = additionalSchema(schema)
  const { 'x-kubernetes-int-or-string': _, ...rest } = schema
  return {
    ...rest,
    ...(items ? { items: withoutIntOrString(items) } : {}),
    ...(additional ? { additionalProperties: withoutIntOrString(additional) } : {}),
    ...(properties ? { properties: mapValues(properties, withoutIntOrString) } : {}),
  }
}

function mapValues<T>(object: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]))
}

/** A default within metadata must make good metadata of the whole. */
function metaProblems(value: JsonValue, path: Path, { root, steps }: Within): FieldError[] {
  const whole = surround(value, steps)
  const bad = (why: string): FieldError[] => [invalid(path, value, `must result in valid metadata: ${why}`)]
  const coerced = coerce(root, whole)
  if (coerced instanceof MalformedMetadata) return bad(coerced.message)
  const errors: FieldError[] = []
  compileEmbedded(root)?.(coerced, undefined, errors)
  const texts = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))]
  if (texts.length === 0) return []
  return bad(texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`)
}

function surround(value: JsonValue, steps: readonly (string | undefined)[]): JsonObject {
  const inner = steps.reduceRight<JsonValue>((below, step) => (step === undefined ? [below] : { [step]: below }), value)
  return { kind: 'Validation', apiVersion: 'validation/v1', ...(inner as JsonObject) }
}

function coerce(schema: JsonSchema, value: JsonValue): JsonValue | MalformedMetadata {
  try {
    return compileEmbeddedCoercion(schema)?.(value, '', []) ?? value
  } catch (error) {
    if (!(error instanceof MalformedMetadata)) throw error
    return error
  }
}
