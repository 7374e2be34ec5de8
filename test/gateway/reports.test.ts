import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Appliance } from '../../crds/types.gen.ts'
import { catalogOf, encodeCatalog } from '../../reconcilers/blobs/catalog.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { encodeFileSet } from '../../reconcilers/blobs/file-set-blob.ts'
import { HEARTBEAT_NAMESPACE, readHeartbeats } from '../../reconcilers/heartbeats/leases.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { fixedCredentials } from '../../runtime/client/credentials.ts'
import { leases } from '../../runtime/client/resource.ts'
import { FakeClock } from '../../runtime/clock.ts'
import {
  type Ask,
  appliances,
  ask as askAny,
  type ControlPlane,
  catalogDigest,
  eventually,
  inventory,
  makeAppliance,
  makeNamespace,
  makeSite,
  openGateway,
  report,
  startControlPlane,
  type TestAppliance,
} from './harness.ts'

let plane: ControlPlane
let gateway: Awaited<ReturnType<typeof openGateway>>
let clock: FakeClock
let namespace: string
let box: TestAppliance
let made = 0

async function ask(appliance: TestAppliance, path: string, options: Ask = {}) {
  return await askAny(`${gateway.url}${appliance.path}${path}`, { ca: plane.ca, token: appliance.token, ...options })
}
async function letIn(name: string, site = 'fra1', inNamespace = namespace): Promise<TestAppliance> {
  const appliance = await makeAppliance(plane, inNamespace, name, site)
  const beat = () => ask(appliance, '/heartbeat', { method: 'POST', body: { bootId: 'b' } })
  await eventually(async () => (await beat()).status === 204, name)
  await listed(appliance)
  return appliance
}
/** What an appliance says is held back until a Lease of the gateway's lists it; its shard's may have been written just now, for another one. */
async function listed(appliance: TestAppliance): Promise<void> {
  await eventually(async () => {
    await clock.advance(100)
    const all = await plane.client.list(leases, { namespace: HEARTBEAT_NAMESPACE })
    return readHeartbeats(all.items, clock.now()).online.has(appliance.key)
  }, `${appliance.name} is listed`)
}
const put = async (appliance: TestAppliance, ...said: Parameters<typeof report>) =>
  (await ask(appliance, '/status', { method: 'PUT', body: report(...said) })).status
const putInventory = async (appliance: TestAppliance, ...files: number[]) =>
  (await ask(appliance, '/inventory/default/films', { method: 'PUT', body: inventory(...files) })).status
const get = (appliance: TestAppliance): Promise<Appliance> => plane.client.get(appliances, appliance)
const filesHeld = async (appliance: TestAppliance) => (await get(appliance)).status?.content?.filesHeld

beforeAll(async () => {
  plane = await startControlPlane()
  namespace = await makeNamespace(plane)
})
beforeEach(async () => {
  clock = new FakeClock(new Date())
  gateway = await openGateway(plane, { clock })
  box = await letIn(`box-${made++}`)
})
afterEach(async () => {
  await gateway.close()
})
afterAll(async () => {
  await plane[Symbol.asyncDispose]()
})

