import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { JsonObject, JsonValue } from '../../../crds/metadata.ts'
import type { FieldError } from '../../../crds/validation/field-error.ts'

/**
 * Questions to an API server about validation, and what Kubernetes 1.36 answered. Questions are written by hand in YAML; the
 * answers beside them (`*.gen.json`) were recorded from a real kube-apiserver by record.ts.
 */

const here = dirname(fileURLToPath(import.meta.url))

/** What a server makes of an object. Orders that differ between two runs of Kubernetes are sorted. */
export type Answer =
  | { readonly stored: JsonValue; readonly warnings?: readonly string[] }
  | { readonly causes: readonly string[]; readonly warnings?: readonly string[] }
  /** Refused before it was validated. */
  | { readonly refused: string }

/** Custom resources of one schema. */
export interface ObjectFile {
  readonly why: string
  readonly schema: JsonObject
  /** The schema when `old` objects were created. */
  readonly before?: JsonObject
  readonly subresources?: JsonObject
  readonly preserveUnknownFields?: boolean
  readonly cases: readonly ObjectCase[]
}

export interface ObjectCase {
  readonly why: string
  /** Without apiVersion, kind and name, which are added. */
  readonly object: JsonObject
  /** The object is an update of this one. */
  readonly old?: JsonObject
  /** The update is one of the status. */
  readonly status?: boolean
}

/** CustomResourceDefinitions, told by how they differ from a good one. */
export interface DefinitionFile {
  readonly why: string
  readonly cases: readonly DefinitionCase[]
}

export interface DefinitionCase {
  readonly why: string
  /** A merge patch of the good definition. */
  readonly crd?: JsonObject
  /** The schema of its only version. */
  readonly schema?: JsonValue
  /** Of this one it is an update; the same shorthands. */
  readonly old?: { readonly crd?: JsonObject; readonly schema?: JsonValue }
}

/** CEL expressions about values of one schema. */
export interface ExpressionFile {
  readonly why: string
  readonly schema: JsonObject
  readonly self: JsonValue
  readonly expressions: readonly string[]
}

/** What becomes of an expression as a rule. */
export interface ExpressionAnswer {
  /** Why it is no rule. */
  readonly error?: string
  /** That it costs too much, were there so many values. `times` was chosen so that it just does. */
  readonly cost?: { readonly times: number; readonly message: string }
  /** What its failing says of `self`; null where it holds. Absent where it cannot be tried. */
  readonly failure?: string | null
}

export function load<File>(folder: string): (File & { readonly name: string })[] {
  const names = readdirSync(join(here, folder)).filter((name) => name.endsWith('.yaml'))
  return names.sort().map((name) => ({
    ...(parse(readFileSync(join(here, folder, name), 'utf8')) as File),
    name: name.replace('.yaml', ''),
  }))
}

export function answersPath(folder: string, name: string): string {
  return join(here, folder, `${name}.gen.json`)
}

export function answers<One>(folder: string, name: string): readonly One[] {
  return JSON.parse(readFileSync(answersPath(folder, name), 'utf8')) as One[]
}

/**
 * What expressions cost when they ran once over `self`. Servers do not tell: this was recorded from cel-go as Kubernetes 1.36
 * sets it up. Expressions whose cost depends on the random order of Go's maps are left out. Undefined where none of a file runs.
 */
export function runtimeCosts(name: string): Readonly<Record<string, number>> | undefined {
  if (!readdirSync(join(here, 'expressions')).includes(`${name}.costs.gen.json`)) return undefined
  return JSON.parse(readFileSync(join(here, 'expressions', `${name}.costs.gen.json`), 'utf8')) as Record<string, number>
}

/** Errors as answers tell them. */
export function causesOf(errors: readonly FieldError[]): string[] {
  return sortedSet(errors.map(({ field, reason, message }) => causeText(field, reason, message)))
}

/** Kubernetes validates the metadata of updates more than once, and tells it as often. */
export function sortedSet(causes: readonly string[]): string[] {
  return [...new Set(causes)].sort()
}

export function causeText(field: string, reason: string, message: string): string {
  // Go numbers its types anew in each run.
  return `${field} | ${reason} | ${message.replace(/selfType\d+/g, 'selfType')}`
}

export const GROUP = 'corpus.weir.dev'

/** An object's metadata without what differs from run to run. */
export function lastingMetadata(metadata: JsonObject): JsonObject {
  const { uid, creationTimestamp, resourceVersion, generation, managedFields, name, namespace, ...lasting } = metadata
  return lasting
}

/** A definition that is right, for kind Thing. */
export function goodDefinition(schema: JsonValue | undefined, group = GROUP): JsonObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema ?? { type: 'object', properties: { spec: { type: 'object' } } } },
        },
      ],
    },
  }
}

/** A rule that is the expression; several lines need a message. */
export function ruleOf(expression: string): JsonObject {
  return expression.includes('\n') ? { rule: expression, message: 'several lines' } : { rule: expression }
}

/** A place for values of the schema that the expression is a rule of; `times` of them where it is told. */
export function ruleSchema(schema: JsonObject, expression: string, times?: number): JsonObject {
  const ruled = { ...schema, 'x-kubernetes-validations': [ruleOf(expression)] }
  return times === undefined ? ruled : { type: 'object', maxProperties: times, additionalProperties: ruled }
}

/** RFC 7386. */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch
  const merged: Record<string, JsonValue | undefined> = { ...(isObject(target) ? target : {}) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete merged[key]
    else merged[key] = mergePatch(merged[key], value)
  }
  return merged
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The definition that a case speaks of. */
export function definitionOf(from: { readonly crd?: JsonObject; readonly schema?: JsonValue }): JsonObject {
  const merged = mergePatch(goodDefinition(from.schema), from.crd ?? {})
  return isObject(merged) ? merged : {}
}
