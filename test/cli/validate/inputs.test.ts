import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { Folder, kubectl, weir } from '../harness.ts'
import { inProcess } from '../in-process.ts'

const folder = new Folder()
afterAll(() => folder[Symbol.dispose]())

const SITE = 'apiVersion: fleet.weir.dev/v1alpha1\nkind: Site\n'
const parts: Readonly<Record<string, string>> = {
  'fleet/eu/fra.yaml': `${SITE}metadata: {name: fra1}\nspec: {contry: DE, country: DE, metro: fra}\n`,
  'fleet/eu/ams.yml': `${SITE}metadata: {name: ams1}\nspec: {country: NL, metro: ams, parents: [{name: hub}]}\n`,
  'fleet/us/iad.json': JSON.stringify({
    apiVersion: 'fleet.weir.dev/v1alpha1',
    kind: 'Site',
    metadata: { name: 'iad1' },
    spec: { country: 'US', metro: 'iad', tier: 'edgy' },
  }),
  'fleet/us/twice.yaml': `${SITE}metadata: {name: ams1}\nspec: {country: NL, metro: ams}\n`,
}
const whole = Object.values(parts).join('\n---\n')

beforeAll(() => {
  for (const path of ['fleet', 'fleet/eu', 'fleet/us', 'bin', 'empty', 'overlay']) mkdirSync(join(folder.path, path))
  for (const [name, text] of Object.entries(parts)) folder.file(name, text)
  folder.file('overlay/kustomization.yaml', 'resources: [ams.yml]\nnamePrefix: eu-\n')
  folder.file('overlay/ams.yml', parts['fleet/eu/ams.yml']!)
  folder.file('overlay.txt', whole)
})

/** What is found and of which object, without the places: these are where the text was. */
async function findings(args: readonly string[], input?: string): Promise<string[]> {
  const { code, stdout } = await inProcess(['validate', '-o', 'json', ...args], {
    cwd: folder.path,
    ...(input === undefined ? {} : { input }),
  })
  const { problems } = JSON.parse(stdout) as {
    problems: { rule: string; field?: string; message: string; object?: { name: string } }[]
  }
  const list = problems.map(({ rule, field, message, object }) => {
    return `${object?.name} ${rule} ${field ?? ''}: ${message.replace(/, first at .*/, '')}`
  })
  return [`exit ${code}`, ...list.sort()]
}

describe('however manifests are named, the same is found', () => {
  const items = parseAllDocuments(whole).map((document) => document.toJS() as object)
  test.each<[string, string[], string | undefined]>([
    ['a folder with its subfolders', ['-R', '-f', 'fleet'], undefined],
    ['folders, by several flags', ['-f', 'fleet/eu', '-f', 'fleet/us'], undefined],
    ['folders, by commas', ['-f', 'fleet/eu,fleet/us'], undefined],
    ['a quoted glob', ['-f', 'fleet/**/*.{yaml,yml,json}'], undefined],
    [
      "the shell's own glob",
      ['-f', 'fleet/eu/ams.yml', 'fleet/eu/fra.yaml', 'fleet/us/iad.json', 'fleet/us/twice.yaml'],
      undefined,
    ],
    ['one file', ['-f', 'overlay.txt'], undefined],
    ['stdin', ['-f', '-'], whole],
    ['a List as JSON on stdin', ['-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items })],
    ['JSON texts one after the other', ['-f', '-'], items.map((item) => JSON.stringify(item, null, 2)).join('\n')],
  ])('%s', async (_reason, args, input) => {
    expect(await findings(args, input)).toEqual([
      'exit 2',
      'ams1 duplicate : Site "ams1" is there twice',
      'ams1 parent-not-found spec.parents[0].name: Site "hub" in namespace "default" is not in this set',
      'fra1 unknown-field spec.contry: unknown field; did you mean "country"?',
      'iad1 invalid spec.tier: Unsupported value: "edgy": supported values: "edge", "regional", "origin"; did you mean "edge"?',
    ])
  })
})

describe('-k', () => {
  const validate = (args: readonly string[], path: string) =>
    weir(['validate', ...args], { cwd: folder.path, env: { PATH: path } })

  test.each<[string, string[], string]>([
    [
      'without kustomize and kubectl',
      ['-k', 'overlay'],
      '-k needs kustomize or kubectl in the PATH, and there is neither',
    ],
    ['with -f', ['-k', 'overlay', '-f', 'fleet'], 'only one of -f or -k can be specified'],
    ['with -R', ['-R', '-k', 'overlay'], 'the -k flag cannot be used with -R'],
  ])('%s: exit 2', async (_reason, args, message) => {
    expect(await validate(args, join(folder.path, 'empty'))).toEqual({
      code: 2,
      stdout: '',
      stderr: `error: ${message}\n`,
    })
  })

  const real = kubectl === undefined ? test.skip : test
  real('builds with kubectl, and names what was built', async () => {
    const path = `${join(kubectl!, '..')}`
    const { code, stdout, stderr } = await validate(['-k', 'overlay'], path)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '1 object is valid, with 1 warning\n' })
    expect(stdout).toMatch(/^<kustomize overlay>:\d+:\d+: warning: spec\.parents\[0\]\.name: Site "hub"/)
    const broken = await validate(['-k', 'fleet'], path)
    expect(broken).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^error: cannot build fleet: .*kustomization/),
    })
  })
})

