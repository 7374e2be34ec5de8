import type { JsonObject } from '../../crds/metadata.ts'

/** ObjectMeta as people write it, and as `kubectl get -o yaml` gives it back. */
export function objectMeta(namespaced: boolean): JsonObject {
  return {
    type: 'object',
    description: 'Name, namespace, labels, annotations: what every Kubernetes object has.',
    required: ['name'],
    properties: {
      name: {
        type: 'string',
        description: 'Names the object among those of its kind in its namespace. It cannot be changed.',
        maxLength: 253,
        pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
        patternErrorMessage:
          'must be lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit',
      },
      namespace: {
        type: 'string',
        description: namespaced
          ? 'The namespace it is in. Absent means the one that is applied to.'
          : 'Of no effect: objects of this kind are in no namespace.',
        maxLength: 63,
        pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$',
        patternErrorMessage: 'must be lower-case letters, digits and "-", beginning and ending with a letter or digit',
      },
      labels: {
        type: 'object',
        description: 'What selectors select by.',
        additionalProperties: {
          type: 'string',
          maxLength: 63,
          pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
          patternErrorMessage: 'must be letters, digits, "-", "_" and ".", beginning and ending with a letter or digit',
        },
      },
      annotations: {
        type: 'object',
        description: 'Notes of any kind, which nothing selects by.',
        additionalProperties: { type: 'string' },
      },
      finalizers: {
        type: 'array',
        description: 'Who has still something to do before the object goes.',
        items: { type: 'string' },
      },
      ownerReferences: {
        type: 'array',
        description: 'Objects with which this one goes.',
        items: {
          type: 'object',
          required: ['apiVersion', 'kind', 'name', 'uid'],
          properties: {
            apiVersion: { type: 'string' },
            kind: { type: 'string' },
            name: { type: 'string' },
            uid: { type: 'string' },
            controller: { type: 'boolean' },
            blockOwnerDeletion: { type: 'boolean' },
          },
          additionalProperties: false,
        },
      },
      ...Object.fromEntries(
        Object.entries(SERVERS).map(([name, schema]) => [
          name,
          { ...schema, description: 'Written by the server; what a manifest says of it is of no effect.' },
        ]),
      ),
    },
    additionalProperties: false,
  }
}

const SERVERS: Readonly<Record<string, JsonObject>> = {
  uid: { type: 'string' },
  resourceVersion: { type: 'string' },
  generation: { type: 'integer' },
  creationTimestamp: { type: ['string', 'null'] },
  deletionTimestamp: { type: 'string' },
  deletionGracePeriodSeconds: { type: 'integer' },
  selfLink: { type: 'string' },
  managedFields: { type: 'array' },
}
