import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { Ajv, type ValidateFunction } from 'ajv'
import { parseAllDocuments } from 'yaml'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { kinds } from '../../crds/registry.gen.ts'
import { compileCustomResource } from '../../crds/validation/custom-resource.ts'
import { schemaFile, translate } from '../../scripts/generate/json-schemas.ts'
import { crdFiles, example, wrongObject, wrongSamples } from './samples.ts'

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'crds/schemas')
const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as JsonObject

// Strict: a keyword that is no draft-07 is an error. What editors know besides is named here.
const ajv = new Ajv({ strict: true, allowUnionTypes: true, strictRequired: false, allErrors: true })
ajv.addVocabulary(['patternErrorMessage'])
// What of RFC 3339 date-times an editor would complain of; the tests need no more.
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/)

const combined = ajv.compile(read('weir.json'))
const byKind = new Map(crdFiles.map(({ crd }) => [crd.spec.names.kind, ajv.compile(read(schemaFile(crd)))]))
const validators = new Map(
  crdFiles.map(({ crd, json }) => {
    const [version] = (json.spec as { versions: readonly [{ name: string; schema: { openAPIV3Schema: JsonObject } }] })
      .versions
    const { group, names, scope } = crd.spec
    const schema = version.schema.openAPIV3Schema
    const type = { group, version: version.name, kind: names.kind, namespaced: scope === 'Namespaced', schema }
    return [names.kind, compileCustomResource(type)]
  }),
)

const paths = (check: ValidateFunction) =>
  check.errors?.map(({ instancePath, keyword }) => `${instancePath} ${keyword}`)

/** Whether the API takes an object as it is: nothing invalid, nothing unknown. */
function taken(kind: string, object: JsonObject): boolean {
  const validator = validators.get(kind)!
  const decoded = validator.decode(object)
  if (decoded.malformed !== undefined || decoded.unknownFields.length > 0) return false
  return validator.validateCreate(validator.applyDefaults(decoded.object)).length === 0
}

describe('what is right', () => {
  test.each(kinds.map(({ kind }) => kind))('the example of %s, with every field of its spec', (kind) => {
    expect([byKind.get(kind)!(example(kind)), paths(byKind.get(kind)!)]).toEqual([true, undefined])
    expect([combined(example(kind)), paths(combined)]).toEqual([true, undefined])
  })

  const manifests = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.ya?ml$/.test(file),
  )
  test.each(manifests)('examples/%s', (file) => {
    for (const document of parseAllDocuments(readFileSync(join(root, 'examples', file), 'utf8'))) {
      const object = document.toJS() as { readonly kind: string }
      expect([combined(object), paths(combined)]).toEqual([true, undefined])
      const own = byKind.get(object.kind)
      // Flux has a Kustomization, kustomize another; neither is ours.
      if (own) expect([own(object), paths(own)]).toEqual([true, undefined])
    }
  })

  test.each<[string, JsonObject]>([
    ['an object as a server gives it back', { uid: 'x', resourceVersion: '7', generation: 1, creationTimestamp: null }],
    ['labels and annotations', { labels: { 'topology.kubernetes.io/region': 'eu' }, annotations: { note: '' } }],
    ['a namespace', { namespace: 'cdn' }],
  ])('%s', (_why, metadata) => {
    const site = byKind.get('Site')!
    expect([site({ ...example('Site'), metadata: { name: 'a.b-c', ...metadata } }), paths(site)]).toEqual([
      true,
      undefined,
    ])
  })

  test('another API’s object is not looked into', () => {
    expect(combined({ apiVersion: 'v1', kind: 'Site', spec: 7 })).toBe(true)
  })
})

