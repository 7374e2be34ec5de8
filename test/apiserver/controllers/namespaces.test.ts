import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { TestServer } from '../support/test-server.ts'
import { configMap, crds, widget, widgetCrd } from '../support/widgets.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.create(crds, widgetCrd)
})
afterAll(() => server.stop())

const path = (name: string) => `/api/v1/namespaces/${name}`
const gone = (url: string) => server.until(url, (a) => a.status === 404)

test('the system namespaces are there', async () => {
  const list = await server.get('/api/v1/namespaces')
  const names = (list.body.items as unknown as { metadata: { name: string } }[]).map((i) => i.metadata.name)
  expect(names).toEqual(['default', 'kube-public', 'kube-system'])
})

test('a new namespace is active, named by a label, and has its defaults', async () => {
  const made = await server.create('/api/v1/namespaces', { metadata: { name: 'fresh' } })
  expect(made).toMatchObject({
    metadata: { labels: { 'kubernetes.io/metadata.name': 'fresh' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  })
  await server.until(`${path('fresh')}/serviceaccounts/default`, (a) => a.status === 200)
  const ca = await server.until(`${path('fresh')}/configmaps/kube-root-ca.crt`, (a) => a.status === 200)
  expect(ca.body.data!['ca.crt']).toBe(server.ca)
})

test('the defaults come back when they are deleted or changed', async () => {
  const ca = '/api/v1/namespaces/default/configmaps/kube-root-ca.crt'
  const account = '/api/v1/namespaces/default/serviceaccounts/default'
  const before = (await server.get(account)).body.metadata!.uid
  await server.patch(ca, 'merge-patch', { data: { 'ca.crt': 'forged' } })
  await server.until(ca, (a) => a.body.data!['ca.crt'] === (server.ca as never))
  await server.delete(account)
  await server.until(account, (a) => a.status === 200 && a.body.metadata!.uid !== before)
})

test('deleting one deletes what is in it, of every kind', async () => {
  await server.create('/api/v1/namespaces', { metadata: { name: 'doomed' } })
  await server.create(`${path('doomed')}/configmaps`, configMap('a'))
  await server.create('/apis/example.com/v1/namespaces/doomed/widgets', widget('w'))
  const deleted = await server.delete(path('doomed'))
  expect(deleted.body).toMatchObject({ kind: 'Namespace', status: { phase: 'Terminating' } })
  await gone(path('doomed'))
  expect((await server.get(`${path('doomed')}/configmaps/a`)).status).toBe(404)
  expect((await server.get('/apis/example.com/v1/namespaces/doomed/widgets/w')).status).toBe(404)
})

test('while something holds it, it takes nothing new, and says what it waits for', async () => {
  await server.create('/api/v1/namespaces', { metadata: { name: 'stuck' } })
  const held = configMap('held', {}, { finalizers: ['example.com/hold'] })
  await server.create(`${path('stuck')}/configmaps`, held)
  await server.delete(path('stuck'))
  const said = await server.until(path('stuck'), (a) => a.text.includes('NamespaceFinalizersRemaining'))
  const conditions = said.body.status!.conditions as unknown as { type: string; status: string; message: string }[]
  const remaining = conditions.filter((c) => c.status === 'True').map((c) => [c.type, c.message])
  expect(remaining).toEqual([
    ['NamespaceContentRemaining', 'Some resources are remaining: configmaps. has 1 resource instances'],
    [
      'NamespaceFinalizersRemaining',
      'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    ],
  ])
  const refused = await server.post(`${path('stuck')}/configmaps`, configMap('late'))
  expect([refused.status, refused.body.message]).toEqual([
    403,
    'configmaps "late" is forbidden: unable to create new content in namespace stuck because it is being terminated',
  ])
  expect(refused.body.details!.causes).toMatchObject([{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }])
  await server.patch(`${path('stuck')}/configmaps/held`, 'merge-patch', { metadata: { finalizers: null } })
  await gone(path('stuck'))
})

test('finalizers of its own hold a namespace, through finalize', async () => {
  await server.create('/api/v1/namespaces', { metadata: { name: 'own' } })
  const made = await server.get(path('own'))
  const finalizers = ['kubernetes', 'example.com/last']
  const changed = await server.put(`${path('own')}/finalize`, { ...made.body, spec: { finalizers } })
  expect(changed.body.spec!.finalizers).toEqual(finalizers)
  const ignored = await server.put(path('own'), { ...changed.body, spec: {} })
  expect(ignored.body.spec!.finalizers).toEqual(finalizers)
  await server.delete(path('own'))
  const waiting = await server.until(path('own'), (a) => a.text.includes('"finalizers":["example.com/last"]'))
  await server.put(`${path('own')}/finalize`, { ...waiting.body, spec: {} })
  await gone(path('own'))
})

test('a hundred namespaces go in a moment', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `many-${i}`)
  await Promise.all(names.map((name) => server.create('/api/v1/namespaces', { metadata: { name } })))
  await Promise.all(names.map((name) => server.delete(path(name))))
  await server.until('/api/v1/namespaces', (a) => !a.text.includes('many-'))
})

test.each(['Upper', 'a.b', '-a', 'x'.repeat(64)])('%s is no name of a namespace', async (name) => {
  const refused = await server.post('/api/v1/namespaces', { metadata: { name } })
  expect([refused.status, refused.body.reason]).toEqual([422, 'Invalid'])
})
