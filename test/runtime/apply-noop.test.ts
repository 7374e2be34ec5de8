import { describe, expect, test } from '@jest/globals'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { isNoopApply } from '../../runtime/apply-noop.ts'

const head = { apiVersion: 'content.weir.dev/v1alpha1', kind: 'Catalog' }
const time = '2030-01-01T00:00:00Z'
const ready = { type: 'Ready', status: 'True', reason: 'R', message: 'm', lastTransitionTime: time }
const source = { ...ready, type: 'SourceReady' }
const conditionFields = {
  '.': {},
  'f:lastTransitionTime': {},
  'f:message': {},
  'f:reason': {},
  'f:status': {},
  'f:type': {},
}

/** As kube-apiserver 1.36 gave it back after these very applies. */
const live = {
  ...head,
  metadata: {
    name: 'c',
    namespace: 'default',
    uid: 'u1',
    resourceVersion: '753',
    generation: 1,
    creationTimestamp: time,
    finalizers: ['content.weir.dev/in-use', 'other.dev/keep'],
    labels: { a: 'b', foreign: 'x' },
    managedFields: [
      {
        manager: 'weir-catalog',
        operation: 'Apply',
        apiVersion: head.apiVersion,
        fieldsType: 'FieldsV1',
        time,
        fieldsV1: {
          'f:metadata': { 'f:finalizers': { 'v:"content.weir.dev/in-use"': {} }, 'f:labels': { 'f:a': {} } },
          'f:spec': { 'f:source': { 'f:url': {} } },
        },
      },
      {
        manager: 'weir-catalog',
        operation: 'Apply',
        apiVersion: head.apiVersion,
        fieldsType: 'FieldsV1',
        subresource: 'status',
        time,
        fieldsV1: {
          'f:status': {
            'f:conditions': { 'k:{"type":"Ready"}': conditionFields, 'k:{"type":"SourceReady"}': conditionFields },
            'f:digest': {},
            'f:usedBy': { 'v:"a/b"': {}, 'v:"c/d"': {} },
          },
        },
      },
    ],
  },
  spec: { refreshInterval: '1h', source: { url: 'http://x/y' }, suspend: false },
  status: { conditions: [ready, source], digest: 'sha256:aa', usedBy: ['a/b', 'c/d'] },
} as KubeObject

const applied = (fields: object, metadata: object = {}) =>
  ({ ...head, metadata: { name: 'c', namespace: 'default', ...metadata }, ...fields }) as KubeObject

const owned = { finalizers: ['content.weir.dev/in-use'], labels: { a: 'b' } }
const spec = { source: { url: 'http://x/y' } }
const status = { conditions: [ready, source], digest: 'sha256:aa', usedBy: ['a/b', 'c/d'] }

describe('the object', () => {
  const cases: { why: string; object: KubeObject; manager?: string; noop: boolean }[] = [
    { why: 'what was applied, again', object: applied({ spec }, owned), noop: true },
    {
      why: 'uid and resourceVersion are conditions, not fields',
      object: applied({ spec }, { ...owned, uid: 'u1', resourceVersion: '1' }),
      noop: true,
    },
    { why: 'another value', object: applied({ spec: { source: { url: 'http://z' } } }, owned), noop: false },
    { why: 'a field more', object: applied({ spec: { ...spec, suspend: false } }, owned), noop: false },
    { why: 'a field less would be removed', object: applied({ spec }, { finalizers: owned.finalizers }), noop: false },
    { why: 'everything less', object: applied({}), noop: false },
    { why: 'a set less', object: applied({ spec }, { ...owned, finalizers: [] }), noop: false },
    {
      why: 'a set more',
      object: applied({ spec }, { ...owned, finalizers: ['content.weir.dev/in-use', 'other.dev/keep'] }),
      noop: false,
    },
    { why: 'another manager who owns nothing yet', object: applied({ spec }, owned), manager: 'someone', noop: false },
    { why: 'another manager who wants nothing', object: applied({}), manager: 'someone', noop: true },
    { why: 'another version', object: { ...applied({ spec }, owned), apiVersion: 'content.weir.dev/v1' }, noop: false },
    {
      why: 'fields that are undefined are not there',
      object: applied({ spec: { ...spec, originUrl: undefined } }, owned),
      noop: true,
    },
  ]
  test.each(cases)('$why: $noop', ({ object, manager = 'weir-catalog', noop }) => {
    expect(isNoopApply(live, object, manager)).toBe(noop)
  })
})

