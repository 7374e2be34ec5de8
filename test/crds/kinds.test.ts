import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../crds/metadata.ts'
import { defaultCustomResourceDefinition, validateCustomResourceDefinition } from '../../crds/validation/crd.ts'
import { type CustomResourceValidator, compileCustomResource } from '../../crds/validation/custom-resource.ts'
import { crdFiles, example, wrongObject, wrongSamples } from './samples.ts'

const validators = new Map<string, CustomResourceValidator>(
  crdFiles.map(({ crd }) => {
    const [version] = crd.spec.versions
    const validator = compileCustomResource({
      group: crd.spec.group,
      version: version.name,
      kind: crd.spec.names.kind,
      namespaced: crd.spec.scope === 'Namespaced',
      schema: version.schema.openAPIV3Schema as unknown as JsonObject,
    })
    return [crd.spec.names.kind, validator]
  }),
)
const of = (kind: string) => validators.get(kind)!

describe.each(crdFiles.map(({ crd, json }) => ({ kind: crd.spec.names.kind, json })))('$kind', ({ kind, json }) => {
  test('is a CustomResourceDefinition that an API server takes', () => {
    expect(validateCustomResourceDefinition(defaultCustomResourceDefinition(json))).toEqual([])
  })

  test('takes its documented example, which has no unknown field', () => {
    const { object, unknownFields } = of(kind).decode(example(kind) as JsonObject)
    expect(unknownFields).toEqual([])
    expect(of(kind).validateCreate(of(kind).applyDefaults(object))).toEqual([])
  })
})

test.each(wrongSamples.map((sample) => [`${sample.kind}: ${sample.why}`, sample] as const))('%s', (_, sample) => {
  const validator = of(sample.kind)
  const { object } = validator.decode(wrongObject(sample) as JsonObject)
  const told = validator
    .validateCreate(validator.applyDefaults(object))
    .filter(({ field }) => field !== '<nil>' || !sample.causes.every((c) => c.field))
  expect(told.map(({ field }) => field).sort()).toEqual(sample.causes.map(({ field }) => field || '<nil>').sort())
  for (const { field, message } of sample.causes) {
    expect(told.find((error) => error.field === (field || '<nil>'))?.message).toContain(message)
  }
})

describe('defaults', () => {
  const filled = (kind: string, spec: JsonObject) =>
    of(kind).applyDefaults({ ...(example(kind) as JsonObject), spec }).spec
  test.each([
    [
      'Site',
      { country: 'DE', metro: 'fra' },
      {
        tier: 'edge',
        timeZone: 'UTC',
        network: { prefixes: [] },
        parents: [],
        fillWindows: [],
        maintenanceWindows: [],
      },
    ],
    ['Appliance', { siteRef: { name: 'a' }, hardwareClassRef: { name: 'b' } }, { mode: 'InService' }],
    ['Catalog', { source: { url: 'file:///c.ndjson' } }, { refreshInterval: '1h', suspend: false }],
    [
      'PlacementPolicy',
      { catalogRef: { name: 'c' } },
      {
        priority: 0,
        appliances: {},
        copies: { perSite: 1 },
        storageShare: 100,
        pins: [],
        exclude: [],
        demand: { source: 'catalog' },
      },
    ],
    [
      'PlacementPolicy',
      { catalogRef: { name: 'c' }, pins: [{ paths: ['a'] }] },
      { pins: [{ paths: ['a'], copies: 'all' }] },
    ],
    [
      'SteeringPolicy',
      {},
      {
        priority: 0,
        clients: { unlocated: false },
        content: {},
        purposes: ['vod', 'live', 'game'],
        tiers: ['Site', 'Siblings', 'Parents', 'Fallback'],
        weights: { locality: 60, load: 30, cost: 10 },
        costs: [],
        overload: { gamePercent: 75, vodPercent: 85, livePercent: 95 },
        boundPercent: 105,
        slowStartSeconds: 60,
        maxUrls: 4,
        ttlSeconds: 300,
        fallbacks: [],
        pins: [],
        drains: [],
      },
    ],
  ] as [string, JsonObject, JsonObject][])('of a %s with %j', (kind, spec, expected) => {
    expect(filled(kind, spec)).toMatchObject(expected)
  })
})

describe('a PlacementPlan', () => {
  const plan = {
    ...(example('PlacementPlan') as JsonObject),
    metadata: {
      name: 'p',
      namespace: 'default',
      uid: 'u',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2030-01-01T00:00:00Z',
    },
  }
  test('never changes', () => {
    const changed = { ...plan, spec: { ...(plan as unknown as { spec: JsonObject }).spec, solver: 'other/1' } }
    expect(of('PlacementPlan').validateUpdate(changed, plan)).toMatchObject([
      { field: 'spec', message: expect.stringContaining('a PlacementPlan never changes') },
    ])
    expect(of('PlacementPlan').validateUpdate(plan, plan)).toEqual([])
  })
})
