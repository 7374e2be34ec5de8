import { describe, expect, test } from '@jest/globals'
import { unifiedDiff } from '../../cli/diff/unified.ts'
import { humanDuration, parseDuration } from '../../cli/duration.ts'
import { quantity } from '../../cli/get/sort.ts'
import { parseColumns, printColumns } from '../../cli/output/custom-columns.ts'
import { printJson } from '../../cli/output/json.ts'
import { compileJsonPath } from '../../cli/output/jsonpath/evaluate.ts'
import { bytesText } from '../../cli/output/quantity.ts'
import { TabWriter } from '../../cli/output/tab-writer.ts'
import { type Table, type TableOptions, TablePrinter } from '../../cli/output/table.ts'
import { printYaml } from '../../cli/output/yaml.ts'
import { kubectl, program } from './harness.ts'

// Expected bytes in this file are what kubectl 1.36 printed for the same object.

describe('YAML as kubectl writes it', () => {
  test.each<[string, unknown, string]>([
    ['keys in natural order', { a10: 1, a2: 2, B: 3, _x: 4, a: 5 }, '_x: 4\nB: 3\na: 5\na2: 2\na10: 1\n'],
    ['lists as far in as their key', { a: [{ b: 1, c: [1, [2, 3]] }] }, 'a:\n- b: 1\n  c:\n  - 1\n  - - 2\n    - 3\n'],
    ['empty ones', { a: {}, b: [], c: null, d: '' }, 'a: {}\nb: []\nc: null\nd: ""\n'],
    [
      'what would be read as something else',
      { a: 'yes', b: '012', c: '1e3', d: '2020-01-01', e: '1:30', f: '~' },
      'a: "yes"\nb: "012"\nc: "1e3"\nd: "2020-01-01"\ne: "1:30"\nf: "~"\n',
    ],
    [
      'what only looks so',
      { a: '2020-13-01', b: '1e', c: '0x', d: '08:', e: '<<' },
      "a: 2020-13-01\nb: 1e\nc: 0x\nd: '08:'\ne: <<\n",
    ],
    [
      'indicators in single quotes',
      { a: '- x', b: 'a: b', c: "it's: so", d: '#', e: ' x' },
      "a: '- x'\nb: 'a: b'\nc: 'it''s: so'\nd: '#'\ne: ' x'\n",
    ],
    [
      'control characters in double quotes',
      { a: 'x\ty', b: '\u001b[31m', c: '😀' },
      'a: "x\\ty"\nb: "\\e[31m"\nc: "\\U0001F600"\n',
    ],
    [
      'several lines',
      { a: 'x\ny\n', b: 'x\ny', c: 'x\n\n', d: '\n x' },
      'a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2-\n\n   x\n',
    ],
    [
      'long text is folded',
      { a: Array(20).fill('word').join(' ') },
      `a: ${Array(16).fill('word').join(' ')}\n  word word word word\n`,
    ],
    [
      'numbers',
      { a: 1234567.5, b: 1e21, c: 0.00001, d: 100000.5, e: 9007199254740991 },
      'a: 1.2345675e+06\nb: 1e+21\nc: 1e-05\nd: 100000.5\ne: 9007199254740991\n',
    ],
  ])('%s', (_reason, value, expected) => {
    expect(printYaml(value)).toBe(expected)
  })
})

describe('JSON as kubectl writes it', () => {
  test.each<[string, unknown, string]>([
    [
      'sorted keys, also those that look like numbers',
      { b: 1, '10': 2, '9': 3, a: [] },
      '{\n    "10": 2,\n    "9": 3,\n    "a": [],\n    "b": 1\n}',
    ],
    ['escapes of HTML', { a: '<b>&\u2028' }, '{\n    "a": "\\u003cb\\u003e\\u0026\\u2028"\n}'],
    ['empty ones and null', { a: {}, b: null }, '{\n    "a": {},\n    "b": null\n}'],
  ])('%s', (_reason, value, expected) => {
    expect(printJson(value)).toBe(expected)
  })
})

const withKubectl = kubectl ? describe : describe.skip

