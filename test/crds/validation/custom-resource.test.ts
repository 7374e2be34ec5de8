import { describe, expect, test } from '@jest/globals'
import type { JsonObject, JsonValue } from '../../../crds/metadata.ts'
import { compileCustomResource, unknownFieldMessages } from '../../../crds/validation/custom-resource.ts'
import { frozen, randomJson, seeded } from './random.ts'

const schema: JsonObject = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        a: { type: 'string', default: 'A' },
        b: { type: 'string' },
        list: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: { type: 'object', required: ['k'], properties: { k: { type: 'string' }, n: { type: 'integer' } } },
        },
        map: { type: 'object', additionalProperties: { type: 'integer' } },
        embedded: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
        either: { 'x-kubernetes-int-or-string': true },
      },
      'x-kubernetes-validations': [{ rule: "!has(self.b) || self.b != 'bad'", message: 'not bad' }],
    },
    status: { type: 'object', properties: { phase: { type: 'string' } } },
  },
}

const TYPE = { group: 'weir.dev', version: 'v1', kind: 'Thing', namespaced: true }
const thing = compileCustomResource({ ...TYPE, schema })

function object(spec: JsonValue, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'weir.dev/v1', kind: 'Thing', metadata: { name: 'a', namespace: 'b', ...metadata }, spec }
}

describe('decoding and defaulting', () => {
  test('what needs no change is handed back as it is', () => {
    const given = object({ a: 'x', map: { y: 1 }, list: [{ k: 'l' }] })
    const { object: decoded } = thing.decode(given)
    expect(decoded.spec).toBe(given.spec)
    expect(thing.applyDefaults(decoded)).toBe(decoded)
  })

  test('unknown fields are dropped and told as fieldValidation=Strict tells them', () => {
    const given = object({ a: 'x', z: 1, list: [{ k: 'l', more: 1 }] }, { odd: 1 })
    const { object: decoded, unknownFields } = thing.decode({ ...given, extra: 1 })
    expect(decoded.spec).toEqual({ a: 'x', list: [{ k: 'l' }] })
    expect(unknownFieldMessages(unknownFields)).toEqual([
      'unknown field "metadata.odd"',
      'unknown field "extra"',
      'unknown field "spec.list[0].more"',
      'unknown field "spec.z"',
    ])
  })

  test('metadata that cannot be read makes the object unreadable, and nothing is changed', () => {
    const given = object({ z: 1 }, { labels: { a: 1 } })
    const { object: decoded, malformed } = thing.decode(given)
    expect(malformed).toBe('json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string')
    expect(decoded).toBe(given)
  })

  test('preserveUnknownFields keeps all, and a type without a schema is only asked for its metadata', () => {
    const kept = compileCustomResource({ ...TYPE, schema, preserveUnknownFields: true })
    expect(kept.decode(object({ z: 1 })).object.spec).toEqual({ z: 1 })
    const free = compileCustomResource(TYPE)
    const anything = object([1, { any: 'thing' }])
    expect(free.decode(anything)).toMatchObject({ object: anything, unknownFields: [] })
    expect(free.validateCreate(anything)).toEqual([])
    expect(free.validateCreate(object({}, { name: 'A' }))).toHaveLength(1)
  })

  test('defaults come and go with the schema, values in the store stay (custom_resource_definition.go)', () => {
    const withDefault = (name: string, value: string) =>
      compileCustomResource({
        ...TYPE,
        schema: {
          type: 'object',
          properties: { a: { type: 'string' }, b: { type: 'string' }, [name]: { type: 'string', default: value } },
        },
      })
    const written = { apiVersion: 'weir.dev/v1', kind: 'Thing', metadata: { name: 'a', namespace: 'b' } }
    // Written without a default, read with one.
    const first = withDefault('a', 'A').applyDefaults(withDefault('a', 'A').decode(written).object)
    expect(first.a).toBe('A')
    // Stored with a default, read when another field has one.
    const second = withDefault('b', 'B').applyDefaults(withDefault('b', 'B').decode(first).object)
    expect(second).toMatchObject({ a: 'A', b: 'B' })
  })
})

describe('validation', () => {
  test('another kind or version is told, and little else', () => {
    const errors = thing.validateCreate({ ...object({ a: 1 }), apiVersion: 'weir.dev/v2', kind: 'Other' })
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'kind: Invalid value: "Other": must be Thing',
      'apiVersion: Invalid value: "weir.dev/v2": must be weir.dev/v1',
    ])
  })

  test('errors tell their place in steps too, maps and lists alike', () => {
    const errors = thing.validateCreate(object({ map: { 'x.y/z': 'no' }, list: [{ k: 'a', n: 'no' }] }))
    expect(errors.filter(({ field }) => field !== '<nil>').map(({ path }) => path)).toEqual([
      ['spec', 'map', 'x.y/z'],
      ['spec', 'list', 0, 'n'],
    ])
  })

  test('rules are not run over values of wrong types, and that is said', () => {
    expect(thing.validateCreate(object({ b: 'bad' })).map(({ message }) => message)).toEqual(['Invalid value: not bad'])
    const messages = thing.validateCreate(object({ a: 1, b: 'bad' })).map(({ message }) => message)
    expect(messages).not.toContain('Invalid value: not bad')
    expect(messages.join()).toContain('some validation rules were not checked because the object was invalid')
  })

  test('forgiven rules are warned of, whether or not the update was validated before', () => {
    const meta = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' }
    const old = object({ b: 'bad' }, meta)
    const next = object({ b: 'bad' }, { ...meta, labels: { a: 'b' } })
    const warning = 'spec: Invalid value: not bad'
    expect(thing.warnings(next, old)).toEqual([warning])
    expect(thing.validateUpdate(next, old)).toEqual([])
    expect(thing.warnings(next, old)).toEqual([warning])
    expect(thing.warnings(object({ b: 'good' }, meta), old)).toEqual([])
  })

  test('finalizers that are not qualified are warned of when they are new', () => {
    const [old, next] = [['plain'], ['plain', 'other']].map((finalizers) => object({}, { finalizers }))
    expect(thing.warnings(old!)).toHaveLength(1)
    expect(thing.warnings(next!, old)).toEqual([
      'metadata.finalizers: "other": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers',
    ])
  })
})

test('takes any JSON without throwing, and changes none of it', () => {
  const random = seeded(1)
  for (let i = 0; i < 2000; i++) {
    const given = frozen(
      object(randomJson(random, ['a', 'b', 'list', 'map', 'k', 'n', 'embedded', 'either', 'kind', 'metadata'])),
    )
    const decoded = thing.decode(given)
    const defaulted = frozen(thing.applyDefaults(frozen(decoded.object as JsonObject)))
    thing.validateCreate(defaulted)
    const errors = thing.validateUpdate(defaulted, given)
    thing.validateStatusUpdate(defaulted, given)
    for (const { field, message, path } of errors) {
      expect(typeof field === 'string' && message !== '' && Array.isArray(path)).toBe(true)
    }
  }
})
