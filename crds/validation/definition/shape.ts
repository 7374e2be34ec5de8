import type { JsonValue } from '../../metadata.ts'
import { type Fields, type Into, readGo, type Shape, start, Unreadable } from '../go-struct.ts'
import { isArray, isObject } from '../json.ts'
import { OBJECT_META } from '../metadata-shape.ts'

/** The Go structs of `apiextensions.k8s.io/v1`, as far as reading them needs. */

const text = (type = 'string'): Shape => ({ kind: 'string', type })
const kept = (type = 'string'): Shape => ({ kind: 'string', type, keep: true })
const textPointer: Shape = { kind: 'string', type: 'string', pointer: true }
const bool: Shape = { kind: 'bool', type: 'bool' }
const keptBool: Shape = { kind: 'bool', type: 'bool', keep: true }
const boolPointer: Shape = { kind: 'bool', type: 'bool', pointer: true }
const floatPointer: Shape = { kind: 'float64', type: 'float64', pointer: true }
const int64Pointer: Shape = { kind: 'int64', type: 'int64', pointer: true }
const int64: Shape = { kind: 'int64', type: 'int64' }
const json: Shape = { kind: 'json', type: 'v1.JSON' }
const texts: Shape = { kind: 'list', of: text(), type: '[]string' }

const struct = (type: string, fields: () => Fields): Shape => ({ kind: 'struct', type, fields })
const listOf = (of: Shape): Shape => ({ kind: 'list', of, type: `[]${typeOf(of)}` })
const keptListOf = (of: Shape): Shape => ({ kind: 'list', of, type: `[]${typeOf(of)}`, keep: true })
const mapOf = (of: Shape): Shape => ({ kind: 'map', of, type: `map[string]${typeOf(of)}` })

function typeOf(shape: Shape): string {
  return shape.kind === 'own' ? '' : shape.type
}

const RULE = struct('v1.ValidationRule', () => ({
  rule: kept(),
  message: text(),
  messageExpression: text(),
  reason: { kind: 'string', type: 'v1.FieldValueErrorReason', pointer: true },
  fieldPath: text(),
  optionalOldSelf: boolPointer,
}))

const SCHEMA = struct('v1.JSONSchemaProps', () => SCHEMA_FIELDS)
const SCHEMAS = mapOf(SCHEMA)

/** What unmarshals itself starts anew below, and nobody learns of unknown fields there. */
function apart(value: JsonValue, shape: Shape, into: Into): JsonValue | undefined {
  return readGo(value, shape, { ...into, unknown: [] })
}

const schemaOrBool: Shape = {
  kind: 'own',
  read(value, into) {
    if (isObject(value)) return apart(value, SCHEMA, into)
    if (typeof value === 'boolean') return value
    throw new Unreadable('boolean or JSON schema expected')
  },
}

const schemaOrArray: Shape = {
  kind: 'own',
  read: (value, into) => orList(value, listOf(SCHEMA), into),
}

const schemaOrStrings: Shape = {
  kind: 'own',
  read: (value, into) => orList(value, texts, into) ?? null,
}

function orList(value: JsonValue, list: Shape, into: Into): JsonValue | undefined {
  if (isObject(value)) return apart(value, SCHEMA, into)
  return isArray(value) ? apart(value, list, into) : undefined
}

const SCHEMA_FIELDS: Fields = {
  id: text(),
  $schema: text('v1.JSONSchemaURL'),
  $ref: textPointer,
  description: text(),
  type: text(),
  format: text(),
  title: text(),
  default: json,
  maximum: floatPointer,
  exclusiveMaximum: bool,
  minimum: floatPointer,
  exclusiveMinimum: bool,
  maxLength: int64Pointer,
  minLength: int64Pointer,
  pattern: text(),
  maxItems: int64Pointer,
  minItems: int64Pointer,
  uniqueItems: bool,
  multipleOf: floatPointer,
  enum: listOf(json),
  maxProperties: int64Pointer,
  minProperties: int64Pointer,
  required: texts,
  items: schemaOrArray,
  allOf: listOf(SCHEMA),
  oneOf: listOf(SCHEMA),
  anyOf: listOf(SCHEMA),
  not: SCHEMA,
  properties: SCHEMAS,
  additionalProperties: schemaOrBool,
  patternProperties: SCHEMAS,
  dependencies: { kind: 'map', of: schemaOrStrings, type: 'v1.JSONSchemaDependencies' },
  additionalItems: schemaOrBool,
  definitions: { kind: 'map', of: SCHEMA, type: 'v1.JSONSchemaDefinitions' },
  externalDocs: struct('v1.ExternalDocumentation', () => ({ description: text(), url: text() })),
  example: json,
  nullable: bool,
  'x-kubernetes-preserve-unknown-fields': boolPointer,
  'x-kubernetes-embedded-resource': bool,
  'x-kubernetes-int-or-string': bool,
  'x-kubernetes-list-map-keys': texts,
  'x-kubernetes-list-type': textPointer,
  'x-kubernetes-map-type': textPointer,
  'x-kubernetes-validations': { kind: 'list', of: RULE, type: 'v1.ValidationRules' },
}

