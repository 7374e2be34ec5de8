import { describe, expect, test } from '@jest/globals'
import { evaluateJsonPath, JsonPathError } from '../../../apiserver/table/json-path/evaluate.ts'
import { JsonPathSyntaxError, parseJsonPath } from '../../../apiserver/table/json-path/parse.ts'
import type { JsonValue } from '../../../crds/metadata.ts'

const DATA: JsonValue = {
  spec: { text: 'x', n: 5, zero: 0, nothing: null, list: ['a', 'b', 'c'], empty: [], 'dotted.key': 'd' },
  conditions: [
    { type: 'Ready', status: 'True', n: 1 },
    { type: 'On)line', status: 'False', n: 2, reason: 'Why' },
  ],
}

test.each<{ readonly path: string; readonly found: readonly JsonValue[]; readonly why: string }>([
  { path: '.spec.text', found: ['x'], why: 'a field' },
  { path: '.spec.absent.below', found: [], why: 'missing keys find nothing' },
  { path: '.spec.nothing', found: [null], why: 'null is found' },
  { path: '.spec.nothing.below', found: [], why: 'below null is nothing' },
  { path: '$.spec.n', found: [5], why: 'the root by name' },
  { path: '.spec.dotted\\.key', found: ['d'], why: 'an escaped dot' },
  { path: ".spec['dotted\\.key']", found: ['d'], why: 'a quoted key, escaped as client-go wants it' },
  { path: '.spec.list[0]', found: ['a'], why: 'an index' },
  { path: '.spec.list[-1]', found: ['c'], why: 'from the end' },
  { path: '.spec.list[1:]', found: ['b', 'c'], why: 'a slice to the end' },
  { path: '.spec.list[:-1]', found: ['a', 'b'], why: 'a slice from the start' },
  { path: '.spec.list[::2]', found: ['a', 'c'], why: 'a step' },
  { path: '.spec.list[1:1]', found: [], why: 'an empty slice' },
  { path: '.spec.list[0:0]', found: [], why: 'an empty slice at the start is not the whole list' },
  { path: '.spec.empty[*]', found: [], why: 'all of nothing' },
  { path: '.spec.list[0,2]', found: ['a', 'c'], why: 'a union' },
  { path: ".spec['text','n']", found: ['x', 5], why: 'a union of keys' },
  { path: '.conditions[*].status', found: ['True', 'False'], why: 'every item' },
  { path: '.conditions[?(@.type=="Ready")].status', found: ['True'], why: 'a filter' },
  {
    path: ".conditions[?(@.type == 'On)line')].status",
    found: ['False'],
    why: 'a parenthesis in quotes does not end a filter',
  },
  { path: '.conditions[?(@.type!="Ready")].n', found: [2], why: 'unequal' },
  { path: '.conditions[?(@.n>1)].n', found: [2], why: 'greater' },
  { path: '.conditions[?(@.n<=1)].n', found: [1], why: 'at most' },
  { path: '.conditions[?(@.reason)].type', found: ['On)line'], why: 'existence' },
  { path: '.conditions[?(@.reason=="Why")].n', found: [2], why: 'items without the field do not match' },
  { path: '..status', found: ['True', 'False'], why: 'at any depth' },
  { path: '.spec.zero', found: [0], why: 'zero is a value' },
])('$path: $why', ({ path, found }) => {
  expect(evaluateJsonPath(parseJsonPath(path), DATA)).toEqual(found)
})

describe('what does not fit the data', () => {
  test.each([
    '.spec.list[5]',
    '.spec.list[2:1]',
    '.spec.text[0]',
    '.spec.text[?(@.x=="y")]',
    '.conditions[?(@.n=="1")]',
  ])('%s', (path) => {
    expect(() => evaluateJsonPath(parseJsonPath(path), DATA)).toThrow(JsonPathError)
  })
})

describe('what is no path', () => {
  test.each(['.spec[', '.spec[a]', '.spec[?(@.x', '.a....b', '.spec[?(@.x)', 'range', '.x["open', '.x#y[-]'])(
    '%s',
    (path) => {
      expect(() => parseJsonPath(path)).toThrow(JsonPathSyntaxError)
    },
  )
})
