import { compileRulesAt } from '../../../crds/cel/rule.ts'
import { schemaValue } from '../../../crds/cel/values/schema-values.ts'
import type { JsonObject, JsonValue } from '../../../crds/metadata.ts'
import {
  customResourceDefinitionWarnings,
  decodeCustomResourceDefinition,
  defaultCustomResourceDefinition,
  validateCustomResourceDefinition,
} from '../../../crds/validation/crd.ts'
import { compileCustomResource, unknownFieldMessages } from '../../../crds/validation/custom-resource.ts'
import { asSchema } from '../../../crds/validation/json-schema.ts'
import {
  type Answer,
  causesOf,
  type DefinitionCase,
  definitionOf,
  type ExpressionAnswer,
  type ExpressionFile,
  GROUP,
  goodDefinition,
  lastingMetadata,
  type ObjectCase,
  type ObjectFile,
  ruleOf,
  ruleSchema,
} from './corpus.ts'

/** What we make of an object, the way an API server goes about it. */
export function ourAnswer(file: ObjectFile, one: ObjectCase): Answer {
  const validator = compile(file, file.schema)
  const has = (subresource: string): boolean => file.subresources?.[subresource] !== undefined
  const old = one.old && stored(file, one.old)
  const object = named(one.object, one.status !== undefined || one.old ? old : undefined)
  const decoded = validator.decode(object)
  if (decoded.malformed !== undefined) return unreadable('Thing', decoded.malformed)
  const defaulted = validator.applyDefaults(decoded.object)
  const entering = entered(defaulted, old, one.status === true, has('status'))
  const errors = old
    ? one.status
      ? validator.validateStatusUpdate(entering, old)
      : validator.validateUpdate(entering, old)
    : validator.validateCreate(entering)
  const unknown = unknownFieldMessages(decoded.unknownFields)
  const warnings = validator.warnings(entering, old)
  // Kubernetes tells forgiven rules at once, and finalizers only where all is well.
  const forgiven = warnings.filter((text) => !text.startsWith('metadata.finalizers'))
  if (errors.length > 0) return { causes: causesOf(errors), ...warned([...unknown, ...forgiven]) }
  return { stored: lasting(entering), ...warned([...unknown, ...warnings]) }
}

function warned(warnings: readonly string[]): { readonly warnings?: readonly string[] } {
  return warnings.length > 0 ? { warnings } : {}
}

function unreadable(kind: string, why: string): Answer {
  return { refused: `${kind} in version "v1" cannot be handled as a ${kind}: ${why}` }
}

const compiled = new WeakMap<JsonObject, ReturnType<typeof compileCustomResource>>()

/** Once for each schema. */
function compile(file: ObjectFile, schema: JsonObject) {
  const known = compiled.get(schema) ?? compileNew(file, schema)
  compiled.set(schema, known)
  return known
}

function compileNew(file: ObjectFile, schema: JsonObject) {
  const scale = file.subresources?.scale as Parameters<typeof compileCustomResource>[0]['scale']
  return compileCustomResource({
    group: GROUP,
    version: 'v1',
    kind: 'Thing',
    namespaced: true,
    schema,
    ...(file.preserveUnknownFields ? { preserveUnknownFields: true } : {}),
    ...(scale ? { scale } : {}),
  })
}

function named(object: JsonObject, old?: JsonObject): JsonObject {
  const identity = { name: 'one', namespace: 'default' }
  const before = old ? (old.metadata as JsonObject) : {}
  const { uid, creationTimestamp, resourceVersion, generation } = before
  const known = old ? { uid, creationTimestamp, resourceVersion, generation } : {}
  const metadata = { ...identity, ...known, ...(object.metadata as JsonObject | undefined) }
  return { apiVersion: `${GROUP}/v1`, kind: 'Thing', ...object, metadata }
}