withKubectl('the same bytes as kubectl, over values made by chance', () => {
  const words = [
    'yes',
    'no',
    '012',
    '0x1F',
    '1_000',
    '1:30',
    '2020-01-01',
    '~',
    'null',
    '.5',
    '1e3',
    '+1',
    '-',
    '- a',
    'a: b',
    'a #b',
    '#a',
    '[x',
    '*a',
    '&a',
    '!t',
    '|x',
    "it's",
    '"dq"',
    '%p',
    '@at',
    ' lead',
    'trail ',
    'l1\nl2',
    'l1\nl2\n',
    'x\n\n',
    '\nx',
    '  a\nb',
    'a \nb',
    'tab\there',
    '\u001b[31m',
    'é',
    '日本語',
    '😀',
    '? x',
    ':',
    ': x',
    '--- x',
    '...',
    '',
    'word '.repeat(30).trim(),
    `it's: ${'word '.repeat(30)}`,
    'x'.repeat(200),
    'word  two '.repeat(20).trim(),
    'a\r\nb',
    '=',
    '-0',
    '08',
    '.inf',
    'a\\b',
    `long ${'a'.repeat(90)} b c d`,
  ]
  let seed = 20_260_101
  const random = (n: number) => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return seed % n
  }
  const value = (depth: number): unknown => {
    const kind = random(depth > 3 ? 5 : 9)
    if (kind < 3) return words[random(words.length)]
    if (kind === 3) return [1, 0, -5, 1.5, 1234567.25, 0.00001, 1e21, true, false, null][random(10)]
    if (kind === 4) return random(2) === 0 ? {} : []
    if (kind < 7)
      return Object.fromEntries(
        Array.from({ length: 1 + random(4) }, () => [words[random(words.length)], value(depth + 1)]),
      )
    return Array.from({ length: 1 + random(3) }, () => value(depth + 1))
  }
  const items = Array.from({ length: 60 }, (_, i) => ({
    apiVersion: 'x.dev/v1',
    kind: 'T',
    metadata: { annotations: { a: 'b' }, name: `n${i}` },
    spec: value(0),
  }))

  test.each([
    ['yaml', () => items.map((item) => printYaml(item)).join('---\n')],
    ['json', () => items.map((item) => `${printJson(item)}\n`).join('')],
  ])('%s', async (format, ours) => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
    const theirs = await program(kubectl!, ['annotate', '--local', '--overwrite', '-f', '-', 'a=b', '-o', format], {
      input,
    })
    expect(theirs.stderr).toBe('')
    expect(ours()).toBe(theirs.stdout)
  })
})

