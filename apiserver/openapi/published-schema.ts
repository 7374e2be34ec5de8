import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { isArray, isObject } from '../json.ts'
import type { ResourceInfo } from '../resource.ts'
import { builtInDefinition, META } from './kubernetes.ts'
import { definitionName, V3_PREFIX } from './names.ts'

const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md'
const METADATA = `Standard object's metadata. More info: ${CONVENTIONS}#metadata`
const EMBEDDED_API_VERSION = `apiVersion defines the versioned schema of this representation of an object. More info: ${CONVENTIONS}#resources`
const EMBEDDED_KIND = `kind is a string value representing the type of this object. In CamelCase. More info: ${CONVENTIONS}#types-kinds`

/** The schema of a custom resource as OpenAPI v3 publishes it: its own, with what every object has. */
export function publishedSchema(resource: ResourceInfo): JsonObject {
  return {
    ...(resource.schema ? withObjectFields(published(resource.schema)) : { type: 'object' }),
    'x-kubernetes-group-version-kind': [groupVersionKind(resource, resource.kind)],
    ...selectableFields(resource),
  }
}

/** The schema of lists of a custom resource. */
export function publishedListSchema(resource: ResourceInfo): JsonObject {
  const { plural, kind, listKind } = resource
  return {
    description: `${listKind} is a list of ${kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...typeMeta(),
      items: {
        description: `List of ${plural}. More info: ${CONVENTIONS}`,
        type: 'array',
        items: { $ref: V3_PREFIX + definitionName(resource) },
      },
      metadata: reference('ListMeta', `Standard list metadata. More info: ${CONVENTIONS}#types-kinds`),
    },
    'x-kubernetes-group-version-kind': [groupVersionKind(resource, listKind)],
    ...selectableFields(resource),
  }
}

function groupVersionKind({ group, version }: ResourceInfo, kind: string): JsonObject {
  return { group, version, kind }
}

function selectableFields({ selectableFields }: ResourceInfo): JsonObject {
  if (selectableFields.length === 0) return {}
  return { 'x-kubernetes-selectable-fields': selectableFields.map((fieldPath) => ({ fieldPath })) }
}

function reference(kind: string, description: string): JsonObject {
  return { description, allOf: [{ $ref: `${V3_PREFIX}${META}.${kind}` }] }
}

/** `apiVersion` and `kind` as every Kubernetes kind describes them. */
function typeMeta(): { readonly apiVersion: JsonValue; readonly kind: JsonValue } {
  const properties = builtInDefinition('io.k8s.api.core.v1.ConfigMap')?.properties
  const { apiVersion = {}, kind = {} } = isObject(properties) ? properties : {}
  return { apiVersion, kind }
}

function withObjectFields(schema: JsonObject): JsonObject {
  const properties = isObject(schema.properties) ? schema.properties : {}
  return { ...schema, properties: { ...properties, ...typeMeta(), metadata: reference('ObjectMeta', METADATA) } }
}

/** A structural schema with its shorthands written out: int-or-string as anyOf, embedded resources with their fields. */
function published(schema: JsonObject): JsonObject {
  const result: Record<string, JsonValue | undefined> = { ...schema }
  for (const key in schema) if (schema[key] === false && key !== 'default' && key !== 'example') delete result[key]
  if (schema.additionalProperties === false) result.additionalProperties = false
  if (isObject(schema.properties)) result.properties = mapValues(schema.properties, published)
  if (isObject(schema.items)) result.items = published(schema.items)
  if (isObject(schema.additionalProperties)) result.additionalProperties = published(schema.additionalProperties)
  if (schema['x-kubernetes-int-or-string'] === true) unfoldIntOrString(schema, result)
  return schema['x-kubernetes-embedded-resource'] === true ? withEmbeddedFields(result) : result
}

const INT_OR_STRING: JsonValue = [{ type: 'integer' }, { type: 'string' }]

function unfoldIntOrString(schema: JsonObject, result: Record<string, JsonValue | undefined>): void {
  const { anyOf, allOf } = schema
  const [first] = isArray(allOf) ? allOf : []
  if (isIntOrString(anyOf) || (isObject(first) && isIntOrString(first.anyOf))) return
  if (anyOf === undefined) result.anyOf = INT_OR_STRING
  else result.allOf = [{ anyOf: INT_OR_STRING }, ...(isArray(allOf) ? allOf : [])]
}

function isIntOrString(anyOf: JsonValue | undefined): boolean {
  return isArray(anyOf) && anyOf.map((of) => (isObject(of) ? of.type : undefined)).join() === 'integer,string'
}

function withEmbeddedFields(schema: JsonObject): JsonObject {
  const { apiVersion, kind } = typeMeta()
  const required = isArray(schema.required) ? schema.required : []
  return {
    ...schema,
    properties: {
      ...(isObject(schema.properties) ? schema.properties : {}),
      apiVersion: { ...(apiVersion as JsonObject), description: EMBEDDED_API_VERSION },
      kind: { ...(kind as JsonObject), description: EMBEDDED_KIND },
      metadata: reference('ObjectMeta', METADATA),
    },
    required: [...required, ...['kind', 'apiVersion'].filter((name) => !required.includes(name))],
  }
}

export function mapValues(object: JsonObject, map: (value: JsonObject) => JsonValue): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, isObject(value) ? map(value) : value]))
}