describe('what is wrong', () => {
  const site = { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Site', metadata: { name: 'a' } }
  const spec = { country: 'DE', metro: 'fra' }
  test.each<[string, JsonValue, string]>([
    ['no object', [], ' type'],
    ['no spec', site, ' required'],
    ['no name', { ...site, metadata: {}, spec }, '/metadata required'],
    ['a name in capitals', { ...site, metadata: { name: 'A' }, spec }, '/metadata/name pattern'],
    [
      'a label that is no text',
      { ...site, metadata: { name: 'a', labels: { x: 1 } }, spec },
      '/metadata/labels/x type',
    ],
    ['a field too many', { ...site, spec: { ...spec, contry: 'DE' } }, '/spec additionalProperties'],
    ['a field beside spec', { ...site, spec, specs: {} }, ' additionalProperties'],
    ['a required field too few', { ...site, spec: { metro: 'fra' } }, '/spec required'],
    ['a value that is none of those allowed', { ...site, spec: { ...spec, tier: 'middle' } }, '/spec/tier enum'],
    ['what only a rule of the CRD says', { ...site, spec: { ...spec, country: 'de' } }, '/spec/country pattern'],
    ['another version', { ...site, apiVersion: 'fleet.weir.dev/v1', spec }, '/apiVersion const'],
    ['a text for a number', { ...site, spec: { ...spec, network: { asn: '64500' } } }, '/spec/network/asn type'],
    [
      'a bound that is not reached',
      { ...site, spec: { ...spec, network: { uplinkGbps: 0 } } },
      '/spec/network/uplinkGbps exclusiveMinimum',
    ],
    [
      'a day twice',
      { ...site, spec: { ...spec, fillWindows: [{ days: ['Mon', 'Mon'], start: '01:00', end: '02:00' }] } },
      '/spec/fillWindows/0/days uniqueItems',
    ],
  ])('%s', (_why, object, error) => {
    const check = byKind.get('Site')!
    expect(check(object)).toBe(false)
    expect(paths(check)).toContain(error)
  })

  test('a kind that is not there, of a group that is ours', () => {
    expect(combined({ apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Sites', metadata: { name: 'a' } })).toBe(false)
    expect(paths(combined)).toContain('/kind enum')
    expect(combined({ ...site, spec: {} })).toBe(false)
    expect(paths(combined)).toContain('/spec required')
  })

  // What rules say is for `weir validate`, where it is about more than one text; so is what a CIDR prefix is, and what names may be.
  const rules = new Set(
    [...JSON.stringify(crdFiles.map(({ json }) => json)).matchAll(/"message":("(?:[^"\\]|\\.)*")/g)].map(
      ([, message]) => JSON.parse(message!) as string,
    ),
  )
  const onlyValidate = (message: string) =>
    /type cidr|Duplicate value/.test(message) ||
    [...rules].some((rule) => message.includes(rule) || rule.includes(message))

  test.each(wrongSamples.map((sample) => [sample.why, sample] as const))('%s', (_why, sample) => {
    const check = byKind.get(sample.kind)!
    const missed = check(wrongObject(sample)) ? sample.causes.map(({ message }) => message) : []
    expect(missed.filter((message) => !onlyValidate(message))).toEqual([])
  })
})

/** Every object that one change to one place of `value` makes. */
function* changed(value: JsonValue): Generator<JsonValue | undefined> {
  yield undefined
  for (const other of [
    '',
    'x',
    'all',
    '02:00',
    0,
    -1,
    1,
    1.5,
    2 ** 31,
    true,
    [],
    {},
    ['x'],
    ['x', 'x'],
    [{}],
    { x: 'y' },
  ])
    yield other
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const part of changed(item))
        yield value.with(index, part ?? null).filter((_, i) => i !== index || part !== undefined)
    }
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, bogus: 'x' }
    for (const [key, item] of Object.entries(value as JsonObject)) {
      for (const part of changed(item!)) {
        const { [key]: _gone, ...rest } = value as JsonObject
        yield part === undefined ? rest : { ...rest, [key]: part }
      }
    }
  }
}

test.each(kinds.map(({ kind }) => kind))('the schema of %s refuses nothing that the API takes', (kind) => {
  const check = byKind.get(kind)!
  const { spec, ...rest } = example(kind) as JsonObject
  let refused = 0
  let missed = 0
  for (const other of changed(spec!)) {
    const object = { ...rest, ...(other !== undefined && { spec: other }) } as JsonObject
    const takes = taken(kind, object)
    if (check(object)) {
      if (!takes) missed++
    } else {
      // Upstream's type check lets a list pass for a text that has a format, and so does the API here.
      const odd = check.errors?.every(
        (e) => e.keyword === 'type' && /(prefixes|networks)\/\d+$|\/until$/.test(e.instancePath),
      )
      if (takes && !odd) throw new Error(`refused: ${paths(check)} of ${JSON.stringify(object)}`)
      refused++
    }
  }
  // Most slips show in an editor already; the rest is for `weir validate`.
  expect(refused).toBeGreaterThan(20)
  expect(missed / (refused + missed)).toBeLessThan(0.1)
})

describe('files', () => {
  test('there is one per kind, one for all, and an index of them', () => {
    const { schemas } = read('index.json') as { schemas: readonly { url: string; name: string; description: string }[] }
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'))
    expect(schemas.map(({ url }) => url).sort()).toEqual(files.filter((file) => file !== 'index.json').sort())
    expect(new Set(schemas.map(({ name }) => name)).size).toBe(schemas.length)
    for (const { url } of schemas) expect(read(url).$schema).toBe('http://json-schema.org/draft-07/schema#')
  })
})

describe('translation', () => {
  test.each<[string, Parameters<typeof translate>[0], JsonObject]>([
    ['int-or-string', { 'x-kubernetes-int-or-string': true }, { type: ['integer', 'string'] }],
    ['nullable', { type: 'string', nullable: true, enum: ['a'] }, { type: ['string', 'null'], enum: ['a', null] }],
    [
      'unknown fields that are kept',
      { type: 'object', properties: { a: { type: 'string' } }, 'x-kubernetes-preserve-unknown-fields': true },
      { type: 'object', properties: { a: { type: 'string' } } },
    ],
    [
      'bounds that a format brings',
      { type: 'integer', format: 'int32', minimum: 0 },
      { type: 'integer', minimum: 0, maximum: 2147483647 },
    ],
    [
      'a set',
      { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
      { type: 'array', uniqueItems: true, items: { type: 'string' } },
    ],
    [
      'a rule that is a pattern, and more',
      {
        type: 'string',
        'x-kubernetes-validations': [{ rule: "self.matches('^a+$') && size(self) < 5", message: 'must be as' }],
      },
      { type: 'string', pattern: '^a+$', patternErrorMessage: 'must be as', description: 'Must be as.' },
    ],
    [
      'a rule that demands a pattern only sometimes',
      {
        type: 'string',
        'x-kubernetes-validations': [{ rule: "self.matches('^a+$') && true || self == ''", message: 'must be as' }],
      },
      { type: 'string', description: 'Must be as.' },
    ],
  ])('of %s', (_what, schema, expected) => {
    expect(translate(schema)).toEqual(expected)
  })
})