describe('a report', () => {
  test('is held back until a Lease says that the appliance is there: it would look silent for a moment', async () => {
    const shy = await makeAppliance(plane, namespace, `shy-${made}`)
    // Its shard's Lease was written just now, and is written again half a second later.
    await eventually(async () => (await put(shy)) === 204, 'it is let in')
    await settled()
    const isListed = async () => {
      const all = await plane.client.list(leases, { namespace: HEARTBEAT_NAMESPACE })
      return readHeartbeats(all.items, clock.now()).online.has(shy.key)
    }
    if (!(await isListed())) expect((await get(shy)).status).toBeUndefined()
    await eventually(async () => {
      await clock.advance(100)
      return (await get(shy)).status !== undefined
    }, 'it is told')
    expect(await isListed()).toBe(true)
  })

  test('reaches the status of its appliance, owned by weir-gateway', async () => {
    const failures = [{ path: 'a', catalog: 'default/films', reason: 'HTTP404', message: 'not there', attempts: 2 }]
    expect(await put(box, { filesHeld: 3, filesFailing: 1, failures, waitingFor: 'the window' })).toBe(204)
    const { status, metadata } = await eventually(async () => {
      const now = await get(box)
      return now.status?.content ? now : undefined
    }, 'the status is there')
    expect(status).toEqual({
      addresses: [{ type: 'HTTP', url: 'http://127.0.0.1:8080' }],
      agent: { bootId: 'boot-1', version: '0.1.0', startedAt: '2030-01-01T00:00:00Z' },
      content: {
        ...report().content,
        filesHeld: 3,
        filesFailing: 1,
        failures,
        waitingFor: 'the window',
        inventories: [],
      },
    })
    const owner = metadata.managedFields?.find(({ subresource }) => subresource === 'status')
    expect(owner).toMatchObject({ manager: 'weir-gateway', operation: 'Apply' })
  })

  test('that says nothing new is not written', async () => {
    await put(box, { filesHeld: 3 })
    await eventually(async () => (await filesHeld(box)) === 3, 'the status is there')
    const { resourceVersion } = (await get(box)).metadata
    for (let i = 0; i < 5; i++) {
      await clock.advance(10_000)
      expect(await put(box, { filesHeld: 3 })).toBe(204)
    }
    await settled()
    expect((await get(box)).metadata.resourceVersion).toBe(resourceVersion)
  })

  test('is written at most every 2 s, and then the newest', async () => {
    await put(box, { filesHeld: 1 })
    await eventually(async () => (await filesHeld(box)) === 1, 'the first is there')
    for (let held = 2; held <= 6; held++) await put(box, { filesHeld: held })
    await clock.advance(1_900)
    await settled()
    expect(await filesHeld(box)).toBe(1)
    await clock.advance(101)
    await eventually(async () => (await filesHeld(box)) === 6, 'the newest is there')
  })

  test('that all is there is written at once, and so is that something fails', async () => {
    await put(box, { filesHeld: 1 })
    await eventually(async () => (await filesHeld(box)) === 1, 'the first is there')
    await put(box, { filesHeld: 10, bytesToFill: 0, progressPercent: 100 })
    await eventually(async () => (await filesHeld(box)) === 10, 'the goal is there, with no time gone by')
    await put(box, { filesHeld: 9, bytesToFill: 100, filesFailing: 1 })
    await eventually(async () => (await filesHeld(box)) === 9, 'the failure is there, with no time gone by')
  })

  test('of somebody else about its status is corrected', async () => {
    await put(box, { filesHeld: 4 })
    await eventually(async () => (await filesHeld(box)) === 4, 'the status is there')
    await plane.client.patch(
      appliances,
      box,
      { type: 'merge', merge: { status: { content: { filesHeld: 7 } } } },
      { subresource: 'status' },
    )
    await eventually(async () => {
      await clock.advance(500)
      return (await filesHeld(box)) === 4
    }, 'it is as the agent said')
  })

  test.each([
    ['a field of the wrong type', { content: { filesHeld: 'all' } }, 'content.filesHeld'],
    ['less than nothing', { content: { bytesHeld: -1 } }, 'content.bytesHeld'],
    ['more than all', { content: { progressPercent: 101 } }, 'content.progressPercent'],
    ['a part left out', { content: { generation: undefined } }, 'content.generation: Required value'],
    ['no version', { version: undefined }, 'version: Required value'],
    ['an address that is none', { addresses: [{ type: 'HTTP', url: 'javascript:alert(1)' }] }, 'addresses[0].url'],
    ['an address with a path', { addresses: [{ type: 'HTTP', url: 'http://x/y' }] }, 'addresses[0].url'],
    [
      'eleven failures',
      { content: { failures: Array(11).fill({ path: 'a', catalog: 'b', reason: 'c', message: 'd', attempts: 1 }) } },
      'content.failures',
    ],
    ['a time that is none', { startedAt: 'yesterday' }, 'startedAt'],
  ])('with %s is refused, and says where', async (_, wrong: Record<string, unknown>, place) => {
    const good = report()
    const body = { ...good, ...wrong, content: { ...good.content, ...(wrong.content as object | undefined) } }
    const { status, text } = await ask(box, '/status', { method: 'PUT', body })
    expect([status, JSON.parse(text).message]).toEqual([400, expect.stringContaining(place)])
    expect((await get(box)).status).toBeUndefined()
  })

  test('lists everything that is wrong with it, and leaves out what a newer agent says', async () => {
    const body = { ...report(), version: 1, startedAt: 2, hologram: true }
    const { text } = await ask(box, '/status', { method: 'PUT', body })
    expect(text).toContain('version')
    expect(text).toContain('startedAt')
    expect((await ask(box, '/status', { method: 'PUT', body: { ...report(), hologram: true } })).status).toBe(204)
  })
})

