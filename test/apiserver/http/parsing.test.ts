import { describe, expect, test } from '@jest/globals'
import { parseGoDuration } from '../../../apiserver/http/go-duration.ts'
import { type Allowed, negotiate } from '../../../apiserver/http/media-type.ts'
import { parsePath } from '../../../apiserver/http/request-info.ts'
import { duplicateFields } from '../../../apiserver/verbs/duplicate-fields.ts'

describe('paths', () => {
  const of = (group: string, version: string, namespace: string, resource: string, name = '', subresource = '') => ({
    type: 'resource',
    group,
    version,
    namespace,
    resource,
    name,
    subresource,
  })
  test.each<[string, object | undefined]>([
    ['/api/v1/configmaps', of('', 'v1', '', 'configmaps')],
    ['/api/v1/namespaces', of('', 'v1', '', 'namespaces')],
    ['/api/v1/namespaces/', of('', 'v1', '', 'namespaces')],
    ['/api/v1/namespaces/a', of('', 'v1', 'a', 'namespaces', 'a')],
    ['/api/v1/namespaces/a/status', of('', 'v1', 'a', 'namespaces', 'a', 'status')],
    ['/api/v1/namespaces/a/finalize', of('', 'v1', 'a', 'namespaces', 'a', 'finalize')],
    ['/api/v1/namespaces/a/secrets', of('', 'v1', 'a', 'secrets')],
    ['/api/v1/namespaces/a/secrets/b', of('', 'v1', 'a', 'secrets', 'b')],
    ['/apis/g.io/v2/namespaces/a/things/b/status', of('g.io', 'v2', 'a', 'things', 'b', 'status')],
    ['/apis/g.io/v2/namespaces/a/status', of('g.io', 'v2', 'a', 'status')],
    ['/apis/g.io/v2/things/b', of('g.io', 'v2', '', 'things', 'b')],
    ['/apis/g.io/v2/things/a%3Ab', of('g.io', 'v2', '', 'things', 'a:b')],
    ['/apis/g.io/v2/things/%zz', undefined],
    ['/api', { type: 'path', path: '/api' }],
    ['/api/v1', { type: 'path', path: '/api/v1' }],
    ['/apis/g.io', { type: 'path', path: '/apis/g.io' }],
    ['/apis/g.io/v2', { type: 'path', path: '/apis/g.io/v2' }],
    ['/apis/g.io/v2/', { type: 'path', path: '/apis/g.io/v2/' }],
    ['/healthz', { type: 'path', path: '/healthz' }],
    ['/', { type: 'path', path: '/' }],
  ])('%s', (path, expected) => {
    expect(parsePath(path)).toEqual(expected)
  })
})

describe('Accept', () => {
  const allowed: Allowed = { transforms: ['none', 'Table', 'PartialObjectMetadata'], yaml: true }
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  test.each<[string | undefined, object]>([
    [undefined, { transform: 'none', format: 'json' }],
    ['*/*', { transform: 'none', format: 'json' }],
    ['text/html, */*;q=0.1', { transform: 'none', format: 'json' }],
    ['application/yaml', { format: 'yaml' }],
    [table, { transform: 'Table', transformVersion: 'meta.k8s.io/v1' }],
    [`${table},application/json`, { transform: 'Table' }],
    ['application/json;as=Table;v=v1;g=other,application/json', { transform: 'none' }],
    ['application/json;as=Nonsense;v=v1;g=meta.k8s.io,application/json', { transform: 'none' }],
    ['application/json;q=0.5,application/yaml;q=0.9', { format: 'yaml' }],
    ['application/vnd.kubernetes.protobuf', { transform: 'none', format: 'json', protobuf: true }],
    [
      'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      { transform: 'PartialObjectMetadata' },
    ],
  ])('%s', (accept, expected) => {
    expect(negotiate(accept, allowed)).toMatchObject(expected)
  })

  test.each(['text/html', 'application/json;as=Table;v=v9;g=meta.k8s.io', 'application/cbor', ';;'])(
    '%s cannot be',
    (accept) => {
      expect(() => negotiate(accept, allowed)).toThrow('only the following media types are accepted')
    },
  )
})

test.each<[string, number | undefined]>([
  ['0', 0],
  ['1s', 1000],
  ['1h2m3.5s', 3_723_500],
  ['300ms', 300],
  ['-1m', -60_000],
  ['.5s', 500],
  ['3', undefined],
  ['s', undefined],
  ['', undefined],
  ['1 s', undefined],
  ['soon', undefined],
])('the duration %j is %s ms', (text, ms) => {
  expect(parseGoDuration(text)).toBe(ms)
})

describe('duplicate fields', () => {
  test.each<[string, string, string[]]>([
    ['none', '{"a":{"b":1},"c":{"b":1}}', []],
    ['colons in texts are no fields', '{"a":"b:c","d:e":"\\":{\\"a\\":1"}', []],
    ['at the top', '{"a":1,"a":2}', ['duplicate field "a"']],
    ['below', '{"spec":{"x":1,"y":{"z":1,"z":2},"x":3}}', ['duplicate field "spec.y.z"', 'duplicate field "spec.x"']],
    ['in a list', '{"l":[{"a":1},{"a":1,"a":2}]}', ['duplicate field "l[1].a"']],
    ['more than twice is told once', '{"a":1,"a":2,"a":3}', ['duplicate field "a"']],
    ['by another spelling', String.raw`{"a":1,"\u0061":2}`, ['duplicate field "a"']],
    ['with room around', '{ "a" : 1 ,\n "a" : 2 }', ['duplicate field "a"']],
  ])('%s', (_, text, expected) => {
    expect(duplicateFields(text, JSON.parse(text))).toEqual(expected)
  })
})
