import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { checkArchitecture } from './architecture/check.ts'
import { rooms } from './architecture/rules.ts'

const root = join(import.meta.dirname, '..')
const notOurs = new Set(['node_modules', 'dist', 'coverage'])

function projectFolders(): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !notOurs.has(entry.name))
    .map((entry) => entry.name)
}

function projectSources(): Map<string, string> {
  const sources = new Map<string, string>()
  for (const folder of projectFolders()) {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true, recursive: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
      const path = join(entry.parentPath, entry.name)
      sources.set(path.slice(root.length + 1).replaceAll('\\', '/'), readFileSync(path, 'utf8'))
    }
  }
  return sources
}

test('the project keeps to its architecture', () => {
  const sources = projectSources()
  expect(sources.size).toBeGreaterThan(50)
  expect(checkArchitecture(sources, projectFolders())).toEqual([])
})

test('docs/architecture.md has the same rooms as the rules', () => {
  const table = readFileSync(join(root, 'docs/architecture.md'), 'utf8').split('## From YAML')[0]!
  const rows = [...table.matchAll(/^\| `(\w+)\/` \|.*\| ([^|]*) \|$/gm)]
  expect(rows.map(([, room]) => room).sort()).toEqual(Object.keys(rooms).sort())
  for (const [, room, imports] of rows) {
    const rule = rooms[room!]!
    const named = [...imports!.matchAll(/`([\w-]+)`/g)].map(([, name]) => name!)
    if (rule.rooms === 'all') expect(imports).toBe('all')
    else expect([room, named.filter((name) => rooms[name]).sort()]).toEqual([room, [...rule.rooms].sort()])
    if (Array.isArray(rule.packages) && named.some((name) => !rooms[name])) {
      expect(rule.packages).toEqual(expect.arrayContaining(named.filter((name) => !rooms[name])))
    }
  }
})

