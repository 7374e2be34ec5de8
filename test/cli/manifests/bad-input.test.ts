import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Folder, weir } from '../harness.ts'
import { inProcess } from '../in-process.ts'

const folder = new Folder()
afterAll(() => folder[Symbol.dispose]())

const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n'
const HARDWARE =
  'apiVersion: fleet.weir.dev/v1alpha1\nkind: HardwareClass\nmetadata: {name: x}\nspec:\n  storageMedium: hdd\n  throughputGbps: 1\n'
const utf16 = (text: string, bigEndian = false) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return bigEndian ? bytes.swap16() : bytes
}
/** Nine levels of nine: four hundred million nodes. */
const bomb = [...'abcdefghi']
  .map(
    (name, i, all) =>
      `${name}: &${name} [${Array(9)
        .fill(i === 0 ? 'x' : `*${all[i - 1]}`)
        .join(',')}]\n`,
  )
  .join('')

/** Validates one file of these bytes; gives the exit code and the first line of every error and warning. */
async function told(bytes: string | Uint8Array): Promise<[number | null, ...string[]]> {
  const { code, stdout, stderr } = await inProcess(['validate', '-f', '-'], { input: bytes })
  const lines = stdout.split('\n').filter((line) => /: (error|warning): /.test(line))
  return [code, ...(stdout === '' && code !== 0 ? [stderr.trim()] : lines)]
}

const fine: [0] = [0]
const wrong = (...lines: readonly string[]): [2, ...string[]] => [2, ...lines.map((line) => `<stdin>${line}`)]