describe('tables', () => {
  const table = (rows: readonly (readonly unknown[])[]): Table => ({
    kind: 'Table',
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name' },
      { name: 'Count', type: 'integer' },
      { name: 'Note', type: 'string', priority: 1 },
      { name: 'Age', type: 'date' },
    ],
    rows: rows.map((cells) => ({
      cells,
      object: { metadata: { name: String(cells[0]), namespace: 'ns', labels: { b: '2', 'x.io/a': '1' } } },
    })),
  })
  const plain: TableOptions = {
    wide: false,
    noHeaders: false,
    withNamespace: false,
    namePrefix: '',
    showLabels: false,
    labelColumns: [],
  }
  const printed = (options: Partial<TableOptions>, ...tables: Table[]) => {
    const writer = new TabWriter()
    const printer = new TablePrinter({ ...plain, ...options })
    let text = ''
    for (const each of tables) {
      printer.print(each, writer)
      text += writer.flush()
    }
    return text
  }

  test.each<[string, Partial<TableOptions>, unknown[][], string]>([
    ['columns at least six wide, three apart', {}, [['a', 1, 'n', '5s']], 'NAME   COUNT   AGE\na      1       5s\n'],
    ['wide', { wide: true }, [['a', 1, 'n', '5s']], 'NAME   COUNT   NOTE   AGE\na      1       n      5s\n'],
    ['without headers', { noHeaders: true }, [['a', 1, 'n', '5s']], 'a     1     5s\n'],
    [
      'with the namespace',
      { withNamespace: true },
      [['a', 1, 'n', '5s']],
      'NAMESPACE   NAME   COUNT   AGE\nns          a      1       5s\n',
    ],
    [
      'with the kind',
      { namePrefix: 'site.fleet.weir.dev/' },
      [['a', 1, 'n', '5s']],
      'NAME                    COUNT   AGE\nsite.fleet.weir.dev/a   1       5s\n',
    ],
    [
      'with labels',
      { labelColumns: ['x.io/a', 'c'], showLabels: true },
      [['a', 1, 'n', '5s']],
      'NAME   COUNT   AGE   A     C     LABELS\na      1       5s    1           b=2,x.io/a=1\n',
    ],
    ['nothing prints nothing', {}, [], ''],
    ['a cell without a value', {}, [['a', null, 'n', '5s']], 'NAME   COUNT   AGE\na              5s\n'],
    [
      'letters are counted, not bytes',
      {},
      [
        ['日本', 1, 'n', '5s'],
        ['abcdef', 2, 'n', '6s'],
      ],
      'NAME     COUNT   AGE\n日本       1       5s\nabcdef   2       6s\n',
    ],
    [
      'an escape sequence is made visible',
      {},
      [['a\u001b[31m', 1, 'n', '5s']],
      'NAME      COUNT   AGE\na^[[31m   1       5s\n',
    ],
    ['only the first line of a cell', {}, [['a', 'x\ny', 'n', '5s']], 'NAME   COUNT   AGE\na      x...    5s\n'],
    ['a carriage return too', {}, [['a', 'x\ry', 'n', '5s']], 'NAME   COUNT   AGE\na      x...    5s\n'],
  ])('%s', (_reason, options, rows, expected) => {
    expect(printed(options, table(rows))).toBe(expected)
  })

  test('rows that come later line up with the widest so far, and repeat no headers', () => {
    const first = table([['a-long-name', 1, '', '5s']])
    const later = { ...table([['b', 2, '', '6s']]), columnDefinitions: null }
    expect(printed({}, first, later)).toBe(
      'NAME          COUNT   AGE\na-long-name   1       5s\nb             2       6s\n',
    )
  })
})

describe('JSONPath in the dialect of kubectl', () => {
  const data = {
    kind: 'List',
    items: [
      { kind: 'None', metadata: { name: 'n1', labels: { 'a.b/c': 'x' } }, n: 3, list: ['a', 'b', 'c'] },
      { kind: 'None', metadata: { name: 'n2' }, n: 12.5, ready: true },
    ],
  }
  test.each<[string, string]>([
    ['{.kind}', 'List'],
    ['{@.kind}{$.kind}', 'ListList'],
    ["{['kind']}", 'List'],
    ['{.items[*].metadata.name}', 'n1 n2'],
    ['{.items[0].metadata}', '{"labels":{"a.b/c":"x"},"name":"n1"}'],
    ['{.items[*].n}', '3 12.5'],
    ['{range .items[*]}[{.metadata.name}, {.n}] {end}', '[n1, 3] [n2, 12.5] '],
    ['{range .items[*]}{.metadata.name}{"\\t"}{.n}{"\\n"}{end}', 'n1\t3\nn2\t12.5\n'],
    ['{.items[?(@.metadata.name=="n2")].n}', '12.5'],
    ["{.items[?(@.metadata.name<'n2')].metadata['name']}", 'n1'],
    ['{.items[?(@.ready)].metadata.name}', 'n2'],
    ['{.items[0].list[-1]}', 'c'],
    ['{.items[0].list[0:2]}', 'a b'],
    ['{.items[0].list[::2]}', 'a c'],
    ["{.items[*]['metadata.name', 'n']}", 'n1 n2 3 12.5'],
    ['{.items[0].metadata.labels.a\\.b/c}', 'x'],
    ['{..name}', 'n1 n2'],
    ['{.nothing}', ''],
    ['text only', 'text only'],
    ['{range .nothing[*]}x{end}y', 'y'],
    ['{.items[1].ready}', 'true'],
  ])('%s', (template, expected) => {
    expect(compileJsonPath(template, { allowMissingKeys: true }).print(data)).toBe(expected)
  })

  test.each([
    ['{.items[0', 'unterminated array'],
    ['{.items', 'unclosed action'],
    ['{"x}', 'unterminated quoted string'],
    ['{.items[?(@.n<1]}', 'unterminated filter'],
    ['{.items[x]}', 'invalid array index x'],
    ['{....x}', 'invalid multiple recursive descent'],
    ['{.items[5]}', 'array index out of bounds: index 5, length 2'],
    ['{.kind[0]}', 'string is not array or slice'],
    ['{end}', 'not in range, nothing to end'],
    ['{foo}', 'unrecognized identifier foo'],
    ['{.items[?(@.n>1)].n}', 'incompatible types for comparison'],
  ])('%s: %s', (template, message) => {
    expect(() => compileJsonPath(template, { allowMissingKeys: true }).print(data)).toThrow(message)
  })

  test('custom columns', () => {
    const columns = parseColumns('NAME:.metadata.name,N:{.n},LABELS:metadata.labels,NONE:.x.y')
    expect(printColumns(columns, data.items, false)).toBe(
      'NAME   N      LABELS         NONE\nn1     3      map[a.b/c:x]   <none>\nn2     12.5   <none>         <none>\n',
    )
  })
})

