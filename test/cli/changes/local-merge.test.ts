import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { ApiProxy } from '../../kube/api-proxy.ts'
import { untilAllowed } from '../../kube/until-allowed.ts'
import { Folder, startTestServer, type TestServer } from '../harness.ts'
import { inProcess } from '../in-process.ts'

// Asked of any server: what this program merges must be what the server would make of it.

jest.setTimeout(120_000)

let server: TestServer
let viewer: ApiProxy
let viewerConfig: string
const folder = new Folder()
const ns = `merge-${process.pid}`

const run = (args: readonly string[], input: string, KUBECONFIG = server.kubeconfig) =>
  inProcess(args, { input, env: { KUBECONFIG } })
async function applied(input: string): Promise<void> {
  const { code, stderr } = await run(['apply', '-f', '-', '--no-wait'], input)
  expect([code, stderr]).toEqual([0, ''])
}

beforeAll(async () => {
  server = await startTestServer()
  const impersonate = { user: 'vera', groups: [`${ns}-viewers`, 'system:authenticated'] }
  viewer = await ApiProxy.start({ kubeconfigPath: server.kubeconfig, impersonate })
  mkdirSync(join(folder.path, 'viewer'))
  viewerConfig = viewer.writeKubeconfig(join(folder.path, 'viewer', 'kubeconfig'))
  await applied(`apiVersion: v1
kind: Namespace
metadata: {name: ${ns}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ${ns}}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ${ns}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${ns}}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: ${ns}-viewers}]
`)
  await untilAllowed(server.client, impersonate, [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }])
})
afterAll(async () => {
  await server?.client.raw(`/api/v1/namespaces/${ns}`, { method: 'DELETE' })
  for (const kind of ['clusterroles', 'clusterrolebindings'])
    await server?.client.raw(`/apis/rbac.authorization.k8s.io/v1/${kind}/${ns}`, { method: 'DELETE' })
  await viewer?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const object = (apiVersion: string, kind: string, rest: string, namespaced = true) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${namespaced ? `m, namespace: ${ns}` : ns}}\n${rest}\n`

const CASES: readonly [reason: string, before: string, after: string][] = [
  [
    'a custom resource: atomic lists are replaced, what is left out falls back to its default',
    object(
      'fleet.weir.dev/v1alpha1',
      'Site',
      'spec: {country: DE, metro: FRA, tier: regional, fillWindows: [{start: "01:00", end: "02:00"}]}',
    ),
    object('fleet.weir.dev/v1alpha1', 'Site', 'spec: {country: DE, metro: FRA, network: {prefixes: [10.0.0.0/8]}}'),
  ],
  [
    'data come and go',
    object('v1', 'ConfigMap', 'data: {a: "1", b: "2"}'),
    object('v1', 'ConfigMap', 'data: {b: "3", c: "4"}'),
  ],
  [
    'a Secret’s texts',
    object('v1', 'Secret', 'data: {a: YQ==}'),
    object('v1', 'Secret', 'data: {a: Yg==}\nstringData: {b: c}'),
  ],
  [
    'rules of a role are one whole',
    object('rbac.authorization.k8s.io/v1', 'Role', 'rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]'),
    object(
      'rbac.authorization.k8s.io/v1',
      'Role',
      'rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, list]}]',
    ),
  ],
]

/** Of kinds that the embedded server does not have. */
const REAL: typeof CASES = [
  [
    'lists of maps that are told apart by keys',
    object(
      'v1',
      'Service',
      'spec: {selector: {a: b}, ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]}',
    ),
    object(
      'v1',
      'Service',
      'spec: {selector: {a: c}, ports: [{name: dns, port: 53, protocol: UDP}, {name: https, port: 443, protocol: TCP, targetPort: 443}]}',
    ),
  ],
  [
    'containers, their environment and ports',
    object(
      'apps/v1',
      'Deployment',
      'spec: {replicas: 2, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: one, image: x, env: [{name: A, value: "1"}, {name: B, value: "2"}]}]}}}',
    ),
    object(
      'apps/v1',
      'Deployment',
      'spec: {replicas: 3, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b, c: d}}, spec: {containers: [{name: one, image: y, env: [{name: B, value: "3"}]}]}}}',
    ),
  ],
]

test.each(process.env.WEIR_TEST_KUBECONFIG === undefined ? CASES : [...CASES, ...REAL])(
  '%s',
  async (_reason, before, after) => {
    await applied(before)
    const [asked, merged] = [
      await run(['diff', '-f', '-', '-o', 'json', '--show=all'], after),
      await run(['diff', '-f', '-', '-o', 'json', '--show=all'], after, viewerConfig),
    ]
    expect([asked.code, asked.stderr, merged.code]).toEqual([1, '', 1])
    expect(merged.stderr).toContain('merged here instead')
    const { changes } = JSON.parse(merged.stdout) as { changes: { source: string }[] }
    expect(changes.map(({ source }) => source)).toEqual(['local'])
    expect(merged.stdout.replaceAll('"source": "local"', '"source": "server"')).toBe(asked.stdout)
  },
)
