import { describe, expect, test } from '@jest/globals'
import { alignLists } from '../../../cli/changes/align.ts'
import type { Body, FieldChange } from '../../../cli/changes/change.ts'
import { fieldChanges, pathText } from '../../../cli/changes/field-changes.ts'
import { parseManifests } from '../../../cli/manifests/manifest.ts'
import { SourceText } from '../../../cli/manifests/source-text.ts'
import type { JsonObject, ManagedFieldsEntry } from '../../../crds/metadata.ts'

const owner = (manager: string, fields: JsonObject, operation: 'Apply' | 'Update' = 'Apply'): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion: 'x.io/v1',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:spec': fields },
})
const object = (spec: JsonObject, managedFields: readonly ManagedFieldsEntry[] = [], metadata: JsonObject = {}): Body =>
  ({
    apiVersion: 'x.io/v1',
    kind: 'Thing',
    metadata: { name: 'a', ...metadata, managedFields },
    spec,
  }) as unknown as Body

/** The changes between two objects, where this is the file's spec, one field a line from line 5 on. */
function changes(file: string[], before: Body | undefined, after: Body): FieldChange[] {
  const text = ['apiVersion: x.io/v1', 'kind: Thing', 'metadata: {name: a}', 'spec:', ...file].join('\n')
  const [manifest] = parseManifests(new SourceText('f.yaml', text)).manifests
  return fieldChanges({
    manifest: manifest!,
    sent: manifest!.object,
    before,
    after,
    fieldManager: 'weir',
    ownStatus: false,
  })
}

/** `yours spec.a 1→2 @5:6` */
const told = (found: readonly FieldChange[]) =>
  found.map(({ path, before, after, class: of, manager, place }) => {
    const values = [before, after].map((value) => (value === undefined ? '-' : JSON.stringify(value))).join('→')
    const who = manager === undefined ? of : `${of}(${manager})`
    return `${who} ${path} ${values}${place ? ` @${place.line}:${place.column}` : ''}`
  })

