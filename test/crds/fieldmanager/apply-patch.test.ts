import { describe, expect, test } from '@jest/globals'
import { applyPatch } from '../../../crds/fieldmanager/apply-patch.ts'
import { fieldSetOf } from '../../../crds/fieldmanager/field-set.ts'
import { objectType } from '../../../crds/fieldmanager/object-type.ts'
import type { ApplyRequest } from '../../../crds/fieldmanager/request.ts'
import type { JsonObject, KubeObject } from '../../../crds/metadata.ts'
import { entry, LATER, NOW, owners, sample, sampleScope } from './sample-scope.ts'

type Step = Partial<Omit<ApplyRequest, 'patch'>> & {
  readonly manager: string
  readonly spec?: JsonObject
  readonly patch?: JsonObject
}

function configuration(step: Step): JsonObject {
  return (
    step.patch ?? {
      apiVersion: 'weir.dev/v1',
      kind: 'Sample',
      metadata: { name: 'x' },
      ...(step.spec && { spec: step.spec }),
    }
  )
}

function attempt(live: KubeObject | undefined, step: Step) {
  const { spec: _s, patch: _p, ...request } = step
  return applyPatch({
    scope: sampleScope(),
    ...(live && { live }),
    force: false,
    now: NOW,
    ...request,
    patch: configuration(step),
  })
}

/** Applies one after the other; each must succeed. */
function applied(...steps: readonly Step[]): KubeObject {
  let live: KubeObject | undefined
  for (const step of steps) {
    const result = attempt(live, step)
    if (result.outcome !== 'applied') throw new Error(JSON.stringify(result))
    live = result.object
  }
  if (!live) throw new Error('nothing applied')
  return live
}

function specOf(object: KubeObject): unknown {
  return (object as unknown as JsonObject).spec
}

describe('what an apply leaves of an object', () => {
  test.each<{ readonly why: string; readonly steps: readonly Step[]; readonly spec: unknown }>([
    {
      why: 'a field that its only owner no longer applies goes',
      steps: [
        { manager: 'a', spec: { replicas: 1, size: 2 } },
        { manager: 'a', spec: { size: 2 } },
      ],
      spec: { size: 2 },
    },
    {
      why: 'a field that somebody else applies too stays',
      steps: [
        { manager: 'a', spec: { replicas: 1, size: 2 } },
        { manager: 'b', spec: { replicas: 1 } },
        { manager: 'a', spec: { size: 2 } },
      ],
      spec: { replicas: 1, size: 2 },
    },
    {
      why: 'a forced value wins, and its old owner may leave it out without removing it',
      steps: [
        { manager: 'a', spec: { replicas: 1 } },
        { manager: 'b', spec: { replicas: 2 }, force: true },
        { manager: 'a', spec: {} },
      ],
      spec: { replicas: 2 },
    },
    {
      why: 'maps are granular: keys of others stay',
      steps: [
        { manager: 'a', spec: { labels: { x: '1', y: '2' } } },
        { manager: 'b', spec: { labels: { z: '3' } } },
        { manager: 'a', spec: { labels: { y: '2' } } },
      ],
      spec: { labels: { y: '2', z: '3' } },
    },
    {
      why: 'an atomic map is replaced as a whole',
      steps: [
        { manager: 'a', spec: { whole: { a: 1, b: 'x' } } },
        { manager: 'a', spec: { whole: { b: 'y' } } },
      ],
      spec: { whole: { b: 'y' } },
    },
    {
      why: 'a list without a type is replaced as a whole',
      steps: [
        { manager: 'a', spec: { list: ['x', 'y'] } },
        { manager: 'a', spec: { list: ['z'] } },
      ],
      spec: { list: ['z'] },
    },
    {
      why: 'sets are united, the applied order first among what is shared',
      steps: [
        { manager: 'a', spec: { tags: ['x', 'y', 'z'] } },
        { manager: 'b', spec: { tags: ['z', 'new', 'x'] } },
      ],
      spec: { tags: ['y', 'z', 'new', 'x'] },
    },
    {
      why: 'items of a keyed list merge field by field; keys left out count with their defaults',
      steps: [
        { manager: 'a', spec: { ports: [{ port: 80, name: 'http' }] } },
        {
          manager: 'b',
          spec: {
            ports: [
              { port: 80, protocol: 'TCP' },
              { port: 80, protocol: 'UDP' },
            ],
          },
        },
      ],
      spec: {
        ports: [
          { port: 80, name: 'http', protocol: 'TCP' },
          { port: 80, protocol: 'UDP' },
        ],
      },
    },
    {
      why: 'an item goes with its only owner, an item with another owner stays',
      steps: [
        { manager: 'a', spec: { ports: [{ port: 80 }, { port: 443 }] } },
        { manager: 'b', spec: { ports: [{ port: 443, name: 'https' }] } },
        { manager: 'a', spec: { ports: [] } },
      ],
      spec: { ports: [{ port: 443, name: 'https' }] },
    },
    {
      why: 'where nothing is declared types are deduced: maps granular, lists whole',
      steps: [
        { manager: 'a', spec: { free: { x: { y: 1 }, l: [1, 2] } } },
        { manager: 'b', spec: { free: { x: { z: 2 } } } },
        { manager: 'a', spec: { free: { l: [3] } } },
      ],
      spec: { free: { x: { z: 2 }, l: [3] } },
    },
  ])('$why', ({ steps, spec }) => {
    expect(specOf(applied(...steps))).toEqual(spec)
  })
})

