import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { isArray, isObject } from '../json.ts'
import type { ResourceInfo } from '../resource.ts'
import { builtInDefinition, KUBERNETES_VERSION } from './kubernetes.ts'
import { definitionName, listDefinitionName, V3_PREFIX } from './names.ts'
import { resourcePaths } from './operations.ts'
import { publishedListSchema, publishedSchema } from './published-schema.ts'

/** What one resource adds to the document of its group version. */
interface ResourcePart {
  readonly paths: Readonly<Record<string, JsonObject>>
  readonly schemas: Readonly<Record<string, JsonObject>>
}

const parts = new WeakMap<ResourceInfo, ResourcePart>()

/** Computed once per resource: a CRD's change makes new ResourceInfos for that CRD alone. */
function partOf(resource: ResourceInfo): ResourcePart {
  let part = parts.get(resource)
  if (!part) {
    part = { paths: resourcePaths(resource), schemas: ownSchemas(resource) }
    parts.set(resource, part)
  }
  return part
}

function ownSchemas(resource: ResourceInfo): Record<string, JsonObject> {
  const name = definitionName(resource)
  const listName = listDefinitionName(resource)
  if (!resource.builtIn) return { [name]: publishedSchema(resource), [listName]: publishedListSchema(resource) }
  const found = [name, listName].map((of) => [of, builtInDefinition(of)] as const)
  return Object.fromEntries(found.filter((entry): entry is [string, JsonObject] => entry[1] !== undefined))
}

/** The OpenAPI v3 document of one group version. */
export function documentV3(resources: readonly ResourceInfo[]): JsonObject {
  const custom = resources.some(({ builtIn }) => !builtIn)
  const paths: Record<string, JsonObject> = {}
  const schemas: Record<string, JsonObject> = {}
  for (const resource of resources) {
    const part = partOf(resource)
    Object.assign(paths, part.paths)
    Object.assign(schemas, part.schemas)
  }
  for (const name of references(paths)) addDefinition(name, schemas)
  for (const schema of Object.values({ ...schemas }))
    for (const name of references(schema)) addDefinition(name, schemas)
  return {
    openapi: '3.0.0',
    info: custom
      ? { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' }
      : { title: 'Kubernetes', version: KUBERNETES_VERSION },
    paths: sortedByKey(paths),
    components: { schemas: sortedByKey(schemas) },
  }
}

/** Adds a shared definition with all that it refers to. */
function addDefinition(name: string, schemas: Record<string, JsonObject>): void {
  if (Object.hasOwn(schemas, name)) return
  const definition = builtInDefinition(name)
  if (!definition) return
  schemas[name] = definition
  for (const other of references(definition)) addDefinition(other, schemas)
}

function references(value: JsonValue | undefined, found = new Set<string>()): Set<string> {
  if (isArray(value)) for (const item of value) references(item, found)
  else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (key === '$ref' && typeof item === 'string') found.add(item.slice(V3_PREFIX.length))
      else references(item, found)
    }
  }
  return found
}

function sortedByKey<T>(object: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
}
