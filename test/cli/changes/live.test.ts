import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Connection } from '../../../cli/api/connect.ts'
import { discover } from '../../../cli/api/discovery.ts'
import { resourceOfKind } from '../../../cli/api/mapping.ts'
import { liveKey, liveObjects } from '../../../cli/changes/live.ts'
import type { Resolved } from '../../../cli/changes/resolve.ts'
import { parseManifests } from '../../../cli/manifests/manifest.ts'
import { SourceText } from '../../../cli/manifests/source-text.ts'
import { Client } from '../../../runtime/client/client.ts'
import { loadKubeconfig } from '../../../runtime/client/kubeconfig.ts'
import { configMaps, namespaces } from '../../../runtime/client/resource.ts'
import { ApiProxy } from '../../kube/api-proxy.ts'
import { Folder, startTestServer, type TestServer } from '../harness.ts'

const MANY = 1100
let server: TestServer
let proxy: ApiProxy
let connection: Connection
const folder = new Folder()

beforeAll(async () => {
  server = await startTestServer()
  proxy = await ApiProxy.start({ kubeconfigPath: server.kubeconfig })
  const access = await loadKubeconfig({ path: proxy.writeKubeconfig(`${folder.path}/kubeconfig`) })
  connection = { client: new Client({ access }), namespace: 'many', namespaceGiven: false }
  await server.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'many' } })
  const names = Array.from({ length: MANY }, (_, i) => `c${String(i).padStart(4, '0')}`)
  await Promise.all(
    names.map((name) =>
      server.client.create(configMaps, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: 'many' },
        data: { name },
      }),
    ),
  )
})
afterAll(async () => {
  connection?.client.close()
  await proxy?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

async function read(names: readonly string[]) {
  const discovery = await discover(connection.client)
  const set = names.map((name): Resolved => {
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: many}\n`
    const [manifest] = parseManifests(new SourceText('f', text)).manifests
    const resource = resourceOfKind(discovery, 'v1', 'ConfigMap')!
    return { manifest: manifest!, resource, object: manifest!.object, late: false }
  })
  const from = proxy.seen.length
  const found = await liveObjects(connection, set, new AbortController().signal)
  const asked = proxy.seen.slice(from).map(({ verb, name }) => (name === '' ? verb : `${verb} ${name}`))
  return { found: set.map((one) => found.get(liveKey(one))?.metadata.name), asked: asked.sort() }
}

test.each<[string, string[], string[]]>([
  ['one: a list that its name selects', ['c0003'], ['list']],
  ['some, all on the first page: no more pages', ['c0001', 'c0400', 'c0499'], ['list']],
  ['some that are further on: one by one', ['c0001', 'c1050', 'nobody'], ['get c1050', 'get nobody', 'list']],
])('of a large collection %s', async (_reason, names, asked) => {
  expect(await read(names)).toEqual({ found: names.map((name) => (name === 'nobody' ? undefined : name)), asked })
})

test('of a large collection most: page by page', async () => {
  const names = Array.from({ length: 200 }, (_, i) => `c${String(i + 900).padStart(4, '0')}`)
  expect(await read(names)).toEqual({ found: names, asked: ['list', 'list', 'list'] })
})

test('where listing is not allowed, one by one', async () => {
  proxy.fault = ({ verb }) => (verb === 'list' ? { type: 'answer', status: 403, reason: 'Forbidden' } : undefined)
  const { found, asked } = await read(['c0001', 'c0002', 'nobody'])
  proxy.fault = undefined
  expect(found).toEqual(['c0001', 'c0002', undefined])
  expect(asked).toEqual(['get c0001', 'get c0002', 'get nobody', 'list'])
})
