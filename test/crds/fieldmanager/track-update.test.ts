import { describe, expect, test } from '@jest/globals'
import { fieldSetOf } from '../../../crds/fieldmanager/field-set.ts'
import { objectType } from '../../../crds/fieldmanager/object-type.ts'
import type { TrackRequest } from '../../../crds/fieldmanager/request.ts'
import { managerName, trackUpdate, withoutTimeChurn } from '../../../crds/fieldmanager/track-update.ts'
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../../../crds/metadata.ts'
import { entry, LATER, NOW, owners, sample, sampleScope } from './sample-scope.ts'

function track(request: Partial<TrackRequest> & { readonly updated: KubeObject }): KubeObject {
  return trackUpdate({ scope: sampleScope(), manager: 'm', now: LATER, ...request })
}

/** An object as the server answers it: tracked since its creation. */
function created(spec: JsonObject, manager = 'creator'): KubeObject {
  const object = trackUpdate({ scope: sampleScope(), updated: sample(spec, { uid: 'u' }), manager, now: NOW })
  return object
}

/** The same object as a client sends it back: parsed anew. */
function changed(object: KubeObject, spec: JsonObject): KubeObject {
  return { ...(JSON.parse(JSON.stringify(object)) as KubeObject), spec } as KubeObject
}

describe('who owns what after an update', () => {
  test.each<{
    readonly why: string
    readonly before: JsonObject
    readonly after: JsonObject
    readonly owned: JsonObject
  }>([
    {
      why: 'a changed field goes to who changed it',
      before: { replicas: 1, size: 1 },
      after: { replicas: 2, size: 1 },
      owned: { 'creator/Update': { '.': {}, 'f:size': {} }, 'm/Update': { 'f:replicas': {} } },
    },
    {
      why: 'a new field belongs to who added it',
      before: { size: 1 },
      after: { size: 1, labels: { x: '1' } },
      owned: { 'creator/Update': { '.': {}, 'f:size': {} }, 'm/Update': { 'f:labels': { '.': {}, 'f:x': {} } } },
    },
    {
      why: 'a removed field belongs to nobody, and who only removes owns nothing',
      before: { size: 1, replicas: 1 },
      after: { size: 1 },
      owned: { 'creator/Update': { '.': {}, 'f:size': {} } },
    },
    {
      why: 'items of sets and keyed lists one by one',
      before: { tags: ['a'], ports: [{ port: 80, name: 'x' }] },
      after: { tags: ['a', 'b'], ports: [{ port: 80, name: 'y' }, { port: 443 }] },
      owned: {
        'creator/Update': {
          '.': {},
          'f:ports': { '.': {}, 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } },
          'f:tags': { '.': {}, 'v:"a"': {} },
        },
        'm/Update': {
          'f:ports': {
            'k:{"port":443,"protocol":"TCP"}': { '.': {}, 'f:port': {} },
            'k:{"port":80,"protocol":"TCP"}': { 'f:name': {} },
          },
          'f:tags': { 'v:"b"': {} },
        },
      },
    },
    {
      why: 'an item that is there twice is owned as a whole',
      before: { tags: ['a', 'b'] },
      after: { tags: ['a', 'a', 'b'] },
      owned: {
        'creator/Update': { '.': {}, 'f:tags': { '.': {}, 'v:"b"': {} } },
        'm/Update': { 'f:tags': { 'v:"a"': {} } },
      },
    },
    {
      why: 'a value that changes its kind takes what was below it along',
      before: { free: { x: { y: 1 } } },
      after: { free: { x: 'text' } },
      owned: { 'creator/Update': { '.': {}, 'f:free': {} }, 'm/Update': { 'f:free': { 'f:x': {} } } },
    },
    {
      why: 'empty and absent are told apart',
      before: { labels: { x: '1' } },
      after: { labels: {}, list: [] },
      owned: { 'creator/Update': { '.': {}, 'f:labels': {} }, 'm/Update': { 'f:list': {} } },
    },
  ])('$why', ({ before, after, owned }) => {
    const live = created(before)
    expect(owners(track({ live, updated: changed(live, after) }))).toEqual(owned)
  })

  test('a second change by the same manager extends its entry and its time', () => {
    const live = created({ replicas: 1 }, 'm')
    const object = track({ live, updated: changed(live, { replicas: 2, size: 1 }) })
    expect(object.metadata.managedFields).toEqual([
      entry('m', 'Update', { 'f:spec': { '.': {}, 'f:replicas': {}, 'f:size': {} } }, { time: LATER }),
    ])
  })

  test('nothing changed: the entries are those of the live object, by identity', () => {
    const live = created({ replicas: 1, tags: ['x'] })
    const object = track({ live, updated: changed(live, { replicas: 1, tags: ['x'] }) })
    expect(object.metadata.managedFields).toBe(live.metadata.managedFields)
  })

  test('a client that does not send managedFields does not lose them', () => {
    const live = created({ replicas: 1 })
    expect(owners(track({ live, updated: sample({ replicas: 2 }, { uid: 'u' }) }))).toEqual({
      'creator/Update': {},
      'm/Update': { 'f:replicas': {} },
    })
  })

  test('a client may rewrite them, as long as they can be read', () => {
    const live = created({ replicas: 1 })
    const managedFields = [entry('other', 'Apply', { 'f:spec': { 'f:replicas': {} } })]
    expect(owners(track({ live, updated: sample({ replicas: 1 }, { uid: 'u', managedFields }) }))).toEqual({
      'other/Apply': { 'f:replicas': {} },
    })
    const unreadable = [{ ...managedFields[0], fieldsType: 'FieldsV2' }] as unknown as ManagedFieldsEntry[]
    expect(owners(track({ live, updated: sample({ replicas: 1 }, { uid: 'u', managedFields: unreadable }) }))).toEqual({
      'creator/Update': { '.': {}, 'f:replicas': {} },
    })
  })

  test.each<{
    readonly why: string
    readonly managedFields: ManagedFieldsEntry[]
    readonly builtIn: boolean
    readonly left: boolean
  }>([
    { why: '[{}] resets them', managedFields: [{}], builtIn: false, left: false },
    { why: '[] resets those of built-in kinds', managedFields: [], builtIn: true, left: false },
    { why: '[] is as good as none for custom resources', managedFields: [], builtIn: false, left: true },
  ])('$why', ({ managedFields, builtIn, left }) => {
    const live = created({ replicas: 1 })
    const scope = sampleScope({ emptyListResets: builtIn })
    const object = track({ scope, live, updated: sample({ replicas: 1 }, { uid: 'u', managedFields }) })
    expect(object.metadata.managedFields !== undefined).toBe(left)
  })

  test('an object that nobody was tracked of stays so', () => {
    const live = sample({ replicas: 1 }, { uid: 'u' })
    expect(track({ live, updated: sample({ replicas: 2 }, { uid: 'u' }) }).metadata.managedFields).toBeUndefined()
  })

  test('a subresource has entries of its own, and no say over the managedFields that were sent', () => {
    const live = created({ replicas: 1 })
    const scope = sampleScope({ subresource: 'status', resetFields: () => fieldSetOf(['metadata'], ['spec']) })
    const updated = sample({ replicas: 7 }, { uid: 'u', labels: { x: '1' }, managedFields: [{}] }, { phase: 'Up' })
    expect(track({ scope, live, updated }).metadata.managedFields).toEqual([
      entry('creator', 'Update', { 'f:spec': { '.': {}, 'f:replicas': {} } }),
      entry('m', 'Update', { 'f:status': { '.': {}, 'f:phase': {} } }, { subresource: 'status', time: LATER }),
    ])
  })

  test('what does not fit its type loses its managedFields rather than failing the request', () => {
    const live = created({ replicas: 1 })
    expect(track({ live, updated: changed(live, { nonsense: 1 }) }).metadata.managedFields).toBeUndefined()
  })

  test('values of another version are typed by that version', () => {
    const other = objectType({
      type: 'object',
      properties: {
        spec: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { replicas: { type: 'integer' } } },
      },
    })
    const scope = sampleScope()
    const typeOf = (version: string) => (version === 'weir.dev/v2' ? other : scope.typeOf(version))
    const managedFields = [entry('old', 'Update', { 'f:spec': {} }, { apiVersion: 'weir.dev/v2' })]
    const live = sample({ replicas: 1 }, { uid: 'u', managedFields })
    const object = track({
      scope: { ...scope, typeOf },
      live,
      updated: sample({ replicas: 2 }, { uid: 'u', managedFields }),
    })
    expect(owners(object)).toEqual({ 'm/Update': { 'f:replicas': {} } })
  })
})