test('metadata keeps nothing empty, embedded metadata neither; what else is left of a map is null', () => {
  const embedded = (labels: JsonObject | null) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels } })
  const labelled = {
    manager: 'a',
    patch: configuration({ manager: 'a', spec: { embedded: embedded({ x: '1' }), labels: { x: '1' } } }),
  }
  const unlabelled = { manager: 'b', spec: { embedded: embedded(null), labels: null } }
  const object = applied(labelled, unlabelled, { manager: 'a', spec: {} })
  expect(specOf(object)).toEqual({ embedded: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }, labels: null })
})

describe('who owns what after an apply', () => {
  test('fields, keys of maps, items by key and by value, wholes', () => {
    const object = applied({
      manager: 'a',
      spec: {
        replicas: 1,
        labels: { x: '1' },
        whole: { a: 1 },
        list: ['x'],
        tags: ['b', 'a'],
        ports: [{ port: 80, name: 'n' }],
        free: { u: { v: 1 } },
      },
    })
    expect(object.metadata.managedFields).toEqual([
      entry('a', 'Apply', {
        'f:spec': {
          'f:free': { 'f:u': { '.': {}, 'f:v': {} } },
          'f:labels': { 'f:x': {} },
          'f:list': {},
          'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} } },
          'f:replicas': {},
          'f:tags': { 'v:"a"': {}, 'v:"b"': {} },
          'f:whole': {},
        },
      }),
    ])
  })

  test('values in elements are escaped as Go escapes them', () => {
    const object = applied({ manager: 'a', spec: { tags: ['<b>&\u2028"\\'] } })
    expect(owners(object)['a/Apply']).toEqual({ 'f:tags': { 'v:"\\u003cb\\u003e\\u0026\\u2028\\"\\\\"': {} } })
  })

  test('nobody owns identity, and what the server writes', () => {
    const patch = {
      apiVersion: 'weir.dev/v1',
      kind: 'Sample',
      metadata: { name: 'x', namespace: 'n', uid: 'u', resourceVersion: '1', labels: { l: '1' } },
    }
    expect(applied({ manager: 'a', patch }).metadata.managedFields?.[0]?.fieldsV1).toEqual({
      'f:metadata': { 'f:labels': { 'f:l': {} } },
    })
  })

  test('metadata of embedded resources merges as metadata, the rest is free', () => {
    const embedded = { apiVersion: 'v1', kind: 'Pod', metadata: { finalizers: ['f'] }, spec: { x: 1 } }
    expect(owners(applied({ manager: 'a', spec: { embedded } }))['a/Apply']).toEqual({
      'f:embedded': {
        'f:apiVersion': {},
        'f:kind': {},
        'f:metadata': { 'f:finalizers': { 'v:"f"': {} } },
        'f:spec': { '.': {}, 'f:x': {} },
      },
    })
  })

  test('what an endpoint resets is owned by nobody there', () => {
    const scope = sampleScope({ resetFields: () => fieldSetOf(['status']) })
    const patch = {
      apiVersion: 'weir.dev/v1',
      kind: 'Sample',
      metadata: { name: 'x' },
      spec: { replicas: 1 },
      status: { phase: 'Up' },
    }
    expect(applied({ manager: 'a', patch, scope }).metadata.managedFields?.[0]?.fieldsV1).toEqual({
      'f:spec': { 'f:replicas': {} },
    })
  })

  test('an applier has one entry whatever version it uses', () => {
    const scope = sampleScope({ apiVersion: 'weir.dev/v2' })
    const first = applied({ manager: 'a', spec: { replicas: 1, size: 1 } })
    const patch = { apiVersion: 'weir.dev/v2', kind: 'Sample', metadata: { name: 'x' }, spec: { replicas: 2 } }
    const live = { ...first, apiVersion: 'weir.dev/v2' }
    const result = attempt(live, { manager: 'a', scope, patch })
    expect(result).toMatchObject({ outcome: 'applied', object: { spec: { replicas: 2 } } })
    expect(result.outcome === 'applied' && result.object.metadata.managedFields).toEqual([
      entry('a', 'Apply', { 'f:spec': { 'f:replicas': {} } }, { apiVersion: 'weir.dev/v2' }),
    ])
  })

  test('entries of versions that are no longer served go', () => {
    const first = applied({ manager: 'a', spec: { replicas: 1 } })
    const old = entry('gone', 'Update', { 'f:spec': { 'f:size': {} } }, { apiVersion: 'weir.dev/v0' })
    const live = {
      ...first,
      metadata: { ...first.metadata, managedFields: [...(first.metadata.managedFields ?? []), old] },
    }
    const result = attempt(live, { manager: 'a', spec: { replicas: 2 } })
    expect(result.outcome === 'applied' && Object.keys(owners(result.object))).toEqual(['a/Apply'])
  })

  test('what an object had before its first apply, where nobody was tracked, belongs to before-first-apply', () => {
    const live = sample({ replicas: 1, size: 1 }, { uid: 'u' })
    const result = attempt(live, { manager: 'a', spec: { replicas: 1 } })
    expect(result.outcome === 'applied' && owners(result.object)).toEqual({
      'a/Apply': { 'f:replicas': {} },
      'before-first-apply/Update': { '.': {}, 'f:replicas': {}, 'f:size': {} },
    })
  })
})

