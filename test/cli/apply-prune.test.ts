import { join } from 'node:path'
import { describe, expect, jest, test } from '@jest/globals'
import type { ApplyEvent } from '../../cli/apply/events.ts'
import { sites } from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { type ConfigMap, configMaps, type Resource, secrets } from '../../runtime/client/resource.ts'
import { ApiProxy } from '../kube/api-proxy.ts'
import { kubectl, program } from './harness.ts'
import { suite } from './suite.ts'

jest.setTimeout(120_000)

const here = suite()
const { folder } = here

const namespace = (name: string) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`
const config = (name: string, ns: string, annotations?: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: ${ns}${annotations ? `, annotations: ${annotations}` : ''}}\ndata: {a: "1"}\n`
const secret = (name: string, ns: string, value: string) =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: ${ns}}\nstringData: {password: ${value}}\n`
const site = (name: string, ns: string, parents = '[]') =>
  `apiVersion: fleet.weir.dev/v1alpha1\nkind: Site\nmetadata: {name: ${name}, namespace: ${ns}}\nspec: {country: DE, metro: x, parents: ${parents}}\n`
const all = (...documents: string[]) => documents.join('---\n')

const apply = (input: string, ...args: string[]) =>
  here.server.weir(['apply', '-f', '-', '--no-wait', ...args], { input })
const events = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ApplyEvent)
const inventory = (name: string, ns = 'default') => here.server.client.get(secrets, { namespace: ns, name })

describe('a set', () => {
  const ours = ['--applyset=flow']
  const first = all(
    namespace('flow-a'),
    namespace('flow-b'),
    secret('s', 'flow-a', 'hunter2'),
    config('keep', 'flow-a', '{weir.dev/prune: disabled}'),
    config('argo', 'flow-a', '{argocd.argoproj.io/sync-options: "Validate=false,Prune=false"}'),
    site('leaf', 'flow-b', '[{name: root}]'),
    site('root', 'flow-b'),
    config('stay', 'flow-b'),
  )
  const left = all(namespace('flow-a'), config('stay', 'flow-b'))

  test('is what its inventory says it is, to every tool that knows ApplySets', async () => {
    const { code, stdout, stderr } = await apply(first, ...ours)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.match(/site\S+ created/g)).toEqual([
      'site.fleet.weir.dev/root created',
      'site.fleet.weir.dev/leaf created',
    ])
    const { metadata } = await inventory('flow')
    // The id of secret "flow" in "default", as kubectl 1.36 writes it.
    const id = 'applyset-4W-c7wY8LDNiKpZCzOaOTVNJTftqOu2kgmAdgk0GkUQ-v1'
    expect(metadata.labels).toEqual({ 'applyset.kubernetes.io/id': id })
    expect(metadata.annotations).toEqual({
      'applyset.kubernetes.io/tooling': 'weir/v1',
      'applyset.kubernetes.io/contains-group-kinds': 'ConfigMap,Namespace,Secret,Site.fleet.weir.dev',
      'applyset.kubernetes.io/additional-namespaces': 'flow-a,flow-b',
    })
    const stay = await here.server.client.get(configMaps, { namespace: 'flow-b', name: 'stay' })
    expect(stay.metadata.labels).toEqual({ 'applyset.kubernetes.io/part-of': id })
  })

  test.each<[string, string[], number, RegExp]>([
    ['deletes nothing where nobody agreed to it', ['--prune'], 2, /3 objects would be deleted; pass --yes/],
    ['deletes no more than it may', ['--prune', '--yes', '--max-deletes=2'], 5, /3 objects .* --max-deletes is 2/],
    ['deletes nothing in a dry run', ['--prune', '--dry-run=server'], 0, /3 to delete, 3 kept, 2 unchanged/],
  ])('%s', async (_, args, code, stderr) => {
    const result = await apply(left, ...ours, ...args)
    expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(stderr)])
    expect(result.stderr).toContain('- secret/s in flow-a\n')
    expect(await here.server.client.find(secrets, { namespace: 'flow-a', name: 's' })).toBeDefined()
  })

  test('is never pruned of everything by empty input, nor after an error', async () => {
    const empty = await apply('# nothing\n', ...ours, '--prune', '--yes')
    expect([empty.code, empty.stdout]).toEqual([5, ''])
    expect(empty.stderr).toMatch(/^error: there is no object in the files, and --prune would delete all/)
    await using proxy = await ApiProxy.start({ kubeconfigPath: here.server.kubeconfig })
    proxy.fault = ({ verb, dryRun, name }) =>
      verb === 'patch' && !dryRun && name === 'stay'
        ? { type: 'answer', status: 500, reason: 'InternalError' }
        : undefined
    const env = { KUBECONFIG: proxy.writeKubeconfig(join(folder.path, 'failing')) }
    const input = left.replace('a: "1"', 'a: "2"')
    const failed = await here.server.weir(['apply', '-f', '-', ...ours, '--prune', '--yes'], { input, env })
    expect([failed.code, failed.stdout]).toEqual([3, 'namespace/flow-a unchanged\n'])
    expect(failed.stderr).toContain('applied: namespace/flow-a\nnot applied: configmap/stay\n')
    expect(proxy.seen.filter(({ verb }) => verb === 'delete')).toEqual([])
  })

  test('is pruned last and in reverse; what is protected stays and is said; no Secret is shown in any format', async () => {
    const dry = await apply(left, ...ours, '--prune', '--dry-run=server', '-o', 'json')
    const { code, stdout, stderr } = await apply(left, ...ours, '--prune', '--yes', '--max-deletes=3')
    expect(code).toBe(0)
    expect(stdout).toBe(
      'namespace/flow-a unchanged\nconfigmap/stay unchanged\nsite.fleet.weir.dev/leaf pruned\nsite.fleet.weir.dev/root pruned\nsecret/s pruned\n',
    )
    expect(stderr).toContain('configmap/keep kept: it has the annotation weir.dev/prune: disabled\n')
    expect(stderr).toContain(
      'configmap/argo kept: it has the annotation argocd.argoproj.io/sync-options: Prune=false\n',
    )
    expect(stderr).toContain('namespace/flow-b kept: it holds ConfigMap stay, which is to stay\n')
    const pruned = events(dry.stdout).filter((event) => event.type === 'pruned')
    expect(pruned.map(({ object, action }) => `${object.kind}/${object.name} ${action}`).sort()).toEqual([
      'ConfigMap/argo kept',
      'ConfigMap/keep kept',
      'Namespace/flow-b kept',
      'Secret/s deleted',
      'Site/leaf deleted',
      'Site/root deleted',
    ])
    const yaml = await apply(all(left, secret('t', 'flow-a', 'hunter2')), ...ours, '-o', 'yaml')
    const gone = await apply(left, ...ours, '--prune', '--yes', '-o', 'name')
    expect(gone.stdout).toBe('namespace/flow-a\nconfigmap/stay\nsecret/t\n')
    const shown = [dry, { stdout, stderr }, yaml, gone].map((each) => each.stdout + each.stderr).join('')
    expect(yaml.stdout).toContain("password: '***'")
    expect(shown).not.toMatch(/hunter2|aHVudGVyMg/)
    // What is kept is still looked for next time.
    expect((await inventory('flow')).metadata.annotations).toMatchObject({
      'applyset.kubernetes.io/contains-group-kinds': 'ConfigMap,Namespace',
      'applyset.kubernetes.io/additional-namespaces': 'flow-a,flow-b',
    })
  })

  test('has its members for itself', async () => {
    const other = await apply(config('stay', 'flow-b'), '--applyset=other')
    expect([other.code, other.stdout]).toEqual([4, ''])
    expect(other.stderr).toMatch(
      /^error: configmap\/stay is part of another ApplySet, applyset-\S+\n.*nothing was applied/,
    )
    const without = await apply(config('stay', 'flow-b'), '--dry-run=server')
    expect(without.stderr).toMatch(/^Warning: without --applyset, configmap\/stay will leave the ApplySet applyset-/)
    const field = '.metadata.labels.applyset.kubernetes.io/part-of'
    const taken = await apply(config('stay', 'flow-b'), '--applyset=other', `--force-conflicts=${field}`)
    expect(taken.stdout).toBe('configmap/stay configured\n')
  })

  test.each<[string, string[], number, RegExp]>([
    ['needs a name to prune', ['--prune'], 2, /--prune needs --applyset=NAME/],
    ['takes no Secret that is something else', ['--applyset=plain'], 4, /secret\/plain exists and is no ApplySet/],
    [
      'has a parent of a kind that may be one',
      ['--applyset=sites/x'],
      2,
      /a site\.fleet\.weir\.dev cannot be the parent/,
    ],
    ['has its parent in a namespace', ['--applyset=x', '-n', 'nowhere'], 3, /namespace "nowhere" of secret\/x/],
    [
      'is set by the flag alone',
      ['--applyset=x'],
      2,
      /:4:62: error: metadata.labels\[.*part-of\]: is what --applyset sets/,
    ],
  ])('%s', async (what, args, code, stderr) => {
    if (what.includes('something else'))
      await here.server.client.create(secrets, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'plain', namespace: 'default' },
      })
    const label = what.includes('flag alone') ? ', labels: {applyset.kubernetes.io/part-of: x}' : ''
    const kind = args.includes('nowhere') ? 'Namespace' : 'ConfigMap'
    const input = `\napiVersion: v1\nkind: ${kind}\nmetadata: {name: c${label}}\n`
    const result = await apply(input, ...args)
    expect([result.code, result.stdout, result.stderr]).toEqual([code, '', expect.stringMatching(stderr)])
  })
})

test('what changes after it was looked at is not pruned, unless it is only its status', async () => {
  await apply(all(config('c', 'default'), site('s', 'default')), '--applyset=race')
  await using proxy = await ApiProxy.start({ kubeconfigPath: here.server.kubeconfig })
  const key = { namespace: 'default', name: 'c' }
  const merge = { data: { a: '2' } }
  const status = {
    apiVersion: 'fleet.weir.dev/v1alpha1',
    kind: 'Site',
    metadata: { name: 's', namespace: 'default' },
    status: { appliances: { total: 1, online: 1, ready: 1 } },
  } as unknown as KubeObject
  const changes: Promise<unknown>[] = []
  proxy.fault = ({ verb, dryRun }) => {
    if (verb !== 'delete' || dryRun || changes.length > 0) return undefined
    changes.push(
      here.server.client.patch(configMaps, key, { type: 'merge', merge }),
      here.server.client.applyStatus(sites as unknown as Resource<KubeObject>, status, { fieldManager: 'test' }),
    )
    return { type: 'delay', ms: 300 }
  }
  const env = { KUBECONFIG: proxy.writeKubeconfig(join(folder.path, 'race')) }
  const args = ['apply', '-f', '-', '--no-wait', '--applyset=race', '--prune', '--yes']
  // Sites go first, so that the ConfigMap is changed well before its turn.
  const input = config('d', 'default')
  const raced = await here.server.weir(args, { input, env })
  await Promise.all(changes)
  expect(raced.stdout).toBe('configmap/d created\nsite.fleet.weir.dev/s pruned\n')
  expect(raced.stderr).toContain('configmap/c kept: it was changed in the meantime\n')
  expect(raced.code).toBe(3)
  expect((await here.server.weir(args, { input })).stdout).toBe('configmap/d unchanged\nconfigmap/c pruned\n')
})

test('a saved plan is applied exactly, deletions included, without asking; a stale one is exit 6 and writes nothing', async () => {
  const save = (input: string, file: string, ...args: string[]) =>
    here.server.weir(['plan', '-f', '-', '--out', join(folder.path, file), '--exit-code=false', ...args], { input })
  const run = (file: string, ...args: string[]) =>
    here.server.weir(['apply', '--plan', join(folder.path, file), '--no-wait', ...args])
  const secretFile = folder.file('secret.yaml', secret('hidden', 'default', 'hunter2'))
  await apply(all(config('p1', 'default'), config('p2', 'default')), '--applyset=planned')
  const input = all(config('p1', 'default'), secret('hidden', 'default', 'hunter2'))
  expect((await save(input, 'prune.json', '--applyset=planned', '--prune')).code).toBe(0)
  const without = await run('prune.json')
  expect([without.code, without.stderr]).toEqual([2, expect.stringMatching(/keeps no secrets: .* Secret hidden again/)])
  expect((await run('prune.json', '-f', secretFile)).stdout).toBe(
    'configmap/p1 unchanged\nsecret/hidden created\nconfigmap/p2 pruned\n',
  )
  const stale = await run('prune.json', '-f', secretFile)
  expect([stale.code, stale.stdout]).toEqual([6, ''])
  expect(stale.stderr).toMatch(/is stale; nothing was applied.*\n(.*\n)* {2}ConfigMap default\/p2 was deleted\n/)
  expect((await save('', 'refused.json', '--delete', '-f', secretFile, '--max-deletes=0')).code).toBe(5)
  expect((await run('refused.json')).code).toBe(5)
  expect((await run('refused.json', '--prune')).code).toBe(2)
  const fill = await apply(config('p1', 'default'), '--applyset=planned', '--max-fill=1TiB', '--max-drain=10%')
  expect([fill.code, fill.stdout]).toEqual([0, 'configmap/p1 unchanged\n'])
})

test('fields of client-side apply become ours, and what the manifest has lost goes', async () => {
  const before: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'm', namespace: 'default', labels: { a: '1', b: '2' } },
    data: { a: '1', b: '2' },
  }
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(before)}\n` }
  const applied = { ...before, metadata: { ...before.metadata, annotations } }
  await here.server.client.create(configMaps, applied, { fieldManager: 'kubectl-client-side-apply' })
  const input = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, labels: {a: "1"}}\ndata: {a: "1"}\n'
  const dry = events((await apply(input, '--dry-run=server', '-o', 'json')).stdout)
  expect(dry[0]).toMatchObject({
    type: 'planned',
    action: 'update',
    fields: [
      { path: 'data.b', before: '2', after: null, manager: 'kubectl-client-side-apply' },
      { path: 'metadata.labels.b', before: '2', after: null },
    ],
  })
  const again = before.metadata.labels!
  const same = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, labels: ${JSON.stringify(again)}}\ndata: {a: "1", b: "2"}\n`
  expect(await here.server.weir(['diff', '-f', '-'], { input: same })).toMatchObject({ code: 0, stdout: '' })
  const diff = await here.server.weir(['diff', '-f', '-', '--show=all'], { input })
  expect([diff.code, diff.stdout.match(/^[-+#] .*$/gm)]).toEqual([
    1,
    [
      '-  b: "2"',
      '-    b: "2"',
      '# data.b             yours, from kubectl-client-side-apply  2 → -  <stdin>:4:1',
      '# metadata.labels.b  yours, from kubectl-client-side-apply  2 → -  <stdin>:3:21',
    ],
  ])
  const plan = await here.server.weir(['plan', '-f', '-'], { input })
  expect([plan.code, plan.stdout]).toEqual([
    1,
    '1 to change; nothing in the fleet moves\n~ ConfigMap/m data.b: 2 → -                   <stdin>:4:1\n~ ConfigMap/m metadata.labels.b: 2 → -        <stdin>:3:21\n',
  ])
  expect((await apply(input)).stdout).toBe('configmap/m configured\n')
  const { data, metadata } = await here.server.client.get(configMaps, { namespace: 'default', name: 'm' })
  expect([data, metadata.labels, metadata.annotations]).toEqual([{ a: '1' }, { a: '1' }, undefined])
  expect(metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([['weir', 'Apply']])
  expect((await apply(input)).stdout).toBe('configmap/m unchanged\n')
})

const withKubectl = kubectl === undefined ? test.skip : test
withKubectl(
  'kubectl and Weir prune each other’s sets once the tooling says that they are theirs, and not before',
  async () => {
    const run = (args: readonly string[], input = '') =>
      program(kubectl!, args, { input, env: { KUBECONFIG: here.server.kubeconfig, KUBECTL_APPLYSET: 'true' } })
    const kubectlApply = (input: string) =>
      run(['apply', '--server-side', '--prune', '--applyset=shared', '-n', 'default', '-f', '-'], input)
    const weirApply = (input: string) => apply(input, '--applyset=shared', '--prune', '--yes')
    const tooling = (tool: string) =>
      here.server.client.patch(
        secrets,
        { namespace: 'default', name: 'shared' },
        { type: 'merge', merge: { metadata: { annotations: { 'applyset.kubernetes.io/tooling': tool } } } },
      )
    const [one, two] = [config('one', 'default'), config('two', 'default')]
    await weirApply(all(one, two, site('three', 'default')))
    expect((await kubectlApply(one)).stderr).toMatch(/is managed by tooling "weir" instead of "kubectl"/)
    await tooling('kubectl/v1.36')
    // kubectl goes through a set's kinds in any order.
    expect((await kubectlApply(one)).stdout.split('\n').sort()).toEqual([
      '',
      'configmap/one serverside-applied',
      'configmap/two pruned',
      'site.fleet.weir.dev/three pruned',
    ])
    await kubectlApply(all(one, two))
    const refused = await weirApply(two)
    expect([refused.code, refused.stderr]).toEqual([
      4,
      'error: secret/shared is an ApplySet of the tool "kubectl", which alone may change it; nothing was applied\n',
    ])
    await tooling('weir/v1')
    expect((await weirApply(two)).stdout).toMatch(/configmap\/one pruned\n$/)
    const items = await here.server.client.list(configMaps, {
      namespace: 'default',
      labelSelector: 'applyset.kubernetes.io/part-of',
    })
    expect(items.items.map(({ metadata }) => metadata.name)).toEqual(expect.not.arrayContaining(['one']))
  },
)