describe('definitions', () => {
  const definition = (version: string) =>
    JSON.stringify({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        versions: [
          {
            name: version,
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        ],
      },
    })
  const thing = 'apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\nsize: big\n'
  const wrongSize = 'exit 2|x invalid size: Invalid value: "string": size in body must be of type integer: "string"'

  test.each<[string, string[], string, string]>([
    [
      'unknown',
      [],
      thing,
      'exit 0|x not-checked : example.com/v1 Thing has no definition here, so this was not checked; --crds names files with definitions',
    ],
    ['in the set, wherever', [], `${thing}---\n${definition('v1')}`, wrongSize],
    ['in a file', ['--crds', 'crd.json'], thing, wrongSize],
    [
      'of another version',
      [],
      `${definition('v2')}\n---\n${thing}`,
      'exit 2|x unknown-kind apiVersion: there is no "example.com/v1"; did you mean "example.com/v2"?',
    ],
    [
      'another kind of the group is somebody else’s',
      ['--crds', 'crd.json'],
      thing.replace('Thing', 'Other'),
      'exit 0|x not-checked : example.com/v1 Other has no definition here, so this was not checked; --crds names files with definitions',
    ],
    [
      'that is wrong itself',
      [],
      `${definition('v1').replace('"integer"', '"int"')}\n---\n${thing}`,
      'exit 2|things.example.com invalid spec.validation.openAPIV3Schema.properties[size].type: Unsupported value: "int": supported values: "array", "boolean", "integer", "number", "object", "string"|x not-checked : example.com/v1 Thing has no definition here, so this was not checked; --crds names files with definitions',
    ],
  ])('%s', async (_reason, args, input, expected) => {
    folder.file('crd.json', definition('v1'))
    expect((await findings([...args, '-f', '-'], input)).join('|')).toBe(expected)
  })

  test('a file without any', async () => {
    const { code, stderr } = await inProcess(['validate', '-f', '-', '--crds', 'overlay.txt'], {
      cwd: folder.path,
      input: thing,
    })
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'error: there is no CustomResourceDefinition in overlay.txt\n',
    })
  })
})

test('rules that look at nothing wrong are run where servers run none', async () => {
  const input = `${SITE}metadata: {name: x}\nspec: {country: de, metro: fra, tier: edgy, timeZone: "+1"}\n`
  expect(await findings(['-f', '-'], input)).toEqual([
    'exit 2',
    'x invalid spec.country: Invalid value: "de": must be an ISO 3166-1 alpha-2 code of two capital letters, such as DE',
    'x invalid spec.tier: Unsupported value: "edgy": supported values: "edge", "regional", "origin"; did you mean "edge"?',
    'x invalid spec.timeZone: Invalid value: "+1": must be an IANA time zone, such as Europe/Berlin or UTC',
  ])
})