describe('applying what is there already', () => {
  const live = applied({ manager: 'a', spec: { replicas: 1, ports: [{ port: 80 }] } })

  test('by its owner changes nothing: the object itself is answered, the time stays', () => {
    const result = attempt(live, { manager: 'a', spec: { replicas: 1, ports: [{ port: 80 }] }, now: LATER })
    expect(result).toMatchObject({ outcome: 'applied', changed: false })
    expect(result.outcome === 'applied' && result.object).toBe(live)
  })

  test('by another makes it an owner too, without a time: the object did not change', () => {
    const result = attempt(live, { manager: 'b', spec: { replicas: 1 }, now: LATER })
    expect(result).toMatchObject({ outcome: 'applied', changed: true })
    expect(
      result.outcome === 'applied' && result.object.metadata.managedFields?.map(({ manager, time }) => [manager, time]),
    ).toEqual([
      ['b', undefined],
      ['a', NOW],
    ])
  })
})

describe('conflicts', () => {
  const live = applied({ manager: 'a', spec: { replicas: 1, size: 1, ports: [{ port: 80, name: 'http' }] } })

  test('one, in words', () => {
    expect(attempt(live, { manager: 'b', spec: { replicas: 2 } })).toEqual({
      outcome: 'conflict',
      message: 'Apply failed with 1 conflict: conflict with "a": .spec.replicas',
      conflicts: [{ field: '.spec.replicas', message: 'conflict with "a"' }],
    })
  })

  test('several, by manager, updates with their version and subresource', () => {
    const other = entry('c', 'Update', { 'f:spec': { 'f:tags': {}, 'f:list': {} } }, { subresource: 'status' })
    const object = sample(
      { replicas: 1, size: 1, list: ['x'], ports: [{ port: 80, name: 'http' }] },
      {
        managedFields: [...(live.metadata.managedFields ?? []), other],
      },
    )
    const result = attempt(object, {
      manager: 'b',
      spec: { replicas: 2, size: 2, list: ['y'], ports: [{ port: 80, name: 'web' }] },
    })
    expect(result).toMatchObject({
      outcome: 'conflict',
      message: [
        'Apply failed with 4 conflicts: conflicts with "a":',
        '- .spec.replicas',
        '- .spec.size',
        '- .spec.ports[port=80,protocol="TCP"].name',
        'conflicts with "c" with subresource "status" using weir.dev/v1:',
        '- .spec.list',
      ].join('\n'),
    })
  })

  test('force takes the fields over', () => {
    const result = attempt(live, { manager: 'b', spec: { replicas: 2 }, force: true })
    expect(result.outcome === 'applied' && owners(result.object)).toEqual({
      'a/Apply': {
        'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} } },
        'f:size': {},
      },
      'b/Apply': { 'f:replicas': {} },
    })
  })

  test('kubectl takes over without force what client-side apply wrote and nobody changed since, and keeps its annotation current', () => {
    const lastApplied = {
      apiVersion: 'weir.dev/v1',
      kind: 'Sample',
      metadata: { name: 'x' },
      spec: { replicas: 1, size: 1 },
    }
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
    const managedFields = [
      entry('kubectl-client-side-apply', 'Update', { 'f:spec': { '.': {}, 'f:replicas': {}, 'f:size': {} } }),
    ]
    const object = sample(
      { replicas: 1, size: 7 },
      { uid: 'u', annotations: { [annotation]: JSON.stringify(lastApplied) }, managedFields },
    )
    const taken = attempt(object, { manager: 'kubectl', spec: { replicas: 2 } })
    expect(taken).toMatchObject({ outcome: 'applied', object: { spec: { replicas: 2, size: 7 } } })
    expect(taken.outcome === 'applied' && taken.object.metadata.annotations?.[annotation]).toBe(
      '{"apiVersion":"weir.dev/v1","kind":"Sample","metadata":{"name":"x"},"spec":{"replicas":2}}\n',
    )
    // size was changed by somebody since: it is not client-side apply's any more.
    expect(attempt(object, { manager: 'kubectl', spec: { replicas: 2, size: 2 } })).toMatchObject({
      outcome: 'conflict',
      conflicts: [{ field: '.spec.size' }],
    })
    expect(attempt(object, { manager: 'somebody', spec: { replicas: 2 } }).outcome).toBe('conflict')
  })
})