describe('bytes that are no manifest', () => {
  test.each<[string, string | Uint8Array, [number, ...string[]]]>([
    ['a program', Buffer.from('\u007fELF\u0000\u0001\u0002'), wrong(': error: is a binary file, not YAML or JSON')],
    ['a gzip archive', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0]), wrong(': error: is a binary file, not YAML or JSON')],
    [
      'NUL far into a text',
      `${CONFIG}# ${'x'.repeat(9000)}\u0000\n`,
      wrong(':4:9003: error: the control character U+0000 may not be in YAML; in double quotes, write \\u0000'),
    ],
    [
      'a bell',
      `${CONFIG}data: {a: "\u0007"}\n`,
      wrong(':4:12: error: the control character U+0007 may not be in YAML; in double quotes, write \\u0007'),
    ],
    ['the same, written as one should', `${CONFIG}data: {a: "\\u0007"}\n`, fine],
    [
      'Latin-1',
      Buffer.from(`${CONFIG}data: {a: caf\u00e9}\n`, 'latin1'),
      wrong(':4:14: error: byte 0xe9 is not UTF-8'),
    ],
    ['UTF-16, little-endian', utf16(CONFIG), wrong(': error: is UTF-16 text; save it as UTF-8')],
    ['UTF-16, big-endian', utf16(CONFIG, true), wrong(': error: is UTF-16 text; save it as UTF-8')],
    ['UTF-16 without a mark', Buffer.from(CONFIG, 'utf16le'), wrong(': error: is a binary file, not YAML or JSON')],
    ['a byte order mark', `\ufeff${CONFIG}`, fine],
    ['CRLF', `${CONFIG}data:\n  a: |\n    b\n`.replaceAll('\n', '\r\n'), fine],
    [
      'CR alone ends no line for kubectl either',
      CONFIG.replaceAll('\n', '\r'),
      wrong(':1:13: error: nested mappings are not allowed in compact mappings'),
    ],
    ['nothing', '', [2, 'error: there is no object in <stdin>']],
    ['only comments', '# a\n---\n# b\n...\n', [2, 'error: there is no object in <stdin>']],
    ['plain text', 'hello\n', wrong(':1:1: error: a string stands here, where a Kubernetes object should')],
    [
      'a page of HTML',
      '<!DOCTYPE html>\n<html lang="en">\n<p>404</p>\n',
      wrong(':1:1: error: a string stands here, where a Kubernetes object should'),
    ],
    [
      'a Helm template',
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n`,
      wrong(':4:10: error: a key must be a string'),
    ],
    [
      'a merge conflict',
      `${CONFIG}<<<<<<< HEAD\ndata: {a: b}\n=======\ndata: {}\n>>>>>>> x\n`,
      wrong(':4:1: error: implicit keys need to be on a single line'),
    ],
  ])('%s', async (_reason, bytes, expected) => {
    expect(await told(bytes)).toEqual(expected)
  })
})

describe('YAML that is not what it seems', () => {
  test.each<[string, string, [number, ...string[]]]>([
    ['a bomb of aliases', `${CONFIG}${bomb}`, wrong(':4:14: error: aliases expand to too much')],
    ['anchors, aliases and merge keys', `${CONFIG}data:\n  <<: &a {b: c}\n  d: e\nbinaryData: {}\n`, fine],
    ['an alias that names nothing', `${CONFIG}data: *a\n`, wrong(':4:7: error: no anchor "a" comes before this alias')],
    [
      'a tab that indents',
      `${CONFIG}data:\n\ta: b\n`,
      wrong(':5:1: error: a tab indents here; YAML indents with spaces'),
    ],
    [
      'a key that is there twice',
      `${CONFIG}data: {a: b}\ndata: {a: c}\n`,
      wrong(':5:1: error: this key is there twice'),
    ],
    [
      'a key twice, as a number and as a text',
      `${CONFIG}data: {1: b, "1": c}\n`,
      wrong(':4:14: error: this key is there twice'),
    ],
    [
      'a key of a megabyte',
      `${CONFIG}data: {${'k'.repeat(1024 * 1024)}: v}\n`,
      wrong(
        ':4:8: error: the : indicator must be at most 1024 chars after the start of an implicit flow sequence key',
      ).slice(0, 1) as [number],
    ],
    [
      'lists in lists in lists',
      `${CONFIG}data: ${'['.repeat(100_000)}\n`,
      wrong(':4:106: error: nested too deeply').slice(0, 1) as [number],
    ],
    [
      'maps that close',
      `${CONFIG}data: ${'{a: '.repeat(500)}1${'}'.repeat(500)}\n`,
      wrong(':4:793: error: nested too deeply').slice(0, 1) as [number],
    ],
    ['dashes', `${'- '.repeat(50_000)}a\n`, wrong(':1:401: error: nested too deeply').slice(0, 1) as [number]],
    [
      'a tag',
      `${CONFIG}data: !!python/object:os.system {}\n`,
      wrong(':4:33: error: tag tag:yaml.org,2002:python/object:os.system is not supported'),
    ],
    [
      'binary, by its tag',
      `${CONFIG}binaryData: {a: !!binary aGk=}\n`,
      wrong(':4:26: error: tag tag:yaml.org,2002:binary is not supported'),
    ],
    ['YAML 1.1', `%YAML 1.1\n---\n${CONFIG}`, wrong(':1:1: error: YAML 1.1 is not read; write YAML 1.2')],
    ['a directive without its document', '%YAML 1.2\n', wrong(':2:1: error: missing directives-end indicator line')],
  ])('%s', async (_reason, text, expected) => {
    const got = await told(text)
    expect(expected.length === 1 && expected[0] !== 0 ? got.slice(0, 1) : got).toEqual(expected)
  })
})

describe('values that others would guess at', () => {
  const number = (written: string) => `${HARDWARE}  storageBytes: ${written}\n`
  const text = (written: string) => `${CONFIG}data: {a: ${written}}\n`
  const quoted = (value: string, is = 'a number') =>
    wrong(`:4:11: error: data.a: must be a string, not ${is}; write "${value}" in quotes`)
  const reads = (value: string, as: string): [0, string] => [
    0,
    `<stdin>:4:11: warning: ${value} is a text here, but kubectl, Argo CD and Flux read ${as}: write it in quotes [ambiguous-text]`,
  ]
  test.each<[string, string, [number, ...string[]]]>([
    [
      'beyond 2^53',
      number('9007199254740993'),
      wrong(':7:17: error: 9007199254740993 is beyond 2^53 and would be rounded'),
    ],
    [
      'beyond 2^53, in JSON',
      `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "generation": 9007199254740993}}`,
      wrong(':1:83: error: 9007199254740993 is beyond 2^53 and would be rounded'),
    ],
    ['2^53 - 1', number('9007199254740991'), fine],
    [
      'as a float it is no whole number',
      number('1e400'),
      wrong(':7:17: error: 1e400 is not a number that JSON can carry'),
    ],
    ['1e3 is a thousand', number('1e3'), fine],
    ['hexadecimal', number('0x10'), fine],
    ['octal of YAML 1.2', number('0o17'), fine],
    [
      'octal of YAML 1.1',
      number('0755'),
      wrong(':7:17: error: 0755 is ambiguous: YAML 1.1 reads it as octal. Leave out the zero, or quote it'),
    ],
    ['infinity', number('.inf'), wrong(':7:17: error: .inf is not a number that JSON can carry')],
    ['no number', number('.NaN'), wrong(':7:17: error: .NaN is not a number that JSON can carry')],
    [
      'a text where a number belongs',
      number('"100"'),
      wrong(
        ':7:17: error: spec.storageBytes: Invalid value: "string": spec.storageBytes in body must be of type integer: "string"',
      ),
    ],
    ['underscores', text('1_000'), reads('1_000', 'a number')],
    ['binary', text('0b11'), reads('0b11', 'a number')],
    ['Norway', text('NO'), reads('NO', 'a boolean')],
    ['a switch', text('on'), reads('on', 'a boolean')],
    ['a date is text', text('2020-01-01'), fine],
    ['a timestamp is text', text('2020-01-01T00:00:00Z'), fine],
    ['base 60 is text', text('190:20:30'), fine],
    ['a number where a text belongs', text('1'), quoted('1')],
    ['a boolean where a text belongs', text('true'), quoted('true', 'a boolean')],
    ['null is an empty text to Kubernetes', text('~'), fine],
    ['nothing is null', `${CONFIG}data:\n`, fine],
  ])('%s', async (_reason, input, expected) => {
    expect(await told(input)).toEqual(expected)
  })
})

describe('documents and lists', () => {
  test.each<[string, string, [number, ...string[]]]>([
    ['empty documents between', `---\n---\n${CONFIG}---\n\n--- # nothing\n...\n---\n`, fine],
    [
      'an error in the second document',
      `${CONFIG}---\n${CONFIG.replace('x', 'z')}datta: {}\n`,
      wrong(':8:1: error: datta: unknown field; did you mean "data"?'),
    ],
    [
      'a List, in a List, with nothing in it',
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: null}\n- {apiVersion: v1, kind: List}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: x}}\n',
      fine,
    ],
    [
      'an error within a List',
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: x}, datta: {}}\n',
      wrong(':4:58: error: datta: unknown field; did you mean "data"?'),
    ],
    [
      'items without a kind, as the API lists them',
      'apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: x}\n  datta: {}\n',
      wrong(':5:3: error: datta: unknown field; did you mean "data"?'),
    ],
    [
      'generateName',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-}\n',
      wrong(':3:12: error: metadata.generateName: a manifest names its object, so that applying it twice makes one'),
    ],
    ['no name', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n', wrong(':3:1: error: metadata.name is missing')],
    [
      'the same object twice',
      `${CONFIG}---\n${CONFIG}`,
      wrong(':7:18: error: ConfigMap "x" is there twice, first at <stdin>:3:18'),
    ],
    ['an unknown group', 'apiVersion: example.com/v1\nkind: X\nmetadata: {name: x}\n', fine],
    [
      'a slip in the group',
      'apiVersion: fleet.weir.dv/v1alpha1\nkind: Site\nmetadata: {name: x}\n',
      wrong(':1:13: error: apiVersion: there is no "fleet.weir.dv/v1alpha1"; did you mean "fleet.weir.dev/v1alpha1"?'),
    ],
    [
      'a slip in the version',
      'apiVersion: fleet.weir.dev/v1alpha2\nkind: Site\nmetadata: {name: x}\n',
      wrong(':1:13: error: apiVersion: there is no "fleet.weir.dev/v1alpha2"; did you mean "fleet.weir.dev/v1alpha1"?'),
    ],
    [
      'a slip in the kind',
      'apiVersion: fleet.weir.dev/v1alpha1\nkind: Sites\nmetadata: {name: x}\n',
      wrong(':2:7: error: kind: there is no kind "Sites" in fleet.weir.dev/v1alpha1; did you mean "Site"?'),
    ],
    [
      'three bad fields are three errors',
      `${CONFIG}immutable: 1\ndata: [a]\nbinaryData: {a: "*"}\n`,
      wrong(
        ':4:12: error: immutable: must be a boolean, not a number',
        ':5:7: error: data: must be a map, not a list',
        ':6:17: error: binaryData.a: must be base64',
      ),
    ],
  ])('%s', async (_reason, text, expected) => {
    expect(await told(text)).toEqual(expected)
  })

  test('thousands of errors on a line of megabytes take time for each, not for each times the line', async () => {
    const item = (i: number) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `x${i}` },
      datta: { a: 'x'.repeat(1000) },
    })
    const items = Array.from({ length: 5000 }, (_, i) => item(i))
    const before = process.cpuUsage()
    const [code, ...lines] = await told(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    const { user } = process.cpuUsage(before)
    expect({ code, told: lines.length }).toEqual({ code: 2, told: 5000 })
    // Some 0.5 s; it was a minute.
    expect(user / 1e6).toBeLessThan(15)
  })

  test('a file with thousands of problems is given up on', async () => {
    const [code, ...lines] = await told('a\n---\n'.repeat(100_000))
    expect({ code, told: lines.length, last: lines.toSorted()[0] }).toEqual({
      code: 2,
      told: 1002,
      last: '<stdin>: error: has more than 1000 problems; the rest of it was not read',
    })
  })
})

