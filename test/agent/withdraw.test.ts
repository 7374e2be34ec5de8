import { randomBytes } from 'node:crypto'
import http, { type IncomingMessage } from 'node:http'
import { afterEach, expect, test } from '@jest/globals'
import { Cleanup, contentOf, filled, makeCatalog, Origin, runAgent, sha256, TestGateway, until } from './harness.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const files = new Map<string, Buffer>()
for (const name of ['a', 'b', 'c', 'd']) files.set(name, randomBytes(3_000_000))
const catalog = makeCatalog('docs', files)
const [a, b, c, d] = [...files.values()].map((bytes) => sha256(bytes)) as [string, string, string, string]

/** A drain that lasts until the next Assignment says otherwise. */
const LONG_SECONDS = 3600

async function setUp() {
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  const entry = (indices: readonly number[]) => gateway.entry(catalog, origin.url, indices)
  gateway.assign({ entries: [entry([0, 1])] })
  const root = cleanup.folder()
  const agent = await runAgent(cleanup, gateway, { root })
  await filled(gateway, 1)
  await advertised(gateway, [0, 1])
  return { origin, gateway, entry, root, agent, holds: () => [...contentOf(root).keys()].sort() }
}

const advertised = (gateway: TestGateway, indices: readonly number[]) =>
  until(
    () => (String([...(gateway.inventories.get('isp/docs')?.set ?? [])]) === String(indices) ? true : undefined),
    () => [...(gateway.inventories.get('isp/docs')?.set ?? [])],
  )

const status = (url: string) => fetch(url, { method: 'HEAD' }).then((response) => response.status)

test('what is no longer wanted is withdrawn, served while clients are on their way, and then evicted', async () => {
  const { gateway, entry, agent, holds } = await setUp()
  gateway.told.length = 0
  gateway.assign({ entries: [entry([1, 2])], drainSeconds: LONG_SECONDS })
  await advertised(gateway, [1, 2])
  const { content } = await filled(gateway, 2)
  // Held, and served, though nobody is sent to it any more.
  expect(content).toMatchObject({ filesHeld: 2, storageUsedBytes: 9_000_000 })
  expect(holds()).toEqual([a, b, c].sort())
  expect(await status(`${agent.url}/isp/docs/a`)).toBe(200)
  // Withdrawn first; what was filled came after.
  expect(gateway.told.find(({ what }) => what === 'inventory')?.indices).toEqual([1])
  gateway.assign({ entries: [entry([1, 2])] })
  await until(
    () => (holds().length === 2 ? true : undefined),
    () => holds(),
  )
  expect(holds()).toEqual([b, c].sort())
  expect(await status(`${agent.url}/isp/docs/a`)).toBe(404)
  await until(
    () => (gateway.status?.content.storageUsedBytes === 6_000_000 ? true : undefined),
    () => gateway.status,
  )
  expect(await (await fetch(`${agent.url}/metrics`)).text()).toContain('weir_agent_evicted_files_total 1\n')
})

test('nothing is evicted until the gateway has acknowledged that it is withdrawn', async () => {
  const { gateway, entry, holds } = await setUp()
  gateway.refuses = (request) => request.includes('/inventory/')
  gateway.assign({ entries: [entry([1])] })
  await filled(gateway, 2)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(holds()).toEqual([a, b].sort())
  gateway.refuses = () => false
  await until(
    () => (holds().length === 1 ? true : undefined),
    () => holds(),
  )
  expect(holds()).toEqual([b])
  expect([...gateway.inventories.get('isp/docs')!.set]).toEqual([1])
})

test('out of service it fills nothing and evicts nothing, across a restart too; back in service it does both', async () => {
  const { gateway, origin, entry, root, agent, holds } = await setUp()
  const before = origin.requests.length
  const fill = { timeZone: 'UTC', windows: [], paused: true }
  gateway.assign({ entries: [entry([1, 2])], serve: false, fill })
  await advertised(gateway, [])
  const waiting = () =>
    until(
      () => gateway.status?.content.waitingFor?.startsWith('its return to service') || undefined,
      () => gateway.status,
    )
  await waiting()
  await agent.close()
  await runAgent(cleanup, gateway, { root })
  await waiting()
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(holds()).toEqual([a, b].sort())
  expect(origin.requests).toHaveLength(before)
  gateway.assign({ entries: [entry([1, 2])] })
  await until(
    () => (String(holds()) === String([b, c].sort()) ? true : undefined),
    () => holds(),
  )
})

test('a file that is being read is not evicted before the reader is through', async () => {
  // More than the system takes off our hands at once.
  const large = new Map([['film', randomBytes(24_000_000)]])
  const origin = await Origin.start(cleanup, large)
  const gateway = await TestGateway.start(cleanup)
  gateway.assign({ entries: [gateway.entry(makeCatalog('films', large), origin.url)] })
  const root = cleanup.folder()
  const agent = await runAgent(cleanup, gateway, { root })
  await filled(gateway, 1)
  const response = await new Promise<IncomingMessage>((resolve) => http.get(`${agent.url}/isp/films/film`, resolve))
  response.pause()
  gateway.assign({ entries: [] })
  await until(
    () => (gateway.told.some(({ what }) => what === 'withdrawal') ? true : undefined),
    () => gateway.told,
  )
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(contentOf(root).size).toBe(1)
  const read: Buffer[] = []
  for await (const chunk of response) read.push(chunk as Buffer)
  expect(Buffer.concat(read).equals(large.get('film')!)).toBe(true)
  await until(
    () => (contentOf(root).size === 0 ? true : undefined),
    () => gateway.status,
  )
})

