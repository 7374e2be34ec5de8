import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { isArray, isObject } from '../json.ts'
import type { ResourceInfo } from '../resource.ts'
import { V3_PREFIX } from './names.ts'
import { mapValues, publishedSchema } from './published-schema.ts'

/** Where OpenAPI v2 documents keep their schemas. */
const V2_PREFIX = '#/definitions/'

/** What OpenAPI v2 has no words for, or kubectl cannot read, by key. */
const NOT_IN_V2 = ['allOf', 'anyOf', 'oneOf', 'not', 'nullable', 'default']

/**
 * The schema of a custom resource as OpenAPI v2 publishes it. Where unknown fields are preserved nothing is said of the known
 * ones: kubectl would take them for all there are.
 */
export function publishedSchemaV2(resource: ResourceInfo): JsonObject {
  const { schema, preserveUnknownFields } = resource
  const published = publishedSchema(resource)
  if (!schema || preserveUnknownFields || schema['x-kubernetes-preserve-unknown-fields'] === true) {
    const { properties: _p, required: _r, ...rest } = published
    const extensions = Object.entries(rest).filter(
      ([key]) => key === 'x-kubernetes-group-version-kind' || key === 'x-kubernetes-selectable-fields',
    )
    return { type: 'object', ...Object.fromEntries(extensions) }
  }
  return schemaV2(published)
}

/** A published OpenAPI v3 schema as OpenAPI v2 has it. */
export function schemaV2(schema: JsonObject): JsonObject {
  const reference = soleReference(schema)
  const result: Record<string, JsonValue | undefined> = { ...schema }
  if (typeof schema.$ref === 'string') result.$ref = schema.$ref.replace(V3_PREFIX, V2_PREFIX)
  else if (reference !== undefined) result.$ref = reference.replace(V3_PREFIX, V2_PREFIX)
  const named = schema.oneOf !== undefined && schema.type === undefined && schema['x-kubernetes-int-or-string'] !== true
  for (const key of NOT_IN_V2) delete result[key]
  // Kubernetes' own quantities and int-or-strings are strings with a format there.
  if (named && isIntOrStringLike(schema)) result.type = 'string'

  const untyped = schema.nullable === true
  const preserving = schema['x-kubernetes-preserve-unknown-fields'] === true
  if (untyped || preserving) {
    delete result.items
    delete result.properties
  }
  if (untyped || (preserving && schema.type === 'object') || (schema.type === 'array' && result.items === undefined)) {
    delete result.type
  }
  const required = requiredV2(schema, result)
  if (required && required.length > 0) result.required = required
  else delete result.required
  if (preserving && schema['x-kubernetes-embedded-resource'] === true) dropEmbedded(schema, result)

  if (isObject(result.properties)) result.properties = mapValues(result.properties, schemaV2)
  if (isObject(result.items)) result.items = schemaV2(result.items)
  if (isObject(result.additionalProperties)) result.additionalProperties = schemaV2(result.additionalProperties)
  return result
}

function soleReference({ allOf }: JsonObject): string | undefined {
  const only = isArray(allOf) && allOf.length === 1 ? allOf[0] : undefined
  return isObject(only) && typeof only.$ref === 'string' ? only.$ref : undefined
}

function isIntOrStringLike({ oneOf }: JsonObject): boolean {
  return isArray(oneOf) && oneOf.some((of) => isObject(of) && of.type === 'string')
}

/** Fields that may be null are not required there. */
function requiredV2(schema: JsonObject, result: JsonObject): readonly JsonValue[] | undefined {
  const { additionalProperties, required } = schema
  if (!isArray(required)) return undefined
  if (isObject(additionalProperties) && additionalProperties.nullable === true) return undefined
  const { properties } = result
  if (!isObject(properties)) return required
  return required.filter((name) => {
    const property = typeof name === 'string' ? properties[name] : undefined
    return !(isObject(property) && property.nullable === true)
  })
}

/** What publishing added to an embedded resource is not said where unknown fields are preserved. */
function dropEmbedded(schema: JsonObject, result: Record<string, JsonValue | undefined>): void {
  if (!isArray(schema.required)) return
  const rest = schema.required.filter((name) => name !== 'kind' && name !== 'apiVersion')
  if (rest.length > 0) result.required = rest
  else delete result.required
}
