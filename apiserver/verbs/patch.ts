import { managerName, trackUpdate } from '../../crds/fieldmanager/track-update.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import { unknownFieldMessages } from '../../crds/validation/custom-resource.ts'
import type { Api, Target } from '../api.ts'
import { badRequest, conflict, invalid, notFound } from '../api-error.ts'
import { type ApiObject, asObject, rfc3339 } from '../json.ts'
import { inRequestNamespace } from './create.ts'
import { checkStrict } from './decode.ts'
import type { PatchOptions } from './options.ts'
import { applyJsonPatch } from './patch/json-patch.ts'
import { mergePatch } from './patch/merge-patch.ts'
import type { Patch } from './patch/patch.ts'
import { strategicMerge } from './patch/strategic-merge.ts'
import { type Updated, updateIn } from './update.ts'
import { transact } from './write.ts'

/** Changes an object by JSON patch, merge patch or strategic merge patch. Server-side apply is apply.ts. */
export function patchObject(api: Api, target: Target, patch: Patch, options: PatchOptions): Promise<Updated> {
  const { served, namespace, name, subresource } = target
  return transact(api, options.dryRun, (tx) => {
    const stored = tx.get(served.key(namespace, name))
    if (!stored) throw notFound(served.groupResource, name)
    const live = served.read(stored).value
    const decoded = decodePatched(target, patched(target, live, patch), patch, options)
    const updated = asObject(
      trackUpdate({
        scope: served.scope(subresource),
        live,
        updated: served.strategy.applyDefaults(decoded),
        manager: managerName(options.fieldManager, options.userAgent),
        now: rfc3339(api.clock.now()),
      }),
    )
    return { object: updateIn(api, tx, target, stored, updated, options.dryRun), created: false }
  })
}

function patched({ served }: Target, live: ApiObject, patch: Patch): JsonObject {
  switch (patch.type) {
    case 'json':
      return applyJsonPatch(live, patch.operations)
    case 'merge':
      return mergePatch(live, patch.value) as JsonObject
    case 'strategic':
      return strategicMerge(served.info, live, patch.value)
  }
}

/** Reads the patched object as the endpoint's kind, and sees that it still is the same object. */
function decodePatched(target: Target, object: JsonObject, patch: Patch, options: PatchOptions): ApiObject {
  const { served, name } = target
  const refuse = (message: string) =>
    invalid({ group: '', kind: '' }, '', [
      {
        reason: 'FieldValueInvalid',
        field: 'patch',
        path: ['patch'],
        message: `Invalid value: ${JSON.stringify(JSON.stringify(object))}: ${message}`,
      },
    ])
  if (object.apiVersion !== served.apiVersion) {
    throw badRequest(
      `the API version in the data (${object.apiVersion ?? ''}) does not match the expected API version (${served.apiVersion})`,
    )
  }
  if (object.kind !== served.info.kind) throw badRequest(`the kind of an object cannot be changed to ${object.kind}`)
  const decoded = served.strategy.decode(object)
  if (decoded.malformed !== undefined) throw refuse(decoded.malformed)
  const problems = [...patch.duplicates, ...unknownFieldMessages(decoded.unknownFields)]
  checkStrict(problems, options.fieldValidation, target.warn, refuse)
  const result = asObject(decoded.object)
  if ((result.metadata.name ?? '') !== name) {
    throw badRequest(
      `the name of the object (${result.metadata.name ?? ''}) does not match the name on the URL (${name})`,
    )
  }
  return withUid(target, inRequestNamespace(target, result))
}

function withUid({ served, name }: Target, object: ApiObject): ApiObject {
  if (object.metadata.uid === undefined || typeof object.metadata.uid === 'string') return object
  throw conflict(served.groupResource, name, 'metadata.uid must be a string')
}
