import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Body } from '../../../cli/changes/change.ts'
import type { Resolved } from '../../../cli/changes/resolve.ts'
import { sendAsSeen } from '../../../cli/changes/send-as-seen.ts'
import { sites } from '../../../controllers/resources.ts'
import type { JsonObject } from '../../../crds/metadata.ts'
import { type ConfigMap, configMaps, type Resource } from '../../../runtime/client/resource.ts'
import { freshNamespace } from '../../controllers/control-plane.ts'
import { ApiProxy } from '../../kube/api-proxy.ts'
import { Folder, startTestServer, type TestServer } from '../harness.ts'

jest.setTimeout(120_000)

let server: TestServer
let namespace: string
const folder = new Folder()
beforeAll(async () => {
  server = await startTestServer()
  namespace = await freshNamespace(server.client, 'as-seen')
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

describe('what is written to is what was looked at', () => {
  const key = (name: string) => ({ namespace, name })
  const manifest = (name: string, data: ConfigMap['data']): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace },
    data: data!,
  })
  const merge = (name: string, merge: JsonObject) =>
    server.client.patch(configMaps, key(name), { type: 'merge', merge })
  const hold = (name: string) => merge(name, { metadata: { finalizers: ['weir.dev/test'] } })

  test.each<[string, boolean, (name: string) => Promise<unknown>, string | undefined]>([
    ['nothing happens', true, async () => {}, undefined],
    ['there is still nothing', false, async () => {}, undefined],
    ['a controller holds on to it', true, hold, undefined],
    ['a value is another', true, (name) => merge(name, { data: { a: '9' } }), 'was changed'],
    ['a field is there that was not', true, (name) => merge(name, { data: { z: '9' } }), 'was changed'],
    ['a label is there', true, (name) => merge(name, { metadata: { labels: { a: '1' } } }), 'was changed'],
    ['it is gone', true, (name) => server.client.delete(configMaps, key(name)), 'was deleted'],
    [
      'it is going',
      true,
      async (name) => {
        await hold(name)
        await server.client.delete(configMaps, key(name))
      },
      'was changed',
    ],
    [
      'it was made anew, alike',
      true,
      async (name) => {
        await server.client.delete(configMaps, key(name))
        await server.client.create(configMaps, manifest(name, { a: '1' }), { fieldManager: 'weir' })
      },
      'was made again',
    ],
    [
      'somebody has made it',
      false,
      (name) => server.client.create(configMaps, manifest(name, {}), { fieldManager: 'other' }),
      'was added',
    ],
  ])('%s', async (why, exists, happens, refused) => {
    const name = why.replaceAll(/[^a-z]+/g, '-')
    const how = { fieldManager: 'weir', take: [], dryRun: false, signal: new AbortController().signal }
    const before = exists ? await server.client.apply(configMaps, manifest(name, { a: '1' }), how) : undefined
    await happens(name)
    const there = await server.client.find(configMaps, key(name))
    const resource = { ...configMaps, subresources: [] } as unknown as Resolved['resource']
    const resolved = { resource, object: manifest(name, { a: '2' }) } as unknown as Resolved
    const sent = sendAsSeen(server.client, { resolved, before: before as Body | undefined }, how)
    if (refused === undefined) expect(await sent).toMatchObject({ data: { a: '2' } })
    else {
      await expect(sent).rejects.toMatchObject({
        code: 6,
        message: `${refused} since the plan was checked: the plan is stale`,
      })
      expect(await server.client.find(configMaps, key(name))).toEqual(there)
    }
    if (there?.metadata.finalizers) await merge(name, { metadata: { finalizers: null } })
  })
})

