import { mkdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { sites } from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { configMaps, namespaces, type Resource, secrets } from '../../runtime/client/resource.ts'
import { Folder, finished, start, startTestServer, type TestServer, weir, written } from './harness.ts'

// Programs are started by the dozen; on a busy machine that takes its time.
jest.setTimeout(120_000)

const { promise: ready, resolve: isReady } = Promise.withResolvers<TestServer>()
beforeAll(async () => isReady(await startTestServer()))
const folder = new Folder()

afterAll(async () => {
  await (await ready)[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const namespace = (name: string) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`
const site = (name: string, ns: string, spec = '{country: DE, metro: Frankfurt}') =>
  `apiVersion: fleet.weir.dev/v1alpha1\nkind: Site\nmetadata: {name: ${name}, namespace: ${ns}}\nspec: ${spec}\n`
const config = (name: string, ns: string, data = '{a: "1"}') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: ${ns}}\ndata: ${data}\n`
const all = (...documents: string[]) => documents.join('---\n')

/** Nothing here makes objects healthy: only who says `--wait` waits. */
async function apply(input: string, ...args: string[]) {
  const server: TestServer = await ready
  const waiting = args.includes('--wait') ? [] : ['--no-wait']
  return server.weir(['apply', '-f', '-', ...waiting, ...args], { input })
}

/** A namespace with objects in it, for one test. */
async function tenant(name: string, ...documents: string[]): Promise<TestServer> {
  const server = await ready
  expect((await apply(all(namespace(name), ...documents))).stderr).toBe('')
  return server
}

describe('apply', () => {
  test.concurrent('makes a namespace and what is in it, whatever the order in the file; again, nothing changes', async () => {
    const input = all(site('fra1', 'order'), config('c', 'order'), namespace('order'))
    expect(await apply(input)).toEqual({
      code: 0,
      stdout: 'namespace/order created\nconfigmap/c created\nsite.fleet.weir.dev/fra1 created\n',
      stderr: '',
    })
    expect((await apply(input)).stdout).toBe(
      'namespace/order unchanged\nconfigmap/c unchanged\nsite.fleet.weir.dev/fra1 unchanged\n',
    )
    const changed = input.replace('Frankfurt', 'Offenbach')
    expect((await apply(changed)).stdout).toBe(
      'namespace/order unchanged\nconfigmap/c unchanged\nsite.fleet.weir.dev/fra1 configured\n',
    )
    const object = await (await ready).client.get(sites, { namespace: 'order', name: 'fra1' })
    expect(object.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([
      ['weir', 'Apply'],
    ])
  })

  test.concurrent('applies a kind and objects of it together', async () => {
    const crd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.cli.test}
spec:
  group: cli.test
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}
`
    const widget = (size: string) =>
      `apiVersion: cli.test/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: ${size}}\n`
    const wrong = await apply(all(widget('big'), crd))
    expect([wrong.code, wrong.stderr.split('\n')[0]]).toEqual([
      2,
      '<stdin>:4:14: error: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
    ])
    expect(await apply(all(widget('3'), crd))).toEqual({
      code: 0,
      stdout: 'customresourcedefinition.apiextensions.k8s.io/widgets.cli.test created\nwidget.cli.test/w created\n',
      stderr: '',
    })
  })

  test.concurrent('prints names, events or YAML when asked', async () => {
    await tenant('formats')
    const input = config('c', 'formats')
    expect((await apply(input, '-o', 'name')).stdout).toBe('configmap/c\n')
    const lines = (await apply(input, '-o', 'json')).stdout.trim().split('\n')
    const manifest = { file: '<stdin>', line: 1 }
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'formats', name: 'c', uid: expect.any(String) }
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      { type: 'planned', action: 'unchanged', object: ref, manifest },
      {
        type: 'applied',
        action: 'unchanged',
        dryRun: false,
        manifest,
        object: expect.objectContaining({ kind: 'ConfigMap', data: { a: '1' } }),
      },
      expect.objectContaining({ type: 'summary', exitCode: 0, created: 0, configured: 0, unchanged: 1, pending: [] }),
    ])
    expect((await apply(input, '-o', 'yaml')).stdout).toMatch(/^apiVersion: v1\ndata:\n {2}a: "1"\nkind: ConfigMap\n/)
  })

  test.concurrent('events say of every mistake where it is, and of every run how it ended', async () => {
    const { code, stdout, stderr } = await apply(site('s', 'wrong', '{country: 5, contry: NL}'), '-o', 'json')
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(code).toBe(2)
    expect(lines).toEqual([
      expect.objectContaining({ type: 'failed', exitCode: 2, code: 'invalid', field: 'spec.metro' }),
      expect.objectContaining({
        type: 'failed',
        code: 'invalid',
        field: 'spec.country',
        manifest: { file: '<stdin>', line: 4 },
      }),
      expect.objectContaining({ type: 'failed', code: 'unknown-field', field: 'spec.contry' }),
      expect.objectContaining({ type: 'summary', exitCode: 2, created: 0, pending: [], unknown: [] }),
    ])
    expect(stderr).toMatch(/error: 3 problems in the manifests; nothing was applied\n$/)
  })

  test.concurrent('-n is where objects go that name no namespace; one that names another is refused', async () => {
    const server = await tenant('elsewhere')
    const input = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n'
    expect((await apply(input, '-n', 'elsewhere')).stdout).toBe('configmap/c created\n')
    expect((await server.client.get(configMaps, { namespace: 'elsewhere', name: 'c' })).metadata.name).toBe('c')
    const { code, stderr } = await apply(config('d', 'other'), '-n', 'elsewhere')
    expect([code, stderr.split('\n')[0]]).toEqual([
      2,
      `<stdin>:3:32: error: metadata.namespace: the namespace from the provided object "other" does not match the namespace "elsewhere". You must pass '--namespace=other' to perform this operation.`,
    ])
  })

  test.concurrent.each<[string, string, (string | RegExp)[]]>([
    [
      'a field of ours that does not exist',
      site('s', 'bad', '{country: DE, metro: x, contry: NL}'),
      [/<stdin>:14:31: error: spec.contry: unknown field; did you mean "country"\?/],
    ],
    [
      'a field of a built-in kind that does not exist',
      `${config('s', 'bad')}dta: {}\n`,
      [/<stdin>:15:1: error: dta: (unknown field; did you mean "data"\?|field not declared in schema)/],
    ],
    [
      'three things wrong at once',
      site('s', 'bad', '{country: 5, tier: egde}'),
      [
        /<stdin>:14:1: error: spec.metro: Required value/,
        /<stdin>:14:17: error: spec.country: .*/,
        /spec.tier: Unsupported value: "egde".*did you mean "edge"\?/,
      ],
    ],
    [
      'no such kind',
      'apiVersion: v1\nkind: ConfigMop\nmetadata: {name: x}\n',
      [/<stdin>:12:7: error: kind: the server has no kind "ConfigMop" in v1; did you mean "ConfigMap"\?/],
    ],
    [
      'no such version',
      'apiVersion: fleet.weir.dev/v1\nkind: Site\nmetadata: {name: x}\n',
      [/<stdin>:11:13: error: apiVersion: there is no "fleet.weir.dev\/v1"; did you mean "fleet.weir.dev\/v1alpha1"\?/],
    ],
    [
      'no such group',
      'apiVersion: nobody.dev/v1\nkind: X\nmetadata: {name: x}\n',
      [/<stdin>:11:13: error: apiVersion: the server does not serve "nobody.dev\/v1"/],
    ],
    [
      'the same object twice',
      config('bystander', 'bad'),
      [
        /<stdin>:13:18: error: ConfigMap "bystander" is there twice, first at <stdin>:8:18/,
        /<stdin>:8:18: note: the first one is here/,
      ],
    ],
    [
      'a name that cannot be',
      config('Bad_Name', 'bad'),
      [/<stdin>:13:18: error: metadata.name: Invalid value: "Bad_Name"/],
    ],
    [
      'a value that only the server refuses',
      'apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: bad}\ntype: kubernetes.io/tls\ndata: {}\n',
      [/<stdin>:15:1: error: data\[tls.crt\]: Required value/],
    ],
  ])('%s: exit 2, with its place, and nothing is applied', async (reason, document, expected) => {
    const ns = 'bad'
    const lead = `# ${reason}\n${namespace(ns)}---\n${config('bystander', ns)}`
    const input = all(lead, document)
    const { code, stdout, stderr } = await apply(input)
    expect([code, stdout]).toEqual([2, ''])
    for (const pattern of expected) expect(stderr).toMatch(pattern)
    expect(stderr).toMatch(/in the manifests; nothing was applied\n$/)
    expect(await (await ready).client.find(namespaces, { name: ns })).toBeUndefined()
  })

  test.concurrent('--dry-run changes nothing and says so', async () => {
    const server = await ready
    const input = all(namespace('dry'), config('c', 'dry'))
    expect(await apply(input, '--dry-run=server')).toEqual({
      code: 0,
      stdout: 'namespace/dry created (server dry run)\nconfigmap/c created (server dry run)\n',
      stderr: '',
    })
    expect((await apply(input, '--dry-run=client')).stdout).toBe(
      'namespace/dry checked (dry run)\nconfigmap/c checked (dry run)\n',
    )
    expect(await server.client.find(namespaces, { name: 'dry' })).toBeUndefined()
  })

  test.concurrent('a field that somebody else owns: exit 4, who, and how to take it over', async () => {
    const server = await tenant('conflict', site('fra1', 'conflict'), config('c', 'conflict'))
    const theirs = {
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'Site',
      metadata: { name: 'fra1', namespace: 'conflict' },
      spec: { metro: 'theirs', timeZone: 'Europe/Berlin' },
    }
    await server.client.apply(sites as unknown as Resource<KubeObject>, theirs as KubeObject, {
      fieldManager: 'alice',
      force: true,
    })
    const input = all(
      config('c', 'conflict', '{a: "2"}'),
      site('fra1', 'conflict', '{country: DE, metro: ours, timeZone: Europe/Paris}'),
    )
    const { code, stdout, stderr } = await apply(input)
    expect([code, stdout]).toEqual([4, ''])
    expect(stderr).toMatch(/<stdin>:9:21: error: \.spec\.metro: site\.fleet\.weir\.dev\/fra1: conflict with "alice"/)
    expect(stderr).toContain('--force-conflicts=.spec.metro --force-conflicts=.spec.timeZone')
    expect((await server.client.get(configMaps, { namespace: 'conflict', name: 'c' })).data).toEqual({ a: '1' })

    const half = await apply(input, '--force-conflicts=.spec.metro')
    expect(half.code).toBe(4)
    const whole = await apply(input, '--force-conflicts=.spec.metro,spec.timeZone')
    expect(whole).toEqual({
      code: 0,
      stdout: 'configmap/c configured\nsite.fleet.weir.dev/fra1 configured\n',
      stderr: '',
    })
    const { spec } = await server.client.get(sites, { namespace: 'conflict', name: 'fra1' })
    expect([spec.metro, spec.timeZone]).toEqual(['ours', 'Europe/Paris'])
  })

  test.concurrent('--wait: healthy is 0, not in time is 7 with what it waits for, stalled is 7 at once', async () => {
    const server = await tenant('health')
    const kind = sites as unknown as Resource<KubeObject>
    const status = (name: string, conditions: object[]) => {
      const object = {
        apiVersion: 'fleet.weir.dev/v1alpha1',
        kind: 'Site',
        metadata: { name, namespace: 'health' },
        status: { observedGeneration: 1, conditions },
      }
      return server.client.applyStatus(kind, object as KubeObject, { fieldManager: 'test' })
    }
    const condition = (type: string, value: string) => ({
      type,
      status: value,
      reason: 'Because',
      message: `${type} is ${value}`,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    })
    expect((await apply(config('c', 'health'), '--wait')).code).toBe(0)
    await apply(all(site('good', 'health'), site('slow', 'health'), site('stuck', 'health')))
    await status('good', [condition('Ready', 'True')])
    await status('slow', [condition('Ready', 'False'), condition('Reconciling', 'True')])
    await status('stuck', [condition('Ready', 'False'), condition('Stalled', 'True')])
    const good = await apply(site('good', 'health'), '--wait')
    expect(good).toEqual({
      code: 0,
      stdout: 'site.fleet.weir.dev/good unchanged\n',
      stderr: '',
    })
    const slow = await apply(site('slow', 'health'), '--wait', '--timeout', '3s')
    expect([slow.code, slow.stderr]).toEqual([
      7,
      expect.stringContaining('error: site.fleet.weir.dev/slow is not healthy: Because: Reconciling is True'),
    ])
    const started = performance.now()
    const stuck = await apply(site('stuck', 'health'), '--wait', '--timeout', '60s')
    expect([stuck.code, stuck.stderr]).toEqual([
      7,
      expect.stringContaining('error: site.fleet.weir.dev/stuck failed: Because: Stalled is True'),
    ])
    expect(performance.now() - started).toBeLessThan(30_000)
  })

  test.concurrent('Ctrl-C while it waits: what was done is done, 130', async () => {
    await tenant('interrupt')
    const file = folder.file('interrupt.yaml', site('s', 'interrupt'))
    const child = start(['apply', '-f', file, '--wait'], { env: { KUBECONFIG: (await ready).kubeconfig } })
    const done = finished(child)
    await written(child, 'stderr', /controller has not seen/)
    child.kill('SIGINT')
    expect(await done).toEqual({
      code: 130,
      stdout: 'site.fleet.weir.dev/s created\n',
      stderr: expect.not.stringContaining('bug'),
    })
  })
})

describe('files', () => {
  test.concurrent('-f takes files, folders, globs and stdin; -R goes into folders: the same objects', async () => {
    using files = new Folder()
    mkdirSync(`${files.path}/set/deep`, { recursive: true })
    files.file('set/a.yaml', namespace('files'))
    files.file('set/b.yml', config('b', 'files'))
    files.file(
      'set/c.json',
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'files' } }),
    )
    files.file('set/deep/d.yaml', config('d', 'files'))
    files.file('set/README.md', 'not a manifest')
    const names = async (...args: string[]) =>
      (
        await (
          await ready
        ).weir(['apply', '--dry-run=client', '-o', 'name', ...args], {
          cwd: files.path,
          ...(args.includes('-') ? { input: all(namespace('files'), config('b', 'files')) } : {}),
        })
      ).stdout
        .trim()
        .split('\n')
    expect(await names('-f', 'set')).toEqual(['namespace/files', 'configmap/b', 'configmap/c'])
    expect(await names('-f', 'set', '-R')).toEqual(['namespace/files', 'configmap/b', 'configmap/c', 'configmap/d'])
    expect(await names('-f', 'set/*.y*ml')).toEqual(['namespace/files', 'configmap/b'])
    expect(await names('-f', 'set/a.yaml,set/b.yml')).toEqual(['namespace/files', 'configmap/b'])
    expect(await names('-f', 'set/a.yaml', 'set/b.yml')).toEqual(['namespace/files', 'configmap/b'])
    expect(await names('-f', '-')).toEqual(['namespace/files', 'configmap/b'])
  })

  test.concurrent.each<[string, string[], string]>([
    ['a file that is not there', ['-f', 'nope.yaml'], 'error: the path "nope.yaml" does not exist\n'],
    ['a pattern without a match', ['-f', 'no*.yaml'], 'error: the pattern "no*.yaml" matches no file\n'],
    ['no file', [], 'error: must specify one of -f and -k\n'],
    ['nothing in the file', ['-f', '/dev/null'], 'error: no objects passed\n'],
  ])('%s: exit 2', async (_reason, args, stderr) => {
    expect(await (await ready).weir(['apply', ...args], { cwd: folder.path })).toEqual({ code: 2, stdout: '', stderr })
  })
})