const NAMES: Fields = {
  plural: kept(),
  singular: text(),
  shortNames: texts,
  kind: kept(),
  listKind: text(),
  categories: texts,
}

const names = struct('v1.CustomResourceDefinitionNames', () => NAMES)

const VERSION = struct('v1.CustomResourceDefinitionVersion', () => ({
  name: kept(),
  served: keptBool,
  storage: keptBool,
  deprecated: bool,
  deprecationWarning: textPointer,
  schema: struct('v1.CustomResourceValidation', () => ({ openAPIV3Schema: SCHEMA })),
  subresources: struct('v1.CustomResourceSubresources', () => ({
    status: struct('v1.CustomResourceSubresourceStatus', () => ({})),
    scale: struct('v1.CustomResourceSubresourceScale', () => ({
      specReplicasPath: kept(),
      statusReplicasPath: kept(),
      labelSelectorPath: textPointer,
    })),
  })),
  additionalPrinterColumns: listOf(
    struct('v1.CustomResourceColumnDefinition', () => ({
      name: kept(),
      type: kept(),
      format: text(),
      description: text(),
      priority: { kind: 'int32', type: 'int32' },
      jsonPath: kept(),
    })),
  ),
  selectableFields: listOf(struct('v1.SelectableField', () => ({ jsonPath: kept() }))),
}))

const CLIENT_CONFIG = struct('v1.WebhookClientConfig', () => ({
  url: textPointer,
  service: struct('v1.ServiceReference', () => ({
    namespace: kept(),
    name: kept(),
    path: textPointer,
    port: { kind: 'int32', type: 'int32', pointer: true },
  })),
  caBundle: { kind: 'bytes', type: '[]uint8' },
}))

const SPEC = struct('v1.CustomResourceDefinitionSpec', () => ({
  group: kept(),
  names,
  scope: kept('v1.ResourceScope'),
  versions: keptListOf(VERSION),
  conversion: struct('v1.CustomResourceConversion', () => ({
    strategy: kept('v1.ConversionStrategyType'),
    webhook: struct('v1.WebhookConversion', () => ({
      clientConfig: CLIENT_CONFIG,
      conversionReviewVersions: keptListOf(text()),
    })),
  })),
  preserveUnknownFields: bool,
}))

const CONDITION = struct('v1.CustomResourceDefinitionCondition', () => ({
  type: kept('v1.CustomResourceDefinitionConditionType'),
  status: kept('v1.ConditionStatus'),
  lastTransitionTime: { kind: 'time', type: 'v1.Time' },
  reason: text(),
  message: text(),
  observedGeneration: int64,
}))

const DEFINITION = struct('v1.CustomResourceDefinition', () => ({
  apiVersion: text(),
  kind: text(),
  metadata: OBJECT_META,
  spec: SPEC,
  status: struct('v1.CustomResourceDefinitionStatus', () => ({
    conditions: keptListOf(CONDITION),
    acceptedNames: names,
    storedVersions: keptListOf(text()),
    observedGeneration: int64,
  })),
}))

/** What reading a definition gives. */
export type ReadDefinition =
  | { readonly ok: true; readonly value: JsonValue; readonly unknown: readonly string[] }
  /** Why it cannot be read at all, in encoding/json's words. */
  | { readonly ok: false; readonly error: string }

/** Reads a CustomResourceDefinition as Go does. Unknown fields are told in the order they are written. */
export function readDefinition(value: JsonValue): ReadDefinition {
  const unknown: string[] = []
  try {
    return { ok: true, value: readGo(value, DEFINITION, start(unknown, false)) ?? {}, unknown }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return { ok: false, error: error.message }
  }
}