describe('an inventory', () => {
  test('of files that its catalog does not have is refused', async () => {
    const files = ['a', 'b'].map((path) => ({ path, size: 1, sha256: 'a'.repeat(64) }))
    const catalog = await plane.blobStore.put(encodeCatalog(catalogOf([...files, null])))
    const putIndices = async (...indices: number[]) => {
      const body = encodeFileSet({ catalog, files: indices.length, bytes: 1, set: FileSet.of(indices) })
      return await ask(box, '/inventory/default/films', { method: 'PUT', body })
    }
    expect((await putIndices(0, 2)).status).toBe(204)
    for (const beyond of [3, 2 ** 25 - 1]) {
      const answer = await putIndices(1, beyond)
      expect([answer.status, JSON.parse(answer.text).reason]).toEqual([422, 'NoSuchFiles'])
    }
  })

  test('is on disk and named in the status once it is acknowledged', async () => {
    expect(await putInventory(box, 1, 2, 3)).toBe(204)
    const digest = digestOf(inventory(1, 2, 3))
    expect((await get(box)).status?.content?.inventories).toEqual([
      { catalog: { namespace: 'default', name: 'films' }, digest, catalogDigest },
    ])
    expect((await plane.blobStore.get(digest))?.equals(inventory(1, 2, 3))).toBe(true)
  })

  test('that is smaller is acknowledged only when nobody can be told of the larger one any more', async () => {
    await putInventory(box, 1, 2, 3)
    const smaller = putInventory(box, 1)
    // Its turn comes 2 s after the first one's.
    await eventually(() => clock.pendingTimers > 0, 'it waits')
    const digest = async () => (await get(box)).status?.content?.inventories[0]?.digest
    expect(await digest()).toBe(digestOf(inventory(1, 2, 3)))
    await eventually(async () => {
      await clock.advance(500)
      return (await Promise.race([smaller, Promise.resolve(0)])) === 204
    }, 'it is acknowledged')
    expect(await digest()).toBe(digestOf(inventory(1)))
  })

  test('is remembered by the next gateway, and so is the report', async () => {
    await put(box, { filesHeld: 5 })
    await eventually(async () => (await filesHeld(box)) === 5, 'the status is there')
    await clock.advance(2_000)
    expect(await putInventory(box, 7, 8)).toBe(204)
    const before = await get(box)
    await gateway.close()
    gateway = await openGateway(plane, { clock })
    const peer = await letIn(`peer-of-${box.name}`)
    await eventually(
      async () => (await ask(box, '/heartbeat', { method: 'POST', body: { bootId: 'b' } })).status === 204,
      'in',
    )
    await listed(box)
    const { peers } = JSON.parse((await ask(peer, '/sources')).text)
    expect(peers.find(({ name }: { name: string }) => name === box.key)?.inventories).toEqual([
      { catalog: 'default/films', catalogDigest, digest: digestOf(inventory(7, 8)) },
    ])
    // The next inventory does not lose what was said before.
    const other = await ask(box, '/inventory/default/books', { method: 'PUT', body: inventory(1) })
    expect(other.status).toBe(204)
    const { status } = await get(box)
    expect(status?.content?.inventories.map(({ catalog }) => catalog.name)).toEqual(['books', 'films'])
    expect(status?.content?.filesHeld).toBe(5)
    expect(status?.agent).toEqual(before.status?.agent)
  })

  test('is taken back', async () => {
    await putInventory(box, 1)
    await clock.advance(2_000)
    expect((await ask(box, '/inventory/default/films', { method: 'DELETE' })).status).toBe(204)
    expect((await get(box)).status?.content?.inventories).toEqual([])
    expect((await ask(box, '/inventory/default/films', { method: 'DELETE' })).status).toBe(204)
  })

  test('that the API does not take within 15 s is not acknowledged', async () => {
    const deaf = new Proxy(plane.client, {
      get(client, name) {
        if (name === 'applyStatus') return () => Promise.reject(new Error('no answer'))
        const value = Reflect.get(client, name)
        return typeof value === 'function' ? value.bind(client) : value
      },
    })
    const before = gateway
    gateway = await openGateway(plane, { clock, client: deaf, id: 'deaf' })
    const putting = ask(box, '/inventory/default/films', { method: 'PUT', body: inventory(1) })
    const answer = await eventually(async () => {
      await clock.advance(1_000)
      return (await Promise.race([putting, Promise.resolve(undefined)])) ?? undefined
    }, 'it is answered')
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2'])
    await gateway.close()
    gateway = before
  })
})