describe('a breach is found and told with its place and a way out', () => {
  const check = (files: Record<string, string>, folders: string[] = []) =>
    checkArchitecture(new Map(Object.entries(files)), folders)

  test.each([
    ['reading the clock', 'const t = Date.now()', 1, 'Date.now', 'now: Date'],
    ['reading the clock by another way of writing', 'const t = Date["now"]()', 1, 'Date.now', 'now: Date'],
    ['a date of now', '// when\nexport const t = () => new Date()', 2, 'new Date() without an argument', 'now: Date'],
    [
      'a date of now without parentheses',
      'export const t = new Date',
      1,
      'new Date() without an argument',
      'now: Date',
    ],
    ['the date as text', 'export const t = Date()', 1, 'Date()', 'now: Date'],
    ['randomness', 'export const r = Math.random()', 1, 'Math.random', 'derive it from the input'],
    ['the process', 'export const e = process.env.HOME', 1, 'process', 'gather'],
    ['the network', '\n\nexport const f = async () => (await fetch("http://x")).text()', 3, 'fetch', 'gather'],
    ['a timer', 'export function f() { setTimeout(() => {}, 1) }', 1, 'setTimeout', 'requeueAfter'],
    ['a timer handed on', 'export const later = [setInterval]', 1, 'setInterval', 'requeueAfter'],
    ['globals by the back door', 'export const n = globalThis.Date', 1, 'globalThis', 'pass it in'],
    ['talking to the terminal', 'export const f = () => console.log(1)', 1, 'console', 'condition'],
    ['where the module is', 'export const here = import.meta.url', 1, 'import.meta', 'pass it in'],
    ['random bytes', 'export const r = crypto.randomUUID()', 1, 'crypto', 'argument'],
    ['measuring time', 'export const r = performance.now()', 1, 'performance', 'now: Date'],
    [
      'after a line of many bytes',
      'const s = "ééééé😀"\nexport const r = performance.now()',
      2,
      'performance',
      'now: Date',
    ],
    ['behind a cast', 'export const r = (process as { pid: number }).pid', 1, 'process', 'pass it in'],
    ['a shorthand property', 'export const r = { fetch }', 1, 'fetch', 'pass it in'],
  ])('%s', (_, code, line, what, instead) => {
    const [first, ...rest] = check({ 'reconcilers/x.ts': code })
    expect(rest).toEqual([])
    expect(first).toMatch(
      new RegExp(
        `^reconcilers/x\\.ts:${line}: reconcilers/ is pure and may not use ${what.replace(/[.()]/g, '\\$&')}; `,
      ),
    )
    expect(first).toContain(instead)
  })

  test.each([
    ['a given time', 'export const t = (ms: number) => new Date(ms)'],
    ['a comment or text about it', '// Date.now()\nexport const s = "Math.random() process fetch"'],
    ['a parameter of that name', 'export const f = (fetch: () => string) => fetch()'],
    [
      'a destructured name',
      'export const f = ({ process, rest: [crypto] }: { process: number, rest: number[] }) => process + crypto',
    ],
    ['a property of that name', 'export const f = (o: { process: { fetch: number } }) => o.process.fetch'],
    ['a key of that name', 'export const o = { process: 1, fetch() { return 1 } }'],
    ['a type of that name', 'export interface A { readonly process: string; fetch(): Promise<void> }'],
    ['arithmetic', 'export const n = Math.floor(Date.parse("2030-01-01") / 2) + Date.UTC(2030)'],
  ])('%s is no breach', (_, code) => expect(check({ 'reconcilers/x.ts': code })).toEqual([]))

  test('rooms that are not pure may read the clock', () => {
    expect(check({ 'runtime/clock.ts': 'export const now = () => new Date()' })).toEqual([])
  })

  test.each([
    [
      'reconcilers/a.ts',
      "import { readFile } from 'node:fs/promises'",
      'reconcilers/ may not import node:fs/promises; pass in',
    ],
    [
      'reconcilers/a.ts',
      "import type { Client } from '../runtime/client.ts'",
      'reconcilers/ may not import runtime/; declare the narrow interface',
    ],
    [
      'reconcilers/a.ts',
      "import pino from 'pino'",
      'reconcilers/ may not import "pino" but of packages only fast-json-patch',
    ],
    [
      'crds/a.ts',
      "import { x } from '../reconcilers/plan.ts'",
      'crds/ may not import reconcilers/; it may import only itself',
    ],
    [
      'agent/a.ts',
      "export { x } from '../gateway/x.ts'",
      'agent/ may not import gateway/; programs meet through the API and blobs',
    ],
    ['agent/a.ts', "export * from '../controllers/x.ts'", 'agent/ may not import controllers/; programs meet'],
    [
      'gateway/a.ts',
      "const x = await import('../apiserver/x.ts')",
      'gateway/ may not import apiserver/; programs meet',
    ],
    ['gateway/a.ts', "type X = import('../agent/x.ts').X", 'gateway/ may not import agent/; programs meet'],
    ['controllers/a.ts', "import { main } from '../cli/main.ts'", 'controllers/ may not import cli/; cli/ composes'],
    ['cli/a.ts', "import { x } from '../test/x.ts'", 'cli/ may not import test/; move'],
    [
      'runtime/a.ts',
      "import { x } from '../reconcilers/plan.ts'",
      'runtime/ may not import reconcilers/; it may import crds/',
    ],
    ['apiserver/a.ts', "import pino from 'pino'", 'apiserver/ may not import "pino"'],
    ['controllers/a.ts', 'export const x = (p: string) => import(p)', 'imports a computed path'],
    ['controllers/a.ts', "import x from '../../elsewhere/x.ts'", 'from outside the project'],
    ['controllers/a.ts', "import x from './x.ts'", 'imports "./x.ts", which does not exist'],
  ])('%s: %s', (file, code, message) => {
    const others = Object.fromEntries(
      [
        'reconcilers/plan',
        'runtime/client',
        'gateway/x',
        'controllers/y',
        'apiserver/x',
        'agent/x',
        'cli/main',
        'test/x',
      ].map((f) => [`${f}.ts`, 'export {}']),
    )
    if (code.includes('controllers/x')) others['controllers/x.ts'] = 'export {}'
    const [first, ...rest] = check({ ...others, [file]: `\n${code}` })
    expect(rest).toEqual([])
    expect(first).toContain(`${file}:2: `)
    expect(first).toContain(message)
  })

  test('imports in a circle, told once', () => {
    const files = {
      'runtime/a.ts': "\nimport './b.ts'",
      'runtime/b.ts': "import type { C } from './c.ts'",
      'runtime/c.ts': "export { a } from './a.ts'",
      'runtime/d.ts': "import './a.ts'",
    }
    expect(check(files)).toEqual([
      'runtime/a.ts:2: imports in a circle: runtime/a.ts → runtime/b.ts → runtime/c.ts → runtime/a.ts; move what both need into a file of its own',
    ])
  })

  test('a folder that the table does not know', () => {
    expect(check({}, ['runtime', 'docs', 'utils'])).toEqual([expect.stringMatching(/^utils\/: no such room/)])
  })
})
