import type { JsonObject } from '../../crds/metadata.ts'
import { badRequest, invalid } from '../api-error.ts'
import type { ApiObject } from '../json.ts'
import type { Representation, Served } from '../served.ts'
import { type IncludeObject, toTable } from '../table/table.ts'
import type { Listed } from '../verbs/list.ts'
import type { Accepted } from './media-type.ts'

/** Forms that one object can be answered in. */
export const objectTransforms = ['none', 'Table', 'PartialObjectMetadata'] as const
/** Forms that a list can be answered in. */
export const listTransforms = ['none', 'Table', 'PartialObjectMetadataList'] as const

/** `?includeObject=`: what a Table's rows carry of their objects. Throws 400. */
export function includeObject(query: URLSearchParams | undefined): IncludeObject {
  const value = query?.get('includeObject') || 'Metadata'
  if (value === 'Metadata' || value === 'Object' || value === 'None') return value
  throw invalid({ group: 'meta.k8s.io', kind: 'TableOptions' }, '', [
    {
      reason: 'FieldValueInvalid',
      field: 'includeObject',
      path: ['includeObject'],
      message: `Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
    },
  ])
}

export interface TableForm {
  readonly includeObject: IncludeObject
  readonly now: Date
}

/** One object in the form asked for. */
export function objectBody(served: Served, object: Representation, accepted: Accepted, table: () => TableForm): Buffer {
  switch (accepted.transform) {
    case 'none':
      return object.json
    case 'Table': {
      const made = toTable(served.info, [object.value], { ...table(), apiVersion: accepted.transformVersion })
      return Buffer.from(JSON.stringify(made))
    }
    case 'PartialObjectMetadata':
      return Buffer.from(JSON.stringify(partial(object.value, accepted.transformVersion)))
    default:
      throw badRequest(`${accepted.transform} is not a form of one object`)
  }
}

export function partial(object: ApiObject, apiVersion: string): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata as JsonObject }
}

/** An item of a built-in list: its kind is told by the list. */
function untyped(served: Served, { value, json }: Representation): Buffer {
  const head = `{"apiVersion":"${served.apiVersion}","kind":"${served.info.kind}",`
  if (json.toString('latin1', 0, head.length) === head) return Buffer.concat([open, json.subarray(head.length)])
  const { apiVersion: _, kind: __, ...rest } = value
  return Buffer.from(JSON.stringify(rest))
}

const open = Buffer.from('{')
const comma = Buffer.from(',')
const close = Buffer.from(']}')

/** A list in the form asked for; the plain form is put together from the encoded objects. */
export function listBody(served: Served, list: Listed, accepted: Accepted, table: () => TableForm): Buffer {
  const metadata: JsonObject = {
    resourceVersion: list.resourceVersion,
    ...(list.continueToken === '' ? {} : { continue: list.continueToken }),
    ...(list.remaining === undefined ? {} : { remainingItemCount: list.remaining }),
  }
  const { transform, transformVersion: apiVersion } = accepted
  if (transform === 'Table') {
    const objects = list.items.map((i) => i.value)
    return Buffer.from(
      JSON.stringify(toTable(served.info, objects, { ...table(), apiVersion, listMetadata: metadata })),
    )
  }
  if (transform === 'PartialObjectMetadataList') {
    // Go's metadata clients compare what they list with what they watch, where the kind is taken off.
    const items = list.items.map((i) =>
      accepted.protobuf ? { metadata: i.value.metadata as JsonObject } : partial(i.value, apiVersion),
    )
    return Buffer.from(JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion, metadata, items }))
  }
  const head = JSON.stringify({ kind: served.info.listKind, apiVersion: served.apiVersion, metadata, items: [] })
  const parts: Buffer[] = [Buffer.from(head.slice(0, -2))]
  list.items.forEach((item, i) => {
    if (i > 0) parts.push(comma)
    parts.push(served.info.builtIn ? untyped(served, item) : item.json)
  })
  parts.push(close)
  return Buffer.concat(parts)
}
