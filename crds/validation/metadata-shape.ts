import type { JsonObject, JsonValue } from '../metadata.ts'
import { goNumber, goQuote } from './go-format.ts'
import { isArray, isObject } from './json.ts'

/** Metadata read the way the API server reads it into Go's ObjectMeta. */
export interface CoercedMetadata {
  /** Known fields that are not empty; what omitempty leaves out is left out. */
  readonly metadata: JsonObject
  /** Paths of unknown fields below `metadata`, sorted (`foo`, `ownerReferences[0].bar`). */
  readonly unknown: readonly string[]
  /** Why the metadata cannot be read at all, in encoding/json's words. */
  readonly malformed: string | undefined
}

type Shape =
  | { readonly kind: 'string' | 'int64' | 'bool' | 'time' | 'raw'; readonly type: string; readonly pointer?: true }
  | { readonly kind: 'map' | 'list'; readonly of: Shape; readonly type: string }
  | { readonly kind: 'struct'; readonly type: string; readonly fields: Readonly<Record<string, Shape>> }

const STRING: Shape = { kind: 'string', type: 'string' }
const UID: Shape = { kind: 'string', type: 'types.UID' }
const INT64: Shape = { kind: 'int64', type: 'int64' }
const TIME: Shape = { kind: 'time', type: 'v1.Time' }
const STRING_MAP: Shape = { kind: 'map', of: STRING, type: 'map[string]string' }

const OWNER: Shape = {
  kind: 'struct',
  type: 'v1.OwnerReference',
  fields: {
    apiVersion: STRING,
    kind: STRING,
    name: STRING,
    uid: UID,
    controller: { kind: 'bool', type: 'bool', pointer: true },
    blockOwnerDeletion: { kind: 'bool', type: 'bool', pointer: true },
  },
}

const MANAGED: Shape = {
  kind: 'struct',
  type: 'v1.ManagedFieldsEntry',
  fields: {
    manager: STRING,
    operation: { kind: 'string', type: 'v1.ManagedFieldsOperationType' },
    apiVersion: STRING,
    time: TIME,
    fieldsType: STRING,
    fieldsV1: { kind: 'raw', type: 'v1.FieldsV1' },
    subresource: STRING,
  },
}

const OBJECT_META: Shape = {
  kind: 'struct',
  type: 'v1.ObjectMeta',
  fields: {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    selfLink: STRING,
    uid: UID,
    resourceVersion: STRING,
    generation: INT64,
    creationTimestamp: TIME,
    deletionTimestamp: TIME,
    deletionGracePeriodSeconds: { ...INT64, pointer: true },
    labels: STRING_MAP,
    annotations: STRING_MAP,
    ownerReferences: { kind: 'list', of: OWNER, type: '[]v1.OwnerReference' },
    finalizers: { kind: 'list', of: STRING, type: '[]string' },
    managedFields: { kind: 'list', of: MANAGED, type: '[]v1.ManagedFieldsEntry' },
  },
}

class Malformed extends Error {}

/** Reads metadata into its known fields. Never throws; what cannot be read is told in `malformed`. */
export function coerceMetadata(value: JsonValue | undefined): CoercedMetadata {
  const unknown: string[] = []
  try {
    const metadata = read(value, OBJECT_META, '', 'ObjectMeta', unknown)
    return { metadata: isObject(metadata) ? metadata : {}, unknown: unknown.sort(), malformed: undefined }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return { metadata: {}, unknown: [], malformed: error.message }
  }
}

/** The value as Go would hold it, or undefined where it is empty and omitted. */
function read(
  value: JsonValue | undefined,
  shape: Shape,
  path: string,
  struct: string,
  unknown: string[],
): JsonValue | undefined {
  if (value === null || value === undefined) return undefined
  switch (shape.kind) {
    case 'string':
      if (typeof value !== 'string') throw mismatch(value, shape, path, struct)
      return value === '' ? undefined : value
    case 'bool':
      if (typeof value !== 'boolean') throw mismatch(value, shape, path, struct)
      return value || shape.pointer ? value : undefined
    case 'int64':
      if (typeof value !== 'number' || !Number.isInteger(value)) throw mismatch(value, shape, path, struct)
      return value !== 0 || shape.pointer ? value : undefined
    case 'time':
      return time(value, path)
    case 'raw':
      return value
    case 'map':
      return readMap(value, shape, path, struct, unknown)
    case 'list': {
      if (!isArray(value)) throw mismatch(value, shape, path, struct)
      const items = value.map((item, i) => read(item, shape.of, `${path}[${i}]`, struct, unknown) ?? zero(shape.of))
      return items.length > 0 ? items : undefined
    }
    case 'struct':
      return readStruct(value, shape, path, struct, unknown)
  }
}

function readMap(
  value: JsonValue,
  shape: Shape & { kind: 'map' | 'list' },
  path: string,
  struct: string,
  unknown: string[],
): JsonValue | undefined {
  if (!isObject(value)) throw mismatch(value, shape, path, struct)
  const out: Record<string, JsonValue> = {}
  for (const key of Object.keys(value).sort()) {
    out[key] = read(value[key], shape.of, path, struct, unknown) ?? zero(shape.of)
  }
  return Object.keys(out).length > 0 ? out : undefined
}

function readStruct(
  value: JsonValue,
  shape: Shape & { kind: 'struct' },
  path: string,
  struct: string,
  unknown: string[],
): JsonValue {
  if (!isObject(value)) throw mismatch(value, shape, path, struct)
  const out: Record<string, JsonValue> = {}
  const name = shape.type.replace('v1.', '')
  for (const key of Object.keys(value).sort()) {
    const field = shape.fields[key]
    const at = path === '' ? key : `${path}.${key}`
    if (!field) unknown.push(at)
    else {
      const read1 = read(value[key], field, at, name, unknown)
      if (read1 !== undefined) out[key] = read1
    }
  }
  return out
}

function zero(shape: Shape): JsonValue {
  if (shape.kind === 'struct') return {}
  return shape.kind === 'string' ? '' : null
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** metav1.Time: RFC 3339 in, RFC 3339 in whole seconds and UTC out. */
function time(value: JsonValue, path: string): JsonValue {
  if (typeof value !== 'string') throw mismatch(value, { kind: 'string', type: 'string' }, path, '')
  if (!RFC3339.test(value) || Number.isNaN(Date.parse(value))) {
    const layout = '"2006-01-02T15:04:05Z07:00"'
    throw new Malformed(`parsing time ${goQuote(value)} as ${layout}: cannot parse ${goQuote(value)} as "2006"`)
  }
  return `${new Date(Math.floor(Date.parse(value) / 1000) * 1000).toISOString().slice(0, 19)}Z`
}

function mismatch(value: JsonValue, shape: Shape, path: string, struct: string): Malformed {
  const field = path.replace(/\[\d+\]/g, '')
  const into = field === '' || struct === '' ? 'Go value' : `Go struct field ${struct}.${field}`
  return new Malformed(`json: cannot unmarshal ${jsonKind(value, shape)} into ${into} of type ${shape.type}`)
}

function jsonKind(value: JsonValue, shape: Shape): string {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return shape.kind === 'int64' ? `number ${goNumber(value)}` : 'number'
  return isArray(value) ? 'array' : 'object'
}