test('a saved plan stops at what has changed since it was checked: exit 6, with what was done and what not', async () => {
  const site = (name: string, parent?: string) =>
    `apiVersion: fleet.weir.dev/v1alpha1\nkind: Site\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {country: DE, metro: x, parents: [${parent ? `{name: ${parent}}` : ''}]}\n`
  const config = (value: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: first, namespace: ${namespace}}\ndata: {a: "${value}"}\n`
  const all = [site('s1'), site('s2', 's1'), site('s3', 's2')]
  const before = [config('1'), ...all].join('---\n')
  expect(await server.weir(['apply', '-f', '-', '--no-wait'], { input: before })).toMatchObject({ code: 0 })
  const input = [config('2'), ...all.map((text) => text.replace('metro: x', 'metro: y'))].join('---\n')
  const plan = join(folder.path, 'plan.json')
  expect(await server.weir(['plan', '-f', '-', '--out', plan, '--exit-code=false'], { input })).toMatchObject({
    code: 0,
  })

  await using proxy = await ApiProxy.start({ kubeconfigPath: server.kubeconfig })
  let changes: Promise<unknown> | undefined
  // The ConfigMap is written first: by then everything was checked. A report of s1 is nobody's decision, the country of s2 is.
  proxy.fault = ({ verb, dryRun }) => {
    if (verb !== 'patch' || dryRun || changes) return undefined
    const status = { status: { appliances: { total: 1, online: 1, ready: 1 } } }
    const report = {
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'Site',
      metadata: { name: 's1', namespace },
      ...status,
    } as unknown as Body
    changes = Promise.all([
      server.client.applyStatus(sites as unknown as Resource, report, { fieldManager: 'test' }),
      server.client.patch(sites, { namespace, name: 's2' }, { type: 'merge', merge: { spec: { country: 'NL' } } }),
    ])
    return { type: 'hold', until: changes }
  }
  const env = { KUBECONFIG: proxy.writeKubeconfig(join(folder.path, 'held')) }
  const { code, stdout, stderr } = await server.weir(['apply', '--plan', plan, '--no-wait'], { env })
  await changes
  expect(stderr).toBe(
    'applied: configmap/first, site.fleet.weir.dev/s1\n' +
      'not applied: site.fleet.weir.dev/s2, site.fleet.weir.dev/s3\n' +
      'Plan again to go on from here.\n' +
      'site.fleet.weir.dev/s2: was changed since the plan was checked: the plan is stale\n',
  )
  expect([code, stdout]).toEqual([6, 'configmap/first configured\nsite.fleet.weir.dev/s1 configured\n'])
  const metros = await Promise.all(['s1', 's2', 's3'].map((name) => server.client.get(sites, { namespace, name })))
  expect(metros.map(({ spec }) => spec.metro)).toEqual(['y', 'x', 'x'])
})

test.each<[string, number, JsonObject, number]>([
  ['somebody decides otherwise before its managers are rewritten', 2, { data: { z: '9' } }, 6],
  ['somebody decides otherwise before it is applied again', 3, { data: { z: '9' } }, 6],
  ['a controller holds on to it before it is applied again', 3, { metadata: { finalizers: ['weir.dev/test'] } }, 0],
])('fields of client-side apply become ours by a saved plan: %s', async (why, write, merge, code) => {
  const name = why.replaceAll(/[^a-z]+/g, '-')
  const key = { namespace, name }
  const head = { apiVersion: 'v1', kind: 'ConfigMap' } as const
  const old = { ...head, metadata: { ...key }, data: { a: '1', b: '2' } }
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(old)}\n` }
  await server.client.create(
    configMaps,
    { ...old, metadata: { ...key, annotations } },
    { fieldManager: 'kubectl-client-side-apply' },
  )
  const plan = join(folder.path, `${name}.json`)
  const input = JSON.stringify({ ...old, data: { a: '1' } })
  expect(await server.weir(['plan', '-f', '-', '--out', plan, '--exit-code=false'], { input })).toMatchObject({
    code: 0,
  })
  await using proxy = await ApiProxy.start({ kubeconfigPath: server.kubeconfig })
  let writes = 0
  proxy.fault = ({ verb, resource, dryRun }) => {
    if (verb !== 'patch' || resource !== 'configmaps' || dryRun || ++writes !== write) return undefined
    return { type: 'hold', until: server.client.patch(configMaps, key, { type: 'merge', merge }) }
  }
  const env = { KUBECONFIG: proxy.writeKubeconfig(join(folder.path, `${name}.yaml`)) }
  const applied = await server.weir(['apply', '--plan', plan, '--no-wait'], { env })
  expect([applied.code, applied.stderr.includes('was changed since the plan was checked')]).toEqual([code, code === 6])
  const { data } = await server.client.get(configMaps, key)
  // By then it had been applied once; what others wrote stays, and what the manifest lost goes only with the second time.
  expect(data).toEqual(code === 0 ? { a: '1' } : { a: '1', b: '2', z: '9' })
  if (code === 0)
    await server.client.patch(configMaps, key, { type: 'merge', merge: { metadata: { finalizers: null } } })
})
