import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../crds/metadata.ts'
import type { FieldError } from '../../../crds/validation/field-error.ts'
import {
  fieldManagerErrors,
  objectMetaUpdateErrors,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../../../crds/validation/object-meta.ts'

/** Messages of shapes that the recorded corpus cannot have: what a server fills in, and sizes. */
const texts = (errors: readonly FieldError[]): string[] => errors.map(({ field, message }) => `${field}: ${message}`)

describe('new objects', () => {
  const of = (metadata: JsonObject, namespaced = false) => texts(validateObjectMeta(metadata, { namespaced }))
  test.each([
    ['no name', {}, ['metadata.name: Required value: name or generateName is required']],
    [
      'a name is checked beside the name it was generated from',
      { name: 'a', generateName: 'Ab-' },
      [
        "metadata.generateName: Invalid value: \"Ab-\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
    ['a generated name may end in a dash', { name: 'a', generateName: 'a-' }, []],
    [
      'a namespace where there is none',
      { name: 'a', namespace: 'b' },
      ['metadata.namespace: Forbidden: not allowed on this type'],
    ],
    [
      'a generation below zero',
      { name: 'a', generation: -1 },
      ['metadata.generation: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'annotations that are too large together',
      { name: 'a', annotations: { a: 'x'.repeat(200_000), b: 'x'.repeat(100_000) } },
      ['metadata.annotations: Too long: may not be more than 262144 bytes'],
    ],
    [
      'a name that is too long',
      { name: 'a'.repeat(254) },
      [`metadata.name: Invalid value: "${'a'.repeat(254)}": must be no more than 253 bytes`],
    ],
    [
      'managed fields that are wrong',
      {
        name: 'a',
        managedFields: [
          { operation: 'Patch', fieldsType: 'FieldsV2', manager: 'a\u0000', subresource: 'x'.repeat(257) },
        ],
      },
      [
        'metadata.managedFields[0].operation: Invalid value: "Patch": must be `Apply` or `Update`',
        'metadata.managedFields[0].fieldsType: Invalid value: "FieldsV2": must be `FieldsV1`',
        'metadata.managedFields[0].manager: Invalid value: "a\\x00": invalid character U+0000 (at position 1)',
        'metadata.managedFields[0].subresource: Too long: may not be more than 256 bytes',
      ],
    ],
  ])('%s', (_why, metadata, expected) => expect(of(metadata)).toEqual(expected))

  test('a namespaced object needs a namespace', () => {
    expect(of({ name: 'a' }, true)).toEqual(['metadata.namespace: Required value'])
  })

  test('names are checked as asked, and told where the metadata is', () => {
    const nameCheck = (name: string) => (name === 'good' ? [] : ['must be good'])
    const path = ['spec', 'template', 'metadata']
    expect(texts(validateObjectMeta({ name: 'bad' }, { namespaced: false, nameCheck, path }))).toEqual([
      'spec.template.metadata.name: Invalid value: "bad": must be good',
    ])
  })
})

describe('updates', () => {
  const old = { name: 'a', namespace: 'b', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' }
  test.each([
    [
      'no resource version',
      { resourceVersion: undefined },
      ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
    ],
    ['another name', { name: 'c' }, ['metadata.name: Invalid value: "c": field is immutable']],
    ['another namespace', { namespace: 'c' }, ['metadata.namespace: Invalid value: "c": field is immutable']],
    ['another uid', { uid: 'c' }, ['metadata.uid: Invalid value: "c": field is immutable']],
    [
      'no time of creation',
      { creationTimestamp: undefined },
      ['metadata.creationTimestamp: Invalid value: null: field is immutable'],
    ],
    [
      'a time of deletion',
      { deletionTimestamp: '2026-01-02T00:00:00Z', deletionGracePeriodSeconds: 5 },
      [
        'metadata.deletionTimestamp: Invalid value: "2026-01-02T00:00:00Z": field is immutable',
        'metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable',
      ],
    ],
    ['labels and all else', { labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['e/f'] }, []],
  ])('%s', (_why, change, expected) => {
    expect(texts(validateObjectMetaUpdate({ ...old, ...change } as JsonObject, old))).toEqual(expected)
  })

  test('a generation may not go back', () => {
    const [three, two] = [
      { ...old, generation: 3 },
      { ...old, generation: 2 },
    ]
    expect(texts(validateObjectMetaUpdate(two, three))).toEqual([
      'metadata.generation: Invalid value: 2: must not be decremented',
    ])
    expect(validateObjectMetaUpdate(three, two)).toEqual([])
  })

  test('nothing may be added to the finalizers of what is being deleted', () => {
    const dying = { ...old, deletionTimestamp: '2026-01-02T00:00:00Z', finalizers: ['a/b'] }
    const more = { ...dying, finalizers: ['z/y', 'a/b', 'c/d'] }
    expect(texts(validateObjectMetaUpdate(more, dying))).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d", "z/y"}',
    ])
    expect(validateObjectMetaUpdate({ ...dying, finalizers: [] }, dying)).toEqual([])
  })

  test('each error is told once, though labels are looked at twice', () => {
    expect(objectMetaUpdateErrors({ ...old, labels: { a: '-' } }, old, true)).toHaveLength(1)
  })
})

test('who may manage fields: printable, and not too long', () => {
  expect(texts(fieldManagerErrors('x'.repeat(129), undefined))).toEqual([
    '<nil>: Too long: may not be more than 128 bytes',
  ])
  expect(fieldManagerErrors('kubectl-client-side-apply é 😀', undefined)).toEqual([])
})
