import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, jest, test } from '@jest/globals'
import { walkTree } from '../../cli/catalog/walk.ts'
import { CatalogBuilder } from '../../reconcilers/catalog/builder.ts'
import { Folder, program, weir } from './harness.ts'

// Programs are started by the dozen; on a busy machine that takes its time.
jest.setTimeout(120_000)

const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex')
const lines = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { path: string; size: number; sha256: string })

/** A tree with everything that a tree may have. */
function oddTree(folder: Folder): string {
  const tree = join(folder.path, 'films')
  mkdirSync(join(tree, 'sub/deep'), { recursive: true })
  const write = (name: string, text: string) => writeFileSync(join(tree, name), text)
  write('a.txt', 'hello')
  write('empty', '')
  write('100% Wool #1?.md', 'w')
  write('東京の雨.md', 'rain')
  write('\u{1f600}.md', 'beyond U+FFFF')
  write('\uff5e.md', 'below it, above the surrogates')
  write('sub/deep/b.bin', 'x'.repeat(3_000_000))
  write('line\nbreak', 'no')
  symlinkSync('../a.txt', join(tree, 'sub/link-to-a'))
  symlinkSync('sub', join(tree, 'link-to-folder'))
  symlinkSync('/etc/hostname', join(tree, 'link-out'))
  symlinkSync('nowhere', join(tree, 'link-dangling'))
  symlinkSync('link-loop', join(tree, 'link-loop'))
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/caf`), Buffer.from([0xe9])]), 'latin-1 name')
  return tree
}

describe('weir catalog create', () => {
  test('lists every file once, sorted by bytes, with its size and digest; says what it leaves out', async () => {
    using folder = new Folder()
    const tree = oddTree(folder)
    const { code, stdout, stderr } = await weir(
      ['catalog', 'create', '--from-dir', tree, '--url', 'http://origin.example/films'],
      { cwd: folder.path },
    )
    expect(code).toBe(0)
    expect(stdout).toBe(
      'apiVersion: content.weir.dev/v1alpha1\nkind: Catalog\nmetadata:\n  name: films\nspec:\n  originUrl: http://origin.example/films/\n  source:\n    url: http://origin.example/films/catalog.ndjson\n',
    )
    const list = lines(join(folder.path, 'catalog.ndjson'))
    expect(list.map(({ path }) => path)).toEqual([
      '100% Wool #1?.md',
      'a.txt',
      'empty',
      'sub/deep/b.bin',
      'sub/link-to-a',
      '東京の雨.md',
      '\uff5e.md',
      '\u{1f600}.md',
    ])
    for (const { path, size, sha256: digest } of list) {
      const bytes = readFileSync(join(tree, path))
      expect([path, size, digest]).toEqual([path, bytes.length, sha256(bytes)])
    }
    const said = stderr.trimEnd().split('\n')
    expect(said.pop()).toMatch(/^8 files, 2\.9 MiB: \/.*catalog\.ndjson$/)
    expect(said.sort()).toEqual([
      expect.stringMatching(/^Warning: left out caf.*: its name is not UTF-8$/),
      'Warning: left out line^Jbreak: its name has control characters',
      'Warning: left out link-dangling: the link leads nowhere',
      'Warning: left out link-loop: the link leads nowhere',
      'Warning: left out link-out: the link leads out of the folder',
      'Warning: left out link-to-folder: it is a link to a folder',
    ])
    expect((await weir(['validate', '-f', '-'], { input: stdout })).code).toBe(0)
  })

  test('is what the catalog controller accepts, also where the list lies in the folder itself', async () => {
    using folder = new Folder()
    const tree = oddTree(folder)
    const out = join(tree, 'catalog.ndjson')
    for (const _ of [1, 2]) {
      const { code, stdout } = await weir(
        ['catalog', 'create', '--from-dir', tree, '--out', out, '--name', 'x', '-n', 'tenant'],
        { cwd: folder.path },
      )
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(
          /metadata:\n {2}name: x\n {2}namespace: tenant\nspec:\n {2}source:\n {4}url: file:\/\/\/.*\/films\/catalog\.ndjson\n$/,
        ),
      ])
      const builder = new CatalogBuilder()
      for (const line of readFileSync(out, 'utf8').split('\n')) builder.addLine(line)
      expect(builder.finish()).toMatchObject({ catalog: { count: 8 } })
    }
  })

  test('ten thousand files', async () => {
    using folder = new Folder()
    for (let i = 0; i < 100; i++) {
      mkdirSync(join(folder.path, `tree/d${i}`), { recursive: true })
      for (let j = 0; j < 100; j++) writeFileSync(join(folder.path, `tree/d${i}/f${j}`), `${i} ${j}`)
    }
    const { code, stderr } = await weir(['catalog', 'create', '--from-dir', 'tree'], { cwd: folder.path })
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^10000 files, /)])
    const list = lines(join(folder.path, 'catalog.ndjson'))
    expect(list).toHaveLength(10_000)
    expect(list.find(({ path }) => path === 'd42/f17')?.sha256).toBe(sha256('42 17'))
    expect(list.map(({ path }) => path)).toEqual([...list.map(({ path }) => path)].sort())
  })

  test('a file that changes while it is read: an error that names it, and no list', async () => {
    using folder = new Folder()
    mkdirSync(join(folder.path, 'tree'))
    writeFileSync(join(folder.path, 'tree/still'), 'x')
    const busy = join(folder.path, 'tree/busy')
    writeFileSync(busy, Buffer.alloc(64 * 1024 * 1024))
    let time = 1
    const touch = setInterval(() => utimesSync(busy, time++, time), 1)
    const { code, stdout, stderr } = await weir(['catalog', 'create', '--from-dir', 'tree'], { cwd: folder.path })
    clearInterval(touch)
    expect([code, stdout, stderr]).toEqual([
      2,
      '',
      'error: busy: it changes while it is read\nerror: 1 files could not be read; no list was written\n',
    ])
    expect(readdirSync(folder.path)).toEqual(['tree'])
  })

  test.each<[string, string[], RegExp]>([
    ['no folder named', [], /--from-dir says which folder/],
    ['a folder that is not there', ['--from-dir', 'nope'], /--from-dir nope: it does not exist/],
    ['a file', ['--from-dir', 'file'], /--from-dir file: it is not a folder/],
    ['a URL that is none', ['--from-dir', '.', '--url', 'ftp://x'], /--url ftp:\/\/x is not an http/],
    ['a URL with a query', ['--from-dir', '.', '--url', 'http://x/?a'], /must have no query/],
    ['a place that cannot be written', ['--from-dir', '.', '--out', '/nowhere/x'], /cannot write \/nowhere\/x/],
  ])('%s: exit 2', async (_reason, args, stderr) => {
    using folder = new Folder()
    folder.file('file', 'x')
    const result = await weir(['catalog', 'create', ...args], { cwd: folder.path })
    expect([result.code, result.stdout, result.stderr]).toEqual([2, '', expect.stringMatching(stderr)])
  })
})

test('pipes and sockets are left out', async () => {
  using folder = new Folder()
  expect((await program('mkfifo', [join(folder.path, 'pipe')])).code).toBe(0)
  expect(await walkTree(folder.path)).toEqual({ files: [], skipped: ['pipe: it is a pipe'] })
  rmSync(join(folder.path, 'pipe'))
})
