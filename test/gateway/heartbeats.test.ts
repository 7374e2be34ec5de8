import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Appliance } from '../../crds/types.gen.ts'
import { HEARTBEAT_LABEL, HEARTBEAT_NAMESPACE, readHeartbeats, shardOf } from '../../reconcilers/heartbeats/leases.ts'
import { leases } from '../../runtime/client/resource.ts'
import { FakeClock } from '../../runtime/clock.ts'
import {
  appliances,
  ask,
  type ControlPlane,
  eventually,
  inventory,
  makeAppliance,
  makeNamespace,
  openGateway,
  report,
  startControlPlane,
  type TestAppliance,
} from './harness.ts'

let plane: ControlPlane
beforeAll(async () => {
  plane = await startControlPlane()
})
afterAll(async () => {
  await plane[Symbol.asyncDispose]()
})

/** A gateway of a clock of its own, with appliances that are let in. */
async function scene(id: string, ...names: string[]) {
  const clock = new FakeClock(new Date())
  const gateway = await openGateway(plane, { clock, id })
  const namespace = await makeNamespace(plane)
  const boxes: TestAppliance[] = []
  for (const name of names) boxes.push(await makeAppliance(plane, namespace, name))
  for (const box of boxes) {
    const sources = () => ask(`${gateway.url}${box.path}/sources`, { ca: plane.ca, token: box.token })
    await eventually(async () => (await sources()).status === 200, `${box.name} is let in`)
  }
  return { clock, gateway, boxes, id, [Symbol.asyncDispose]: () => gateway.close() }
}
type Scene = Awaited<ReturnType<typeof scene>>

async function beat({ gateway }: Pick<Scene, 'gateway'>, box: TestAppliance): Promise<void> {
  const path = `${gateway.url}${box.path}/heartbeat`
  const { status } = await ask(path, { method: 'POST', body: { bootId: 'b' }, ca: plane.ca, token: box.token })
  expect(status).toBe(204)
}
const leasesOf = async (id: string) =>
  (await plane.client.list(leases, { namespace: HEARTBEAT_NAMESPACE, labelSelector: `${HEARTBEAT_LABEL}=${id}` })).items
/** Who a reader of this gateway's Leases takes for online now. */
const online = async ({ id, clock }: Scene) => readHeartbeats(await leasesOf(id), clock.now()).online
const isOnline = async (s: Scene, box: TestAppliance) => (await online(s)).has(box.key)

/** Lets time go by in steps, as it does. */
async function pass({ clock }: Scene, ms: number, each?: () => Promise<void>): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    await clock.advance(Math.min(500, left))
    await each?.()
  }
}

test('the first heartbeat is told within a second; 31 s of silence too; and so is the return', async () => {
  await using s = await scene('g-silence', 'a', 'b')
  const [a, b] = s.boxes as [TestAppliance, TestAppliance]
  await beat(s, a)
  await beat(s, b)
  await pass(s, 1000)
  await eventually(async () => (await isOnline(s, a)) && (await isOnline(s, b)), 'both are told')

  // b goes on, a does not.
  let beats = 0
  await pass(s, 28_500, async () => {
    if (++beats % 18 === 0) await beat(s, b)
  })
  expect(await isOnline(s, a)).toBe(true)
  await pass(s, 2500)
  await eventually(async () => !(await isOnline(s, a)), 'a is told no more')
  expect(await isOnline(s, b)).toBe(true)
  // Its shard is told of nevertheless: somebody listens.
  expect(readHeartbeats(await leasesOf(s.id), s.clock.now()).freshShards).toContain(shardOf(a.key))

  await beat(s, a)
  await pass(s, 1000)
  await eventually(() => isOnline(s, a), 'a is back')
})

