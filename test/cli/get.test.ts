import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { appliances, hardwareClasses, sites } from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { configMaps, namespaces } from '../../runtime/client/resource.ts'
import { finished, kubectl, program, start, startTestServer, type TestServer, written } from './harness.ts'
import { inProcess } from './in-process.ts'

// Programs are started by the dozen; on a busy machine that takes its time.
jest.setTimeout(120_000)

const { promise: ready, resolve: isReady } = Promise.withResolvers<TestServer>()
beforeAll(async () => isReady(await setUp()))

/** Nothing below changes what another test looks at, so that the tests may run side by side. */
async function setUp(): Promise<TestServer> {
  const server = await startTestServer()
  const { client } = server
  const create = { fieldManager: 'test' }
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tenant' } }, create)
  const map = (name: string, namespace: string, labels: Record<string, string>, data: Record<string, string>) =>
    client.create(
      configMaps,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { own: '', ...labels } }, data },
      create,
    )
  await map('a', 'tenant', { tier: 'edge', 'example.com/zone': 'z1' }, { x: '<b>&', y: '2' })
  await map('b', 'tenant', {}, { z: 'line\nbreak' })
  await map('c', 'default', { tier: 'core' }, { esc: '\u001b[31mred' })
  for (const [name, medium, bytes, gbps] of [
    ['flash-100', 'flash', 1e12, 100],
    ['hdd-10', 'hdd', 9e13, 10.5],
  ] as const) {
    const spec = { storageBytes: bytes, storageMedium: medium, throughputGbps: gbps }
    await client.create(hardwareClasses, {
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'HardwareClass',
      metadata: { name },
      spec,
    })
  }
  const site = (name: string, metro: string) => ({
    apiVersion: 'fleet.weir.dev/v1alpha1',
    kind: 'Site',
    metadata: { name, namespace: 'tenant' },
    spec: { country: 'DE', metro, network: { prefixes: [] } },
  })
  for (const [name, metro] of [
    ['fra1', 'Frankfurt'],
    ['ber1', 'Berlin'],
  ] as const)
    await client.create(sites, site(name, metro) as never)
  const spec = { siteRef: { name: 'fra1' }, hardwareClassRef: { name: 'flash-100' }, mode: 'InService' as const }
  await client.create(appliances, {
    apiVersion: 'fleet.weir.dev/v1alpha1',
    kind: 'Appliance',
    metadata: { name: 'fra1-a', namespace: 'tenant' },
    spec,
  })
  return server
}

afterAll(async () => (await ready)[Symbol.asyncDispose]())