describe('the status', () => {
  const cases: { why: string; status: JsonObject | object; noop: boolean }[] = [
    { why: 'what was applied, again', status, noop: true },
    {
      why: 'a condition whose message changed',
      status: { ...status, conditions: [{ ...ready, message: 'n' }, source] },
      noop: false,
    },
    { why: 'a condition less', status: { ...status, conditions: [ready] }, noop: false },
    {
      why: 'a condition more',
      status: { ...status, conditions: [ready, source, { ...ready, type: 'X' }] },
      noop: false,
    },
    {
      why: 'a condition with a field more',
      status: { ...status, conditions: [{ ...ready, observedGeneration: 1 }, source] },
      noop: false,
    },
    {
      why: 'conditions in another order, which an apply would take over',
      status: { ...status, conditions: [source, ready] },
      noop: false,
    },
    { why: 'a set with another member', status: { ...status, usedBy: ['a/b', 'x/y'] }, noop: false },
    { why: 'a field less', status: { ...status, digest: undefined }, noop: false },
    { why: 'an empty list that was never there', status: { ...status, tags: [] }, noop: true },
    { why: 'an empty list where items were', status: { ...status, usedBy: [] }, noop: false },
  ]
  test.each(cases)('$why: $noop', ({ status: wanted, noop }) => {
    expect(isNoopApply(live, applied({ status: wanted }), 'weir-catalog', 'status')).toBe(noop)
  })

  test('an empty list that the server has dropped is as good as applied', () => {
    const { usedBy: _, ...rest } = status
    const entry = live.metadata.managedFields![1]!
    const { 'f:usedBy': __, ...fields } = entry.fieldsV1!['f:status'] as JsonObject
    const dropped = {
      ...live,
      metadata: { ...live.metadata, managedFields: [{ ...entry, fieldsV1: { 'f:status': fields } }] },
      status: rest,
    } as KubeObject
    expect(isNoopApply(dropped, applied({ status: { ...rest, usedBy: [] } }), 'weir-catalog', 'status')).toBe(true)
    const filled = { ...dropped, status: { ...rest, usedBy: ['someone/else'] } } as KubeObject
    expect(isNoopApply(filled, applied({ status: { ...rest, usedBy: [] } }), 'weir-catalog', 'status')).toBe(false)
  })
})

test('whole values: atomic lists and maps are compared to the last field', () => {
  const atomic = {
    ...head,
    metadata: {
      name: 'c',
      managedFields: [
        {
          manager: 'm',
          operation: 'Apply',
          apiVersion: head.apiVersion,
          fieldsV1: { 'f:spec': { 'f:windows': {}, 'f:n': {} } },
        },
      ],
    },
    spec: { windows: [{ start: '01:00', days: ['Mon'] }], n: 0 },
  } as KubeObject
  const noop = (spec: object) => isNoopApply(atomic, { ...head, metadata: { name: 'c' }, spec } as KubeObject, 'm')
  expect(noop({ windows: [{ days: ['Mon'], start: '01:00' }], n: 0 })).toBe(true)
  expect(noop({ windows: [{ start: '01:00', days: ['Mon'], end: undefined }], n: 0 })).toBe(true)
  expect(noop({ windows: [{ start: '01:00', days: ['Tue'] }], n: 0 })).toBe(false)
  expect(noop({ windows: [{ start: '01:00' }], n: 0 })).toBe(false)
  expect(noop({ windows: [], n: 0 })).toBe(false)
  expect(noop({ windows: [{ start: '01:00', days: ['Mon'] }], n: '0' })).toBe(false)
})
