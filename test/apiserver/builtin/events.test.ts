import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../crds/metadata.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import { TestServer } from '../support/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.stop())

const core = '/api/v1/namespaces/default/events'
const recent = '/apis/events.k8s.io/v1/namespaces/default/events'
const about = { kind: 'ConfigMap', namespace: 'default', name: 'x', apiVersion: 'v1' }

test('an event is the same in both APIs, each in its own words', async () => {
  await server.create(core, {
    metadata: { name: 'old-words' },
    involvedObject: about,
    reason: 'Tested',
    message: 'It was tested',
    source: { component: 'test' },
    count: 2,
    type: 'Normal',
  })
  const other = await server.get(`${recent}/old-words`)
  expect(other.body).toMatchObject({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    regarding: about,
    note: 'It was tested',
    deprecatedSource: { component: 'test' },
    deprecatedCount: 2,
  })
  await server.create(recent, newEvent('new-words', {}))
  expect((await server.get(`${core}/new-words`)).body).toMatchObject({
    apiVersion: 'v1',
    involvedObject: about,
    message: 'noted',
    reportingComponent: 'example.com/test',
    eventTime: '2026-01-02T03:04:05.123456Z',
  })
})

function newEvent(name: string, change: JsonObject): JsonObject {
  return {
    metadata: { name },
    eventTime: '2026-01-02T03:04:05.123456Z',
    reportingController: 'example.com/test',
    reportingInstance: 'test-1',
    action: 'Test',
    reason: 'Tested',
    regarding: about,
    note: 'noted',
    type: 'Normal',
    ...change,
  }
}

test.each([
  [core, 'involvedObject.kind%3DConfigMap,reason%3DTested,type%3DNormal'],
  [recent, 'regarding.name%3Dx,reason%3DTested'],
])('events are found by what they are about: %s', async (path, selector) => {
  expect((await server.get(`${path}?fieldSelector=${selector}`)).body.items).toHaveLength(2)
  expect((await server.get(`${path}?fieldSelector=spec.x%3D1`)).body.message).toBe('field label not supported: spec.x')
})

describe('what an event must be', () => {
  test.each<[string, JsonObject, string]>([
    ['of a time', { eventTime: null }, 'eventTime'],
    ['of a type', { type: 'Odd' }, 'type'],
    ['reported by somebody', { reportingController: '' }, 'reportingController'],
    ['without the old fields', { deprecatedCount: 1 }, 'count'],
    [
      'a series of at least two',
      { series: { count: 1, lastObservedTime: '2026-01-02T03:04:05.000000Z' } },
      'series.count',
    ],
  ])('%s', async (_, change, field) => {
    const refused = await server.post(recent, newEvent('refused', change))
    const causes = refused.body.details?.causes as unknown as { field: string }[]
    expect([refused.status, [...new Set(causes.map((c) => c.field))]]).toEqual([422, [field]])
  })

  test('in the namespace of what it is about', async () => {
    const refused = await server.post(core, {
      metadata: { name: 'far' },
      involvedObject: { ...about, namespace: 'other' },
    })
    expect(refused.body.message).toContain(
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    )
  })
})

test('events are gone an hour after they were last heard of', async () => {
  const clock = new FakeClock(new Date())
  await TestServer.during({ clock }, async (aging) => {
    const event = (name: string, more: JsonObject) => ({ metadata: { name }, involvedObject: about, ...more })
    const later = new Date(clock.now().getTime() + 30 * 60_000).toISOString()
    await aging.create(core, event('quiet', {}))
    await aging.create(core, event('repeated', { lastTimestamp: later }))
    await clock.advance(62 * 60_000)
    await aging.until(`${core}/quiet`, (a) => a.status === 404)
    expect((await aging.get(`${core}/repeated`)).status).toBe(200)
  })
})
