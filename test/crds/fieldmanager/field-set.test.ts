import { describe, expect, test } from '@jest/globals'
import {
  difference,
  eachField,
  equalSets,
  type FieldSet,
  growingFieldSet,
  hasField,
  insertField,
  intersection,
  isEmptySet,
  NO_FIELDS,
  recursiveDifference,
  union,
} from '../../../crds/fieldmanager/field-set.ts'
import { decodeFields, encodeFields } from '../../../crds/fieldmanager/fields-v1.ts'
import { compareElements, printPath } from '../../../crds/fieldmanager/path-element.ts'
import type { JsonObject } from '../../../crds/metadata.ts'

/** `a`, `a.b`: paths of field names. */
function setOf(...paths: readonly string[]): FieldSet {
  const set = growingFieldSet()
  for (const path of paths)
    insertField(
      set,
      path.split('.').map((name) => `f:${name}`),
    )
  return set
}

function paths(set: FieldSet): string[] {
  const found: string[] = []
  eachField(set, (path) => found.push(printPath(path).slice(1)))
  return found
}

const A = setOf('a', 'a.b', 'a.c.d', 'e')
const B = setOf('a.b', 'a.c', 'f')

describe('operations', () => {
  test.each<[string, FieldSet, readonly string[]]>([
    ['union', union(A, B), ['a', 'e', 'f', 'a.b', 'a.c', 'a.c.d']],
    ['intersection', intersection(A, B), ['a.b']],
    ['difference keeps what is below a removed field', difference(A, B), ['a', 'e', 'a.c.d']],
    ['recursive difference takes it along', recursiveDifference(A, B), ['a', 'e']],
    ['the union with nothing', union(A, NO_FIELDS), ['a', 'e', 'a.b', 'a.c.d']],
    ['a set less itself', difference(A, A), []],
  ])('%s', (_, set, expected) => {
    expect(paths(set)).toEqual(expected)
  })

  test('what changes nothing answers its argument: unchanged entries are told by identity', () => {
    expect(union(A, setOf('a.b', 'e'))).toBe(A)
    expect(difference(A, setOf('x', 'a.b.z'))).toBe(A)
    expect(recursiveDifference(A, setOf('x'))).toBe(A)
    expect(isEmptySet(difference(A, A))).toBe(true)
    expect(equalSets(union(A, B), union(B, A))).toBe(true)
    expect(equalSets(A, B)).toBe(false)
  })

  test('membership is of the field itself', () => {
    expect(hasField(A, ['f:a', 'f:c', 'f:d'])).toBe(true)
    expect(hasField(A, ['f:a', 'f:c'])).toBe(false)
    expect(hasField(A, [])).toBe(false)
  })
})

describe('FieldsV1', () => {
  const wire: JsonObject = {
    'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
    'f:spec': { 'f:list': { '.': {}, 'k:{"name":"x","port":80}': { '.': {}, 'f:name': {} }, 'v:"y"': {}, 'v:1': {} } },
  }

  test('reads back as written', () => {
    expect(encodeFields(decodeFields(wire))).toEqual(wire)
    expect(JSON.stringify(encodeFields(decodeFields(JSON.parse(JSON.stringify(wire)) as JsonObject)))).toBe(
      JSON.stringify(wire),
    )
  })

  test('reads any spelling of keys and values, any order, and skips what it does not know', () => {
    const odd: JsonObject = {
      'z:later': {},
      'f:spec': {
        'f:list': { 'v:1': {}, 'k:{ "port": 80, "name": "x" }': { 'f:name': {}, '.': {} }, 'v: "y"': {}, '.': {} },
      },
      'f:metadata': { 'f:labels': { 'f:a': {}, '.': {} } },
    }
    expect(equalSets(decodeFields(odd), decodeFields(wire))).toBe(true)
  })

  test.each([['f'], ['fspec'], ['k:[]'], ['v:{'], ['i:x']])('refuses %p', (key) => {
    expect(() => decodeFields({ [key]: {} })).toThrow()
  })
})

test('elements are ordered: fields, keys, values (numbers before strings), indices by number', () => {
  const sorted = [
    'f:a',
    'f:b',
    'f:\u{ffff}',
    'f:\u{1f600}',
    'k:{"a":1}',
    'k:{"a":1,"b":0}',
    'k:{"a":2}',
    'v:2',
    'v:10',
    'v:"1"',
    'v:true',
    'i:2',
    'i:10',
  ]
  expect([...sorted].reverse().sort(compareElements)).toEqual(sorted)
})

test('paths are printed as Kubernetes prints them', () => {
  expect(
    printPath([
      'f:spec',
      'f:ports',
      'k:{"port":80,"protocol":"TCP"}',
      'f:x',
      'v:"a\\"\\n"',
      'i:3',
      'v:1.5',
      'v:true',
      'v:null',
    ]),
  ).toBe('.spec.ports[port=80,protocol="TCP"].x[="a\\"\\n"][3][=1.5][=true][=null]')
})
