import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { fieldValues } from '../../cli/new/fields.ts'
import { ownSchema, requiredOwnKind } from '../../cli/own-kinds.ts'
import { Folder, program, weir } from './harness.ts'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/authoring.md'), 'utf8')
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map(([, text]) => text!)
const folder = new Folder()
afterAll(() => folder[Symbol.dispose]())

test('the commands of docs/authoring.md do what it says, and write what it shows', async () => {
  const [create, init] = blocks('sh')
  expect(init).toBe('weir init fleet && cd fleet && git init\n')
  expect((await weir(['init', '.'], { cwd: folder.path })).code).toBe(0)
  const made = await weir(create!.trim().split(' ').slice(1), { cwd: folder.path })
  expect(made).toEqual({ code: 0, stdout: '', stderr: 'wrote sites/fra1.yaml\n' })
  const written = readFileSync(join(folder.path, 'sites/fra1.yaml'), 'utf8').split('\n')
  const shown = blocks('yaml')[0]!.trimEnd().split('\n')
  expect(shown.length).toBeGreaterThan(10)
  for (const line of shown) {
    const [start = line] = line.split('…')
    expect([line, written.some((other) => other.startsWith(start.trimEnd()))]).toEqual([line, true])
  }
})

test('every way to write --field that it lists is one', async () => {
  const ways = [...page.matchAll(/`'?((?:metadata|[a-z])[\w.[\]/]*=[^`]*?)'?`/g)].map(([, way]) => way!)
  expect(ways.length).toBeGreaterThanOrEqual(7)
  const schemas = await Promise.all(['site', 'pp'].map((kind) => ownSchema(requiredOwnKind(kind))))
  for (const way of ways) {
    const takes = schemas.map((schema) => {
      try {
        return fieldValues(schema, [way]) !== undefined
      } catch {
        return false
      }
    })
    expect([way, takes.includes(true)]).toEqual([way, true])
  }
})

test('its TypeScript compiles, runs, and writes manifests that are valid', async () => {
  const code = blocks('ts')[0]!.replace("'weir'", `'${join(root, 'cli/library.ts')}'`)
  writeFileSync(join(folder.path, 'fleet.ts'), code)
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--allowImportingTsExtensions']
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types'), '--ignoreConfig']
  const compiled = await program(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...types, 'fleet.ts'],
    { cwd: folder.path },
  )
  expect(compiled).toEqual({ code: 0, stdout: '', stderr: '' })
  const ran = await program(process.execPath, ['fleet.ts'], { cwd: folder.path })
  expect([ran.code, parseAllDocuments(ran.stdout).length]).toEqual([0, 3])
  expect((await weir(['validate', '-f', '-'], { input: ran.stdout })).code).toBe(0)
})

test('the settings that it gives are those that weir init writes, but for what they are of', () => {
  const [settings] = blocks('json')
  const own = JSON.parse(readFileSync(join(folder.path, '.vscode/settings.json'), 'utf8'))
  expect(Object.keys(JSON.parse(settings!)['yaml.schemas'])).toEqual(Object.keys(own['yaml.schemas']))
})
