import { type FieldSet, fieldSetOf } from '../../crds/fieldmanager/field-set.ts'
import { type ObjectType, objectType } from '../../crds/fieldmanager/object-type.ts'
import type { FieldScope } from '../../crds/fieldmanager/request.ts'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { isArray, isObject } from '../json.ts'
import { builtInDefinition } from '../openapi/kubernetes.ts'
import type { ResourceInfo } from '../resource.ts'

export type Subresource = '' | 'status' | 'scale' | 'finalize' | 'approval'

const STATUS = fieldSetOf(['status'])
const METADATA_AND_SPEC = fieldSetOf(['metadata'], ['spec'])
const SPEC = fieldSetOf(['spec'])

const scopes = new WeakMap<ResourceInfo, Map<Subresource, FieldScope>>()

/**
 * The field manager's view of one endpoint. A change through `scale` is tracked as a change of the resource itself, marked with the
 * subresource: what Kubernetes makes of it in the end. `versions` are all served versions of the resource, `resource` among them.
 * Scopes are cached by `resource`, a new one of which comes with every change of its CRD: ask anew on every request.
 */
export function fieldScope(
  resource: ResourceInfo,
  versions: readonly ResourceInfo[],
  subresource: Subresource,
): FieldScope {
  let byName = scopes.get(resource)
  if (!byName) {
    byName = new Map()
    scopes.set(resource, byName)
  }
  let scope = byName.get(subresource)
  if (!scope) {
    scope = resourceScope(resource, versions, subresource)
    byName.set(subresource, scope)
  }
  return scope
}

function resourceScope(
  resource: ResourceInfo,
  versions: readonly ResourceInfo[],
  subresource: Subresource,
): FieldScope {
  const types = new Map<string, ObjectType>()
  const reset = new Map<string, FieldSet>()
  for (const version of versions) {
    const apiVersion = apiVersionOf(version)
    types.set(apiVersion, typeOfResource(version))
    const fields = resetFields(version, subresource)
    // A main endpoint knows what it resets at its own version only; a status endpoint at every version.
    if (fields && (subresource === 'status' || version.version === resource.version)) reset.set(apiVersion, fields)
  }
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    subresource,
    typeOf: (apiVersion) => types.get(apiVersion),
    resetFields: (apiVersion) => reset.get(apiVersion),
    emptyObject: emptyObject(resource),
    emptyListResets: resource.builtIn,
  }
}

function emptyObject(resource: ResourceInfo): KubeObject {
  const { kind, schema, builtIn } = resource
  const parts = builtIn && schema ? structsOf(schema) : {}
  return { ...parts, apiVersion: apiVersionOf(resource), kind, metadata: {} } as KubeObject
}

/** The fields that are structs in Go, not pointers: no object is without them. OpenAPI gives those an empty default. */
function structsOf(schema: JsonObject): JsonObject {
  const properties = isObject(schema.properties) ? schema.properties : {}
  const parts: Record<string, JsonObject> = {}
  for (const [name, of] of Object.entries(properties)) {
    if (!isObject(of) || !isObject(of.default) || Object.keys(of.default).length > 0) continue
    const [only] = isArray(of.allOf) ? of.allOf : []
    const ref = isObject(only) && typeof only.$ref === 'string' ? only.$ref : ''
    parts[name] = structsOf(builtInDefinition(ref.slice(ref.lastIndexOf('/') + 1)) ?? {})
  }
  return parts
}

function apiVersionOf({ group, version }: ResourceInfo): string {
  return group === '' ? version : `${group}/${version}`
}

function typeOfResource(resource: ResourceInfo): ObjectType {
  return objectType(resource.schema, {
    preserveUnknownFields: resource.preserveUnknownFields,
    ...(resource.builtIn && { definitions: builtInDefinition }),
  })
}

/** What Kubernetes' strategies put back before they store an object. */
function resetFields(resource: ResourceInfo, subresource: Subresource): FieldSet | undefined {
  // A Scale changes the replicas alone.
  if (!resource.hasStatus || subresource === 'scale') return undefined
  if (subresource !== 'status') return STATUS
  return resource.builtIn ? SPEC : METADATA_AND_SPEC
}
