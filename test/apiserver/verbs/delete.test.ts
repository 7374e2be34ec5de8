import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { TestServer } from '../support/test-server.ts'
import { configMap, configMaps } from '../support/widgets.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.stop())

test('an object that nothing holds is gone at once', async () => {
  const made = await server.create(configMaps, configMap('gone'))
  const deleted = await server.delete(`${configMaps}/gone`)
  expect([deleted.status, deleted.body]).toEqual([
    200,
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'gone', kind: 'configmaps', uid: made.metadata!.uid },
    },
  ])
  expect((await server.delete(`${configMaps}/gone`)).body).toMatchObject({
    code: 404,
    message: 'configmaps "gone" not found',
  })
})

test('finalizers hold an object: it is marked, can only lose them, and goes with the last', async () => {
  await server.create(configMaps, configMap('held', {}, { finalizers: ['example.com/hold'] }))
  const marked = await server.delete(`${configMaps}/held`)
  expect(marked.body).toMatchObject({ kind: 'ConfigMap', metadata: { deletionGracePeriodSeconds: 0 } })
  expect(marked.body.metadata!.deletionTimestamp).toBeDefined()
  const more = await server.patch(`${configMaps}/held`, 'merge-patch', {
    metadata: { finalizers: ['example.com/hold', 'example.com/new'] },
  })
  expect(more.status).toBe(422)
  const last = await server.patch(`${configMaps}/held`, 'merge-patch', { metadata: { finalizers: null } })
  expect(last.status).toBe(200)
  expect((await server.get(`${configMaps}/held`)).status).toBe(404)
})

test('preconditions must hold', async () => {
  const made = await server.create(configMaps, configMap('exact'))
  const byUid = await server.delete(`${configMaps}/exact`, { preconditions: { uid: 'other' } })
  expect(byUid.body).toMatchObject({ code: 409, reason: 'Conflict' })
  expect(byUid.body.message).toContain('the UID in the precondition (other) does not match the UID in record')
  const byRevision = await server.delete(`${configMaps}/exact`, { preconditions: { resourceVersion: '1' } })
  expect(byRevision.body.message).toContain('the ResourceVersion in the precondition (1) does not match')
  const right = { preconditions: { uid: made.metadata!.uid, resourceVersion: made.metadata!.resourceVersion } }
  expect((await server.delete(`${configMaps}/exact`, right)).status).toBe(200)
})

test('a dry run deletes nothing', async () => {
  await server.create(configMaps, configMap('kept'))
  expect((await server.delete(`${configMaps}/kept?dryRun=All`)).body.status).toBe('Success')
  expect((await server.get(`${configMaps}/kept`)).status).toBe(200)
})

test('deletecollection takes what its selectors name', async () => {
  for (const name of ['c1', 'c2']) await server.create(configMaps, configMap(name, {}, { labels: { of: 'mine' } }))
  await server.create(configMaps, configMap('c3', {}, { labels: { of: 'others' } }))
  const deleted = await server.delete(`${configMaps}?labelSelector=of%3Dmine`)
  expect(deleted.status).toBe(200)
  const left = await server.get(`${configMaps}?labelSelector=of`)
  expect((left.body.items as unknown as { metadata: { name: string } }[]).map((i) => i.metadata.name)).toEqual(['c3'])
})

test.each([
  [{ propagationPolicy: 'Sideways' }, 'propagationPolicy: Unsupported value: "Sideways"'],
  [
    { propagationPolicy: 'Orphan', orphanDependents: true },
    'orphanDependents and deletionPropagation cannot be both set',
  ],
  [{ dryRun: ['Some'] }, 'dryRun: Unsupported value: ["Some"]'],
])('options that make no sense are refused: %j', async (options, message) => {
  const refused = await server.delete(`${configMaps}/any`, options)
  expect(refused.status).toBe(422)
  expect(refused.body.message).toContain(message)
})

test('namespaces that the system needs stay', async () => {
  const refused = await server.delete('/api/v1/namespaces/default')
  expect(refused.body).toMatchObject({
    code: 403,
    message: 'namespaces "default" is forbidden: this namespace may not be deleted',
  })
})
