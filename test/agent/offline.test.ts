import { randomBytes } from 'node:crypto'
import { afterEach, expect, test } from '@jest/globals'
import { Cleanup, contentOf, filled, makeCatalog, Origin, runAgent, sha256, TestGateway, until } from './harness.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const files = new Map(Array.from({ length: 40 }, (_, i) => [`file ${i}`, randomBytes(5000)]))
const catalog = makeCatalog('docs', files)

async function setUp(indices?: readonly number[]) {
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  gateway.assign({ entries: [gateway.entry(catalog, origin.url, indices)] })
  const root = cleanup.folder()
  const agent = await runAgent(cleanup, gateway, { root })
  await filled(gateway)
  return { origin, gateway, root, agent }
}

const get = (url: string, i: number) => fetch(`${url}/isp/docs/file%20${i}`)
const held = (root: string) => contentOf(root).size

test('after a reboot without the gateway it serves at once, and fills what was missing', async () => {
  const origin = await Origin.start(cleanup, files)
  for (let i = 20; i < 40; i++) origin.faults.set(`file ${i}`, (_, response) => response.writeHead(503).end())
  const gateway = await TestGateway.start(cleanup)
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)] })
  const root = cleanup.folder()
  const first = await runAgent(cleanup, gateway, { root })
  await until(
    () => (gateway.status?.content.filesHeld === 20 ? true : undefined),
    () => gateway.status,
  )
  await first.close()
  await gateway.stop()

  const agent = await runAgent(cleanup, gateway, { root })
  expect((await get(agent.url, 3)).status).toBe(200)
  origin.faults.clear()
  await until(
    () => (held(root) === 40 ? true : undefined),
    () => held(root),
  )
  // On disk, and a moment later known to be.
  await until(
    async () => ((await get(agent.url, 33)).status === 200 ? true : undefined),
    () => held(root),
  )

  // The gateway comes back: it is told everything, though nothing has changed since.
  gateway.status = undefined
  gateway.inventories.clear()
  await gateway.listen(cleanup)
  await filled(gateway)
  await until(
    () => (gateway.inventories.get('isp/docs')?.files === 40 ? true : undefined),
    () => gateway.told,
  )
})

test('without the gateway nothing is evicted, unless it was withdrawn before', async () => {
  const { origin, gateway, root, agent } = await setUp()
  // Withdrawn and acknowledged; then the gateway goes away during the drain.
  gateway.assign({ entries: [gateway.entry(catalog, origin.url, [0, 1, 2])], drainSeconds: 1 })
  await until(
    () => (gateway.inventories.get('isp/docs')?.files === 3 ? true : undefined),
    () => gateway.told,
  )
  await gateway.stop()
  await until(
    () => (held(root) === 3 ? true : undefined),
    () => held(root),
  )
  expect((await get(agent.url, 1)).status).toBe(200)
  expect((await get(agent.url, 30)).status).toBe(404)
})

test('killed between taking up an Assignment and withdrawing: files of before are served until they are withdrawn', async () => {
  const { origin, gateway, root, agent } = await setUp()
  gateway.refuses = (request) => request.includes('/inventory/')
  gateway.assign({ entries: [gateway.entry(catalog, origin.url, [0, 1, 2])] })
  await filled(gateway, 2)
  await agent.close()
  await gateway.stop()
  // The gateway still sends clients to all forty.
  const again = await runAgent(cleanup, gateway, { root })
  expect((await get(again.url, 30)).status).toBe(200)
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(held(root)).toBe(40)
  gateway.refuses = () => false
  await gateway.listen(cleanup)
  await until(
    () => (held(root) === 3 ? true : undefined),
    () => gateway.told,
  )
  expect(gateway.inventories.get('isp/docs')?.files).toBe(3)
})

test('an Assignment older than what is in force is refused, unless it is that of a namesake', async () => {
  const { origin, gateway, root } = await setUp()
  gateway.assign({ generation: 7, entries: [gateway.entry(catalog, origin.url)] }, 'uid-1')
  await filled(gateway, 7)
  gateway.assign({ generation: 6, entries: [] }, 'uid-1')
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(held(root)).toBe(40)
  expect(gateway.status?.content.generation).toBe(7)
  // The Appliance was deleted and made again: its generations begin anew.
  gateway.assign({ generation: 1, entries: [gateway.entry(catalog, origin.url, [5])] }, 'uid-2')
  await filled(gateway, 1)
  await until(
    () => (held(root) === 1 ? true : undefined),
    () => held(root),
  )
})

