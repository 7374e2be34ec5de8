import { expect, test } from '@jest/globals'
import { type CatalogFile, catalogOf, encodeCatalog, identityOf } from '../../../reconcilers/blobs/catalog.ts'
import { applyCatalogDelta, CatalogDelta } from '../../../reconcilers/blobs/catalog-delta.ts'

type Files = readonly (CatalogFile | null)[]
const file = (name: string, more: Partial<CatalogFile> = {}): CatalogFile => ({
  path: name,
  size: 7,
  sha256: name.charCodeAt(0).toString(16).padStart(64, '0'),
  ...more,
})
const many = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ ...file('x'), path: `f/${from + i}`, size: from + i }))
const [FROM, TO] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`]
/** As a catalog that has lost files remembers them: `before` is what it had. */
const text = (files: Files, before: Files = []) => {
  const gone = before.flatMap((file, i): [number, string][] => (file && !files[i] ? [[i, identityOf(file)]] : []))
  return Buffer.from(encodeCatalog(catalogOf(files, new Map(files.length < before.length ? [] : gone))))
}

function deltaOf(before: Buffer, after: Buffer, maxChars = Number.POSITIVE_INFINITY): string | undefined {
  const delta = new CatalogDelta(FROM, TO, maxChars)
  const [old, now] = [before, after].map((bytes) => bytes.toString().trimEnd().split('\n')) as [string[], string[]]
  for (let [a, b] = [0, 0]; a < old.length || b < now.length; ) {
    const done = delta.step(old[a], now[b])
    if (done !== 'now') a++
    if (done !== 'old') b++
    if (delta.isTooLong) return undefined
  }
  return delta.text()
}
const applied = (old: Buffer, delta: string) =>
  Buffer.concat([...applyCatalogDelta(old, FROM, Buffer.from(delta))]).toString()

const base = [file('a'), null, file('b', { title: 'B' }), file('c'), file('d')]
test.each<[string, Files, Files, string[]]>([
  ['nothing changed', base, base, ['=6']],
  ['files came', base, [...base, file('e'), file('f')], ['-1', '=5']],
  ['files went', base, [null, null, base[2]!, null, base[4]!], ['-1', 'x1', '=2', 'x1', '=1']],
  [
    'only what is told of a file changed',
    base,
    [base[0]!, null, file('b', { title: 'Z' }), base[3]!, base[4]!],
    ['=3', '-1', '=2'],
  ],
  ['everything went', base, [null, null, null, null, null], ['-1', 'x1', '=1', 'x3']],
  ['from nothing', [], base, ['-1']],
  ['it was renumbered', base, [base[0]!, base[2]!, base[4]!, file('e')], ['=2', '-1', '=1', '-1', '=1']],
  ['another catalog altogether', base, [file('v'), file('w')], ['-1', '-5']],
  ['it doubled, line by line beyond what is handed on at a time', many(0, 25_000), many(0, 50_000), ['-1', '=25000']],
  [
    'it lost every second file',
    many(0, 3000),
    many(0, 3000).map((each, i) => (i % 2 ? null : each)),
    ['-1', ...Array(1500).fill(['=1', 'x1']).flat()],
  ],
])('%s', (_, before, after, ops) => {
  const [old, now] = [text(before), text(after, before)]
  const delta = deltaOf(old, now)!
  expect(applied(old, delta)).toBe(now.toString())
  const said = delta.split('\n').slice(1, -1)
  expect(said.filter((line) => !line.startsWith('+'))).toEqual(ops)
})

test('files that come back, and what they were that is forgotten', () => {
  const without = base.map((each, i) => (i === 2 ? null : each))
  const forgotten = text(without)
  const remembered = text(without, base)
  const [gone, back] = [deltaOf(text(base), remembered)!, deltaOf(remembered, text(base))!]
  expect(applied(text(base), gone)).toBe(remembered.toString())
  expect(applied(remembered, back)).toBe(text(base).toString())
  expect(back.split('\n').slice(1, -1)).toEqual([
    '-1',
    expect.stringMatching(/^\+\{"weirCatalog/),
    '=2',
    '-1',
    `+${JSON.stringify(base[2])}`,
    '=2',
  ])
  const forgets = deltaOf(remembered, forgotten)!
  expect(applied(remembered, forgets)).toBe(forgotten.toString())
  expect(forgets).toContain('=3\n01\n=2\n')
})

test('a delta that grows too long is given up', () => {
  expect(deltaOf(text([]), text(many(0, 1000)), 5000)).toBeUndefined()
})

test.each([
  ['of another version', `{"weirCatalogDelta":1,"from":"${TO}","to":"${TO}"}\n=1\n`, 'it is of sha256:bbbb'],
  ['of another format', '{"weirCatalog":1}\n', 'not a delta of version 1'],
  ['no text', '', 'it is empty'],
  ['no JSON', '<html>\n', 'the first line is not JSON'],
  ['of more lines than there are', `{"weirCatalogDelta":1,"from":"${FROM}"}\n=99\n`, 'more lines than there are'],
  ['no operation', `{"weirCatalogDelta":1,"from":"${FROM}"}\n=-1\n`, 'is no operation'],
])('what is %s is refused', (_, delta, message) => {
  expect(() => applied(text(base), delta)).toThrow(message)
})
