import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createExecutor, type Executor } from '../../controllers/execute.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { type PlannedEvent, plan, refOf } from '../../reconcilers/plan.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import { type Secret, secrets } from '../../runtime/client/resource.ts'
import { isConflict } from '../../runtime/errors.ts'
import { type ControlPlane, freshNamespace, startControlPlane } from './control-plane.ts'

let plane: ControlPlane
let ns: string
let cache: Cache<Secret>
let executor: Executor
let events: string[]
const requests: string[] = []

beforeAll(async () => {
  plane = await startControlPlane()
  const raw = plane.client.raw.bind(plane.client)
  plane.client.raw = (path, request) => {
    requests.push(`${request?.method ?? 'GET'} ${path.split('/').at(-1)}`)
    return raw(path, request)
  }
})
afterAll(async () => {
  await plane?.[Symbol.asyncDispose]()
})
beforeEach(async () => {
  ns = await freshNamespace(plane.client, 'execute')
  events = []
  cache = new Cache({ client: plane.client, resource: secrets, namespace: ns })
  cache.start()
  await cache.waitForSync()
  executor = createExecutor({
    client: plane.client,
    blobs: plane.blobs,
    events: { record: (event: PlannedEvent, component) => events.push(`${component} ${event.reason}`) },
    fieldManager: 'weir-test',
    caches: [cache],
  })
  requests.length = 0
})
afterEach(() => cache.close())

const secret = (value: string, metadata: object = {}): Secret =>
  ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: ns, ...metadata },
    data: { value: Buffer.from(value).toString('base64') },
  }) as Secret

describe('writes', () => {
  test('an apply is made once; the next reads what it wrote, and makes no request', async () => {
    const wanted = plan().apply(secret('a')).done()
    expect(await executor.execute(wanted)).toEqual({ type: 'done' })
    expect(cache.get(`${ns}/s`)?.data).toEqual(secret('a').data)
    await executor.execute(wanted)
    await executor.execute(wanted)
    expect(requests).toEqual(['PATCH s'])
    await executor.execute(plan().apply(secret('b')).done())
    expect(requests).toEqual(['PATCH s', 'PATCH s'])
    expect(cache.get(`${ns}/s`)?.data).toEqual(secret('b').data)
  })

  test('what somebody else has changed is taken back', async () => {
    await executor.execute(plan().apply(secret('a')).done())
    const foreign = await plane.client.apply(secrets, secret('foreign'), { fieldManager: 'someone', force: true })
    await cache.hasSeen(foreign, 5000)
    await executor.execute(plan().apply(secret('a')).done())
    expect((await plane.client.get(secrets, { namespace: ns, name: 's' })).data).toEqual(secret('a').data)
  })

  test('an apply on an object that has been made again meanwhile is a conflict, not a change', async () => {
    await executor.execute(plan().apply(secret('a')).done())
    const other = secret('b', { uid: '00000000-0000-0000-0000-000000000000' })
    await expect(executor.execute(plan().apply(other).done())).rejects.toMatchObject({ reason: 'Conflict' })
    const never = secret('b', { uid: '00000000-0000-0000-0000-000000000000', name: 'never' })
    await expect(executor.execute(plan().apply(never).done())).rejects.toMatchObject({ reason: 'Conflict' })
    expect(cache.get(`${ns}/s`)?.data).toEqual(secret('a').data)
  })

  test('create: that it exists already is as good; delete: that it is gone already, too', async () => {
    await executor.execute(plan().create(secret('a')).done())
    await executor.execute(plan().create(secret('b')).done())
    expect(requests).toEqual(['POST secrets'])
    expect(cache.get(`${ns}/s`)?.data).toEqual(secret('a').data)
    const ref = refOf(secret('a'))
    await executor.execute(plan().delete(ref).done())
    await executor.execute(plan().delete(ref).done())
    await executor.execute(
      plan()
        .delete(refOf(secret('x', { name: 'never' })))
        .done(),
    )
    expect(await plane.client.find(secrets, { namespace: ns, name: 's' })).toBeUndefined()
  })

  test('a delete whose preconditions do not hold is a conflict', async () => {
    await executor.execute(plan().create(secret('a')).done())
    const wrong = plan()
      .delete(refOf(secret('a')), { uid: '00000000-0000-0000-0000-000000000000' })
      .done()
    expect(isConflict(await executor.execute(wrong).catch((e: unknown) => e))).toBe(true)
    expect(cache.get(`${ns}/s`)).toBeDefined()
  })

  test('the status of what is gone is nobody’s concern', async () => {
    const site: KubeObject = {
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'Site',
      metadata: { name: 'gone', namespace: ns },
    }
    expect(await executor.execute(plan().applyStatus(site).done())).toEqual({ type: 'done' })
  })

  test('a kind that no plan writes is refused', async () => {
    const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: ns } }
    await expect(executor.execute(plan().apply(pod).done())).rejects.toThrow('plans do not write v1 Pod')
  })
})

describe('order', () => {
  const bytes = new TextEncoder().encode('blob')

  test('blobs are stored before the first write; nothing is written when they cannot be', async () => {
    const wrong = plan()
      .blob({ digest: digestOf(new Uint8Array()), bytes })
      .apply(secret('a'))
      .done()
    await expect(executor.execute(wrong)).rejects.toThrow('not sha256:')
    expect(requests).toEqual([])
    await executor.execute(
      plan()
        .blob({ digest: digestOf(bytes), bytes: [bytes.subarray(0, 1), bytes.subarray(1)] })
        .done(),
    )
    expect((await plane.blobs.get(digestOf(bytes)))?.toString()).toBe('blob')
  })

  test('the first write that fails ends it: what comes after is not written, and nothing is told', async () => {
    const refused = secret('a', { uid: '00000000-0000-0000-0000-000000000000' })
    const failing = plan(secret('a'))
      .apply(refused)
      .create(secret('b', { name: 'after' }))
      .event('Normal', 'Done', 'm')
      .done()
    await expect(executor.execute(failing)).rejects.toThrow()
    expect(await plane.client.find(secrets, { namespace: ns, name: 'after' })).toBeUndefined()
    expect(events).toEqual([])
  })

  test('events are told when something was written, or when there was nothing to write', async () => {
    const telling = plan(secret('a')).apply(secret('a')).event('Normal', 'Done', 'm').requeueAfter(5)
    expect(await executor.execute(telling)).toEqual({ type: 'requeue', afterMs: 5 })
    expect(events).toEqual(['weir-test Done'])
    await executor.execute(telling)
    expect(events).toEqual(['weir-test Done'])
    await executor.execute(plan(secret('a')).event('Warning', 'Noted', 'm').done())
    expect(events).toEqual(['weir-test Done', 'weir-test Noted'])
  })

  test('an abort comes through between two writes', async () => {
    const stop = AbortSignal.abort(new Error('stopping'))
    await expect(executor.execute(plan().apply(secret('a')).done(), stop)).rejects.toThrow('stopping')
    expect(requests).toEqual([])
  })
})
