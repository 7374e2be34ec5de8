import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { createExecutor, type Executor } from '../../controllers/execute.ts'
import { assignments } from '../../controllers/resources.ts'
import { WriteOrder } from '../../controllers/write-order.ts'
import type { Assignment } from '../../crds/types.gen.ts'
import { plan, refOf } from '../../reconcilers/plan.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { type ConfigMap, type Secret, secrets } from '../../runtime/client/resource.ts'
import { Deposed } from '../../runtime/leader-election/leader-election.ts'
import { type ControlPlane, freshNamespace, startControlPlane } from './control-plane.ts'

let plane: ControlPlane
let ns: string
let client: Client
let cache: Cache<Secret>
let leads: () => boolean
let sent: string[]

beforeAll(async () => {
  plane = await startControlPlane()
})
afterAll(async () => {
  await plane?.[Symbol.asyncDispose]()
})
beforeEach(async () => {
  ns = await freshNamespace(plane.client, 'fencing')
  leads = () => true
  sent = []
  client = new Client({
    access: await loadKubeconfig({ path: plane.kubeconfigPath }),
    maxConnections: 1,
    beforeWrite: () => {
      if (!leads()) throw new Deposed('ns/lease')
    },
    onAnswer: (method, code) => void (method !== 'GET' && sent.push(`${method} ${code}`)),
  })
  cache = new Cache({ client: plane.client, resource: secrets, namespace: ns })
  cache.start()
  await cache.waitForSync()
})
afterEach(async () => {
  await cache.close()
  client.close()
})

const executor = (fieldManager = 'weir-test', order = new WriteOrder()): Executor =>
  createExecutor({ client, blobs: plane.blobs, events: { record() {} }, fieldManager, caches: [cache], order })

const secret = (value: string, name = 's'): Secret =>
  ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: ns },
    data: { value: Buffer.from(value).toString('base64') },
  }) as Secret

const live = () => plane.client.get(secrets, { namespace: ns, name: 's' })

test('a write lands only on the version that was read; the cache has caught up when it is tried again', async () => {
  await executor().execute(plan().apply(secret('old')).done())
  const read = cache.get(`${ns}/s`)!
  // The successor writes, and this process has not seen it: its cache stands still.
  await cache.close()
  await plane.client.apply(secrets, secret('new'), { fieldManager: 'weir-test', force: true })
  const late = executor().execute(plan().apply(secret('late')).done(), undefined, [read])
  await expect(late).rejects.toMatchObject({ reason: 'Conflict' })
  expect(sent.at(-1)).toBe('PATCH 409')
  expect((await live()).data).toEqual(secret('new').data)
  // Nor does a delete.
  const gone = executor().execute(
    plan()
      .delete(refOf(secret('')))
      .done(),
  )
  await expect(gone).rejects.toMatchObject({ reason: 'Conflict' })
  expect((await live()).data).toEqual(secret('new').data)
})

test('what the cache knows to be outdated is not even asked for', async () => {
  await executor().execute(plan().apply(secret('old')).done())
  const read = cache.get(`${ns}/s`)!
  const newer = await plane.client.apply(secrets, secret('new'), { fieldManager: 'someone', force: true })
  await cache.hasSeen(newer, 5000)
  sent.length = 0
  const late = executor().execute(plan().apply(secret('late')).done(), undefined, [read])
  await expect(late).rejects.toMatchObject({ reason: 'Conflict' })
  expect(sent).toEqual([])
})

test('the first apply of an Assignment, which has no version to name, does not land on one that has been made meanwhile', async () => {
  const assignment = (generation: number, drainSeconds: number) =>
    ({
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'Assignment',
      metadata: { name: 'box', namespace: ns },
      spec: { content: { generation, entries: [], fill: { timeZone: 'UTC' }, drainSeconds, serve: true } },
    }) as unknown as Assignment
  const empty = new Cache({ client: plane.client, resource: assignments, namespace: ns })
  const how = { client, blobs: plane.blobs, events: { record() {} }, fieldManager: 'weir-assignment' }
  const late = (generation: number, cacheOf: Cache<Assignment>) =>
    createExecutor({ ...how, caches: [cacheOf] }).execute(plan().apply(assignment(generation, 1)).done())
  // The successor has decided on more recent facts, for the first time too; this process has seen nothing of it.
  const successors = { fieldManager: 'weir-assignment', force: true }
  await plane.client.apply(assignments, assignment(1, 2), successors)
  await expect(late(1, empty)).rejects.toMatchObject({ reason: 'Invalid' })
  await plane.client.apply(assignments, assignment(2, 3), successors)
  await expect(late(1, empty)).rejects.toMatchObject({ reason: 'Invalid' })
  const { spec } = await plane.client.get(assignments, { namespace: ns, name: 'box' })
  expect(spec.content).toMatchObject({ generation: 2, drainSeconds: 3 })
  expect(sent).toEqual(['PATCH 422', 'PATCH 422'])
})

test('two controllers of one process take turns at an object: the second decides again, and no request is refused', async () => {
  await executor().execute(plan().apply(secret('old')).done())
  const read = cache.get(`${ns}/s`)!
  const order = new WriteOrder()
  const other = { ...secret('old'), data: { more: 'bW9yZQ==' } } as unknown as Secret
  sent.length = 0
  const [first, second] = await Promise.allSettled([
    executor('weir-one', order).execute(plan().apply(secret('one')).done(), undefined, [read]),
    executor('weir-two', order).execute(plan().apply(other).done(), undefined, [read]),
  ])
  expect(first).toMatchObject({ status: 'fulfilled' })
  expect(second).toMatchObject({ status: 'rejected', reason: { reason: 'Conflict' } })
  expect(sent).toEqual(['PATCH 200'])
  await executor('weir-two', order).execute(plan().apply(other).done(), undefined, [cache.get(`${ns}/s`)])
  expect(sent).toEqual(['PATCH 200', 'PATCH 200'])
})

test('two writes of one plan on one object: the second is on what the first gave back', async () => {
  await executor().execute(plan().apply(secret('old')).done())
  const read = cache.get(`${ns}/s`)
  await executor().execute(plan().apply(secret('a')).apply(secret('b')).done(), undefined, [read])
  expect((await live()).data).toEqual(secret('b').data)
})

test('a write that waited for its connection while the lead was lost is not sent', async () => {
  const writes = ['x', 'y', 'z'].map((name) => client.apply(secrets, secret('1', name), { fieldManager: 'weir-test' }))
  // One connection: the first is on its way, the others wait. Then this process is deposed.
  let asked = 0
  leads = () => ++asked === 1
  const ends = await Promise.allSettled(writes)
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  for (const end of ends.slice(1)) expect((end as PromiseRejectedResult).reason).toBeInstanceOf(Deposed)
  const names = (await plane.client.list<ConfigMap>(secrets, { namespace: ns })).items.map((s) => s.metadata.name)
  expect(names).toEqual(['x'])
  // Reading is still allowed.
  expect((await client.get(secrets, { namespace: ns, name: 'x' })).data).toEqual(secret('1').data)
})
