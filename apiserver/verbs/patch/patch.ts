import type { JsonObject } from '../../../crds/metadata.ts'
import { badRequest, tooLarge, unsupportedMediaType } from '../../api-error.ts'
import { asJsonObject, BodyError, type ParsedBody, parseJson } from '../body.ts'

export interface JsonPatchOperation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/** A patch that says what to change; `duplicates`: fields the patch gives twice. */
export type Patch = { readonly duplicates: readonly string[] } & (
  | { readonly type: 'json'; readonly operations: readonly JsonPatchOperation[] }
  | { readonly type: 'merge' | 'strategic'; readonly value: JsonObject }
)

export const applyPatchType = 'application/apply-patch+yaml'
const patchTypes: Readonly<Record<string, Patch['type']>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
}

/** Reads a patch by its Content-Type. Throws 415 where the resource does not take that type, 400 where the body is malformed. */
export function parsePatch(contentType: string, body: Buffer, strategicMerge: boolean): Patch {
  const type = patchTypes[contentType]
  if (!type || (type === 'strategic' && !strategicMerge)) throw unsupportedPatch(strategicMerge)
  const { value, duplicates } = parsed(body)
  if (type !== 'json') {
    const object = asJsonObject(value)
    if (!object) throw badRequest('error decoding patch: json: cannot unmarshal the body into an object')
    return { type, value: object, duplicates }
  }
  if (!Array.isArray(value)) {
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp')
  }
  if (value.length > 10_000) {
    throw tooLarge(`The allowed maximum operations in a JSON patch is 10000, got ${value.length}`)
  }
  return { type, operations: value.map(operation), duplicates: duplicates.map((d) => `json patch ${d}`) }
}

function unsupportedPatch(strategicMerge: boolean): Error {
  const types = Object.keys(patchTypes).filter((t) => strategicMerge || patchTypes[t] !== 'strategic')
  return unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${[...types, applyPatchType].join(', ')}`,
  )
}

function parsed(body: Buffer): ParsedBody {
  try {
    return parseJson(body, true)
  } catch (err) {
    if (err instanceof BodyError) throw badRequest(`error decoding patch: ${err.message}`)
    throw err
  }
}

function operation(value: unknown, index: number): JsonPatchOperation {
  const o = value as Readonly<Record<string, unknown>> | null
  if (typeof o !== 'object' || o === null || typeof o.op !== 'string' || typeof o.path !== 'string') {
    throw badRequest(`error decoding patch: operation ${index} has no op and path`)
  }
  return { op: o.op, path: o.path, ...(typeof o.from === 'string' ? { from: o.from } : {}), value: o.value }
}
