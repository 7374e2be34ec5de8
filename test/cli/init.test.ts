import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, parseDocument } from 'yaml'
import { Folder, weir } from './harness.ts'

const folder = new Folder()
afterAll(() => folder[Symbol.dispose]())
const repository = join(folder.path, 'fleet')
const read = (path: string) => readFileSync(join(repository, path), 'utf8')
const filesOf = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort()

beforeAll(async () => {
  const { code, stdout } = await weir(['init', 'fleet'], { cwd: folder.path })
  expect(code).toBe(0)
  expect(stdout.trim().split('\n').sort()).toEqual(filesOf(repository))
})

describe('what it writes', () => {
  test('is the layout that its README tells of', () => {
    const top = new Set(filesOf(repository).map((file) => file.split('/')[0]))
    const told = [...read('README.md').matchAll(/^([a-z]+)\/\S* {2,}/gm)].map(([, name]) => name!)
    expect([...new Set(told)].sort()).toEqual([...top].filter((name) => !/^\.|README/.test(name!)).sort())
    expect(filesOf(repository).filter((file) => file.startsWith('overlays/production/'))).toEqual([
      'overlays/production/appliances/fra1-a.yaml',
      'overlays/production/kustomization.yaml',
      'overlays/production/namespace.yaml',
      'overlays/production/sites/fra1.yaml',
    ])
    for (const file of filesOf(repository)) {
      expect([file, /__[A-Z]+__/.exec(readFileSync(join(repository, file), 'utf8'))]).toEqual([file, null])
      expect([file, (statSync(join(repository, file)).mode & 0o111) !== 0]).toEqual([file, file.endsWith('.sh')])
    }
  })

  test('every manifest names a schema that is there, and every YAML and JSON file reads', () => {
    let named = 0
    for (const file of filesOf(repository)) {
      if (file.endsWith('.json')) JSON.parse(read(file))
      if (!/\.ya?ml$/.test(file)) continue
      expect([file, parseDocument(read(file)).errors]).toEqual([file, []])
      const [, schema] = /^# yaml-language-server: \$schema=(.*)\n/.exec(read(file)) ?? []
      if (!schema) continue
      named++
      const { kind } = parse(read(file))
      const { properties } = JSON.parse(readFileSync(resolve(repository, dirname(file), schema), 'utf8'))
      expect(properties.kind.const).toBe(kind)
    }
    expect(named).toBe(3 + 2 * 2)
    expect(JSON.parse(read('.vscode/settings.json'))['yaml.schemas']).toHaveProperty(['./schemas/weir.json'])
  })

  test('with other environments, another namespace, and GitLab’s pipeline or none', async () => {
    using other = new Folder()
    const args = ['init', '.', '-n', 'films', '--environments', 'eu-1,us', '--ci', 'gitlab']
    expect((await weir(args, { cwd: other.path })).code).toBe(0)
    const files = filesOf(other.path)
    expect(readdirSync(join(other.path, 'overlays'))).toEqual(['eu-1', 'us'])
    expect(readFileSync(join(other.path, 'overlays/eu-1/namespace.yaml'), 'utf8')).toContain('name: films-eu-1\n')
    expect(files.filter((file) => /^\.git(hub|lab)/.test(file))).toEqual(['.gitlab-ci.yml'])
    expect(readFileSync(join(other.path, '.gitlab-ci.yml'), 'utf8')).toContain('`KUBECONFIG_EU_1`, `KUBECONFIG_US`')
  })

  test.each<[string, string[], string]>([
    ['a name that no folder should have', ['--environments', '../up'], 'an environment’s name is'],
    ['an environment twice', ['--environments', 'a,a'], 'an environment is named twice'],
    ['a namespace that cannot be', ['-n', 'CDN'], '"CDN-staging" cannot be the name of a namespace'],
    ['two folders', ['a', 'b'], 'one folder at a time; do not know what to do with "b"'],
  ])('refuses %s', async (_why, args, message) => {
    using other = new Folder()
    const { code, stderr } = await weir(['init', ...args], { cwd: other.path })
    expect([code, stderr.replaceAll("'", '’')]).toEqual([2, expect.stringContaining(message)])
    expect(filesOf(other.path)).toEqual([])
  })
})

describe('what is there already', () => {
  test('is listed, and nothing is written', async () => {
    using other = new Folder()
    other.file('README.md', 'mine')
    mkdirSync(join(other.path, 'ci'))
    other.file('ci/plan.sh', 'mine too')
    const { code, stdout, stderr } = await weir(['init'], { cwd: other.path })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/not written over; nothing was written:\n {2}README.md\n {2}ci\/plan.sh\n$/)
    expect(filesOf(other.path)).toEqual(['README.md', 'ci/plan.sh'])
    const kept = await weir(['init', '--keep-existing'], { cwd: other.path })
    expect(kept.code).toBe(0)
    expect(kept.stdout).not.toMatch(/README.md|plan.sh/)
    expect(filesOf(other.path)).toEqual(filesOf(repository))
    expect(readFileSync(join(other.path, 'README.md'), 'utf8')).toBe('mine')
  })

  test('in the way of a folder: what was written by then is taken away again', async () => {
    using other = new Folder()
    other.file('base', 'a file')
    const { code, stderr } = await weir(['init', '--keep-existing'], { cwd: other.path })
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^error: E(EXIST|NOTDIR).*; nothing was written\n$/)])
    expect(readdirSync(other.path)).toEqual(['base'])
  })
})