/** An object as it is in the store, read under today's schema. */
function stored(file: ObjectFile, old: JsonObject): JsonObject {
  const created = compile(file, file.before ?? file.schema)
  const object = created.applyDefaults(created.decode(named(old)).object)
  const today = compile(file, file.schema)
  const read = today.applyDefaults(today.decode(object).object)
  const metadata = { ...(read.metadata as JsonObject), uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' }
  return { ...read, metadata: { ...metadata, resourceVersion: '1', generation: 1 } }
}

/** Creates have no status, updates keep it, and updates of the status keep all else. */
function entered(object: JsonObject, old: JsonObject | undefined, status: boolean, hasStatus: boolean): JsonObject {
  if (status && old) {
    const { status: kept, ...rest } = old
    return object.status === undefined ? rest : { ...rest, status: object.status }
  }
  if (!hasStatus) return object
  const { status: given, ...rest } = object
  return old?.status === undefined ? rest : { ...rest, status: old.status }
}

function lasting(object: JsonObject): JsonValue {
  const { apiVersion, kind, metadata, ...rest } = object
  const left = lastingMetadata(metadata as JsonObject)
  return Object.keys(left).length > 0 ? { ...rest, metadata: left } : rest
}

/** What we make of a definition. */
export function ourDefinitionAnswer(one: DefinitionCase): Answer {
  const old = one.old && established(definitionOf(one.old))
  const written = definitionOf(one)
  const before = old?.metadata as JsonObject | undefined
  const metadata = { ...(written.metadata as JsonObject), ...before }
  const decoded = decodeCustomResourceDefinition(old ? { ...written, metadata } : written)
  if (decoded.malformed !== undefined) return unreadable('CustomResourceDefinition', decoded.malformed)
  const crd = defaultCustomResourceDefinition(decoded.object)
  const errors = validateCustomResourceDefinition(old ? { ...crd, status: withStored(crd, old) } : crd, old)
  const unknown = unknownFieldMessages(decoded.unknownFields)
  if (errors.length > 0) return { causes: causesOf(errors), ...warned(unknown) }
  const warnings = customResourceDefinitionWarnings(crd, old)
  return { stored: crd.spec as JsonValue, ...warned([...unknown, ...warnings]) }
}

function established(crd: JsonObject): JsonObject {
  const known = defaultCustomResourceDefinition(decodeCustomResourceDefinition(crd).object)
  const metadata = { ...(known.metadata as JsonObject), uid: 'u', resourceVersion: '1', generation: 1 }
  const conditions = [{ type: 'Established', status: 'True' }]
  return { ...known, metadata, status: { ...(known.status as JsonObject), conditions } }
}

/** The storage version is added to what was stored before. */
function withStored(crd: JsonObject, old: JsonObject): JsonObject {
  const status = old.status as JsonObject
  const before = (status.storedVersions ?? []) as string[]
  const now = ((crd.status as JsonObject | undefined)?.storedVersions ?? []) as string[]
  return { ...status, storedVersions: [...new Set([...before, ...now])] }
}

/** What we make of an expression as a rule; `times` as in the answer it is compared with. */
export function ourExpressionAnswer(file: ExpressionFile, expression: string, times?: number): ExpressionAnswer {
  const [compiled] = compileRulesAt([ruleOf(expression)], asSchema(file.schema), false)
  if (compiled?.error !== undefined)
    return { error: definitionMessages(ruleSchema(file.schema, expression, 1))[0] ?? '' }
  const [message] = times === undefined ? [] : definitionMessages(ruleSchema(file.schema, expression, times))
  const cost = times === undefined || message === undefined ? {} : { cost: { times, message } }
  return isTried(expression, file) ? { ...cost, failure: failure(file, expression) } : cost
}

/** How many values a rule may just not have. */
export function timesOf(file: ExpressionFile, expression: string): number | undefined {
  const [compiled] = compileRulesAt([ruleOf(expression)], asSchema(file.schema), false)
  if (!compiled || compiled.error !== undefined || compiled.maxCost === 0) return undefined
  return Math.floor(10_000_000 / compiled.maxCost) + 1
}

/** Whether the rule can be tried on a new object: it costs not too much for one, and does not ask what was before. */
export function isTried(expression: string, file: ExpressionFile): boolean {
  const [compiled] = compileRulesAt([ruleOf(expression)], asSchema(file.schema), false)
  return !!compiled && compiled.error === undefined && !compiled.transition && compiled.maxCost <= 10_000_000
}

/** What the expression costs when it runs over the file's value. */
export function runtimeCost(file: ExpressionFile, expression: string): number | undefined {
  const [compiled] = compileRulesAt([ruleOf(expression)], asSchema(file.schema), false)
  return compiled?.program?.run([schemaValue(file.self, asSchema(file.schema))], 1_000_000).cost
}

/** What is told at the rule itself. */
function definitionMessages(schema: JsonObject): string[] {
  const crd = defaultCustomResourceDefinition(goodDefinition({ type: 'object', properties: { p: schema } }))
  return validateCustomResourceDefinition(crd)
    .filter(({ field, message }) => field.endsWith('[0].rule') && !message.includes('contributed to'))
    .map(({ message }) => message.replace(/selfType\d+/g, 'selfType'))
}

function failure(file: ExpressionFile, expression: string): string | null {
  const schema = { type: 'object', properties: { p: ruleSchema(file.schema, expression) } }
  const validator = compile({ why: '', cases: [], schema }, schema)
  const [error] = validator.validateCreate(named({ p: file.self }))
  return error ? error.message : null
}