describe('what cannot be applied', () => {
  test.each<{
    readonly why: string
    readonly step: Step
    readonly live?: KubeObject
    readonly code: number
    readonly message: string
  }>([
    {
      why: 'another kind',
      step: { manager: 'a', patch: { apiVersion: 'v1', kind: 'Pod' } },
      code: 400,
      message: 'invalid object type: /v1, Kind=Pod',
    },
    {
      why: 'managedFields in the configuration',
      step: {
        manager: 'a',
        patch: { apiVersion: 'weir.dev/v1', kind: 'Sample', metadata: { name: 'x', managedFields: [] } },
      },
      code: 400,
      message: 'metadata.managedFields must be nil',
    },
    {
      why: 'a field that no schema declares',
      step: { manager: 'a', spec: { nonsense: 1 } },
      code: 500,
      message:
        'failed to create typed patch object (/x; weir.dev/v1, Kind=Sample): .spec.nonsense: field not declared in schema',
    },
    {
      why: 'the same item twice',
      step: { manager: 'a', spec: { tags: ['x', 'x'] } },
      code: 500,
      message:
        'failed to create typed patch object (/x; weir.dev/v1, Kind=Sample): .spec.tags: duplicate entries for key [="x"]',
    },
    {
      why: 'two values of wrong types',
      step: { manager: 'a', spec: { replicas: 'many', labels: { x: 1 } } },
      code: 500,
      message:
        'failed to create typed patch object (/x; weir.dev/v1, Kind=Sample): errors:\n  .spec.replicas: expected numeric (int or float), got string\n  .spec.labels.x: expected string, got &value.valueUnstructured{Value:1}',
    },
    {
      why: 'an item without any of its keys',
      step: { manager: 'a', spec: { ports: [null] } },
      code: 500,
      message:
        'failed to create typed patch object (/x; weir.dev/v1, Kind=Sample): .spec.ports: element 0: associative list with keys may not have a null element',
    },
    {
      why: 'an object whose managedFields nobody can read',
      live: sample({}, { uid: 'u', managedFields: [{ manager: 'a', operation: 'Apply', apiVersion: 'weir.dev/v1' }] }),
      step: { manager: 'a', spec: {} },
      code: 500,
      message: 'failed to decode managed fields: missing fieldsType in managed fields entry 0',
    },
  ])('$why', ({ step, live, code, message }) => {
    expect(attempt(live, step)).toEqual({ outcome: 'invalid', code, message })
  })
})

test('a field that was granular and is one whole now belongs as a whole to who had a part of it', () => {
  const granular: JsonObject = {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { m: { type: 'object', additionalProperties: { type: 'string' } } } },
    },
  }
  const whole: JsonObject = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          m: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
        },
      },
    },
  }
  const before = applied({
    manager: 'a',
    spec: { m: { x: '1' } },
    scope: sampleScope({ typeOf: () => objectType(granular) }),
  })
  expect(owners(before)['a/Apply']).toEqual({ 'f:m': { 'f:x': {} } })
  const scope = sampleScope({ typeOf: () => objectType(whole) })
  const result = attempt(before, { manager: 'b', spec: { m: { y: '2' } }, scope })
  expect(result).toMatchObject({ outcome: 'conflict', conflicts: [{ field: '.spec.m' }] })
})

test('without a schema everything is deduced', () => {
  const scope = sampleScope({ typeOf: () => objectType(undefined) })
  const object = applied({ manager: 'a', spec: { list: ['x'], map: { k: 1 } }, scope })
  expect(object.metadata.managedFields?.[0]?.fieldsV1).toEqual({
    'f:spec': { '.': {}, 'f:list': {}, 'f:map': { '.': {}, 'f:k': {} } },
  })
})
