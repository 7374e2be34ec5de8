import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { fieldValues } from '../../cli/new/fields.ts'
import { newManifest } from '../../cli/new/new.ts'
import { ownSchema, requiredOwnKind } from '../../cli/own-kinds.ts'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { kinds } from '../../crds/registry.gen.ts'
import { compileCustomResource } from '../../crds/validation/custom-resource.ts'
import { writtenBy } from '../../crds/written-by.ts'
import { exampleObject } from '../../scripts/generate/example.ts'
import { crdFiles } from '../crds/samples.ts'
import { Folder, startTestServer, type TestServer, weir } from './harness.ts'

const folder = new Folder()
let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const authored = kinds.filter(({ kind }) => !(kind in writtenBy))
const nameOf = (kind: string) =>
  (exampleObject(crdFiles.find(({ crd }) => crd.spec.names.kind === kind)!.crd).metadata as { name: string }).name
const url = './schema.json'

/** What an editor's toggling of comments does to all that is commented out, and a hand to the `{}` that asks to be taken away then. */
const turnedOn = (text: string) => text.replace(/^( +)# /gm, '$1').replace(/ \{\} # <- take \{\} away.*$/gm, '')

/** Every field below `spec` by its name. */
function* fieldNames(schema: JsonObject): Generator<string> {
  for (const [name, field] of Object.entries((schema.properties ?? {}) as Record<string, JsonObject>)) {
    yield name
    yield* fieldNames(field)
  }
  if (schema.items) yield* fieldNames(schema.items as JsonObject)
}

describe.each(authored)('$kind', (kind) => {
  const name = nameOf(kind.kind)

  test('is valid with examples, and with everything turned on', async () => {
    const { group, version, namespaced } = kind
    const schema = await ownSchema(kind)
    const validator = compileCustomResource({ group, version, kind: kind.kind, namespaced, schema })
    const { text, missing } = await newManifest(kind, name, url, {
      examples: true,
      ...(namespaced && { namespace: 'x' }),
    })
    expect(missing).toEqual([])
    for (const object of [parse(text), parse(turnedOn(text))]) {
      const { object: decoded, unknownFields } = validator.decode(object)
      expect([unknownFields, validator.validateCreate(validator.applyDefaults(decoded))]).toEqual([[], []])
    }
    // As comments say what every field is, so turning everything on leaves no field out.
    const on = JSON.stringify(parse(turnedOn(text)).spec)
    const names = [...fieldNames((schema.properties as Record<string, JsonObject>).spec!)]
    expect(names.filter((field) => !on.includes(`"${field}":`))).toEqual([])
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./schema.json')
    expect(text.split('\n').filter((line) => line.length > 110 || /\s$/.test(line))).toEqual([])
  })

  test('says what it still needs, and what is then said is where it is needed', async () => {
    const { text, missing } = await newManifest(kind, name, url, {})
    const marked = text.split('\n').flatMap((line, index) => (line.endsWith('# <- give it a value') ? [index + 1] : []))
    const { required = [] } = ((await ownSchema(kind)).properties as Record<string, JsonObject>).spec!
    expect(missing.length > 0).toBe((required as string[]).length > 0)
    expect(marked).toHaveLength(missing.length)
    const { code, stdout } = await weir(['validate', '-f', '-'], { input: text })
    expect(code).toBe(missing.length > 0 ? 2 : 0)
    const found = [...stdout.matchAll(/^<stdin>:(\d+):\d+: error: (\S+): Required value/gm)]
    expect(found.map(([, line, field]) => [Number(line), field])).toEqual(marked.map((line, i) => [line, missing[i]]))
  })
})

test('what it writes is valid together, is applied, and stays as it is when everything is turned on', async () => {
  const namespace = 'authored'
  const all: string[] = [`apiVersion: v1\nkind: Namespace\nmetadata: {name: ${namespace}}\n`]
  for (const kind of authored) {
    const how = { examples: true, ...(kind.namespaced && { namespace }) }
    all.push((await newManifest(kind, nameOf(kind.kind), url, how)).text)
  }
  const file = folder.file('all.yaml', all.join('---\n'))
  expect(await server.weir(['validate', '-f', file])).toMatchObject({ code: 0 })
  const applied = await server.weir(['apply', '-f', file, '-o', 'name', '--no-wait'])
  expect(applied).toMatchObject({ code: 0, stderr: '' })
  expect(applied.stdout.trim().split('\n')).toHaveLength(authored.length + 1)
  for (const [index, kind] of authored.entries()) {
    const { group, version, plural, namespaced } = kind
    const resource = { group, version, plural, kind: kind.kind, namespaced }
    const object = parse(turnedOn(all[index + 1]!)) as KubeObject
    const full = await server.client.apply(resource, object, { fieldManager: 'weir', force: true })
    expect((full as unknown as { spec: unknown }).spec).toMatchObject((object as unknown as { spec: object }).spec)
  }
})

describe('the command', () => {
  test('writes a file, with folders, and the nearest schema; never over another', async () => {
    mkdirSync(join(folder.path, 'schemas/fleet.weir.dev'), { recursive: true })
    writeFileSync(join(folder.path, 'schemas/fleet.weir.dev/site_v1alpha1.json'), '{}')
    const args = ['new', 'site', 'fra1', '--field', 'country=NO', '--field', 'metro=fra', '-o', 'overlays/a/sites/']
    expect(await weir(args, { cwd: folder.path })).toEqual({
      code: 0,
      stdout: '',
      stderr: 'wrote overlays/a/sites/fra1.yaml\n',
    })
    const path = join(folder.path, 'overlays/a/sites/fra1.yaml')
    const text = readFileSync(path, 'utf8')
    expect(text).toMatch(/^# yaml-language-server: \$schema=..\/..\/..\/schemas\/fleet.weir.dev\/site_v1alpha1.json\n/)
    expect(text).toContain('\n  country: "NO"\n')
    const again = await weir(args, { cwd: folder.path })
    expect(again).toEqual({ code: 2, stdout: '', stderr: `error: ${path} exists; nothing was written\n` })
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('says on stderr what is missing, and names the schema that it is given', async () => {
    const { code, stdout, stderr } = await weir(['new', 'hc', 'x', '--schemas', 'https://cdn.example/s/'])
    expect([code, stderr]).toEqual([
      0,
      'still to be given a value: spec.storageBytes, spec.storageMedium, spec.throughputGbps\n',
    ])
    expect(stdout).toMatch(/^.*\$schema=https:\/\/cdn.example\/s\/fleet.weir.dev\/hardwareclass_v1alpha1.json\n/)
  })

  test.each<[string, string[], string]>([
    ['no kind', [], 'must say what kind of object: appliance, catalog, '],
    ['no such kind', ['sit', 'x'], 'Weir has no kind "sit"; did you mean "site"?'],
    ['no name', ['sites'], 'must give the site a name: weir new sites NAME'],
    ['two names', ['site', 'a', 'b'], 'one object at a time; do not know what to do with "b"'],
    ['what controllers write', ['asg', 'a'], 'Assignments are not written by hand: the controllers write'],
    ['a name that the API refuses', ['site', 'A'], 'metadata.name: Invalid value: "A"'],
    ['a namespace where there is none', ['hc', 'h', '-n', 'x'], 'a hardwareclass is in no namespace'],
    [
      'a value that a rule refuses',
      ['site', 'a', '--field', 'country=de'],
      'spec.country: Invalid value: "de": must be an ISO',
    ],
  ])('refuses %s', async (_why, args, message) => {
    const { code, stdout, stderr } = await weir(['new', ...args])
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(`error: ${message}`)])
  })
})

describe('--field', () => {
  const read = async (kind: string, ...given: string[]) => fieldValues(await ownSchema(requiredOwnKind(kind)), given)

  test.each<[string, string, string[], JsonObject]>([
    ['a text is a text', 'site', ['country=NO', 'metro=1e3'], { country: 'NO', metro: '1e3' }],
    ['a text may have equals signs', 'catalog', ['source.url=http://a/?b=c'], { source: { url: 'http://a/?b=c' } }],
    ['spec may be said', 'site', ['.spec.metro=a', 'spec.country=DE'], { metro: 'a', country: 'DE' }],
    [
      'numbers are numbers',
      'hc',
      ['storageBytes=60e12', 'throughputGbps=.5'],
      { storageBytes: 60e12, throughputGbps: 0.5 },
    ],
    ['so are truths', 'catalog', ['suspend=true'], { suspend: true }],
    [
      'lists of texts by commas',
      'site',
      ['network.prefixes=10.0.0.0/8, 2001:db8::/32'],
      { network: { prefixes: ['10.0.0.0/8', '2001:db8::/32'] } },
    ],
    [
      'lists as YAML',
      'site',
      ['fillWindows=[{start: 02:00, end: 08:00}]'],
      { fillWindows: [{ start: '02:00', end: '08:00' }] },
    ],
    [
      'entry by entry',
      'site',
      ['parents[0].name=a', 'parents[1].name=b', 'parents[0].namespace=x'],
      { parents: [{ name: 'a', namespace: 'x' }, { name: 'b' }] },
    ],
    [
      'an int or a string',
      'pp',
      ['pins[0].copies=2', 'pins[0].paths=a/**', 'pins[1].copies=all'],
      { pins: [{ copies: 2, paths: ['a/**'] }, { copies: 'all' }] },
    ],
    [
      'maps by key, dots and all',
      'pp',
      ['appliances.selector.matchLabels.a.b/c=x', "appliances.siteSelector.matchLabels['d.e']=y"],
      { appliances: { selector: { matchLabels: { 'a.b/c': 'x' } }, siteSelector: { matchLabels: { 'd.e': 'y' } } } },
    ],
  ])('%s', async (_why, kind, given, spec) => {
    expect((await read(kind, ...given)).spec).toEqual(spec)
  })

  test('labels and annotations', async () => {
    expect(
      (await read('site', 'metadata.labels.topology.kubernetes.io/region=eu', 'metadata.annotations={a: b}')).metadata,
    ).toEqual({
      labels: { 'topology.kubernetes.io/region': 'eu' },
      annotations: { a: 'b' },
    })
  })

  test.each<[string, string[], string]>([
    ['no value', ['country'], '--field must be PATH=VALUE, such as country=DE, not "country"'],
    ['an unknown field', ['contry=DE'], '--field contry: spec has no field "contry"; did you mean "country"?'],
    ['an unknown field of metadata', ['metadata.label.a=b'], 'metadata has no field "label"; did you mean "labels"?'],
    [
      'none of the allowed values',
      ['tier=edg'],
      '--field tier: must be one of edge, regional, origin, not "edg"; did you mean "edge"?',
    ],
    ['no number', ['network.asn=64k'], '--field network.asn: must be a whole number, not "64k"'],
    ['no whole number', ['network.asn=1.5'], 'must be a whole number'],
    ['half of it', ['network.asn='], 'must be a whole number, not ""'],
    ['no object', ['network=x'], '--field network: must be an object'],
    [
      'no list of objects',
      ['parents=a,b'],
      '--field parents: must be a list, such as [{"name":"fra-regional"}], not "a,b"',
    ],
    ['YAML that is none', ['parents=[{'], '--field parents: '],
    ['a list by name', ['fillWindows.start=02:00'], 'spec.fillWindows is a list; write spec.fillWindows[0].start'],
    ['an entry of what is no list', ['metro[0]=x'], '--field metro[0]: spec.metro is no list'],
    ['a field of a text', ['metro.x=x'], '--field metro.x: spec.metro has no fields'],
    ['a list with a hole', ['parents[1].name=a'], 'give [0] first, so that the list has no holes'],
    ['a path that is none', ['a..b=x'], 'cannot read the path from "..b" on'],
    ['the same twice', ['metro=a', '.spec.metro=b'], '--field .spec.metro is given twice'],
    ['a whole and then a part', ['metadata.labels={a: b}', 'metadata.labels.a=c'], 'parts of it are given already'],
    ['a part and then the whole', ['network.asn=1', 'network={asn: 2}'], 'parts of it are given already'],
    ['nothing of ours by its prototype', ['constructor=x'], 'spec has no field "constructor"'],
  ])('refuses %s', async (_why, given, message) => {
    await expect(read('site', ...given)).rejects.toThrow(message)
  })
})