test('a file that is wanted again while it drains stays, and is not fetched again', async () => {
  const { origin, gateway, entry, holds } = await setUp()
  gateway.assign({ entries: [entry([1])], drainSeconds: LONG_SECONDS })
  await advertised(gateway, [1])
  gateway.assign({ entries: [entry([0, 1])], drainSeconds: 0 })
  await advertised(gateway, [0, 1])
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(holds()).toEqual([a, b].sort())
  expect(origin.requests).toHaveLength(2)
})

test('a path keeps its meaning while clients may still be sent to it, though its catalog has moved on', async () => {
  const { origin, gateway, agent } = await setUp()
  // The next version: `a` has other bytes, `b` is called something else.
  const fresh = randomBytes(1000)
  const next = new Map([...files, ['a', fresh], ['b renamed', files.get('b')!]])
  const nextOrigin = await Origin.start(cleanup, next)
  const asked = Promise.withResolvers<() => void>()
  nextOrigin.faults.set('a', (request, response, bytes) =>
    asked.resolve(() => nextOrigin.sendRanged(request, response, bytes)),
  )
  const nextCatalog = makeCatalog('docs', next, [null, null, 'c', 'd', 'a', 'b renamed'])
  const entries = [gateway.entry(nextCatalog, nextOrigin.url, [4, 5])]
  gateway.assign({ entries, drainSeconds: LONG_SECONDS })
  await until(
    () => (gateway.inventories.get('isp/docs')?.catalog === nextCatalog.digest ? true : undefined),
    () => gateway.told,
  )
  const sizeOf = async (path: string) => (await (await fetch(`${agent.url}/isp/docs/${path}`)).arrayBuffer()).byteLength
  // The new `a` has not come yet: clients on their way get the one they were sent to.
  expect([await sizeOf('a'), await sizeOf('b'), await sizeOf('b%20renamed')]).toEqual([3_000_000, 3_000_000, 3_000_000])
  const answer = await asked.promise
  answer()
  await filled(gateway, 2)
  expect(await sizeOf('a')).toBe(1000)
  expect(await sizeOf('b')).toBe(3_000_000)
  gateway.assign({ entries })
  await until(
    async () => ((await status(`${agent.url}/isp/docs/b`)) === 404 ? true : undefined),
    () => gateway.status,
  )
  expect(await sizeOf('b%20renamed')).toBe(3_000_000)
  // `b` was only renamed: its bytes were here already.
  expect(nextOrigin.requests.some(({ path }) => path.startsWith('b'))).toBe(false)
  expect(origin.requests).toHaveLength(2)
})

test('serve: false withdraws everything, keeps the bytes, and ends serving clients after the drain', async () => {
  const { gateway, entry, agent, holds } = await setUp()
  gateway.assign({ entries: [entry([0, 1])], serve: false, drainSeconds: LONG_SECONDS })
  await until(
    () => (gateway.inventories.size === 0 ? true : undefined),
    () => gateway.told,
  )
  expect(await status(`${agent.url}/isp/docs/a`)).toBe(200)
  gateway.assign({ entries: [entry([0, 1])], serve: false })
  await until(
    async () => ((await status(`${agent.url}/isp/docs/a`)) === 503 ? true : undefined),
    () => gateway.told,
  )
  expect(await status(`${agent.url}/.weir/sha256/${a}`)).toBe(200)
  expect(holds()).toEqual([a, b].sort())
  gateway.assign({ entries: [entry([0, 1])], serve: true })
  await advertised(gateway, [0, 1])
  expect(await status(`${agent.url}/isp/docs/a`)).toBe(200)
})

test('an Assignment of nothing gives everything up: withdrawn, drained, evicted', async () => {
  const { gateway, holds } = await setUp()
  gateway.assign({ entries: [] })
  await until(
    () => (holds().length === 0 && gateway.inventories.size === 0 ? true : undefined),
    () => [holds(), gateway.told],
  )
  const { content } = await until(
    () => (gateway.status?.content.storageUsedBytes === 0 ? gateway.status : undefined),
    () => gateway.status,
  )
  expect(content).toMatchObject({ generation: 2, filesDesired: 0, filesHeld: 0, progressPercent: 100 })
})

test('what is new waits for the room that eviction makes', async () => {
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  const entry = (indices: readonly number[]) => gateway.entry(catalog, origin.url, indices)
  gateway.assign({ entries: [entry([0, 1])] })
  const root = cleanup.folder()
  await runAgent(cleanup, gateway, { root, capacityBytes: 7_000_000 })
  await filled(gateway, 1)
  gateway.assign({ entries: [entry([2, 3])], drainSeconds: LONG_SECONDS })
  const { content } = await until(
    () => (gateway.status?.content.waitingFor?.startsWith('free disk') ? gateway.status : undefined),
    () => gateway.status,
  )
  // 6 MB are wanted, 1 MB is free, 6 MB are draining.
  expect(content.waitingFor).toBe('free disk: 4.77 MiB short; 5.72 MiB are draining')
  expect(content).toMatchObject({ storageCapacityBytes: 7_000_000, storageUsedBytes: 6_000_000, filesFailing: 0 })
  gateway.assign({ entries: [entry([2, 3])] })
  await filled(gateway, 3)
  expect([...contentOf(root).keys()].sort()).toEqual([c, d].sort())
})
