import { objectType } from '../../../crds/fieldmanager/object-type.ts'
import type { FieldScope } from '../../../crds/fieldmanager/request.ts'
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../../../crds/metadata.ts'

const STRING: JsonObject = { type: 'string' }
const PAIR: JsonObject = { type: 'object', properties: { a: { type: 'integer' }, b: STRING } }

/** A custom resource with one field for every way that fields merge. */
export const SAMPLE_SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        replicas: { type: 'integer' },
        size: { 'x-kubernetes-int-or-string': true },
        labels: { type: 'object', additionalProperties: STRING },
        pair: PAIR,
        whole: { ...PAIR, 'x-kubernetes-map-type': 'atomic' },
        list: { type: 'array', items: STRING },
        tags: { type: 'array', items: STRING, 'x-kubernetes-list-type': 'set' },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['port', 'protocol'],
          items: {
            type: 'object',
            properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' }, name: STRING },
          },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        embedded: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
    },
    status: { type: 'object', properties: { phase: STRING } },
  },
}

export const NOW = '2026-01-01T00:00:00Z'
export const LATER = '2026-01-01T00:01:00Z'

export function sampleScope(change: Partial<FieldScope> = {}): FieldScope {
  const type = objectType(SAMPLE_SCHEMA)
  return {
    apiVersion: 'weir.dev/v1',
    kind: 'Sample',
    subresource: '',
    typeOf: (apiVersion) => (apiVersion === 'weir.dev/v1' || apiVersion === 'weir.dev/v2' ? type : undefined),
    resetFields: () => undefined,
    emptyObject: { apiVersion: 'weir.dev/v1', kind: 'Sample', metadata: {} },
    emptyListResets: false,
    ...change,
  }
}

export function sample(spec: JsonObject, metadata: KubeObject['metadata'] = {}, status?: JsonObject): KubeObject {
  const object = { apiVersion: 'weir.dev/v1', kind: 'Sample', metadata: { name: 'x', ...metadata }, spec }
  return status ? ({ ...object, status } as KubeObject) : object
}

/** An entry of managedFields. */
export function entry(
  manager: string,
  operation: 'Apply' | 'Update',
  fieldsV1: JsonObject,
  more: Partial<ManagedFieldsEntry> = {},
): ManagedFieldsEntry {
  return { manager, operation, apiVersion: 'weir.dev/v1', time: NOW, fieldsType: 'FieldsV1', fieldsV1, ...more }
}

/** `manager/operation[/subresource]` → the fields of `spec` that it owns. */
export function owners(object: KubeObject): Record<string, unknown> {
  return Object.fromEntries(
    (object.metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }) => [
      [manager, operation, subresource].filter(Boolean).join('/'),
      fieldsV1?.['f:spec'] ?? fieldsV1,
    ]),
  )
}
