import { describe, expect, test } from '@jest/globals'
import { decodeText } from '../../cli/manifests/decode-text.ts'
import { fieldSteps } from '../../cli/manifests/field-path.ts'
import { parseManifests } from '../../cli/manifests/manifest.ts'
import { type Problem, renderProblem } from '../../cli/manifests/problem.ts'
import { MAX_FILE_BYTES } from '../../cli/manifests/read-all.ts'
import { SourceText } from '../../cli/manifests/source-text.ts'
import { closest } from '../../cli/manifests/suggest.ts'

const parse = (text: string) => parseManifests(new SourceText('f.yaml', text))
const rendered = (problems: readonly Problem[]) => problems.map((problem) => renderProblem(problem).split('\n')[0])
const named = (text: string) =>
  parse(text).manifests.map(
    ({ object, place }) => `${object.kind}/${object.metadata.name}@${place.line}:${place.column}`,
  )

const object = (kind: string, name = 'x') => `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n`

describe('documents of a file', () => {
  test.each([
    ['one', object('A'), ['A/x@1:1']],
    ['two, with a comment before the first', `# hello\n---\n${object('A')}---\n${object('B')}`, ['A/x@3:1', 'B/x@8:1']],
    ['empty ones between', `---\n---\n\n---\n${object('A')}---\n# nothing\n---\n`, ['A/x@5:1']],
    ['ended by dots', `${object('A')}...\n---\n${object('B')}`, ['A/x@1:1', 'B/x@7:1']],
    ['a directive stays with its document', `%YAML 1.2\n---\n${object('A')}`, ['A/x@3:1']],
    ['three dashes inside a block text are text', `${object('A')}data:\n  a: |\n    x\n    ---\n    y\n`, ['A/x@1:1']],
    ['on the line of its marker', '--- {apiVersion: v1, kind: A, metadata: {name: x}}\n', ['A/x@1:5']],
    ['CRLF', object('A').replaceAll('\n', '\r\n'), ['A/x@1:1']],
    [
      'JSON indented with tabs',
      '{\n\t"apiVersion": "v1",\n\t"kind": "A",\n\t"metadata": {"name": "x"}\n}',
      ['A/x@1:1'],
    ],
    [
      'JSON objects one after the other',
      '{"apiVersion":"v1","kind":"A","metadata":{"name":"x"}}\n{"apiVersion":"v1","kind":"B","metadata":{"name":"}{"}}',
      ['A/x@1:1', 'B/}{@2:1'],
    ],
    [
      'a List, also one in a List',
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: x}}\n- apiVersion: v1\n  kind: SiteList\n  items:\n  - {apiVersion: v1, kind: B, metadata: {name: y}}\n',
      ['A/x@4:3', 'B/y@8:5'],
    ],
    ['nothing', '', []],
    ['only comments', '# a\n# b\n', []],
  ])('%s', (_reason, text, expected) => {
    expect({ named: named(text), problems: rendered(parse(text).problems) }).toEqual({ named: expected, problems: [] })
  })
})

describe('values are those of YAML 1.2', () => {
  const value = (text: string) => {
    const { manifests, problems } = parse(`${object('A')}v: ${text}\n`)
    return problems.length > 0 ? rendered(problems) : manifests[0]!.object.v
  }
  test.each([
    ['a country is no boolean', 'NO', 'NO'],
    ['nor is a switch', 'on', 'on'],
    ['a date is text', '2020-01-01', '2020-01-01'],
    ['a time is no base 60 number', '01:30', '01:30'],
    ['hexadecimal', '0x1F', 31],
    ['octal', '0o17', 15],
    ['the largest number that is exact', '9007199254740991', 9007199254740991],
    ['a fraction', '.5', 0.5],
    ['minus zero', '-0', 0],
    ['underscores are text', '1_000', '1_000'],
    ['nothing is null', '', null],
    ['a merge key', '\n  <<: {a: 1, b: 2}\n  b: 3', { a: 1, b: 3 }],
    ['an anchor', '[&a {x: 1}, *a]', [{ x: 1 }, { x: 1 }]],
    ['keys that look like numbers are text', '{1: a, true: b}', { '1': 'a', true: 'b' }],
    ['__proto__ is a key like any other', '{__proto__: 1}', JSON.parse('{"__proto__":1}')],
  ])('%s: %s', (_reason, text, expected) => {
    expect(value(text)).toEqual(expected)
  })
})

