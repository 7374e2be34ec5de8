import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { isArray, isObject } from '../json.ts'
import type { ResourceInfo } from '../resource.ts'
import { documentV3 } from './document-v3.ts'
import { KUBERNETES_VERSION } from './kubernetes.ts'
import { definitionName } from './names.ts'
import { perGroupVersion } from './per-group-version.ts'
import { publishedSchemaV2, schemaV2 } from './schema-v2.ts'

/** What one group version adds. */
interface Part {
  readonly paths: Readonly<Record<string, JsonObject>>
  readonly definitions: Readonly<Record<string, JsonObject>>
}

const partOf = perGroupVersion((resources): Part => {
  const v3 = documentV3(resources)
  const schemas = isObject(v3.components) ? v3.components.schemas : undefined
  const custom = resources.filter(({ builtIn }) => !builtIn).map((of) => [definitionName(of), publishedSchemaV2(of)])
  return {
    paths: Object.fromEntries(entries(v3.paths).map(([path, item]) => [path, pathV2(item)])),
    definitions: {
      ...Object.fromEntries(entries(schemas).map(([name, schema]) => [name, schemaV2(schema)])),
      ...Object.fromEntries(custom),
    },
  }
})

/** The OpenAPI v2 document of everything that is served. */
export function documentV2(groupVersions: readonly (readonly ResourceInfo[])[]): JsonObject {
  const paths: Record<string, JsonObject> = {}
  const definitions: Record<string, JsonObject> = {}
  for (const part of groupVersions.map(partOf)) {
    Object.assign(paths, part.paths)
    Object.assign(definitions, part.definitions)
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: KUBERNETES_VERSION },
    paths,
    definitions,
    securityDefinitions: {
      BearerToken: { description: 'Bearer Token authentication', type: 'apiKey', name: 'authorization', in: 'header' },
    },
    security: [{ BearerToken: [] }],
  }
}

function entries(value: JsonValue | undefined): [string, JsonObject][] {
  if (!isObject(value)) return []
  return Object.entries(value).filter((entry): entry is [string, JsonObject] => isObject(entry[1]))
}

function pathV2(item: JsonObject): JsonObject {
  const operations = entries(item).map(([verb, operation]) => [verb, operationV2(operation)] as const)
  return { ...Object.fromEntries(operations), parameters: parametersV2(item.parameters) }
}

function operationV2(operation: JsonObject): JsonObject {
  const { requestBody, parameters, responses, ...rest } = operation
  const body = isObject(requestBody) ? requestBody : undefined
  const consumes = body
    ? Object.keys(isObject(body.content) ? body.content : {})
    : ['application/json', 'application/yaml']
  const all = [...(body ? [bodyParameter(body)] : []), ...parametersV2(parameters)]
  return {
    ...rest,
    consumes,
    produces: ['application/json', 'application/yaml'],
    schemes: ['https'],
    ...(all.length > 0 && { parameters: all }),
    responses: Object.fromEntries(entries(responses).map(([code, response]) => [code, responseV2(response)])),
  }
}

function bodyParameter(body: JsonObject): JsonObject {
  const schema = schemaOfContent(body.content)
  return { name: 'body', in: 'body', ...(body.required === true && { required: true }), ...(schema && { schema }) }
}

function responseV2({ description, content }: JsonObject): JsonObject {
  const schema = schemaOfContent(content)
  return { description, ...(schema && { schema }) }
}

/** Whatever the type of the content, the schema is the same. */
function schemaOfContent(content: JsonValue | undefined): JsonObject | undefined {
  const [first] = entries(content)
  const schema = first?.[1].schema
  return isObject(schema) ? schemaV2(schema) : undefined
}

function parametersV2(parameters: JsonValue | undefined): JsonObject[] {
  if (!isArray(parameters)) return []
  return parameters
    .filter(isObject)
    .map(({ schema, ...parameter }) => ({ ...parameter, ...(isObject(schema) ? schema : {}) }))
}
