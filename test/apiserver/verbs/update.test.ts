import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TestServer } from '../support/test-server.ts'
import { configMap, configMaps, crds, widget, widgetCrd, widgets } from '../support/widgets.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.create(crds, widgetCrd)
})
afterAll(() => server.stop())

test('an update replaces the object; its generation counts changes of the spec only', async () => {
  const made = await server.create(widgets, widget('counted', { replicas: 1 }))
  const relabelled = await server.put(`${widgets}/counted`, {
    ...made,
    metadata: { ...made.metadata, labels: { a: 'b' } },
  })
  expect(relabelled.body.metadata).toMatchObject({ generation: 1, labels: { a: 'b' } })
  const scaled = await server.put(`${widgets}/counted`, { ...relabelled.body, spec: { replicas: 2 } })
  expect(scaled.body.metadata!.generation).toBe(2)
  expect(scaled.body.spec).toEqual({ replicas: 2, color: 'red' })
})

test('an update that changes nothing writes nothing', async () => {
  const made = await server.create(configMaps, configMap('same', { a: '1' }))
  const again = await server.put(`${configMaps}/same`, made)
  expect(again.status).toBe(200)
  expect(again.body).toEqual(made)
})

test('who holds an old revision is told so', async () => {
  const made = await server.create(configMaps, configMap('raced', { a: '1' }))
  await server.put(`${configMaps}/raced`, configMap('raced', { a: '2' }))
  const late = await server.put(`${configMaps}/raced`, made)
  expect([late.status, late.body.reason]).toEqual([409, 'Conflict'])
  expect(late.body.message).toBe(
    'Operation cannot be fulfilled on configmaps "raced": the object has been modified; please apply your changes to the latest version and try again',
  )
})

test('of many that update the same revision one wins', async () => {
  const made = await server.create(configMaps, configMap('contended', { n: '0' }))
  const tries = Array.from({ length: 20 }, (_, i) =>
    server.put(`${configMaps}/contended`, { ...made, data: { n: String(i + 1) } }),
  )
  const statuses = (await Promise.all(tries)).map((a) => a.status)
  expect(statuses.filter((s) => s === 200)).toHaveLength(1)
  expect(statuses.filter((s) => s === 409)).toHaveLength(19)
})

test('status is changed through its subresource only, and the rest not through it', async () => {
  const made = await server.create(widgets, widget('reported', { replicas: 1 }))
  const both = { ...made, spec: { replicas: 5 }, status: { replicas: 4 } }
  const byStatus = await server.put(`${widgets}/reported/status`, both)
  expect(byStatus.body).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 4 }, metadata: { generation: 1 } })
  const bySpec = await server.put(`${widgets}/reported`, { ...byStatus.body, spec: { replicas: 5 }, status: {} })
  expect(bySpec.body).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 4 }, metadata: { generation: 2 } })
})

test('scale reads and writes replicas', async () => {
  await server.create(widgets, widget('scaled', { replicas: 1 }))
  const scale = await server.get(`${widgets}/scaled/scale`)
  expect(scale.body).toMatchObject({
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    spec: { replicas: 1 },
    status: { replicas: 0 },
  })
  const changed = await server.put(`${widgets}/scaled/scale`, { ...scale.body, spec: { replicas: 7 } })
  expect(changed.body.spec).toEqual({ replicas: 7 })
  const stale = await server.put(`${widgets}/scaled/scale`, { ...scale.body, spec: { replicas: 8 } })
  expect(stale.status).toBe(409)
  expect((await server.get(`${widgets}/scaled`)).body).toMatchObject({
    spec: { replicas: 7 },
    metadata: { generation: 2 },
  })
})

describe('refusals', () => {
  const of = (name: string) => widget(name)
  beforeAll(async () => {
    await server.create(widgets, of('here'))
  })
  test.each<[string, string, unknown, number, string]>([
    [
      'custom resources must name the revision they replace',
      'here',
      of('here'),
      422,
      'widgets.example.com "here" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    ],
    [
      'the name in the body is another',
      'here',
      of('there'),
      400,
      'the name of the object (there) does not match the name on the URL (here)',
    ],
    ['there is no such object', 'nowhere', of('nowhere'), 404, 'widgets.example.com "nowhere" not found'],
  ])('%s', async (_, name, body, status, message) => {
    const refused = await server.put(`${widgets}/${name}`, body)
    expect([refused.status, refused.body.message]).toEqual([status, message])
  })

  test('the uid in the body is that of an object which is gone', async () => {
    const refused = await server.put(`${widgets}/here`, widget('here', {}, { uid: 'gone' }))
    expect(refused.status).toBe(409)
    expect(refused.body.message).toContain('Precondition failed: UID in precondition: gone, UID in object meta: ')
  })

  test('a collection is no object', async () => {
    const refused = await server.put(widgets, of('a'))
    expect([refused.status, refused.body.message]).toEqual([400, 'name must be provided'])
  })
})

test('some kinds are made by putting them: Leases', async () => {
  const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'put' },
    spec: { holderIdentity: 'me' },
  }
  const put = await server.put(`${leases}/put`, lease)
  expect([put.status, put.body.spec]).toEqual([201, { holderIdentity: 'me' }])
})