describe('what is refused is told with its place in the file', () => {
  test.each<[string, string, string[]]>([
    ['no key twice', `${object('A')}a: 1\na: 2\n`, ['f.yaml:6:1: error: this key is there twice']],
    [
      'a tab as indentation',
      `${object('A')}a:\n\tb: 1\n`,
      ['f.yaml:6:1: error: a tab indents here; YAML indents with spaces'],
    ],
    [
      'beyond 2^53, in the second document',
      `${object('A')}---\n${object('B')}a: 9007199254740993\n`,
      ['f.yaml:10:4: error: 9007199254740993 is beyond 2^53 and would be rounded'],
    ],
    [
      'leading zeros',
      `${object('A')}a: 0123\n`,
      ['f.yaml:5:4: error: 0123 is ambiguous: YAML 1.1 reads it as octal. Leave out the zero, or quote it'],
    ],
    ['infinity', `${object('A')}a: [1, .inf]\n`, ['f.yaml:5:8: error: .inf is not a number that JSON can carry']],
    ['a tag', `${object('A')}a: !secret x\n`, ['f.yaml:5:12: error: tag !secret is not supported']],
    [
      'an alias without its anchor',
      `${object('A')}a: *b\n`,
      ['f.yaml:5:4: error: no anchor "b" comes before this alias'],
    ],
    ['a key that is a map', `${object('A')}? {a: 1}\n: 2\n`, ['f.yaml:5:3: error: a key must be a string']],
    ['YAML 1.1', `%YAML 1.1\n---\n${object('A')}`, ['f.yaml:1:1: error: YAML 1.1 is not read; write YAML 1.2']],
    ['an alias inside of what it names', `${object('A')}a: &a [*a]\n`, ['f.yaml:5:7: error: nested too deeply']],
    [
      'half a list',
      `${object('A')}a: [1, 2\n`,
      ['f.yaml:6:1: error: flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['no apiVersion', 'kind: A\nmetadata: {name: x}\n', ['f.yaml:1:1: error: apiVersion is missing']],
    [
      'neither apiVersion nor kind',
      'a: 1\n',
      ['f.yaml:1:1: error: apiVersion is missing', 'f.yaml:1:1: error: kind is missing'],
    ],
    ['no name', 'apiVersion: v1\nkind: A\nmetadata: {labels: {}}\n', ['f.yaml:3:1: error: metadata.name is missing']],
    [
      'a name that is a number',
      'apiVersion: v1\nkind: A\nmetadata: {name: 5}\n',
      ['f.yaml:3:18: error: metadata.name: must be a string, not a number; write "5" in quotes'],
    ],
    [
      'generateName',
      'apiVersion: v1\nkind: A\nmetadata: {generateName: x-}\n',
      ['f.yaml:3:12: error: metadata.generateName: a manifest names its object, so that applying it twice makes one'],
    ],
    [
      'a list of objects',
      '- apiVersion: v1\n',
      ['f.yaml:1:1: error: a list stands here, where a Kubernetes object should'],
    ],
    ['plain text', 'hello\n', ['f.yaml:1:1: error: a string stands here, where a Kubernetes object should']],
    [
      'an item that is no object',
      'apiVersion: v1\nkind: List\nitems:\n- 7\n',
      ['f.yaml:4:3: error: a number stands here, where a Kubernetes object should'],
    ],
  ])('%s', (_reason, text, expected) => {
    const { problems } = parse(text)
    expect(rendered(problems)).toEqual(expected)
  })

  test('aliases that explode are said once, soon', () => {
    const names = [...'bcdefghi']
    const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(`*${of}`).join(',')}]\n`
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${names.map((name, i) => level(name, 'abcdefgh'[i]!)).join('')}`
    const { problems } = parse(object('A') + bomb)
    expect(problems.map(({ message }) => message)).toEqual(['aliases expand to too much'])
  })

  test.each([
    ['[', ''],
    ['{a: ', ''],
  ])('nesting without end: %s', (open) => {
    const { problems } = parse(`${object('A')}a: ${open.repeat(50_000)}`)
    expect(problems.map(({ message }) => message)).toEqual(['nested too deeply'])
  })

  test('a caret points at the value, also after wide letters', () => {
    const { problems } = parse(`${object('A')}a: ["日本", 0123]\n`)
    expect(renderProblem(problems[0]!).split('\n').slice(1)).toEqual([
      '5 | a: ["日本", 0123]',
      '  |           ^^^^',
      '',
    ])
  })

  test('of a very long line the part around the caret is shown', () => {
    const { problems } = parse(`${object('A')}b: [${'1, '.repeat(1000)}0123]\n`)
    const [place, line, caret] = renderProblem(problems[0]!).split('\n') as [string, string, string]
    expect(place).toContain('f.yaml:5:3005:')
    expect(line.length).toBeLessThan(130)
    expect(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('0123')
  })

  test('escape sequences in a file do not reach the terminal', () => {
    const text = 'apiVersion: v1\nkind: A\nmetadata: {name: x}\na: 0123 # \u001b[31m red\n'
    const shown = renderProblem(parse(text).problems[0]!)
    expect(shown).toContain('^[[31m red')
    expect(shown).not.toContain('\u001b')
  })
})

describe('bytes', () => {
  const decode = (bytes: Uint8Array) => {
    const decoded = decodeText('f', bytes)
    return decoded instanceof SourceText ? decoded.text : renderProblem(decoded).split('\n')[0]
  }
  test.each<[string, Uint8Array, string]>([
    ['UTF-8', Buffer.from('é: 日本'), 'é: 日本'],
    ['a byte order mark is no text', Buffer.from('\ufeffa: 1'), 'a: 1'],
    ['Latin-1', Buffer.from([0x61, 0x0a, 0xe9, 0x20]), 'f:2:1: error: byte 0xe9 is not UTF-8'],
    ['cut off in the middle of a letter', Buffer.from('a日').subarray(0, 3), 'f:1:2: error: byte 0xe6 is not UTF-8'],
    ['a surrogate', Buffer.from([0x61, 0xed, 0xa0, 0x80]), 'f:1:2: error: byte 0xed is not UTF-8'],
    ['UTF-16', Buffer.from('\ufeffa: 1', 'utf16le'), 'f: error: is UTF-16 text; save it as UTF-8'],
    ['a program', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0]), 'f: error: is a binary file, not YAML or JSON'],
    ['too much', Buffer.alloc(MAX_FILE_BYTES + 1, 0x61), 'f: error: is too large: a manifest file has at most 32 MiB'],
  ])('%s', (_reason, bytes, expected) => {
    expect(decode(bytes)).toBe(expected)
  })
})

