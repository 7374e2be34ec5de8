import { describe, expect, test } from '@jest/globals'
import type { JsonObject, JsonValue } from '../../../crds/metadata.ts'
import {
  customResourceDefinitionWarnings,
  decodeCustomResourceDefinition,
  defaultCustomResourceDefinition,
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionStatus,
} from '../../../crds/validation/crd.ts'
import { goodDefinition, mergePatch } from '../corpus/corpus.ts'
import { frozen, randomJson, seeded } from './random.ts'

const good = goodDefinition(undefined)
const like = (patch: JsonValue): JsonObject => mergePatch(good, patch) as JsonObject
const validate = (crd: JsonObject) => validateCustomResourceDefinition(defaultCustomResourceDefinition(crd))

describe('defaulting', () => {
  test('names, conversion and stored versions are filled in', () => {
    const crd = defaultCustomResourceDefinition(good)
    expect(crd.spec).toMatchObject({
      names: { singular: 'thing', listKind: 'ThingList' },
      conversion: { strategy: 'None' },
    })
    expect(crd.status).toEqual({ storedVersions: ['v1'] })
  })

  test('what is given stays', () => {
    const given = like({
      spec: { names: { singular: 'one', listKind: 'Many' }, conversion: { strategy: 'Webhook' } },
      status: { storedVersions: ['v0'] },
    })
    expect(defaultCustomResourceDefinition(given)).toMatchObject(given)
  })

  test("a webhook's service has a port", () => {
    const crd = like({
      spec: {
        conversion: { strategy: 'Webhook', webhook: { clientConfig: { service: { name: 'a', namespace: 'b' } } } },
      },
    })
    expect(defaultCustomResourceDefinition(crd)).toMatchObject({
      spec: { conversion: { webhook: { clientConfig: { service: { name: 'a', namespace: 'b', port: 443 } } } } },
    })
  })

  test('what is no definition at all is left to validation', () => {
    expect(() => defaultCustomResourceDefinition({ spec: 'x' })).not.toThrow()
  })
})

describe('where errors are, in the definition as it is written', () => {
  const version = (more: JsonObject) => ({ spec: { versions: [{ name: 'v1', served: true, storage: true, ...more }] } })
  const schema = { openAPIV3Schema: { type: 'object' } }
  test.each([
    [
      'a schema that all versions share',
      like(version({ schema: { openAPIV3Schema: { type: 'object', properties: { a: { type: 'text' } } } } })),
      'spec.validation.openAPIV3Schema.properties[a].type',
      ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'a', 'type'],
    ],
    [
      'a rule',
      like(
        version({
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { a: { type: 'string', 'x-kubernetes-validations': [{ rule: 'nope' }] } },
            },
          },
        }),
      ),
      'spec.validation.openAPIV3Schema.properties[a].x-kubernetes-validations[0].rule',
      ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'a', 'x-kubernetes-validations', 0, 'rule'],
    ],
    [
      'a column',
      like(version({ schema, additionalPrinterColumns: [{ name: 'a', type: 'string', jsonPath: 'x' }] })),
      'spec.additionalPrinterColumns[0].JSONPath',
      ['spec', 'versions', 0, 'additionalPrinterColumns', 0, 'jsonPath'],
    ],
    [
      'the scale subresource',
      like(version({ schema, subresources: { scale: { specReplicasPath: '.spec.x', statusReplicasPath: '.x' } } })),
      'spec.subresources.scale.statusReplicasPath',
      ['spec', 'versions', 0, 'subresources', 'scale', 'statusReplicasPath'],
    ],
    [
      'selectable fields',
      like(version({ schema, selectableFields: [{ jsonPath: '.spec.x' }] })),
      'spec.selectableFields[0].jsonPath',
      ['spec', 'versions', 0, 'selectableFields', 0, 'jsonPath'],
    ],
    [
      'the name of a version',
      like({ spec: { versions: [{ name: 'V', served: true, storage: true, schema }] } }),
      'spec.version',
      ['spec', 'versions', 0, 'name'],
    ],
    [
      'a webhook',
      like({ spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig: { url: 'http://a' } } } } }),
      'spec.conversion.webhookClientConfig.url',
      ['spec', 'conversion', 'webhook', 'clientConfig', 'url'],
    ],
    [
      'review versions',
      like({ spec: { conversion: { strategy: 'Webhook', webhook: { clientConfig: { url: 'https://a' } } } } }),
      'spec.conversion.conversionReviewVersions',
      ['spec', 'conversion', 'webhook', 'conversionReviewVersions'],
    ],
    [
      'the root of the schema, nullable',
      like(version({ schema: { openAPIV3Schema: { type: 'object', nullable: true } } })),
      'spec.validation.openAPIV3Schema.nullable',
      ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'nullable'],
    ],
  ])('%s', (_what, crd, field, path) => {
    expect(validate(crd).map((error) => [error.field, error.path])).toContainEqual([field, path])
  })
})