describe('times and sizes', () => {
  test.each<[number, string]>([
    [-5000, '<invalid>'],
    [0, '0s'],
    [119_000, '119s'],
    [120_000, '2m'],
    [192_000, '3m12s'],
    [600_000, '10m'],
    [179 * 60_000, '179m'],
    [180 * 60_000, '3h'],
    [302 * 60_000, '5h2m'],
    [8 * 3_600_000, '8h'],
    [47 * 3_600_000, '47h'],
    [52 * 3_600_000, '2d4h'],
    [192 * 3_600_000, '8d'],
    [729 * 24 * 3_600_000, '729d'],
    [(3 * 365 + 12) * 24 * 3_600_000, '3y12d'],
    [9 * 365 * 24 * 3_600_000, '9y'],
  ])('%d ms is %s', (ms, expected) => {
    expect(humanDuration(ms)).toBe(expected)
  })

  test.each<[string, number]>([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['250ms', 250],
    ['-1s', -1000],
    ['30', 30_000],
  ])('%s is %d ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected)
  })

  test.each(['', 'x', '5 m', '1d', 's'])('%j is no duration', (text) => {
    expect(() => parseDuration(text)).toThrow('invalid duration')
  })

  test.each<[number, string]>([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [225_485_783_040, '210 GiB'],
  ])('%d bytes are %s', (bytes, expected) => {
    expect(bytesText(bytes)).toBe(expected)
  })

  test.each<[string, number | undefined]>([
    ['500m', 0.5],
    ['2Ki', 2048],
    ['1e3', 1000],
    ['1.5G', 1.5e9],
    ['x', undefined],
  ])('%s as a quantity', (text, expected) => {
    expect(quantity(text)).toBe(expected)
  })
})

describe('unified diffs', () => {
  const lines = (...numbers: (number | string)[]) => numbers.map((n) => `${n}\n`).join('')
  const ten = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
  test.each<[string, string, string, string]>([
    ['nothing changed', lines(1), lines(1), ''],
    ['something new', '', lines(1, 2), '@@ -0,0 +1,2 @@\n+1\n+2\n'],
    ['something gone', lines(1), '', '@@ -1 +0,0 @@\n-1\n'],
    [
      'a line changed, with three lines around',
      lines(...ten),
      lines(...ten.with(4, 50)),
      '@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+50\n 6\n 7\n 8\n',
    ],
    [
      'two places',
      lines(...ten, ...ten),
      lines(0, ...ten, ...ten, 11),
      '@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -18,3 +19,4 @@\n 8\n 9\n 10\n+11\n',
    ],
    [
      'the shortest way',
      lines('a', 'b', 'c', 'a', 'b', 'b', 'a'),
      lines('c', 'b', 'a', 'b', 'a', 'c'),
      '@@ -1,7 +1,6 @@\n-a\n-b\n c\n+b\n a\n b\n-b\n a\n+c\n',
    ],
  ])('%s', (_reason, before, after, expected) => {
    expect(unifiedDiff(before, after)).toBe(expected)
  })

  test('texts that have nothing in common are not compared for ever', () => {
    const before = lines(...Array.from({ length: 20_000 }, (_, i) => `a${i}`))
    const after = lines(...Array.from({ length: 20_000 }, (_, i) => `b${i}`))
    expect(unifiedDiff(before, after).split('\n')).toHaveLength(40_002)
  })
})