describe('files', () => {
  beforeAll(() => {
    folder.file('good.yaml', CONFIG)
    folder.file('-', CONFIG)
    folder.file('empty.yaml', '')
    mkdirSync(join(folder.path, 'bare/inner'), { recursive: true })
    writeFileSync(join(folder.path, 'bare/readme.txt'), 'x')
    writeFileSync(join(folder.path, 'bare/inner/x.yaml'), CONFIG)
    mkdirSync(join(folder.path, 'odd'))
    symlinkSync('loop.yaml', join(folder.path, 'odd/loop.yaml'))
    symlinkSync('../odd', join(folder.path, 'odd/round'))
    symlinkSync('../odd', join(folder.path, 'odd/round.yaml'))
    symlinkSync('nowhere', join(folder.path, 'odd/dangling.yaml'))
    symlinkSync('../good.yaml', join(folder.path, 'odd/link.yaml'))
    execFileSync('mkfifo', [join(folder.path, 'odd/pipe.yaml')])
  })

  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await inProcess(['validate', ...args], { cwd: folder.path })
    return [code, ...(stdout + stderr).trim().split('\n')]
  }

  test.each<[string, string[], [number, ...string[]]]>([
    ['a file that is not there', ['-f', 'no.yaml'], [2, 'error: the path "no.yaml" does not exist']],
    ['a file that is empty', ['-f', 'empty.yaml'], [2, 'error: there is no object in empty.yaml']],
    ['a file that is called -', ['-f', './-'], [0, '1 object is valid']],
    [
      'a file named in two ways is read once',
      ['-f', 'good.yaml,./good.yaml', '-f', 'g*.yaml'],
      [0, '1 object is valid'],
    ],
    [
      'a folder without manifests',
      ['-f', 'bare'],
      [2, 'error: there is no .yaml, .yml or .json file in bare; -R looks into its subfolders too'],
    ],
    ['its subfolders have some', ['-R', '-f', 'bare'], [0, '1 object is valid']],
    [
      'links in circles, to folders and to nowhere, and pipes: nothing hangs',
      ['-R', '-f', 'odd'],
      [
        2,
        "odd/dangling.yaml: error: cannot be read: ENOENT: no such file or directory, stat 'DIR/odd/dangling.yaml'",
        "odd/loop.yaml: error: cannot be read: ELOOP: too many symbolic links encountered, stat 'DIR/odd/loop.yaml'",
        'odd/pipe.yaml: error: cannot be read: it is no regular file',
        'odd/round.yaml: error: cannot be read: it is a link to a folder',
        '4 errors in 1 object of 5 files',
      ],
    ],
    [
      'a device without end',
      ['-f', '/dev/zero'],
      [2, '/dev/zero: error: is too large: a manifest file has at most 32 MiB', '1 error in 0 objects of 1 file'],
    ],
  ])('%s', async (_reason, args, expected) => {
    const got = await run(...args)
    expect(got.map((line) => (typeof line === 'string' ? line.replaceAll(folder.path, 'DIR') : line))).toEqual(expected)
  })

  test('URLs: what they serve, what they do not, and when nobody answers', async () => {
    const server = createServer((request, response) => {
      response.setHeader('connection', 'close')
      response.statusCode = request.url === '/x.yaml' ? 200 : 404
      response.end(`${CONFIG}datta: {}\n`)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const first = async (path: string) => (await run('-f', `${url}${path}`)).slice(0, 2)
    expect(await first('/x.yaml')).toEqual([2, `${url}/x.yaml:4:1: error: datta: unknown field; did you mean "data"?`])
    expect(await first('/y.yaml')).toEqual([2, `${url}/y.yaml: error: cannot be read: the server answered 404`])
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    expect(await first('/x.yaml')).toEqual([
      2,
      `${url}/x.yaml: error: cannot be read: connect ECONNREFUSED ${url.slice('http://'.length)}`,
    ])
  })

  test('a file of 100 MB is not read', async () => {
    const path = folder.file('huge.yaml', '')
    execFileSync('truncate', ['-s', '100M', path])
    expect(await run('-f', 'huge.yaml')).toEqual([
      2,
      'huge.yaml: error: is too large (100 MiB): a manifest file has at most 32 MiB',
      '1 error in 0 objects of 1 file',
    ])
  })

  test('the real program, on some of it: exit 2, no stack trace', async () => {
    const big = `${CONFIG}data:\n  a: "${'x'.repeat(5 * 1024 * 1024)}\n`
    const runs = await Promise.all([
      weir(['validate', '-f', '-'], { input: `${CONFIG}${bomb}` }),
      weir(['validate', '-f', '-'], { input: Buffer.alloc(40 * 1024 * 1024, '# x\n') }),
      weir(['validate', '-f', '-'], { input: big }),
      weir(['apply', '--server', 'http://127.0.0.1:9', '-f', '-'], { input: `${CONFIG}---\nb: [\n` }),
    ])
    expect(runs.map(({ code, stdout, stderr }) => [code, (stdout + stderr).split('\n')[0]])).toEqual([
      [2, '<stdin>:4:14: error: aliases expand to too much'],
      [2, '<stdin>: error: is too large: a manifest file has at most 32 MiB'],
      [
        2,
        expect.stringMatching(
          /^<stdin>:5:6: error: this document is too large \(5 MiB\) for the YAML that it uses here/,
        ),
      ],
      [2, '<stdin>:6:1: error: flow sequence in block collection must be sufficiently indented and end with a ]'],
    ])
    expect(runs.every(({ stderr }) => !stderr.includes('    at '))).toBe(true)
  })
})
