import { describe, expect, test } from '@jest/globals'
import { decodeCatalog, encodeCatalog } from '../../../reconcilers/blobs/catalog.ts'
import { columnOf, decodeDemand, encodeDemand } from '../../../reconcilers/blobs/demand.ts'
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
    [
      'an infinite popularity',
      '{"path":"a","size":1,"sha256":"HEX","popularity":1e999}'.replace('HEX', sha('a')),
      /popularity Infinity/,
    ],
    ['a popularity that is not JSON', `{"path":"a","size":1,"sha256":"${sha('a')}","popularity":NaN}`, /not JSON/],
    ['a negative popularity of a class', line('a', { popularity: { de: -1 } }), /popularity -1 of class "de": must be/],
    ['a popularity of a class as text', line('a', { popularity: { de: '1' } }), /popularity "1" of class "de"/],
    ['null for popularity', line('a', { popularity: null }), /popularity null: must be a number/],
    ['a list of popularities', line('a', { popularity: [1] }), /popularity \[1\]: must be a number/],
    ['a class in capitals', line('a', { popularity: { DE: 1 } }), /"DE" is no class of demand/],
    [
      'a class that is a prototype',
      '{"path":"a","size":1,"sha256":"HEX","popularity":{"__proto__":1}}'.replace('HEX', sha('a')),
      /"__proto__" is no class/,
    ],
    [
      'the sixty-fifth class',
      line('a', { popularity: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`c${i}`, 1])) }),
      /more than 64 classes/,
    ],
    ['a licence for nowhere', line('a', { licensedIn: [] }), /licensedIn \[\]: must be a list of 1 to 300/],
    ['a licence that is no list', line('a', { licensedIn: 'DE' }), /licensedIn "DE": must be a list/],
    [
      'a region that no label may have',
      line('a', { licensedIn: ['DE', 'E U'] }),
      /licensedIn "E U": must be a country/,
    ],
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

test('a refresh keeps the index of what is unchanged, gives none to another file, and appends what is new', () => {
  const first = built([line('a'), line('b'), line('c')]).catalog
  const second = built([line('c', { title: 'C' }), line('b', { sha256: sha('b') }), line('0')], first)
  expect(second.catalog.files.map((f) => f?.path ?? null)).toEqual([null, null, 'c', '0', 'b'])
  expect(second.catalog.count).toBe(3)
  const third = built([line('a', { sha256: sha('c') })], second.catalog)
  expect(third.catalog.files.map((f) => f?.path ?? null)).toEqual([null, null, null, null, null, 'a'])
})

test('a catalog survives its encoding, with gaps and titles', () => {
  const first = built([line('a'), line('b', { title: 'B\n"2"', popularity: 2 })]).catalog
  const { catalog, demand } = built([line('b', { title: 'B\n"2"', popularity: 2 }), line('ü')], first)
  expect(demand).toEqual({ classes: [], popularity: [Float64Array.of(0, 2, 0)] })
  expect(decodeCatalog(encodeCatalog(catalog))).toEqual(catalog)
})

describe('popularity by class of demand', () => {
  const { demand } = built([
    line('a', { popularity: 2 }),
    line('b', { popularity: { de: 3, fr: 1 } }),
    line('c', { popularity: { fr: 5, '*': 4 } }),
    line('d', { popularity: {} }),
    line('e'),
  ])
  const column = (name: string) => [...demand.popularity[columnOf(demand, name)]!]

  test('a number is that of every class, and a class that is not named has what * says, or nothing', () => {
    expect(demand.classes).toEqual(['de', 'fr'])
    expect(column('de')).toEqual([2, 3, 4, 0, 0])
    expect(column('fr')).toEqual([2, 1, 5, 0, 0])
  })

  test('a class that no line names has what * says, or the mean of those that are named', () => {
    expect(column('it')).toEqual([2, 2, 4, 0, 0])
  })

  test('it survives its encoding, and the order of lines and classes does not matter', () => {
    const digest = `sha256:${sha('c')}`
    const bytes = encodeDemand(digest, demand)
    expect(decodeDemand(bytes)).toEqual({ catalog: digest, ...demand })
    const other = built([line('b', { popularity: { fr: 1, de: 3 } }), line('a', { popularity: 2 })]).demand
    const same = built([line('a', { popularity: 2 }), line('b', { popularity: { de: 3, fr: 1 } })]).demand
    expect(encodeDemand(digest, other)).toEqual(encodeDemand(digest, same))
  })
})

