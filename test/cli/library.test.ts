import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import * as library from '../../cli/library.ts'
import { checkManifests } from '../../cli/manifests/check.ts'
import { parseManifests } from '../../cli/manifests/manifest.ts'
import { SourceText } from '../../cli/manifests/source-text.ts'
import { kinds } from '../../crds/registry.gen.ts'
import { writtenBy } from '../../crds/written-by.ts'
import { example } from '../crds/samples.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'weir-library-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const { site, appliance, toYaml } = library

describe('types', () => {
  interface Complaint {
    readonly line: number
    readonly code: string
    readonly message: string
  }

  /** What the compiler says of files, as a project of their own that has the package. */
  async function compile(files: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, Complaint[]>> {
    const compilerOptions = {
      target: 'es2024',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      allowImportingTsExtensions: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      paths: { weir: [join(root, 'cli/library.ts')] },
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }))
    const tsc = join(root, 'node_modules/.bin/tsc')
    const { stdout } = await promisify(execFile)(tsc, ['-p', folder, '--pretty', 'false']).catch(
      (error: { readonly stdout: string }) => error,
    )
    const found = new Map<string, Complaint[]>()
    for (const [, file, line, code, message] of stdout.matchAll(
      /^(.*?)\((\d+),\d+\): error TS(\d+): ([\s\S]*?)(?=\n\S|\n*$)/gm,
    )) {
      const name = file!.split('/').at(-1)!
      found.set(name, [...(found.get(name) ?? []), { line: Number(line), code: code!, message: message! }])
    }
    return found
  }

  const read = (name: string) => readFileSync(join(import.meta.dirname, 'library', name), 'utf8')
  const expected = read('wrong.ts')
    .split('\n')
    .flatMap((text, index) => {
      const [, code, message] = /@ts-expect-error (\d+): (.*)/.exec(text) ?? []
      return code ? [{ line: index + 2, code, message: message! }] : []
    })

  test('what is right compiles; of what is wrong each line is refused for its own reason', async () => {
    const wrong = read('wrong.ts').replaceAll('@ts-expect-error', 'wrong:')
    const found = await compile({ 'right.ts': read('right.ts'), 'wrong.ts': wrong })
    expect([...found.keys()]).toEqual(['wrong.ts'])
    expect(expected.length).toBeGreaterThan(10)
    expect(found.get('wrong.ts')).toEqual(
      expected.map(({ message, ...at }) => ({ ...at, message: expect.stringContaining(message) })),
    )
  })
})

describe('builders', () => {
  const builders = library as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>
  test.each(kinds.filter(({ kind }) => !(kind in writtenBy)))('there is one for $kind, which makes it', ({ kind }) => {
    const { metadata, ...whole } = example(kind) as { metadata: { name: string }; spec: unknown }
    const { name, ...rest } = metadata
    const build = builders[kind[0]!.toLowerCase() + kind.slice(1)]!
    expect(build(name, whole.spec, rest)).toEqual({ ...whole, metadata })
  })

  test('there is none for what controllers write', () => {
    expect(Object.keys(library).sort()).toEqual(
      [
        ...kinds.filter(({ kind }) => !(kind in writtenBy)).map(({ kind }) => kind[0]!.toLowerCase() + kind.slice(1)),
        'toYaml',
      ].sort(),
    )
  })
})

describe('toYaml', () => {
  const norway = site('no-1', {
    country: 'NO',
    metro: '1e3',
    timeZone: '~',
    fillWindows: [{ start: '02:00', end: '08:00' }],
  })

  test('reads back as it was, by YAML 1.2 and 1.1 alike, in the order given', () => {
    const box = appliance(
      'b',
      { siteRef: { name: 'no-1' }, hardwareClassRef: { name: 'x' } },
      { labels: { on: 'yes' } },
    )
    const text = toYaml([norway, box])
    expect(text.startsWith('apiVersion: fleet.weir.dev/v1alpha1\nkind: Site\nmetadata:\n  name: no-1\nspec:\n')).toBe(
      true,
    )
    for (const version of ['1.1', '1.2'] as const) {
      expect(parseAllDocuments(text, { version }).map((document) => document.toJS())).toEqual([norway, box])
    }
    expect(toYaml(norway)).toBe(toYaml(new Set([norway])))
    expect(toYaml([])).toBe('')
  })

  test('is valid as `weir validate` sees it', async () => {
    const { manifests, problems } = parseManifests(
      new SourceText('x', toYaml(site('a', { country: 'DE', metro: 'fra' }))),
    )
    expect([
      ...problems,
      ...(await checkManifests(manifests, { namespace: 'default', namespaceGiven: false })),
    ]).toEqual([])
  })

  test('shares no anchors, and leaves undefined out', () => {
    const window = { start: '02:00', end: '08:00' }
    const shared = {
      country: 'DE',
      metro: 'fra',
      timeZone: undefined,
      fillWindows: [window],
      maintenanceWindows: [window],
    }
    expect(toYaml(site('a', shared as Parameters<typeof site>[1]))).not.toMatch(/[&*]|timeZone|undefined/)
  })

  const around: Record<string, unknown> = {}
  around.spec = { around }
  test.each<[string, unknown, string]>([
    ['NaN', { metro: Number.NaN }, '[0].spec.metro: NaN is not a number'],
    ['infinity', { metro: Infinity }, '[0].spec.metro: Infinity is not'],
    ['what is not exact', { metro: 2 ** 53 }, '[0].spec.metro: 9007199254740992 is beyond 2^53'],
    ['a bigint', { metro: 1n }, '[0].spec.metro: a bigint is not JSON'],
    ['a date', { metro: new Date(0) }, '[0].spec.metro: a Date is not JSON'],
    ['a map', { network: new Map() }, '[0].spec.network: a Map is not JSON'],
    ['a hole in a list', { parents: [{ name: 'a' }, undefined] }, '[0].spec.parents[1]: undefined is not JSON'],
    ['a function', { metro: () => 'fra' }, '[0].spec.metro: a function is not JSON'],
    ['a circle', { network: around }, '[0].spec.network.spec.around: it contains itself'],
  ])('refuses %s, and says where', (_what, spec, message) => {
    expect(() => toYaml([{ ...norway, spec } as never, norway])).toThrow(message)
    expect(() => toYaml([{ ...norway, spec } as never, norway])).toThrow(TypeError)
  })
})
