import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { EventRecorder, type RecorderOptions } from '../../controllers/events.ts'
import type { PlannedEvent } from '../../reconcilers/plan.ts'
import { coreEvents } from '../../runtime/client/resource.ts'
import { FakeClock } from '../../runtime/clock.ts'
import { silentLog } from '../../runtime/log.ts'
import { until } from '../runtime/http.ts'
import { type ControlPlane, freshNamespace, startControlPlane } from './control-plane.ts'

let plane: ControlPlane
let ns: string
let clock: FakeClock
let recorder: EventRecorder

beforeAll(async () => {
  plane = await startControlPlane()
})
afterAll(async () => {
  await plane?.[Symbol.asyncDispose]()
})
beforeEach(async () => {
  ns = await freshNamespace(plane.client, 'events')
  clock = new FakeClock()
  recorder = make()
})
afterEach(() => recorder.close())

const make = (options: Partial<RecorderOptions> = {}) =>
  new EventRecorder({ client: plane.client, clock, log: silentLog, ...options })

const event = (fields: Partial<PlannedEvent> = {}): PlannedEvent => ({
  regarding: { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Site', namespace: ns, name: 'fra', uid: 'u1' },
  type: 'Normal',
  reason: 'Happened',
  message: 'it happened',
  ...fields,
})

const stored = async () => (await plane.client.list(coreEvents, { namespace: ns })).items
/** Waits for what has been gathered to be sent. */
async function flush(): Promise<void> {
  await until(() => clock.pendingTimers > 0)
  await clock.advance(10_000)
}

describe('an event', () => {
  test('is there at once, as kubectl shows it', async () => {
    recorder.record(event(), 'weir-site')
    await recorder.close()
    expect(await stored()).toMatchObject([
      {
        metadata: { name: expect.stringMatching(/^fra\.[0-9a-f]{16}$/) },
        involvedObject: { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Site', namespace: ns, name: 'fra', uid: 'u1' },
        type: 'Normal',
        reason: 'Happened',
        message: 'it happened',
        count: 1,
        firstTimestamp: '2030-01-01T00:00:00Z',
        lastTimestamp: '2030-01-01T00:00:00Z',
        source: { component: 'weir-site' },
      },
    ])
  })

  test('that happens again is counted, in one write for many', async () => {
    for (let i = 0; i < 5; i++) recorder.record(event(), 'weir-site')
    await flush()
    await recorder.close()
    const [only, ...others] = await stored()
    expect(others).toEqual([])
    expect(only).toMatchObject({
      count: 5,
      firstTimestamp: '2030-01-01T00:00:00Z',
      lastTimestamp: '2030-01-01T00:00:10Z',
    })
  })

  test('what was gathered is sent when the recorder is closed', async () => {
    recorder.record(event(), 'weir-site')
    recorder.record(event(), 'weir-site')
    await recorder.close()
    expect((await stored()).map((e) => e.count)).toEqual([2])
    recorder.record(event(), 'weir-site')
    expect((await stored()).map((e) => e.count)).toEqual([2])
  })

  test('that differs in anything is another', async () => {
    const others: Partial<PlannedEvent>[] = [{ message: 'it happened twice' }, { reason: 'Other' }, { type: 'Warning' }]
    for (const fields of [{}, ...others]) recorder.record(event(fields), 'weir-site')
    recorder.record(event(), 'weir-appliance')
    await recorder.close()
    expect((await stored()).map((e) => e.count)).toEqual([1, 1, 1, 1, 1])
  })

  test('that happens again after long is told anew', async () => {
    recorder.record(event(), 'weir-site')
    await clock.advance(601_000)
    recorder.record(event(), 'weir-site')
    await recorder.close()
    expect((await stored()).map((e) => e.count)).toEqual([1, 1])
  })

  test('counting goes on after the Event has been deleted meanwhile', async () => {
    recorder.record(event(), 'weir-site')
    await until(() => clock.pendingTimers === 0)
    let name: string | undefined
    while (name === undefined) name = (await stored())[0]?.metadata.name
    await plane.client.delete(coreEvents, { namespace: ns, name })
    recorder.record(event(), 'weir-site')
    await flush()
    await recorder.close()
    expect(await stored()).toMatchObject([{ metadata: { name }, count: 2 }])
  })

  test('about a cluster-scoped object lives in "default"; a long message is cut', async () => {
    const regarding = { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'HardwareClass', name: `hc-${ns}` }
    recorder.record(event({ regarding, message: 'x'.repeat(3000) }), 'weir-site')
    await recorder.close()
    const { items } = await plane.client.list(coreEvents, { namespace: 'default' })
    const [found] = items.filter((e) => e.involvedObject.name === `hc-${ns}`)
    expect(found?.message).toHaveLength(1022)
  })
})

test('an object that things keep happening to cannot flood the API; others are heard', async () => {
  await recorder.close()
  recorder = make({ burst: 3, refillMs: 60_000 })
  for (let i = 0; i < 10; i++) recorder.record(event({ message: `no. ${i}` }), 'weir-site')
  recorder.record(event({ regarding: { ...event().regarding, name: 'ams' } }), 'weir-site')
  await clock.advance(60_000)
  recorder.record(event({ message: 'later' }), 'weir-site')
  recorder.record(event({ message: 'too soon' }), 'weir-site')
  await recorder.close()
  expect((await stored()).map((e) => e.message).sort()).toEqual(['it happened', 'later', 'no. 0', 'no. 1', 'no. 2'])
})

test('an event that cannot be sent costs nothing else', async () => {
  const warnings: string[] = []
  await recorder.close()
  recorder = make({ log: { ...silentLog, warn: (_, message) => warnings.push(message) } })
  recorder.record(event({ regarding: { ...event().regarding, namespace: 'no-such-namespace' } }), 'weir-site')
  recorder.record(event(), 'weir-site')
  await recorder.close()
  expect(warnings).toEqual(['cannot record an event'])
  expect(await stored()).toHaveLength(1)
})