test('at most ten updaters are told apart: the oldest become ancient-changes, version by version', () => {
  let live = created({ free: { f0: 0 } }, 'u00')
  for (let i = 1; i <= 12; i++) {
    const spec = { free: Object.fromEntries(Array.from({ length: i + 1 }, (_, n) => [`f${n}`, n])) }
    const now = `2026-01-01T00:00:${String(i).padStart(2, '0')}Z`
    live = track({ live, updated: changed(live, spec), manager: `u${String(i).padStart(2, '0')}`, now })
  }
  expect(live.metadata.managedFields?.map(({ manager }) => manager)).toEqual([
    'ancient-changes',
    ...['u04', 'u05', 'u06', 'u07', 'u08', 'u09', 'u10', 'u11', 'u12'],
  ])
  expect(owners(live)['ancient-changes/Update']).toEqual({
    '.': {},
    'f:free': { '.': {}, 'f:f0': {}, 'f:f1': {}, 'f:f2': {}, 'f:f3': {} },
  })
  expect(live.metadata.managedFields?.[0]?.time).toBe('2026-01-01T00:00:03Z')
})

describe('withoutTimeChurn', () => {
  const managedFields = [entry('m', 'Update', { 'f:spec': { 'f:replicas': {} } })]
  const live = sample({ replicas: 1 }, { managedFields })

  test.each<{ readonly why: string; readonly updated: KubeObject; readonly same: boolean }>([
    {
      why: 'only times differ',
      updated: sample({ replicas: 1 }, { managedFields: [{ ...managedFields[0], time: LATER }] }),
      same: true,
    },
    { why: 'nothing differs', updated: sample({ replicas: 1 }, { managedFields }), same: true },
    {
      why: 'a value differs',
      updated: sample({ replicas: 2 }, { managedFields: [{ ...managedFields[0], time: LATER }] }),
      same: false,
    },
    {
      why: 'an owner differs',
      updated: sample({ replicas: 1 }, { managedFields: [{ ...managedFields[0], manager: 'n' }] }),
      same: false,
    },
    {
      why: 'an entry was added',
      updated: sample({ replicas: 1 }, { managedFields: [...managedFields, ...managedFields] }),
      same: false,
    },
  ])('$why', ({ updated, same }) => {
    expect(withoutTimeChurn(updated, live)).toBe(same ? live : updated)
  })
})

test.each<[string | undefined, string | undefined, string]>([
  ['given', 'kubectl/v1', 'given'],
  [undefined, 'kubectl/v1.36 (linux/amd64)', 'kubectl'],
  ['', 'node', 'node'],
  [undefined, 'tab\there\u0000/1', 'tabhere'],
  [undefined, 'x'.repeat(200), 'x'.repeat(128)],
  [undefined, `${'x'.repeat(127)}é`, 'x'.repeat(127)],
  [undefined, undefined, ''],
])('manager %p of user agent %p is %p', (fieldManager, userAgent, name) => {
  expect(managerName(fieldManager, userAgent)).toBe(name)
})
