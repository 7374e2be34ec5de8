import type { JsonObject } from '../metadata.ts'

const STRING: JsonObject = { type: 'string' }
const TIME: JsonObject = { type: 'string', format: 'date-time' }
const INTEGER: JsonObject = { type: 'integer' }
const STRINGS: JsonObject = { type: 'object', additionalProperties: STRING }

/** How Kubernetes' ObjectMeta merges. */
export const OBJECT_META_SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    annotations: STRINGS,
    creationTimestamp: TIME,
    deletionGracePeriodSeconds: INTEGER,
    deletionTimestamp: TIME,
    finalizers: { type: 'array', items: STRING, 'x-kubernetes-list-type': 'set' },
    generateName: STRING,
    generation: INTEGER,
    labels: STRINGS,
    managedFields: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        properties: {
          apiVersion: STRING,
          fieldsType: STRING,
          fieldsV1: { type: 'object' },
          manager: STRING,
          operation: STRING,
          subresource: STRING,
          time: TIME,
        },
      },
    },
    name: STRING,
    namespace: STRING,
    ownerReferences: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      items: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        properties: {
          apiVersion: STRING,
          blockOwnerDeletion: { type: 'boolean' },
          controller: { type: 'boolean' },
          kind: STRING,
          name: STRING,
          uid: STRING,
        },
      },
    },
    resourceVersion: STRING,
    selfLink: STRING,
    uid: STRING,
  },
}