describe('who makes a field differ', () => {
  test.each<[string, string[], Body | undefined, Body, string[]]>([
    ['what the file sets', ['  a: 2'], object({ a: 1 }), object({ a: 2 }), ['yours spec.a 1→2 @5:6']],
    [
      'what the file sets, at its place in a list',
      ['  l:', '  - {n: x, v: 2}'],
      object({ l: [{ n: 'x', v: 1 }] }),
      object({ l: [{ n: 'x', v: 2 }] }),
      ['yours spec.l[0].v 1→2 @6:15'],
    ],
    [
      'what the file had set and does not any more: at the nearest place that is there',
      ['  b: 1'],
      object({ a: 1, b: 1 }, [owner('weir', { 'f:a': {}, 'f:b': {} })]),
      object({ b: 1 }),
      ['yours spec.a 1→- @4:1'],
    ],
    [
      'what falls back to its default because the file does not set it any more',
      ['  b: 1'],
      object({ a: 1, b: 1 }, [owner('weir', { 'f:a': {} })]),
      object({ a: 0, b: 1 }),
      ['yours spec.a 1→0 @4:1'],
    ],
    [
      'what is taken from another',
      ['  a: 2'],
      object({ a: 1 }, [owner('alice', { 'f:a': {} }, 'Update')]),
      object({ a: 2 }),
      ['yours(alice) spec.a 1→2 @5:6'],
    ],
    [
      'what another owns and admission changes',
      ['  b: 1'],
      object({ a: 1, b: 1 }, [owner('alice', { 'f:a': {} })]),
      object({ a: 2, b: 1 }),
      ['foreign(alice) spec.a 1→2'],
    ],
    ['what nobody owns', ['  b: 1'], object({ b: 1 }), object({ a: 1, b: 1 }), ['defaulted spec.a -→1']],
    [
      'of a map that comes, the file’s part and the server’s',
      ['  m: {x: 1}'],
      object({}),
      object({ m: { x: 1, y: 2 } }),
      ['yours spec.m.x -→1 @5:10', 'defaulted spec.m.y -→2'],
    ],
    [
      'a map that comes whole is one',
      ['  m: {x: 1, y: {z: 2}}'],
      object({}),
      object({ m: { x: 1, y: { z: 2 } } }),
      ['yours spec.m -→{"x":1,"y":{"z":2}} @5:6'],
    ],
    [
      'of a new object, everything',
      ['  a: 1'],
      undefined,
      object({ a: 1, b: 2 }, [], { labels: { l: 'x' } }),
      ['defaulted metadata.labels -→{"l":"x"}', 'yours spec.a -→1 @5:6', 'defaulted spec.b -→2'],
    ],
    [
      'nothing, where only what the server notes is different',
      ['  a: 1'],
      object({ a: 1 }, [owner('weir', { 'f:a': {} })], { resourceVersion: '1', generation: 1, uid: 'u' }),
      { ...object({ a: 1 }, [], { resourceVersion: '2', generation: 2 }), status: { x: 1 } } as unknown as Body,
      [],
    ],
    [
      'items told apart by what managers say tells them apart, whatever their order',
      ['  l:', '  - {n: b, v: 9}', '  - {n: a, v: 1}'],
      object({
        l: [
          { n: 'a', v: 1 },
          { n: 'b', v: 2 },
        ],
      }),
      object(
        {
          l: [
            { n: 'a', v: 1 },
            { n: 'b', v: 9, d: 0 },
          ],
        },
        [owner('weir', { 'f:l': { 'k:{"n":"b"}': { 'f:v': {} } } })],
      ),
      ['defaulted spec.l[1].d -→0', 'yours spec.l[1].v 2→9 @6:15'],
    ],
    [
      'members of a set',
      ['  l: [x, z]'],
      object({ l: ['x', 'y'] }, [owner('weir', { 'f:l': { 'v:"x"': {}, 'v:"y"': {} } })]),
      object({ l: ['x', 'z'] }, [owner('weir', { 'f:l': { 'v:"x"': {}, 'v:"z"': {} } })]),
      ['yours spec.l[1] -→"z" @5:10', 'yours spec.l[1] "y"→- @5:3'],
    ],
    [
      'an item that goes from the middle of an atomic list',
      ['  l: [1, 3, 4]'],
      object({ l: [1, 2, 3, 4] }, [owner('weir', { 'f:l': {} })]),
      object({ l: [1, 3, 4] }),
      ['yours spec.l[1] 2→- @5:3'],
    ],
    [
      'the same items in another order',
      ['  l: [y, x]'],
      object({ l: ['x', 'y'] }, [owner('weir', { 'f:l': { 'v:"x"': {}, 'v:"y"': {} } })]),
      object({ l: ['y', 'x'] }, [owner('weir', { 'f:l': { 'v:"x"': {}, 'v:"y"': {} } })]),
      ['yours spec.l ["x","y"]→["y","x"] @5:6'],
    ],
    [
      'entries of managedFields that cannot be read say nothing',
      ['  a: 2'],
      object({ a: 1 }, [{ manager: 'odd', operation: 'Apply', fieldsType: 'FieldsV1' }]),
      object({ a: 2 }),
      ['yours spec.a 1→2 @5:6'],
    ],
  ])('%s', (_reason, file, before, after, expected) => {
    expect(told(changes(file, before, after))).toEqual(expected)
  })
})

describe('Secrets', () => {
  const secret = (data: JsonObject): Body =>
    ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data }) as unknown as Body
  const base64 = (text: string) => Buffer.from(text).toString('base64')

  test('a text is the datum that it becomes; no value leaves here', () => {
    const text = `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  pass: second\n  more: third\n`
    const [manifest] = parseManifests(new SourceText('s.yaml', text)).manifests
    const found = fieldChanges({
      manifest: manifest!,
      sent: manifest!.object,
      before: secret({ pass: base64('first') }),
      after: secret({ pass: base64('second'), more: base64('third') }),
      fieldManager: 'weir',
      ownStatus: false,
    })
    expect(told(found)).toEqual(['yours data.more -→"***" @6:9', 'yours data.pass "*** (before)"→"*** (after)" @5:9'])
  })
})

test.each<[readonly (string | number)[], string]>([
  [['spec', 'fillWindows', 0, 'maxGbps'], 'spec.fillWindows[0].maxGbps'],
  [['metadata', 'labels', 'fleet.weir.dev/tier'], 'metadata.labels[fleet.weir.dev/tier]'],
  [['data', 'a.conf'], 'data[a.conf]'],
])('%j is %s', (steps, text) => {
  expect(pathText(steps)).toBe(text)
})

test('lists of many items are paired in time', () => {
  const long = Array.from({ length: 5000 }, (_, i) => ({ i }))
  expect(alignLists(long, long.slice(1), 'index')).toHaveLength(5000)
})