test('a status update is asked about the status alone', () => {
  const meta = { uid: 'u', resourceVersion: '1' }
  const old = like({ metadata: meta })
  const next = like({
    metadata: meta,
    spec: { scope: 'World' },
    status: { acceptedNames: { plural: 'A b', kind: 'X' } },
  })
  expect(validateCustomResourceDefinitionStatus(next, old).map(({ field }) => field)).toEqual([
    'status.acceptedNames.plural',
  ])
})

test('an update need not repair what was accepted before', () => {
  const keys = (required: string[]) => ({
    type: 'object',
    properties: {
      l: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        items: { type: 'object', required, properties: { k: { type: 'string' } } },
      },
    },
  })
  const meta = { uid: 'u', resourceVersion: '1' }
  const stored = (schema: JsonValue) =>
    defaultCustomResourceDefinition(mergePatch(goodDefinition(schema), { metadata: meta }) as JsonObject)
  const [loose, strict] = [stored(keys([])), stored(keys(['k']))]
  expect(validateCustomResourceDefinition(loose, loose)).toEqual([])
  expect(validateCustomResourceDefinition(strict, loose)).toEqual([])
  expect(validateCustomResourceDefinition(loose, strict)).toHaveLength(1)
  const costly = stored({
    type: 'object',
    properties: { a: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self.contains(self)' }] } },
  })
  expect(validateCustomResourceDefinition(costly, strict).map(({ message }) => message)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^Forbidden: estimated rule cost exceeds budget/)]),
  )
  expect(validateCustomResourceDefinition(costly, costly).map(({ message }) => message)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^Forbidden: estimated rule cost exceeds budget/)]),
  )
})

test('what cannot be read is told as one error', () => {
  expect(validateCustomResourceDefinition({ spec: 5 })).toEqual([
    {
      reason: 'FieldValueTypeInvalid',
      field: '<nil>',
      path: [],
      message:
        'Invalid value: json: cannot unmarshal number into Go struct field CustomResourceDefinition.spec of type v1.CustomResourceDefinitionSpec',
    },
  ])
})

test('takes any JSON without throwing, and changes none of it', () => {
  const random = seeded(2)
  const names = [
    'type properties items additionalProperties allOf anyOf not required enum default format pattern nullable',
    'x-kubernetes-validations x-kubernetes-list-type x-kubernetes-list-map-keys x-kubernetes-int-or-string',
    'x-kubernetes-embedded-resource x-kubernetes-preserve-unknown-fields rule message metadata maximum maxItems',
  ].flatMap((some) => some.split(' '))
  for (let i = 0; i < 3000; i++) {
    const crd = frozen(
      i % 2 === 0 ? goodDefinition(wellTyped(randomJson(random, names))) : like({ spec: randomJson(random, names) }),
    )
    const decoded = decodeCustomResourceDefinition(crd)
    const defaulted = frozen(defaultCustomResourceDefinition(decoded.object))
    const errors = [...validateCustomResourceDefinition(defaulted), ...validateCustomResourceDefinition(defaulted, crd)]
    customResourceDefinitionWarnings(defaulted, crd)
    for (const { message } of errors) expect(message).not.toBe('')
  }
})

/** Gives fields of schemas the types they must have, so that more than reading is tried. */
function wellTyped(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return { type: 'array', items: wellTyped(value[0] ?? {}) }
  if (typeof value !== 'object' || value === null) return { type: typeof value === 'number' ? 'integer' : 'string' }
  const fields = Object.entries(value as JsonObject).flatMap(([name, one]): [string, JsonValue][] => {
    const given = one ?? null
    if (['items', 'not', 'additionalProperties'].includes(name)) return [[name, wellTyped(given)]]
    if (['allOf', 'anyOf'].includes(name)) return [[name, [wellTyped(given)]]]
    if (name === 'properties') return [[name, { a: wellTyped(given), b: { type: 'string' } }]]
    if (name === 'x-kubernetes-validations') return [[name, [{ rule: 'self == self' }, { rule: String(given) }]]]
    if (name === 'default' || name === 'enum') return [[name, name === 'enum' ? [given] : given]]
    return name.startsWith('x-kubernetes-i') || name.startsWith('x-kubernetes-e') ? [[name, true]] : []
  })
  return { type: 'object', ...Object.fromEntries(fields) }
}
