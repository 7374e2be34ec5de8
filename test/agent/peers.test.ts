import { randomBytes } from 'node:crypto'
import http from 'node:http'
import { afterEach, expect, test } from '@jest/globals'
import type { RunningAgent } from '../../agent/main.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { encodeFileSet } from '../../reconcilers/blobs/file-set-blob.ts'
import {
  Cleanup,
  contentOf,
  filled,
  makeCatalog,
  Origin,
  runAgent,
  sha256,
  type TestCatalog,
  TestGateway,
} from './harness.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

function someFiles(count: number): Map<string, Buffer> {
  return new Map(Array.from({ length: count }, (_, i) => [`file ${i}`, randomBytes(2000)]))
}

/** Names an appliance as a source to another, with what it holds. */
function sourceOf(gateway: TestGateway, name: string, url: string, catalog: TestCatalog, indices: readonly number[]) {
  const set = FileSet.of(indices)
  const inventory = encodeFileSet({ catalog: catalog.digest, files: set.size, bytes: 0, set })
  const digest = `sha256:${sha256(inventory)}`
  gateway.blobs.set(digest, inventory)
  const inventories = [{ catalog: `${catalog.namespace}/${catalog.name}`, catalogDigest: catalog.digest, digest }]
  return { name, url, inventories }
}

/** An appliance that holds all files, filled from an origin of its own. */
async function fullAgent(name: string, files: Map<string, Buffer>, catalog: TestCatalog) {
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup, name)
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)] })
  const root = cleanup.folder()
  const agent = await runAgent(cleanup, gateway, { root })
  await filled(gateway)
  return { gateway, root, url: agent.url }
}

const all = (files: ReadonlyMap<string, Buffer>) => [...files.keys()].map((_, i) => i)

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = text.split('\n').find((candidate) => candidate.startsWith(`weir_agent_${name} `))
  return Number(line?.split(' ').at(-1))
}

test('fills from peers of its site first, then from parents, then from the origin', async () => {
  const files = someFiles(60)
  const catalog = makeCatalog('docs', files)
  const peer = await fullAgent('isp/peer', files, catalog)
  const parent = await fullAgent('isp/parent', files, catalog)
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  const indices = all(files)
  gateway.sources = {
    peers: [sourceOf(gateway, 'isp/peer', peer.url, catalog, indices.slice(0, 20))],
    parents: [sourceOf(gateway, 'isp/parent', parent.url, catalog, indices.slice(0, 40))],
  }
  // Sources are asked for as soon as there is something to fill; until then nothing may be fetched from further away.
  const root = cleanup.folder()
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)], fill: closedNow() })
  const agent = await runAgent(cleanup, gateway, { root })
  await sourcesAsked(gateway)
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)] })
  await filled(gateway)

  expect(await metric(agent.url, 'filled_bytes_total{source="peer"}')).toBe(20 * 2000)
  expect(await metric(agent.url, 'filled_bytes_total{source="parent"}')).toBe(20 * 2000)
  expect(await metric(agent.url, 'filled_bytes_total{source="origin"}')).toBe(20 * 2000)
  expect(origin.requests).toHaveLength(20)
  expect(await metric(peer.url, 'sent_bytes_total{to="peer"}')).toBe(20 * 2000)
  for (const [name, bytes] of contentOf(root)) expect(sha256(bytes)).toBe(name)
})

test('a peer that sends wrong bytes is left alone, and the files come from elsewhere', async () => {
  const files = someFiles(200)
  const catalog = makeCatalog('docs', files)
  let asked = 0
  const liar = http.createServer((_, response) => {
    asked++
    response.end(randomBytes(2000))
  })
  const liarUrl = await new Promise<string>((resolve) => {
    liar.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(liar.address() as { port: number }).port}`))
  })
  cleanup.add(() => {
    liar.close()
    liar.closeAllConnections()
  })
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  gateway.sources = { peers: [sourceOf(gateway, 'isp/liar', liarUrl, catalog, all(files))], parents: [] }
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)], fill: closedNow() })
  const root = cleanup.folder()
  const agent = await runAgent(cleanup, gateway, { root, tuning: { penaltyBaseMs: 60_000, penaltyCapMs: 60_000 } })
  await sourcesAsked(gateway)
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)] })
  const { content } = await filled(gateway)

  expect(content.filesHeld).toBe(200)
  for (const [name, bytes] of contentOf(root)) expect(sha256(bytes)).toBe(name)
  // Those that were under way when the first wrong bytes came, and none after.
  expect(asked).toBeGreaterThan(0)
  expect(asked).toBeLessThanOrEqual(64)
  expect(await metric(agent.url, 'filled_bytes_total{source="peer"}')).toBe(0)
})

test('a peer that does not have what it is said to have is no failure', async () => {
  const files = someFiles(20)
  const catalog = makeCatalog('docs', files)
  const nobody = await Origin.start(cleanup, new Map())
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  gateway.sources = { peers: [sourceOf(gateway, 'isp/behind', nobody.url, catalog, all(files))], parents: [] }
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)], fill: closedNow() })
  const agent = await runAgent(cleanup, gateway, { root: cleanup.folder() })
  await sourcesAsked(gateway)
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)] })
  await filled(gateway)
  expect(nobody.requests).toHaveLength(20)
  expect(await (await fetch(`${agent.url}/metrics`)).text()).not.toContain('fill_failures_total{')
})

test('two appliances of a site that fill together take files from each other', async () => {
  const files = new Map(Array.from({ length: 256 }, (_, i) => [`file ${i}`, randomBytes(20_000)]))
  const catalog = makeCatalog('docs', files)
  const origin = await Origin.start(cleanup, files)
  // A thin line to the origin: a file takes its time.
  for (const path of files.keys()) {
    origin.faults.set(path, (request, response, bytes) => {
      setTimeout(() => origin.sendRanged(request, response, bytes), 30)
    })
  }
  const gateways = [await TestGateway.start(cleanup, 'isp/a'), await TestGateway.start(cleanup, 'isp/b')]
  const agents: RunningAgent[] = []
  for (const gateway of gateways) {
    gateway.assign({ entries: [gateway.entry(catalog, origin.url)] })
    agents.push(await runAgent(cleanup, gateway, { root: cleanup.folder(), tuning: { maxTransfers: 4 } }))
  }
  // What the real gateway does: each is told of the other, with the inventory that it published last.
  for (const [i, gateway] of gateways.entries()) {
    const other = gateways[1 - i]!
    Object.defineProperty(gateway, 'sources', {
      get() {
        const held = other.inventories.get('isp/docs')
        const peer = held && sourceOf(gateway, other.appliance, agents[1 - i]!.url, catalog, [...held.set])
        return { peers: peer ? [peer] : [], parents: [] }
      },
    })
  }
  await Promise.all(gateways.map((gateway) => filled(gateway)))
  // Alone, each would have fetched all 256.
  expect(origin.requests.length).toBeLessThan(480)
})

function closedNow() {
  const day = new Date(Date.now() + 2 * 86_400_000).toLocaleDateString('en', { weekday: 'short', timeZone: 'UTC' })
  return { timeZone: 'UTC', windows: [{ days: [day as 'Mon'], start: '00:00', end: '00:01' }] }
}

/** Waits until the gateway was asked for sources and the inventories in them. */
async function sourcesAsked(gateway: TestGateway): Promise<void> {
  const before = gateway.sources
  let asked = 0
  await new Promise<void>((resolve) => {
    Object.defineProperty(gateway, 'sources', {
      configurable: true,
      get() {
        // Asked again: the first answer has been worked off.
        if (++asked === 2) resolve()
        return before
      },
    })
  })
}
