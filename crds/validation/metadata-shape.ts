import type { JsonObject, JsonValue } from '../metadata.ts'
import { readGo, type Shape, start, Unreadable } from './go-struct.ts'
import { isObject } from './json.ts'

/** Metadata read the way the API server reads it into Go's ObjectMeta. */
export interface CoercedMetadata {
  /** Known fields that are not empty; what omitempty leaves out is left out. */
  readonly metadata: JsonObject
  /** Paths of unknown fields below `metadata`, sorted (`foo`, `ownerReferences[0].bar`). */
  readonly unknown: readonly string[]
  /** Why the metadata cannot be read at all, in encoding/json's words. */
  readonly malformed: string | undefined
}

const STRING: Shape = { kind: 'string', type: 'string' }
const UID: Shape = { kind: 'string', type: 'types.UID' }
const BOOL_POINTER: Shape = { kind: 'bool', type: 'bool', pointer: true }
const TIME: Shape = { kind: 'time', type: 'v1.Time' }
const STRING_MAP: Shape = { kind: 'map', of: STRING, type: 'map[string]string' }

const OWNER: Shape = {
  kind: 'struct',
  type: 'v1.OwnerReference',
  fields: () => ({
    apiVersion: STRING,
    kind: STRING,
    name: STRING,
    uid: UID,
    controller: BOOL_POINTER,
    blockOwnerDeletion: BOOL_POINTER,
  }),
}

const MANAGED: Shape = {
  kind: 'struct',
  type: 'v1.ManagedFieldsEntry',
  fields: () => ({
    manager: STRING,
    operation: { kind: 'string', type: 'v1.ManagedFieldsOperationType' },
    apiVersion: STRING,
    time: TIME,
    fieldsType: STRING,
    fieldsV1: { kind: 'json', type: 'v1.FieldsV1' },
    subresource: STRING,
  }),
}

const FIELDS: Readonly<Record<string, Shape>> = {
  name: STRING,
  generateName: STRING,
  namespace: STRING,
  selfLink: STRING,
  uid: UID,
  resourceVersion: STRING,
  generation: { kind: 'int64', type: 'int64' },
  creationTimestamp: TIME,
  deletionTimestamp: TIME,
  deletionGracePeriodSeconds: { kind: 'int64', type: 'int64', pointer: true },
  labels: STRING_MAP,
  annotations: STRING_MAP,
  ownerReferences: { kind: 'list', of: OWNER, type: '[]v1.OwnerReference' },
  finalizers: { kind: 'list', of: STRING, type: '[]string' },
  managedFields: { kind: 'list', of: MANAGED, type: '[]v1.ManagedFieldsEntry' },
}

/** Go's ObjectMeta, for shapes that contain it. */
export const OBJECT_META: Shape = { kind: 'struct', type: 'v1.ObjectMeta', fields: () => FIELDS }

/** Reads metadata into its known fields. Never throws; what cannot be read is told in `malformed`. */
export function coerceMetadata(value: JsonValue | undefined): CoercedMetadata {
  const unknown: string[] = []
  try {
    const metadata = readGo(value, OBJECT_META, start(unknown, true))
    return { metadata: isObject(metadata) ? metadata : {}, unknown: unknown.sort(), malformed: undefined }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return { metadata: {}, unknown: [], malformed: error.message }
  }
}