describe('get', () => {
  test.concurrent.each<[string, string[], number, string | RegExp, string | RegExp]>([
    ['names', ['cm', '-n', 'tenant', '-l', 'own', '-o', 'name'], 0, 'configmap/a\nconfigmap/b\n', ''],
    ['names of ours have their group', ['ap', '-A', '-o', 'name'], 0, 'appliance.fleet.weir.dev/fra1-a\n', ''],
    ['a type and a name', ['site', 'fra1', '-n', 'tenant', '-o', 'name'], 0, 'site.fleet.weir.dev/fra1\n', ''],
    [
      'types and names with slashes',
      ['cm/a', 'site/fra1', '-n', 'tenant', '-o', 'name'],
      0,
      'configmap/a\nsite.fleet.weir.dev/fra1\n',
      '',
    ],
    ['several types', ['cm,crd', '-n', 'tenant', '-l', 'own', '-o', 'name'], 0, 'configmap/a\nconfigmap/b\n', ''],
    ['a type with its group', ['sites.fleet.weir.dev', '-A', '-o', 'name'], 0, /^site\.fleet\.weir\.dev\/ber1\n/, ''],
    ['a type with version and group', ['sites.v1alpha1.fleet.weir.dev', '-A', '-o', 'name'], 0, /^site/, ''],
    [
      'the category of all of ours',
      ['weir', '-A', '-o', 'name'],
      0,
      /^appliance\.fleet\.weir\.dev\/fra1-a\nhardwareclass/m,
      '',
    ],
    ['a label selector', ['cm', '-A', '-l', 'tier in (edge,core),tier!=core', '-o', 'name'], 0, 'configmap/a\n', ''],
    ['a field selector', ['cm', '-A', '--field-selector', 'metadata.name=c', '-o', 'name'], 0, 'configmap/c\n', ''],
    ['a table without headers', ['cm', 'a', '-n', 'tenant', '--no-headers'], 0, /^a {5}2 {5}\d+s\n$/, ''],
    [
      'what there is, and an error for what there is not',
      ['cm', 'a', 'nope', '-n', 'tenant', '-o', 'name'],
      3,
      'configmap/a\n',
      'Error from server (NotFound): configmaps "nope" not found\n',
    ],
    ['nothing', ['sites'], 0, '', 'No resources found in default namespace.\n'],
    ['nothing anywhere', ['pp', '-A'], 0, '', 'No resources found\n'],
    ['--ignore-not-found', ['cm', 'nope', '--ignore-not-found'], 0, '', ''],
    ['one value', ['hc', 'hdd-10', '-o', 'jsonpath={.spec.throughputGbps}'], 0, '10.5', ''],
    ['-o=… as kubectl takes it', ['hc', 'hdd-10', '-o=jsonpath={.spec.storageMedium}'], 0, 'hdd', ''],
    [
      'sorted',
      ['hc', '--sort-by=.spec.throughputGbps', '-o', 'name'],
      0,
      'hardwareclass.fleet.weir.dev/hdd-10\nhardwareclass.fleet.weir.dev/flash-100\n',
      '',
    ],
    ['in chunks', ['cm', '-A', '--chunk-size=1', '-o', 'name'], 0, /configmap\/a\nconfigmap\/b\n/, ''],
    ['a path', ['--raw', '/version'], 0, /gitVersion/, ''],
    [
      'no such type',
      ['aplliances'],
      2,
      '',
      'error: the server doesn\'t have a resource type "aplliances"; did you mean "appliances"?\n',
    ],
    ['no type', [], 2, '', /^error: you must specify the type of resource to get/],
    ['no such format', ['cm', '-o', 'jsn'], 2, '', /did you mean "json"\?/],
    [
      'a JSONPath that is none',
      ['cm', '-o', 'jsonpath={.items[0'],
      2,
      '',
      'error: error parsing jsonpath {.items[0, unterminated array\n',
    ],
    [
      'a name and a selector',
      ['cm', 'a', '-l', 'x=y'],
      2,
      '',
      'error: name cannot be provided when a selector is specified\n',
    ],
    [
      'a name everywhere',
      ['cm', 'a', '-A'],
      2,
      '',
      'error: a resource cannot be retrieved by name across all namespaces\n',
    ],
    ['a flag without its argument', ['cm', '-o'], 2, '', /argument missing/],
    [
      'sorting by what nothing has',
      ['cm', '-A', '--sort-by=.nope'],
      2,
      '',
      /couldn't find any field with path "\{\.nope\}"/,
    ],
  ])('%s', async (_reason, args, code, stdout, stderr) => {
    const result = await inProcess(['get', ...args], { env: { KUBECONFIG: (await ready).kubeconfig } })
    expect(result).toEqual({
      code,
      stdout: typeof stdout === 'string' ? stdout : expect.stringMatching(stdout),
      stderr: typeof stderr === 'string' ? stderr : expect.stringMatching(stderr),
    })
  })

  test.concurrent('JSON stands alone and has no managedFields', async () => {
    const { stdout } = await (await ready).weir(['get', 'cm', '-A', '-o', 'json'])
    const list = JSON.parse(stdout) as { kind: string; items: KubeObject[] }
    expect(list.kind).toBe('List')
    expect(list.items.map(({ metadata }) => metadata.managedFields)).toEqual(list.items.map(() => undefined))
  })

  test.concurrent('an escape sequence in a cell is made visible', async () => {
    const { stdout } = await (await ready).weir(['get', 'cm', 'c', '-o', 'custom-columns=ESC:.data.esc'])
    expect(stdout).toBe('ESC\n^[[31mred\n')
  })
})

const withKubectl = kubectl ? describe : describe.skip