describe('demand blobs', () => {
  const text = (...lines: string[]) => new TextEncoder().encode(`${lines.join('\n')}\n`)

  test('where no class is told apart, they are as they always were', () => {
    const { demand } = built([line('a', { popularity: 2.5 }), line('b')])
    const v1 = text('{"weirDemand":1,"catalog":"sha256:1"}', '2.5', '0')
    expect(encodeDemand('sha256:1', demand)).toEqual(v1)
    expect(decodeDemand(v1)).toEqual({ catalog: 'sha256:1', classes: [], popularity: [Float64Array.of(2.5, 0)] })
  })

  const V2 = '{"weirDemand":2,"catalog":"sha256:1","classes":["de"]}'
  const cases: [reason: string, bytes: Uint8Array, message: RegExp][] = [
    ['NaN', text(V2, '1', 'NaN'), /line 3 is not a popularity/],
    ['a negative number', text(V2, '[1,-1]'), /line 2 is not a popularity/],
    ['infinity', text(V2, '[Infinity,1]'), /line 2 is not a popularity/],
    ['nothing', text(V2, ''), /line 2 is not a popularity/],
    ['a column too many', text(V2, '[1,2,3]'), /line 2 has 3 values for 2 columns/],
    ['an unknown version', text('{"weirDemand":3,"catalog":"x"}'), /version 1 or 2/],
    ['no classes', text('{"weirDemand":2,"catalog":"x","classes":[]}'), /1 to 64 classes/],
    ['a class twice', text('{"weirDemand":2,"catalog":"x","classes":["a","a"]}'), /1 to 64 classes/],
    ['no header', text('1', '2'), /version 1 or 2/],
    ['no JSON', text('weird'), /not JSON/],
  ]
  test.each(cases)('%s is refused', (_reason, bytes, message) => {
    expect(() => decodeDemand(bytes)).toThrow(message)
  })
})

test('a licence is kept in one order, each of its regions once', () => {
  const { catalog } = built([line('a', { licensedIn: ['eu-north', 'DE', 'AT', 'DE'] })])
  expect(catalog.files[0]).toMatchObject({ licensedIn: ['AT', 'DE', 'eu-north'] })
  expect(decodeCatalog(encodeCatalog(catalog))).toEqual(catalog)
})

describe('a file that was removed and comes back', () => {
  const files = (names: string) => [...names].map((name) => line(name, { sha256: sha(name) }))
  /** Through its blob, as the controller has it. */
  const next = (names: string, previous?: ReturnType<typeof decodeCatalog>) =>
    decodeCatalog(encodeCatalog(built(files(names), previous).catalog))
  const paths = ({ files: all }: ReturnType<typeof decodeCatalog>) => all.map((file) => file?.path ?? null)

  test('has its index again, whatever came in between; another file at its path has not', () => {
    const first = next('abc')
    const without = next('ad', first)
    expect(paths(without)).toEqual(['a', null, null, 'd'])
    const back = next('abcd', without)
    expect(paths(back)).toEqual(['a', 'b', 'c', 'd'])
    expect(back.gone).toBeUndefined()
    const other = [...files('a'), line('b', { sha256: sha('e') })]
    const changed = decodeCatalog(encodeCatalog(built(other, without).catalog))
    expect(paths(changed)).toEqual(['a', null, null, null, 'b'])
    // What it was at first is still remembered.
    expect(paths(next('abd', changed))).toEqual(['a', 'b', null, 'd', null])
  })

  test('a source that loses half of its files every other day does not grow', () => {
    const [whole, half] = ['01234567', '0246']
    let catalog = next(whole)
    const published = new Set([encodeCatalog(catalog).length])
    for (let day = 0; day < 10; day++) {
      catalog = next(half, catalog)
      expect(catalog.files.length).toBe(8)
      catalog = next(whole, catalog)
      published.add(encodeCatalog(catalog).length)
    }
    expect(published.size).toBe(1)
  })

  test('its popularity comes with it', () => {
    const without = next('bc', next('abc'))
    const { demand } = built([line('a', { sha256: sha('a'), popularity: 7 }), ...files('bc')], without)
    expect([...demand.popularity[0]!]).toEqual([7, 0, 0])
  })

  test('as many are remembered as there are files, and 65,536: those that came first are forgotten', () => {
    const many = Array.from({ length: 70_000 }, (_, i) => line(`f/${String(i).padStart(5, '0')}`))
    const none = decodeCatalog(encodeCatalog(built(many.slice(0, 1), built(many).catalog).catalog))
    expect(none.gone?.size).toBe(65_536)
    const again = built(many, none).catalog
    // 69,999 were removed: 4,463 of them have new indices.
    expect(again.files.length).toBe(70_000 + 69_999 - 65_536)
    expect(again.files.slice(70_000).map((file) => file?.path)[0]).toBe('f/00001')
    expect(again.files[69_999]?.path).toBe('f/69999')
  })
})