describe('diff', () => {
  const diff = async (input: string, ...args: string[]) => (await ready).weir(['diff', '-f', '-', ...args], { input })

  test.concurrent('no change: nothing on stdout and 0, also where defaults are spelled out and the status moves', async () => {
    const server = await tenant('same', site('fra1', 'same'), config('c', 'same'))
    const object = {
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'Site',
      metadata: { name: 'fra1', namespace: 'same' },
      status: { appliances: { total: 1, online: 1, ready: 1 } },
    }
    await server.client.applyStatus(sites as unknown as Resource<KubeObject>, object as KubeObject, {
      fieldManager: 'test',
    })
    const spelled = site(
      'fra1',
      'same',
      '{country: DE, metro: Frankfurt, tier: edge, timeZone: UTC, parents: [], fillWindows: []}',
    )
    expect(await diff(all(spelled, config('c', 'same')))).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test.concurrent('a change is shown as a unified diff, with 1, or 0 where asked', async () => {
    await tenant('changed', site('fra1', 'changed'))
    const input = site('fra1', 'changed', '{country: DE, metro: Offenbach}')
    const { code, stdout, stderr } = await diff(input)
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toBe(
      '--- live/fleet.weir.dev.v1alpha1.Site.changed.fra1\n+++ merged/fleet.weir.dev.v1alpha1.Site.changed.fra1\n@@ -7,7 +7,7 @@\n   country: DE\n   fillWindows: []\n   maintenanceWindows: []\n-  metro: Frankfurt\n+  metro: Offenbach\n   network:\n     prefixes: []\n   parents: []\n',
    )
    expect((await diff(input, '--exit-code=false')).code).toBe(0)
  })

  test.concurrent('a namespace and what is in it, when neither exists', async () => {
    const { code, stdout, stderr } = await diff(all(config('c', 'nowhere'), namespace('nowhere')))
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout.match(/^\+\+\+ .*$/gm)).toEqual([
      '+++ merged/v1.Namespace.nowhere',
      '+++ merged/v1.ConfigMap.nowhere.c',
    ])
  })

  test.concurrent('no value of a Secret is shown, neither plain nor as base64', async () => {
    const server = await tenant('hidden')
    const secret = (value: string, more = '') =>
      `apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: hidden}\nstringData: {password: ${value}${more}}\n`
    const first = await diff(secret('hunter2'))
    await apply(secret('hunter2'))
    const changed = await diff(secret('correct-horse', ', other: staple'))
    expect(first.code).toBe(1)
    expect(changed.code).toBe(1)
    expect(changed.stdout).toMatch(
      /-\s+password: '\*\*\* \(before\)'\n\+\s+other: '\*\*\*'\n\+\s+password: '\*\*\* \(after\)'/,
    )
    const shown = first.stdout + changed.stdout
    for (const value of ['hunter2', 'correct-horse', 'staple']) {
      expect(shown).not.toContain(value)
      expect(shown).not.toContain(Buffer.from(value).toString('base64').replace(/=+$/, ''))
    }
    expect((await server.client.get(secrets, { namespace: 'hidden', name: 's' })).data).toEqual({
      password: Buffer.from('hunter2').toString('base64'),
    })
  })

  test.concurrent('wrong manifests are 2 and conflicts 4, as they are for apply', async () => {
    const server = await tenant('diffconflict', site('fra1', 'diffconflict'))
    await server.client.patch(
      sites,
      { namespace: 'diffconflict', name: 'fra1' },
      { type: 'merge', merge: { spec: { metro: 'theirs' } } },
      { fieldManager: 'alice' },
    )
    const invalid = await diff(site('fra1', 'diffconflict', '{country: DE}'))
    expect([invalid.code, invalid.stderr]).toEqual([2, expect.stringMatching(/\nerror: 1 problem in the manifests\n$/)])
    const conflict = await diff(site('fra1', 'diffconflict'))
    expect([conflict.code, conflict.stderr]).toEqual([
      4,
      expect.stringMatching(/\nerror: a field is owned by somebody else\. Leave it out/),
    ])
    expect((await diff(site('fra1', 'diffconflict'), '--force-conflicts=spec.metro')).code).toBe(1)
  })

  test.concurrent('one list per type and namespace, whatever the number of objects', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `c${i}`)
    await tenant('many', ...names.map((name) => config(name, 'many')))
    expect(await diff(all(...names.map((name) => config(name, 'many'))))).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(
      (await diff(all(...names.map((name) => config(name, 'many', '{a: "2"}'))))).stdout.match(/^\+\+\+ /gm),
    ).toHaveLength(60)
  })
})