withKubectl('get prints what kubectl prints', () => {
  test.concurrent.each<[string[], string?]>([
    [['cm', '-A', '--show-labels']],
    [['cm', '-n', 'tenant', '-L', 'tier', '-L', 'example.com/zone']],
    [['cm,sites', '-n', 'tenant']],
    [['weir', '-A']],
    [['sites', '-A', '-o', 'wide']],
    [['hc', '-o', 'yaml']],
    [['hc', 'flash-100', '-o', 'json']],
    [['cm', 'a', '-n', 'tenant', '-o', 'yaml', '--show-managed-fields']],
    [['cm/a', 'site/fra1', '-n', 'tenant']],
    [['cm', 'a', 'nope', 'b', '-n', 'tenant']],
    [
      [
        'sites',
        '-A',
        '-o',
        'custom-columns=NAME:.metadata.name,P:spec.network.prefixes[*],X:.spec.nope,M:.metadata.labels,Z:.spec.network',
      ],
    ],
    [['cm', '-A', '-o', 'jsonpath={range .items[*]}{.metadata.namespace}{"\\t"}{.metadata.name}{"\\n"}{end}']],
    [['hc', '-o', 'jsonpath={.items[*].spec}']],
    [['hc', '--sort-by=.spec.storageBytes', '-o', 'name']],
    [['cm', '-n', 'tenant', '-l', 'tier=edge', '--show-kind']],
    [['crd']],
    [['ns', 'default', '-o', 'jsonpath={.metadata.labels.kubernetes\\.io/metadata\\.name}']],
    [['sites']],
    [['cm/a/b']],
    [['cm', '-A', '-l', '!']],
    [['cm', '-A', '--field-selector', 'nope=x']],
    [['cm', '-A', '-l', 'nope=x']],
    [['cm', '-A', '-l', 'nope=x', '-o', 'json']],
    [['cm', '-A', '-l', 'nope=x', '-o', 'custom-columns=N:.metadata.name']],
    [['cm', 'nope', '--ignore-not-found', '-o', 'yaml']],
    [['cm', '-n', 'tenant', '--server-print=false']],
    [['cm', '-n', 'tenant', '--no-headers']],
    [['cm', '-n', 'tenant', '-o', 'jsonpath-as-json={.items[*].metadata.labels}']],
    [['cm', '-n', 'tenant', '-o', 'jsonpath={.items[?(@.metadata.name=="a")].data}']],
    [['cm', '-n', 'tenant', '--sort-by={.metadata.uid}', '-o', 'name']],
    [['ap', 'fra1-a', '-n', 'tenant', '--subresource=status', '-o', 'yaml']],
    [['ap', '-n', 'tenant', '--subresource=status']],
    [['cm', 'a', '-n', 'tenant', '--subresource=status']],
    [['sites.v1alpha1.fleet.weir.dev', 'fra1', '-n', 'tenant', '-o', 'name']],
    [['--raw', '/api/v1/namespaces/default']],
    [['--raw', '/nope']],
    [['ns/default'], 'wait --for=jsonpath={.status.phase}=Active'],
    [['crd', 'sites.fleet.weir.dev'], 'wait --for=condition=Established -o name'],
    [['cm/nope'], 'wait --for=delete'],
    [['cm', '-l', 'nope=x'], 'wait --for=delete'],
    [['cm', '-l', 'nope=x'], 'wait --for=condition=Ready'],
    [['cm/a', '-n', 'tenant'], 'wait --for=create --for=jsonpath={.data.y}=2'],
    [[], 'events -n nothing-here'],
    [['--types=Nope'], 'events'],
  ])('%j %s', async (args, verb = 'get') => {
    const server = await ready
    // Ages grow; asked within the same second both say the same.
    for (let attempt = 1; ; attempt++) {
      const [ours, theirs] = await Promise.all([
        inProcess([...verb.split(' '), ...args], { env: { KUBECONFIG: server.kubeconfig } }),
        program(kubectl!, [...verb.split(' '), ...args, '--kubeconfig', server.kubeconfig]),
      ])
      if (ours.stdout !== theirs.stdout && attempt < 12) continue
      expect({ stdout: ours.stdout, stderr: ours.stderr }).toEqual({ stdout: theirs.stdout, stderr: theirs.stderr })
      return
    }
  })
})

describe('get --watch', () => {
  const watching = async (...args: string[]) =>
    start(['get', ...args], { env: { KUBECONFIG: (await ready).kubeconfig } })
  const touch = async (name: string, value: string) =>
    (await ready).client.patch(
      configMaps,
      { namespace: 'tenant', name },
      { type: 'merge', merge: { data: { value } } },
      { fieldManager: 'test' },
    )

  test('shows what there is, then each change under the same headers; Ctrl-C ends it with 130', async () => {
    const child = await watching('cm', '-n', 'tenant', '-l', 'own', '-w')
    const done = finished(child)
    await written(child, 'stdout', /^b /m)
    // Listened for before it is caused: what is written in between is not told again.
    const changed = written(child, 'stdout', /^b .*\n/m)
    await touch('b', 'one')
    await changed
    child.kill('SIGINT')
    const { code, stdout } = await done
    expect(code).toBe(130)
    expect(stdout).toMatch(/^NAME {3}DATA {3}AGE\na {6}\d+ {6}\S+\nb {6}1 {6}\S+\nb {6}2 {6}\S+\n$/)
  })

  test('of one object, only its changes, as names', async () => {
    const child = await watching('cm', 'a', '-n', 'tenant', '-w', '-o', 'name', '--output-watch-events')
    const done = finished(child)
    await written(child, 'stdout', /configmap\/a/)
    const changed = written(child, 'stdout', /configmap\/a/)
    await touch('b', 'two')
    await touch('a', 'two')
    await changed
    child.kill('SIGTERM')
    expect(await done).toEqual({ code: 130, stdout: 'configmap/a\nconfigmap/a\n', stderr: '' })
  })

  test('an object that does not exist is an error', async () => {
    expect(await (await ready).weir(['get', 'cm', 'nope', '-w'])).toEqual({
      code: 3,
      stdout: '',
      stderr: 'Error from server (NotFound): configmaps "nope" not found\n',
    })
  })

  test('ends when nobody reads any more', async () => {
    const child = await watching('cm', '-A', '-w', '-o', 'name')
    await written(child, 'stdout', /configmap/)
    child.stdout?.destroy()
    const done = finished(child)
    let ended = false
    const touching = (async () => {
      while (!ended) await touch('a', String(Math.random()))
    })()
    const { code, stderr } = await done
    ended = true
    await touching
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })
})
