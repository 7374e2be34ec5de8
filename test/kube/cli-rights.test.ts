import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import type { KubeObject } from '../../crds/metadata.ts'
import { configMaps, type Resource } from '../../runtime/client/resource.ts'
import { Folder, startTestServer, type TestServer } from '../cli/harness.ts'
import { inProcess } from '../cli/in-process.ts'
import { freshNamespace } from '../controllers/control-plane.ts'
import { type Rule, untilAllowed } from './until-allowed.ts'

jest.setTimeout(120_000)

let server: TestServer
let namespace: string
const folder = new Folder()

const core = (...verbs: string[]): Rule => ({ apiGroups: [''], resources: ['configmaps', 'secrets'], verbs })
const fleet = (...verbs: string[]): Rule => ({
  apiGroups: ['fleet.weir.dev'],
  resources: ['sites', 'appliances', 'hardwareclasses', 'assignments'],
  verbs,
})
/** Who may do what; `stranger` nothing. */
const roles: Readonly<Record<string, readonly Rule[]>> = {
  reader: [core('get', 'list'), fleet('get', 'list')],
  patcher: [core('get', 'list', 'patch')],
  keeper: [core('get', 'list', 'patch', 'create', 'update')],
}

beforeAll(async () => {
  server = await startTestServer()
  namespace = await freshNamespace(server.client, 'rights')
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const make = (kind: string, plural: string, object: object) => {
    const resource: Resource = { group: 'rbac.authorization.k8s.io', version: 'v1', kind, plural, namespaced: false }
    return server.client.apply(resource, { apiVersion, kind, ...object } as KubeObject, {
      fieldManager: 'test',
      force: true,
    })
  }
  await Promise.all(
    Object.entries(roles).map(async ([role, rules]) => {
      const metadata = { name: userOf(role) }
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: userOf(role) }
      const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: userOf(role) }]
      await make('ClusterRole', 'clusterroles', { metadata, rules })
      await make('ClusterRoleBinding', 'clusterrolebindings', { metadata, roleRef, subjects })
      await untilAllowed(server.client, { user: userOf(role), groups: ['system:authenticated'] }, rules)
    }),
  )
  expect(await run('apply', 'admin', '--no-wait')).toMatchObject({ code: 0 })
  expect(await run('apply', 'keeper', '--no-wait', '--applyset=ours', ...members('kept', 'lost'))).toMatchObject({
    code: 0,
  })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const userOf = (role: string) => `${role}-${namespace}`
const config = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: ${namespace}}\ndata: {a: "${value}"}\n`
const members = (...names: string[]) => [
  '-f',
  folder.file(`${names.join('-')}.yaml`, names.map((name) => config(name, '1')).join('---\n')),
]

/** A verb as somebody, of one ConfigMap that is there and one that is not unless other manifests are named. */
async function run(verb: string, role: string, ...args: string[]) {
  const files = args.includes('-f') ? [] : ['-f', '-']
  const input = config('there', role === 'admin' ? '1' : '2') + (role === 'admin' ? '' : `---\n${config('new', '1')}`)
  const as = role === 'admin' ? [] : ['--as', userOf(role)]
  const env = { KUBECONFIG: server.kubeconfig, XDG_CACHE_HOME: join(folder.path, 'cache') }
  const { code, stdout, stderr } = await inProcess([verb, ...files, '-n', namespace, ...as, ...args], { env, input })
  const plain = (text: string) => text.replaceAll(namespace, 'NS')
  return { code, stdout: plain(stdout), stderr: plain(stderr) }
}

const forbidden = (name: string, role: string, verb: string) =>
  `Error from server (Forbidden): configmaps "${name}" is forbidden: User "${role}-NS" cannot ${verb} resource "configmaps" in API group "" in the namespace "NS"\n`
const localNote =
  'note: you may not apply configmaps in namespace "NS": merged here instead, without the server\'s admission and defaults of built-in kinds\n'

test.each<[string, string, string[], number, string | RegExp]>([
  [
    'apply',
    'stranger',
    [],
    3,
    /^Error from server \(Forbidden\): configmaps "(there|new)" is forbidden: User "stranger-NS" cannot get resource "configmaps"/,
  ],
  [
    'apply',
    'reader',
    [],
    3,
    `${forbidden('new', 'reader', 'patch')}${forbidden('there', 'reader', 'patch')}error: nothing was applied\n`,
  ],
  ['apply', 'patcher', [], 3, `${forbidden('new', 'patcher', 'create')}error: nothing was applied\n`],
  [
    'diff',
    'stranger',
    [],
    3,
    /^Error from server \(Forbidden\): configmaps "(there|new)" is forbidden: User "stranger-NS" cannot get resource "configmaps"/,
  ],
  ['diff', 'reader', [], 1, localNote],
  ['diff', 'patcher', [], 1, localNote],
  [
    'plan',
    'stranger',
    [],
    3,
    /^Error from server \(Forbidden\): \S+ .*is forbidden: User "stranger-NS" cannot (get|list) resource "\w+"/,
  ],
  ['plan', 'reader', [], 1, localNote],
  ['delete', 'keeper', [], 3, /cannot delete resource "configmaps" in API group "" in the namespace "NS"/],
])('%s as %s %j: %d, and what is missing is named', async (verb, role, args, code, stderr) => {
  const result = await run(verb, role, ...(verb === 'apply' ? ['--no-wait'] : []), ...args)
  const sorted = typeof stderr === 'string' ? { ...result, stderr: sortedLines(result.stderr) } : result
  expect(sorted).toMatchObject({ code, stderr: typeof stderr === 'string' ? stderr : expect.stringMatching(stderr) })
  if (verb === 'plan' && code !== 3)
    expect(result.stdout).toMatch(
      /note: the fleet cannot be read: [\w.]+ is forbidden: User "reader-NS" cannot list resource "\w+" in API group "[\w.]*"/,
    )
  const { items } = await server.client.list(configMaps, { namespace })
  expect(
    items.map(({ metadata, data }) => `${metadata.name} ${data?.a}`).filter((text) => /^(there|new)/.test(text)),
  ).toEqual(['there 1'])
})

/** Refusals by name: answers come in any order. */
const sortedLines = (text: string) =>
  text
    .split('\n')
    .toSorted((a, b) => Number(a.startsWith('error:')) - Number(b.startsWith('error:')) || (a < b ? -1 : 1))
    .filter((line) => line !== '')
    .map((line) => `${line}\n`)
    .join('')

test('who may not delete is told before anything is applied', async () => {
  const changed = folder.file('changed.yaml', config('kept', '2'))
  const pruned = await run('apply', 'keeper', '--no-wait', '--applyset=ours', '--prune', '--yes', '-f', changed)
  expect(pruned).toEqual({
    code: 3,
    stdout: '',
    stderr:
      'error: you cannot delete resource "configmaps" in API group "" in the namespace "NS", which --prune would: configmap/lost\nerror: nothing was applied\n',
  })
  const kept = await server.client.get(configMaps, { namespace, name: 'kept' })
  expect(kept.data).toEqual({ a: '1' })
})
