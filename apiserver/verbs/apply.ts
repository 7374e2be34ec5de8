import { applyPatch } from '../../crds/fieldmanager/apply-patch.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import type { Api, Target } from '../api.ts'
import { ApiError, applyConflict, badRequest, conflict, notFound } from '../api-error.ts'
import { type ApiObject, asObject, rfc3339, withMetadata } from '../json.ts'
import { createIn, inRequestNamespace } from './create.ts'
import { checkStrict } from './decode.ts'
import type { PatchOptions } from './options.ts'
import { objectRevision } from './resource-version.ts'
import { type Updated, updateIn } from './update.ts'
import { transact } from './write.ts'

/** Server-side apply: creates the object where there is none. `duplicates`: what the configuration gives twice. */
export function applyObject(
  api: Api,
  target: Target,
  configuration: JsonObject,
  duplicates: readonly string[],
  options: PatchOptions,
): Promise<Updated> {
  checkStrict(duplicates, options.fieldValidation, target.warn, (m) => badRequest(`error strict decoding YAML: ${m}`))
  const { served, namespace, name, subresource } = target
  return transact(api, options.dryRun, (tx) => {
    const stored = tx.get(served.key(namespace, name))
    if (!stored && subresource !== '') throw notFound(served.groupResource, name)
    const live = stored && served.read(stored).value
    const applied = inRequestNamespace(target, merged(api, target, configuration, live, options))
    if (!applied.metadata.name) {
      throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
    }
    if (applied.metadata.name !== name) {
      throw badRequest(`the name of the object (${applied.metadata.name}) does not match the name on the URL (${name})`)
    }
    // Built-in kinds are typed: what the merge left empty is not stored.
    const typed = served.info.builtIn ? served.strategy.decode(applied).object : applied
    const updated = served.strategy.applyDefaults(typed)
    if (stored) return { object: updateIn(api, tx, target, stored, updated, options.dryRun), created: false }
    if (updated.metadata.uid) {
      throw conflict(
        served.groupResource,
        name,
        `uid mismatch: the provided object specified uid ${updated.metadata.uid}, and no existing object was found`,
      )
    }
    if (objectRevision(updated.metadata.resourceVersion) !== 0) throw notFound(served.groupResource, name)
    target.authorizeCreate?.()
    return {
      object: createIn(api, tx, target, withMetadata(updated, { resourceVersion: undefined }), options.dryRun),
      created: true,
    }
  })
}

function merged(
  api: Api,
  { served, subresource }: Target,
  patch: JsonObject,
  live: ApiObject | undefined,
  options: PatchOptions,
): ApiObject {
  const result = applyPatch({
    scope: served.scope(subresource),
    ...(live ? { live } : {}),
    patch,
    manager: options.fieldManager ?? '',
    force: options.force,
    now: rfc3339(api.clock.now()),
  })
  switch (result.outcome) {
    case 'conflict':
      throw applyConflict(
        result.conflicts.map(({ field, message }) => ({ reason: 'FieldManagerConflict', message, field })),
        result.message,
      )
    case 'invalid':
      throw result.code === 400 ? badRequest(result.message) : new ApiError(500, 'InternalError', result.message)
    case 'applied':
      return asObject(result.object)
  }
}
