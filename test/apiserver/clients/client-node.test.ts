import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  ApiextensionsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  type V1ConfigMap,
  Watch,
} from '@kubernetes/client-node'
import { TestServer } from '../support/test-server.ts'
import { widget, widgetCrd } from '../support/widgets.ts'

let server: TestServer
const config = new KubeConfig()
beforeAll(async () => {
  server = await TestServer.start()
  config.loadFromFile(server.server.kubeconfigPath)
})
afterAll(() => server.stop())

test('typed clients create, read, list, replace and delete', async () => {
  const core = config.makeApiClient(CoreV1Api)
  const body: V1ConfigMap = { metadata: { name: 'typed' }, data: { a: '1' } }
  const made = await core.createNamespacedConfigMap({ namespace: 'default', body })
  expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date)
  const list = await core.listNamespacedConfigMap({ namespace: 'default', fieldSelector: 'metadata.name=typed' })
  expect(list.items.map((i) => i.data)).toEqual([{ a: '1' }])
  const replaced = await core.replaceNamespacedConfigMap({
    name: 'typed',
    namespace: 'default',
    body: { ...made, data: { a: '2' } },
  })
  expect(replaced.data).toEqual({ a: '2' })
  await expect(
    core.replaceNamespacedConfigMap({ name: 'typed', namespace: 'default', body: made }),
  ).rejects.toMatchObject({ code: 409 })
  await core.deleteNamespacedConfigMap({ name: 'typed', namespace: 'default' })
  await expect(core.readNamespacedConfigMap({ name: 'typed', namespace: 'default' })).rejects.toMatchObject({
    code: 404,
  })
})

test('CRDs and custom resources', async () => {
  const crds = config.makeApiClient(ApiextensionsV1Api)
  await crds.createCustomResourceDefinition({ body: widgetCrd as never })
  const custom = config.makeApiClient(CustomObjectsApi)
  const at = { group: 'example.com', version: 'v1', namespace: 'default', plural: 'widgets' }
  await custom.createNamespacedCustomObject({ ...at, body: widget('w', { replicas: 2 }) })
  const read = (await custom.getNamespacedCustomObject({ ...at, name: 'w' })) as { spec: object }
  // The typed client renames `default` in schemas, so none reaches the server.
  expect(read.spec).toEqual({ replicas: 2 })
})

test('the generic client finds kinds by discovery', async () => {
  const objects = KubernetesObjectApi.makeApiClient(config)
  const made = await objects.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'generic', namespace: 'default' },
  })
  expect(made.kind).toBe('ConfigMap')
  const listed = await objects.list('v1', 'ConfigMap', 'default')
  expect(listed.items.some((i) => i.metadata?.name === 'generic')).toBe(true)
})

test('leases keep their microseconds', async () => {
  const api = config.makeApiClient(CoordinationV1Api)
  const body = { metadata: { name: 'l' }, spec: { holderIdentity: 'me', leaseDurationSeconds: 15 } }
  expect((await api.createNamespacedLease({ namespace: 'default', body })).spec?.holderIdentity).toBe('me')
})

test('informers see what there is and what comes', async () => {
  const core = config.makeApiClient(CoreV1Api)
  const seen: string[] = []
  const informer = makeInformer(config, '/api/v1/namespaces/default/configmaps', () =>
    core.listNamespacedConfigMap({ namespace: 'default' }),
  )
  const wait = async (what: string) => {
    const end = Date.now() + 30_000
    while (!seen.includes(what)) {
      if (Date.now() > end) throw new Error(`saw ${seen.join(', ')} but not ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  for (const event of ['add', 'update', 'delete'] as const) {
    informer.on(event, (object: V1ConfigMap) => seen.push(`${event} ${object.metadata?.name}`))
  }
  await informer.start()
  try {
    await wait('add kube-root-ca.crt')
    await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'followed' } } })
    await wait('add followed')
    await core.replaceNamespacedConfigMap({
      name: 'followed',
      namespace: 'default',
      body: { metadata: { name: 'followed' }, data: { a: '1' } },
    })
    await wait('update followed')
    await core.deleteNamespacedConfigMap({ name: 'followed', namespace: 'default' })
    await wait('delete followed')
  } finally {
    await informer.stop()
  }
})

test('a watch that is over ends without an error', async () => {
  const ended = new Promise<unknown>((resolve, reject) => {
    new Watch(config)
      .watch('/api/v1/namespaces/default/configmaps', { timeoutSeconds: 1 }, () => {}, resolve)
      .catch(reject)
  })
  expect(await ended).toBeFalsy()
})