test('leases are renewed every 10 s, only for shards with appliances, and no Appliance is written', async () => {
  await using s = await scene('g-renew', 'a')
  const [a] = s.boxes as [TestAppliance]
  const versionOf = async () => ((await plane.client.get(appliances, a)) as Appliance).metadata.resourceVersion
  const before = await versionOf()
  await beat(s, a)
  await pass(s, 1000)
  await eventually(() => isOnline(s, a), 'a is told')
  const mine = async () =>
    (await leasesOf(s.id)).find(({ metadata }) => metadata.name === `weir-heartbeats-g-renew-${shardOf(a.key)}`)
  const first = await mine()
  expect(first?.spec).toMatchObject({ holderIdentity: 'g-renew', leaseDurationSeconds: 30 })
  const renewals = new Set([first?.spec?.renewTime])
  for (let i = 0; i < 6; i++) {
    await beat(s, a)
    await pass(s, 5000)
    await eventually(async () => {
      const at = Date.parse((await mine())?.spec?.renewTime ?? '')
      return s.clock.now().getTime() - at <= 10_000
    }, 'the lease is fresh')
    renewals.add((await mine())?.spec?.renewTime)
  }
  expect(renewals.size).toBeLessThanOrEqual(5)
  expect(renewals.size).toBeGreaterThanOrEqual(3)
  expect(await versionOf()).toBe(before)
  const shards = new Set(
    (await plane.client.list(appliances)).items.map(({ metadata }) =>
      shardOf(`${metadata.namespace}/${metadata.name}`),
    ),
  )
  for (const { metadata } of await leasesOf(s.id)) expect(shards).toContain(Number(metadata.name?.split('-').at(-1)))
})

test('a restart of the gateway does not make the fleet look dark', async () => {
  await using s = await scene('g-restart', 'a', 'b')
  const [a, b] = s.boxes as [TestAppliance, TestAppliance]
  // As the appliance controller would have it.
  for (const box of [a, b]) {
    const agent = { version: '1', bootId: 'x', startedAt: '2030-01-01T00:00:00Z' }
    const condition = {
      type: 'Online',
      status: 'True',
      reason: 'Heartbeat',
      message: '',
      lastTransitionTime: '2030-01-01T00:00:00Z',
    }
    const merge = { status: { agent, conditions: [condition] } }
    await plane.client.patch(appliances, box, { type: 'merge', merge }, { subresource: 'status' })
  }
  await s.gateway.close()
  const clock = new FakeClock(new Date())
  const gateway = await openGateway(plane, { clock, id: 'g-restart-2' })
  const again = { ...s, clock, gateway, id: 'g-restart-2' }
  try {
    await pass(again, 500)
    await eventually(async () => (await isOnline(again, a)) && (await isOnline(again, b)), 'both are presumed')
    await beat(again, b)
    await pass(again, 14_000)
    expect([await isOnline(again, a), await isOnline(again, b)]).toEqual([true, true])
    await pass(again, 2000)
    await eventually(async () => !(await isOnline(again, a)), 'a has not come back')
    expect(await isOnline(again, b)).toBe(true)
  } finally {
    await gateway.close()
  }
})

test('two gateways: whoever is heard by one is a source for those of the other', async () => {
  await using one = await scene('g-one', 'a', 'b')
  const [a, b] = one.boxes as [TestAppliance, TestAppliance]
  const two = await openGateway(plane, { clock: one.clock, id: 'g-two' })
  try {
    const say = (path: string, method: string, body: unknown) =>
      ask(`${one.gateway.url}${b.path}${path}`, { method, body, ca: plane.ca, token: b.token })
    await say('/status', 'PUT', report())
    await pass(one, 2000)
    const putting = say('/inventory/default/films', 'PUT', inventory(1))
    const answer = await eventually(async () => {
      await one.clock.advance(100)
      return await Promise.race([putting, Promise.resolve(undefined)])
    }, 'the inventory is acknowledged')
    expect(answer.status).toBe(204)
    const sources = async () =>
      JSON.parse((await ask(`${two.url}${a.path}/sources`, { ca: plane.ca, token: a.token })).text)
    await eventually(async () => {
      await one.clock.advance(1100)
      return (await sources()).peers[0]?.name === b.key
    }, 'b is known to the other gateway')
  } finally {
    await two.close()
  }
})

test('leases of gateways that are long gone are removed', async () => {
  await using old = await scene('g-gone', 'a')
  await beat(old, old.boxes[0]!)
  await pass(old, 1000)
  await eventually(async () => (await leasesOf('g-gone')).length > 0, 'it had leases')
  await old.gateway.close()
  const clock = new FakeClock(new Date(Date.now() + 3_600_000))
  const next = await openGateway(plane, { clock, id: 'g-next' })
  try {
    // A last write of the old one may land between the new one's look and its removal: then it is removed at the next look.
    await eventually(async () => {
      await clock.advance(600_000)
      return (await leasesOf('g-gone')).length === 0
    }, 'they are removed')
  } finally {
    await next.close()
  }
})
