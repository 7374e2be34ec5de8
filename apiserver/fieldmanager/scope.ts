import { type FieldSet, fieldSetOf } from '../../crds/fieldmanager/field-set.ts'
import { type ObjectType, objectType } from '../../crds/fieldmanager/object-type.ts'
import type { FieldScope } from '../../crds/fieldmanager/request.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import { builtInDefinition } from '../openapi/openapi.ts'
import type { ResourceInfo } from '../resource.ts'

export type Subresource = '' | 'status' | 'scale' | 'finalize' | 'approval'

/** autoscaling/v1 Scale, as far as merging goes. */
const SCALE_SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { replicas: { type: 'integer' } } },
    status: { type: 'object', properties: { replicas: { type: 'integer' }, selector: { type: 'string' } } },
  },
}

const STATUS = fieldSetOf(['status'])
const METADATA_AND_SPEC = fieldSetOf(['metadata'], ['spec'])
const SPEC = fieldSetOf(['spec'])

const scopes = new WeakMap<ResourceInfo, Map<Subresource, FieldScope>>()

/**
 * The field manager's view of one endpoint. `versions` are all served versions of the resource, `resource` among them.
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
    scope = subresource === 'scale' ? scaleScope() : resourceScope(resource, versions, subresource)
    byName.set(subresource, scope)
  }
  return scope
}

function scaleScope(): FieldScope {
  const type = objectType(SCALE_SCHEMA)
  const typeOf = (apiVersion: string): ObjectType | undefined => (apiVersion === 'autoscaling/v1' ? type : undefined)
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    subresource: 'scale',
    typeOf,
    resetFields: () => undefined,
    emptyListResets: false,
  }
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
    emptyListResets: resource.builtIn,
  }
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
  if (!resource.hasStatus) return undefined
  if (subresource !== 'status') return STATUS
  return resource.builtIn ? SPEC : METADATA_AND_SPEC
}