describe('sources', () => {
  test('are those of the site, then of its parents, that are online and advertise', async () => {
    const own = await makeNamespace(plane, 'regional')
    await makeSite(plane.client, own, 'edge', [{ name: 'regional' }])
    const [me, peer, parent, dark] = [
      await letIn('me', 'edge', own),
      await letIn('peer', 'edge', own),
      await letIn('parent', 'regional', own),
      await letIn('dark', 'edge', own),
    ]
    for (const [appliance, port] of [
      [me, 1],
      [peer, 2],
      [parent, 3],
      [dark, 4],
    ] as const) {
      await put(appliance, {}, { addresses: [{ type: 'HTTP', url: `http://127.0.0.1:${port}` }] })
      await clock.advance(2_000)
      expect(await putInventory(appliance, port)).toBe(204)
    }
    const alive = [me, peer, parent]
    for (let s = 0; s < 30; s += 10) {
      await clock.advance(10_000)
      for (const appliance of alive) await ask(appliance, '/heartbeat', { method: 'POST', body: { bootId: 'b' } })
    }
    const source = (name: string, port: number) => ({
      name: `${own}/${name}`,
      url: `http://127.0.0.1:${port}`,
      inventories: [{ catalog: 'default/films', catalogDigest, digest: digestOf(inventory(port)) }],
    })
    await eventually(async () => {
      const got = JSON.parse((await ask(me, '/sources')).text)
      expect(got).toEqual({ peers: [source('peer', 2)], parents: [source('parent', 3)] })
      return true
    }, 'the sources are right')
  })
})

test('many reports at once are written no faster than the rate', async () => {
  await gateway.close()
  gateway = await openGateway(plane, { clock, statusWritesPerSecond: 5 })
  const many: TestAppliance[] = []
  for (let i = 0; i < 12; i++) many.push(await letIn(`rate-${made}-${i}`))
  for (const appliance of many) await put(appliance)
  const written = async () => {
    const all = await Promise.all(many.map(get))
    return all.filter(({ status }) => status?.content).length
  }
  await eventually(async () => (await written()) === 5, 'the first five')
  await settled()
  expect(await written()).toBe(5)
  await clock.advance(1_000)
  await eventually(async () => (await written()) === 10, 'five more after a second')
  await clock.advance(1_000)
  await eventually(async () => (await written()) === 12, 'all of them')
})

/** Long enough for a write that is under way to be seen: several rounds to the API, one after the other. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await get(box)
}

test('an API that is not there does not lose reports', async () => {
  const gone = new Client({ access: { server: 'https://127.0.0.1:9', credentials: fixedCredentials({}) } })
  let up = true
  const flaky = new Proxy(plane.client, {
    get(client, name) {
      const target = name === 'applyStatus' && !up ? gone : client
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  await gateway.close()
  gateway = await openGateway(plane, { clock, client: flaky })
  up = false
  expect(await put(box, { filesHeld: 2 })).toBe(204)
  await clock.advance(5_000)
  await settled()
  expect(await filesHeld(box)).toBeUndefined()
  up = true
  await eventually(async () => {
    await clock.advance(1_000)
    return (await filesHeld(box)) === 2
  }, 'it is written when the API is back')
  gone.close()
})
