import { applyPatch } from '../../crds/fieldmanager/apply-patch.ts'
import { fieldSetOf } from '../../crds/fieldmanager/field-set.ts'
import type { ObjectType } from '../../crds/fieldmanager/object-type.ts'
import type { FieldScope } from '../../crds/fieldmanager/request.ts'
import { isMap } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { apiVersionOf } from '../../runtime/client/resource.ts'
import { systemClock } from '../../runtime/clock.ts'
import { ApiError } from '../../runtime/errors.ts'
import type { Body, ChangeOptions } from './change.ts'
import type { MergeSchema, MergeSchemas } from './merge-schema.ts'
import { conflictsOf, mayTake } from './refusal.ts'
import type { Resolved } from './resolve.ts'

/**
 * What server-side apply would make of an object, by this program's own merge: the embedded server's. Admission is not asked. Throws
 * ApiErrors as the server would: conflicts, and what does not fit the schema.
 */
export async function mergeLocally(
  schemas: MergeSchemas,
  resolved: Resolved,
  before: Body | undefined,
  options: ChangeOptions,
): Promise<Body> {
  const schema = await schemas.of(resolved)
  const sent = asStored(resolved.object)
  if (!schema) return mergedJson(before, sent) as Body
  const types = new Map<string, ObjectType>([[sent.apiVersion, schema.type]])
  for (const { apiVersion } of before?.metadata.managedFields ?? []) {
    if (apiVersion === undefined || types.has(apiVersion)) continue
    const other = await schemas.ofVersion(resolved, apiVersion)
    if (other) types.set(apiVersion, other.type)
  }
  const scope = scopeOf(resolved, types)
  const merged = apply(scope, sent, before, options, false)
  return withDefaults(merged, schema)
}

function apply(scope: FieldScope, patch: Body, live: Body | undefined, options: ChangeOptions, force: boolean): Body {
  const result = applyPatch({
    scope,
    ...(live ? { live } : {}),
    patch,
    manager: options.fieldManager,
    force,
    now: systemClock
      .now()
      .toISOString()
      .replace(/\.\d+Z$/, 'Z'),
  })
  if (result.outcome === 'applied') return result.object as Body
  const request = `merging ${patch.kind} ${patch.metadata.name}`
  if (result.outcome === 'invalid') throw new ApiError(request, { message: result.message }, result.code)
  const causes = result.conflicts.map(({ field, message }) => ({ reason: 'FieldManagerConflict', field, message }))
  const conflict = new ApiError(request, { reason: 'Conflict', message: result.message, details: { causes } }, 409)
  if (!conflictsOf(conflict).every(({ field }) => mayTake(field, options.take))) throw conflict
  return apply(scope, patch, live, options, true)
}

function scopeOf({ resource }: Resolved, types: ReadonlyMap<string, ObjectType>): FieldScope {
  const { kind, subresources } = resource
  const apiVersion = apiVersionOf(resource)
  const status = subresources.includes('status') ? fieldSetOf(['status']) : undefined
  return {
    apiVersion,
    kind,
    subresource: '',
    typeOf: (version) => types.get(version),
    resetFields: (version) => (version === apiVersion ? status : undefined),
    emptyObject: { apiVersion, kind, metadata: {} },
    emptyListResets: false,
  }
}

function withDefaults(object: Body, { applyDefaults }: MergeSchema): Body {
  return (applyDefaults ? applyDefaults(object) : object) as Body
}

/** A Secret's texts become data, as the server stores them. */
function asStored(object: Body): Body {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1' || !isMap(object.stringData)) return object
  const { stringData, ...rest } = object as JsonObject
  const texts = Object.entries(stringData as JsonObject).map(([key, text]) => [
    key,
    Buffer.from(String(text)).toString('base64'),
  ])
  return { ...rest, data: { ...(isMap(rest.data) ? rest.data : {}), ...Object.fromEntries(texts) } } as unknown as Body
}

/** Where nothing is known of a kind: maps are merged, all else is replaced, and nothing goes. */
function mergedJson(before: JsonValue | undefined, after: JsonValue): JsonValue {
  if (!isMap(before) || !isMap(after)) return after
  const merged: Record<string, JsonValue | undefined> = { ...before }
  for (const [key, value] of Object.entries(after)) {
    if (value !== undefined) merged[key] = mergedJson(before[key], value)
  }
  return merged
}
