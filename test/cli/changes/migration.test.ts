import { describe, expect, test } from '@jest/globals'
import type { Body } from '../../../cli/changes/change.ts'
import { migrated, migrationOf } from '../../../cli/changes/migration.ts'
import type { JsonObject } from '../../../crds/metadata.ts'

/** An object that kubectl has applied from the client's side, and that `weir` applies now: who owns what. */
function applied(spec: JsonObject, lastApplied: JsonObject, theirs: JsonObject, ours: JsonObject): Body {
  const entry = (manager: string, operation: string, fields: JsonObject) => ({
    manager,
    operation,
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
  })
  const copy = 'kubectl.kubernetes.io/last-applied-configuration'
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 's',
      annotations: { [copy]: JSON.stringify({ spec: lastApplied }) },
      managedFields: [
        entry('weir', 'Apply', { 'f:spec': ours }),
        entry('kubectl', 'Update', { 'f:metadata': { 'f:annotations': { [`f:${copy}`]: {} } }, 'f:spec': theirs }),
      ],
    },
    spec,
  } as unknown as Body
}

const port = (name: string, number: number) => ({ name, port: number, protocol: 'TCP' })
const owned = (number: number) => ({
  [`k:{"port":${number},"protocol":"TCP"}`]: { '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {} },
})

describe('what client-side apply has left goes', () => {
  test.each<[string, JsonObject, JsonObject, JsonObject, JsonObject, JsonObject]>([
    ['a field', { a: 1, b: 2 }, { a: 1, b: 2 }, { 'f:a': {}, 'f:b': {} }, { 'f:a': {} }, { a: 1 }],
    [
      'not what the server has filled in',
      { a: 1, b: 2 },
      { a: 1 },
      { 'f:a': {}, 'f:b': {} },
      { 'f:a': {} },
      { a: 1, b: 2 },
    ],
    [
      'what is empty then, too',
      { a: 1, m: { n: { o: 1 } } },
      { a: 1, m: { n: { o: 1 } } },
      { 'f:a': {}, 'f:m': { 'f:n': { 'f:o': {} } } },
      { 'f:a': {} },
      { a: 1 },
    ],
    [
      'an item whole, with what was filled in of it',
      { ports: [port('http', 80), port('https', 443)] },
      {
        ports: [
          { name: 'http', port: 80 },
          { name: 'https', port: 443 },
        ],
      },
      { 'f:ports': { ...owned(80), ...owned(443) } },
      { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} } } },
      { ports: [port('http', 80)] },
    ],
    [
      'a field of an item that stays',
      { ports: [port('http', 80)] },
      { ports: [{ name: 'http', port: 80 }] },
      { 'f:ports': owned(80) },
      { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } },
      { ports: [{ port: 80, protocol: 'TCP' }] },
    ],
    [
      'a value of a set',
      { set: ['a', 'b'] },
      { set: ['a', 'b'] },
      { 'f:set': { 'v:"a"': {}, 'v:"b"': {} } },
      { 'f:set': { 'v:"a"': {} } },
      { set: ['a'] },
    ],
  ])('%s', (_what, spec, lastApplied, theirs, ours, left) => {
    const object = applied(spec, lastApplied, theirs, ours)
    const migration = migrationOf(object, 'weir')!
    expect(migration.managers).toEqual(['kubectl'])
    expect(migrated(object, migration)).toEqual({ ...object, spec: left })
  })
})