describe('suggestions', () => {
  test.each<[string, string, string[], string | undefined]>([
    ['a letter left out', 'capactyGbps', ['capacityGbps', 'uplinkGbps'], 'capacityGbps'],
    ['letters swapped', 'contry', ['country', 'metro'], 'country'],
    ['neighbours swapped', 'mtero', ['metro'], 'metro'],
    ['only the case', 'timezone', ['timeZone'], 'timeZone'],
    ['the nearest of several', 'flsh', ['mixed', 'flash', 'flesh1'], 'flash'],
    ['nothing like it', 'colour', ['metro', 'tier'], undefined],
    ['short words are not like others', 'a', ['b'], undefined],
  ])('%s', (_reason, word, candidates, expected) => {
    expect(closest(word, candidates)).toBe(expected)
  })
})

describe('fields that messages name', () => {
  const at = {
    metadata: { labels: { 'a.b/c': 'x' } },
    spec: {
      ports: [
        { port: 80, name: 'x' },
        { port: 81, name: 'y' },
      ],
      args: ['a', 'b'],
    },
  }
  test.each<[string, (string | number)[]]>([
    ['spec.ports[1].name', ['spec', 'ports', 1, 'name']],
    ['.spec.ports[port=81].name', ['spec', 'ports', 1, 'name']],
    ['.spec.ports[name="x",port=80].port', ['spec', 'ports', 0, 'port']],
    ['.spec.args[="b"]', ['spec', 'args', 1]],
    ['metadata.labels[a.b/c]', ['metadata', 'labels', 'a.b/c']],
    ['.metadata.labels.a.b/c', ['metadata', 'labels', 'a.b/c']],
    ['spec.nope.deeper', ['spec', 'nope', 'deeper']],
    ['', []],
  ])('%s', (field, steps) => {
    expect(fieldSteps(at, field)).toEqual(steps)
  })
})