test('an Assignment whose blobs cannot be read does not count, and says why', async () => {
  const { origin, gateway, agent } = await setUp()
  const entry = gateway.entry(catalog, origin.url, [0])
  const manifest = gateway.blobs.get(entry.manifestDigest)!
  gateway.blobs.delete(entry.manifestDigest)
  gateway.assign({ entries: [entry] })
  const waiting = (text: string) =>
    until(
      () => (gateway.status?.content.waitingFor?.includes(text) ? gateway.status.content : undefined),
      () => gateway.status,
    )
  const content = await waiting('the gateway answered 404')
  expect(content.waitingFor).toMatch(/^generation 2 of its Assignment: GET \/v1\/blobs\/sha256:/)
  expect(content).toMatchObject({ generation: 1, filesHeld: 40 })
  expect((await get(agent.url, 30)).status).toBe(200)

  gateway.blobs.set(entry.manifestDigest, Buffer.from('something else'))
  await waiting('sent other bytes')
  gateway.blobs.set(entry.manifestDigest, manifest)
  await filled(gateway, 2)
})

test.each([
  ['a manifest that is none', () => Buffer.from('nonsense'), 'no header line'],
  ['a manifest of another catalog', () => otherManifest(), 'the manifest speaks of catalog'],
])('%s is refused with its reason', async (_, blob, reason) => {
  const { origin, gateway } = await setUp([1])
  const bytes = blob()
  const digest = `sha256:${sha256(bytes)}`
  gateway.blobs.set(digest, bytes)
  gateway.assign({ entries: [{ ...gateway.entry(catalog, origin.url), manifestDigest: digest }] })
  const { content } = await until(
    () => (gateway.status?.content.waitingFor?.includes(reason) ? gateway.status : undefined),
    () => gateway.status,
  )
  expect(content).toMatchObject({ generation: 1, filesHeld: 1, progressPercent: 100 })
})

function otherManifest(): Uint8Array {
  const gateway = new TestGateway('isp/x')
  const entry = gateway.entry(makeCatalog('other', new Map([['x', Buffer.from('x')]])), '')
  return gateway.blobs.get(entry.manifestDigest)!
}

test('a converged appliance sends heartbeats and nothing else; after the gateway has been away, it is heard of at once', async () => {
  const { gateway } = await setUp()
  await until(
    () => (gateway.inventories.get('isp/docs')?.files === 40 ? true : undefined),
    () => gateway.told,
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  gateway.told.length = 0
  await until(
    () => (gateway.told.length >= 3 ? true : undefined),
    () => gateway.told,
  )
  expect(new Set(gateway.told.map(({ what }) => what))).toEqual(new Set(['heartbeat']))

  await gateway.stop()
  await new Promise((resolve) => setTimeout(resolve, 300))
  gateway.told.length = 0
  await gateway.listen(cleanup)
  const back = performance.now()
  await until(
    () => (gateway.told.length > 0 && gateway.streams === 1 ? true : undefined),
    () => gateway.told,
  )
  expect(performance.now() - back).toBeLessThan(5000)
})

test('a stream that falls silent is opened again', async () => {
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  await runAgent(cleanup, gateway, { root: cleanup.folder(), tuning: { streamSilenceMs: 200 } })
  await until(
    () => (gateway.streams === 1 ? true : undefined),
    () => gateway.told,
  )
  // Nothing is sent: the connection is there, but the gateway behind it may not be.
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(gateway.streamsOpened).toBeGreaterThanOrEqual(2)
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)] })
  await filled(gateway)
})

test('with a wrong token it serves what it has, and says nothing', async () => {
  const { gateway, root, agent } = await setUp()
  await agent.close()
  gateway.told.length = 0
  const again = await runAgent(cleanup, gateway, { root, token: 'stale' })
  expect((await get(again.url, 3)).status).toBe(200)
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(gateway.told).toEqual([])
})
