import jsonpatch from 'fast-json-patch'
import type { JsonObject } from '../../../crds/metadata.ts'
import { ApiError } from '../../api-error.ts'
import type { ApiObject } from '../../json.ts'
import type { JsonPatchOperation } from './patch.ts'

/**
 * RFC 6902. `live` is not changed. Throws 422 where an operation fails; Kubernetes keeps to itself which one,
 * here it is a cause.
 */
export function applyJsonPatch(live: ApiObject, operations: readonly JsonPatchOperation[]): JsonObject {
  try {
    // Validation catches what the library would otherwise let pass: removing what is not there, unknown operations.
    const patch = operations.map(lenientTest) as Parameters<typeof jsonpatch.applyPatch>[1]
    const { newDocument } = jsonpatch.applyPatch<unknown>(structuredClone(live), patch, true, true, true)
    if (typeof newDocument === 'object' && newDocument !== null && !Array.isArray(newDocument)) {
      return newDocument as JsonObject
    }
    throw new Error('the patch does not leave an object')
  } catch (err) {
    const why = (err as Error).message.split('\n')[0] ?? ''
    throw new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {
      causes: [{ reason: 'UnexpectedServerResponse', message: why }],
    })
  }
}

/** `add` and `replace` without a value mean null in Kubernetes' library. */
function lenientTest(operation: JsonPatchOperation): JsonPatchOperation {
  const takesValue = operation.op === 'add' || operation.op === 'replace' || operation.op === 'test'
  if (takesValue) return operation.value === undefined ? { ...operation, value: null } : operation
  const { value: _, ...rest } = operation
  return rest
}