describe('delete', () => {
  const remove = async (...args: string[]) => (await ready).weir(['delete', ...args])

  test.concurrent('by type and name, by file, by selector, and what is not there', async () => {
    const server = await tenant('gone', config('a', 'gone'), config('b', 'gone'), site('s', 'gone'))
    expect(await remove('cm', 'a', '-n', 'gone')).toEqual({
      code: 0,
      stdout: 'configmap "a" deleted from gone namespace\n',
      stderr: '',
    })
    expect(await remove('cm', 'a', '-n', 'gone')).toEqual({
      code: 3,
      stdout: '',
      stderr: 'Error from server (NotFound): configmaps "a" not found\n',
    })
    expect((await remove('cm', 'a', '-n', 'gone', '--ignore-not-found')).code).toBe(0)
    expect((await remove('cm/b', '-n', 'gone', '--dry-run=server')).stdout).toBe(
      'configmap "b" deleted from gone namespace (server dry run)\n',
    )
    expect(await server.client.find(configMaps, { namespace: 'gone', name: 'b' })).toBeDefined()
    expect((await remove('cm', '-n', 'gone')).code).toBe(2)
    expect((await remove('cm', '--field-selector=metadata.name=b', '-n', 'gone', '-o', 'name')).stdout).toBe(
      'configmap/b\n',
    )
    const file = folder.file('gone.yaml', all(namespace('gone'), site('s', 'gone')))
    expect(await remove('-f', file)).toEqual({
      code: 0,
      stdout: 'site.fleet.weir.dev "s" deleted from gone namespace\nnamespace "gone" deleted\n',
      // A real namespace takes its time, and that is told.
      stderr: expect.stringMatching(/^(namespaces\/gone: it is still there\n)?$/),
    })
    expect(await server.client.find(namespaces, { name: 'gone' })).toBeUndefined()
  })

  test.concurrent('takes kubectl’s flags, and says what they mean', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    await tenant('flags', ...names.map((name) => config(name, 'flags')))
    expect(await remove('cm', 'a', '-n', 'flags', '--force', '--cascade=orphan')).toEqual({
      code: 0,
      stdout: 'configmap "a" force deleted from flags namespace\n',
      stderr: expect.stringMatching(/^Warning: Immediate deletion does not wait for confirmation/),
    })
    expect((await remove('cm', 'b', '-n', 'flags', '--now', '--wait=false')).stdout).toBe(
      'configmap "b" deleted from flags namespace\n',
    )
    expect((await remove('cm', 'c', '-n', 'flags', '--force', '--grace-period=5')).stderr).toBe(
      'error: --force and --grace-period greater than 0 cannot be specified together\n',
    )
    expect((await remove('cm', 'c', '-n', 'flags', '-i')).stderr).toBe(
      'error: -i asks on a terminal, and there is none\n',
    )
    const some = await remove('cm/c', 'cm/nope', 'cm/d', '-n', 'flags')
    expect([some.code, some.stdout.split('\n').length - 1, some.stderr]).toEqual([
      3,
      2,
      'Error from server (NotFound): configmaps "nope" not found\n',
    ])
    const everything = await remove('cm', '--all', '-n', 'flags', '-o', 'name')
    expect(everything.stdout).toMatch(/^configmap\/e\nconfigmap\/f\n/)
    expect((await remove('ns', 'flags', '-n', 'flags')).stderr).toContain(
      'Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n',
    )
  })

  test.concurrent('waits for finalizers, and says which one holds when the time is over', async () => {
    const server = await tenant(
      'held',
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: held, finalizers: [test/hold]}\n`,
    )
    const late = await remove('cm', 'c', '-n', 'held', '--timeout', '300ms')
    expect([late.code, late.stderr]).toEqual([
      7,
      'error: timed out waiting for configmaps/c to go (held by test/hold)\n',
    ])
    expect((await remove('cm', 'c', '-n', 'held', '--no-wait')).code).toBe(0)
    const waiting = remove('cm', 'c', '-n', 'held')
    await server.client.patch(
      configMaps,
      { namespace: 'held', name: 'c' },
      { type: 'merge', merge: { metadata: { finalizers: null } } },
    )
    // It may have gone before the command asked for it, and then there is nothing to delete.
    expect([0, 3]).toContain((await waiting).code)
  })
})

describe('wait', () => {
  const wait = async (...args: string[]) => (await ready).weir(['wait', ...args])

  test.concurrent('for a value, for creation and deletion; in time or not', async () => {
    const server = await tenant('waits', site('s', 'waits'))
    expect(await wait('--for=jsonpath={.spec.metro}=Frankfurt', 'site/s', '-n', 'waits')).toEqual({
      code: 0,
      stdout: 'site.fleet.weir.dev/s condition met\n',
      stderr: '',
    })
    expect(await wait('--for=delete', 'site/nope', '-n', 'waits')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    })
    const late = await wait('--for=condition=Ready', 'site/s', '-n', 'waits', '--timeout=3s')
    expect([late.code, late.stderr]).toEqual([
      7,
      'error: timed out waiting for the condition on sites/s (it has no condition Ready)\n',
    ])
    expect((await wait('--for=condition=Ready', 'site/nope', '-n', 'waits')).code).toBe(3)
    const created = wait('--for=create', 'cm/soon', '-n', 'waits', '--timeout=20s')
    await server.client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'soon', namespace: 'waits' },
    })
    expect((await created).stdout).toBe('configmap/soon condition met\n')
  })

  test.concurrent.each<[string, string[], RegExp]>([
    ['without --for', ['site/s'], /--for says what to wait for/],
    ['for nonsense', ['--for=ready', 'site/s'], /unrecognized condition: "ready"/],
    ['with a bad duration', ['--for=delete', 'site/s', '--timeout=soon'], /invalid duration "soon"/],
    ['for a path that is none', ['--for=jsonpath={.a', 'site/s'], /jsonpath/],
  ])('%s: exit 2', async (_reason, args, stderr) => {
    const result = await wait(...args)
    expect([result.code, result.stderr]).toEqual([2, expect.stringMatching(stderr)])
  })

  test.concurrent('a stalled object fails at once', async () => {
    const server = await tenant('stalls', site('s', 'stalls'))
    const conditions = [
      {
        type: 'Stalled',
        status: 'True',
        reason: 'NoSuchParent',
        message: 'parent x does not exist',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ]
    const object = {
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'Site',
      metadata: { name: 's', namespace: 'stalls' },
      status: { observedGeneration: 1, conditions },
    }
    await server.client.applyStatus(sites as unknown as Resource<KubeObject>, object as KubeObject, {
      fieldManager: 'test',
    })
    const { code, stderr } = await wait('--for=condition=Ready', 'sites', '--all', '-n', 'stalls', '--timeout=60s')
    expect([code, stderr]).toEqual([7, 'error: sites/s: it is stalled: NoSuchParent: parent x does not exist\n'])
  })
})

test('a server that is not there: exit 3, and which one was tried', async () => {
  using files = new Folder()
  const result = await weir(['get', 'cm', '--server', 'http://127.0.0.1:1'], { cwd: files.path })
  expect([result.code, result.stdout]).toEqual([3, ''])
  expect(result.stderr).toMatch(/^error: cannot reach http:\/\/127\.0\.0\.1:1: .*\n$/)
})
