import { describe, expect, test } from '@jest/globals'
import { decodeCatalog, encodeCatalog } from '../../../reconcilers/blobs/catalog.ts'
import { CatalogBuilder } from '../../../reconcilers/catalog/builder.ts'

const sha = (char: string) => char.repeat(64)
const line = (path: string, more: Record<string, unknown> = {}) =>
  JSON.stringify({ path, size: 1, sha256: sha('a'), ...more })

function build(lines: readonly string[], previous?: ReturnType<typeof decodeCatalog>) {
  const builder = new CatalogBuilder(previous)
  for (const text of lines) builder.addLine(text)
  return builder.finish()
}

function built(lines: readonly string[], previous?: ReturnType<typeof decodeCatalog>) {
  const result = build(lines, previous)
  if ('errors' in result) throw new Error(JSON.stringify(result.errors))
  return result
}

describe('a bad line is refused with its number', () => {
  const cases: [reason: string, text: string, message: RegExp][] = [
    ['a parent segment', line('a/../b'), /path "a\/\.\.\/b": must not contain the segment "\.\."/],
    ['a path that is only ..', line('../x'), /segment "\.\."/],
    ['an absolute path', line('/etc/passwd'), /must be relative/],
    ['an empty path', line(''), /must not be empty/],
    ['an empty segment', line('a//b'), /empty segment/],
    ['a trailing slash', line('a/'), /empty segment/],
    ['a NUL', line('a\0b'), /NUL/],
    ['half a surrogate pair', '{"path":"\\ud800","size":1,"sha256":"x"}', /well-formed/],
    ['a path of 5000 bytes', line('é'.repeat(2500)), /at most 4096 bytes/],
    ['a digest in capitals', line('a', { sha256: sha('A') }), /64 lower-case hexadecimal/],
    ['a short digest', line('a', { sha256: 'abc' }), /64 lower-case hexadecimal/],
    ['no digest', '{"path":"a","size":1}', /sha256 missing/],
    ['a negative size', line('a', { size: -1 }), /size -1: must be a whole number/],
    ['a fractional size', line('a', { size: 1.5 }), /whole number/],
    ['a size past 2^53', line('a', { size: 2 ** 60 }), /whole number/],
    ['a size as text', line('a', { size: '1' }), /whole number/],
    ['a negative popularity', line('a', { popularity: -1 }), /popularity -1/],
    ['an unknown field', line('a', { sise: 1 }), /unknown field "sise"/],
    ['no JSON', '{"path":', /not JSON/],
    ['a list', '[]', /not a JSON object/],
    ['null', 'null', /not a JSON object/],
    ['a path seen before', line('first'), /path "first": already on line 1/],
    ['one digest with two sizes', line('a', { size: 2 }), /^size 2: the file of line 1 has the same sha256 and size /],
  ]
  test.each(cases)('%s', (_reason, text, message) => {
    const result = build([line('first'), '', text, line('last')])
    expect(result).toMatchObject({ errorCount: 1, errors: [{ line: 3, message: expect.stringMatching(message) }] })
  })

  test('all bad lines are counted, the first twenty told', () => {
    const result = build(Array.from({ length: 30 }, () => 'x'))
    expect(result).toMatchObject({ errorCount: 30 })
    expect('errors' in result && result.errors).toHaveLength(20)
  })
})

test('odd but honest names are taken', () => {
  const names = ['a b', 'ü/ß.txt', 'new\nline', '.hidden', '..x', 'a..', '%2e%2e', 'back\\slash', '-', '#?&', '😀']
  expect(built(names.map((name) => line(name))).catalog.count).toBe(names.length)
})

test('the order of the lines does not matter', () => {
  const lines = ['b', 'a', 'c'].map((name) => line(name))
  expect(encodeCatalog(built(lines).catalog)).toEqual(encodeCatalog(built([...lines].reverse()).catalog))
})

test('a refresh keeps the index of what is unchanged, never reuses one, and appends what is new', () => {
  const first = built([line('a'), line('b'), line('c')]).catalog
  const second = built([line('c', { title: 'C' }), line('b', { sha256: sha('b') }), line('0')], first)
  expect(second.catalog.files.map((f) => f?.path ?? null)).toEqual([null, null, 'c', '0', 'b'])
  expect(second.catalog.count).toBe(3)
  const third = built([line('a')], second.catalog)
  expect(third.catalog.files.map((f) => f?.path ?? null)).toEqual([null, null, null, null, null, 'a'])
})

test('a catalog survives its encoding, with gaps and titles', () => {
  const first = built([line('a'), line('b', { title: 'B\n"2"', popularity: 2 })]).catalog
  const { catalog, popularity } = built([line('b', { title: 'B\n"2"', popularity: 2 }), line('ü')], first)
  expect(popularity).toEqual([0, 2, 0])
  expect(decodeCatalog(encodeCatalog(catalog))).toEqual(catalog)
})
