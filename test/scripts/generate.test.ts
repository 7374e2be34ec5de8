import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { chartValues } from '../../scripts/generate/chart.ts'
import { generateFiles } from '../../scripts/generate/files.ts'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
let copy: string

/** The generator over a copy of what it reads and writes, so that the checkout stays as it is. */
async function generate(...args: string[]): Promise<{ code: number; stderr: string }> {
  try {
    const { stderr } = await run(process.execPath, ['scripts/generate.ts', ...args], { cwd: copy })
    return { code: 0, stderr }
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string }
    return { code, stderr }
  }
}

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'weir-generate-'))
  for (const part of ['crds', 'scripts', 'docs/reference', 'docs/chart.md', 'charts', 'package.json']) {
    await cp(join(root, part), join(copy, part), { recursive: true })
  }
  await cp(join(root, 'node_modules/yaml'), join(copy, 'node_modules/yaml'), { recursive: true })
})
afterAll(() => rm(copy, { recursive: true, force: true }))

test('what is committed is what the CRDs say', async () => {
  for (const [file, text] of generateFiles(root))
    expect([file, await readFile(join(root, file), 'utf8')]).toEqual([file, text])
})

test('--check fails on what is out of date and names it, without writing; a run then puts it right', async () => {
  expect(await generate('--check')).toEqual({ code: 0, stderr: '' })
  const crd = join(copy, 'crds/fleet.weir.dev_sites.yaml')
  await writeFile(crd, (await readFile(crd, 'utf8')).replace('A Site is a place', 'A Site is a spot'))
  await writeFile(join(copy, 'docs/reference/gone.md'), 'a kind that was removed')
  const checked = await generate('--check')
  expect(checked.code).toBe(1)
  for (const file of [
    'crds/types.gen.ts',
    'docs/reference/site.md',
    'docs/reference/gone.md',
    'charts/weir/files/crds/fleet.weir.dev_sites.yaml',
  ]) {
    expect(checked.stderr).toContain(file)
  }
  expect(checked.stderr).not.toContain('catalog.md')
  expect(await readFile(join(copy, 'docs/reference/site.md'), 'utf8')).toContain('A Site is a place')
  expect((await generate()).code).toBe(0)
  expect(await readFile(join(copy, 'docs/reference/site.md'), 'utf8')).toContain('A Site is a spot')
  expect(await generate('--check')).toEqual({ code: 0, stderr: '' })
})

test('a value of the chart without a comment is refused, by its path', () => {
  const commented = 'a:\n  # -- What b does:\n  # this, and that.\n  b: { c: 1 }\n# -- D.\nd: []\n'
  expect(chartValues(commented)).toEqual([
    { path: 'a.b', default: '{"c":1}', description: 'What b does: this, and that.' },
    { path: 'd', default: '[]', description: 'D.' },
  ])
  expect(() => chartValues('a:\n  # -- B.\n  b: 1\n  c: 2\n')).toThrow('a.c has no comment')
})

test('a CRD file that is not named after its kind is refused', async () => {
  await cp(join(copy, 'crds/fleet.weir.dev_sites.yaml'), join(copy, 'crds/sites.yaml'))
  const { code, stderr } = await generate('--check')
  expect(code).toBe(1)
  expect(stderr).toContain('crds/sites.yaml: must be named fleet.weir.dev_sites.yaml')
})
