import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { registry } from '../../crds/registry.gen.ts'
import type { Assignment, ContentAssignment } from '../../crds/types.gen.ts'
import { openDemandStore } from '../../gateway/demand/open.ts'
import type { DemandStore } from '../../gateway/demand/store.ts'
import {
  appliances,
  assignments,
  type ControlPlane,
  eventually,
  makeAppliance,
  makeNamespace,
  openGateway,
  startControlPlane,
  type TestAppliance,
} from '../gateway/harness.ts'
import { Cleanup, contentOf, makeCatalog, Origin, runAgent, TestGateway } from './harness.ts'

const cleanup = new Cleanup()
let plane: ControlPlane
beforeAll(async () => {
  plane = await startControlPlane()
})
afterAll(async () => {
  await cleanup.run()
  await plane[Symbol.asyncDispose]()
})

const files = new Map(Array.from({ length: 50 }, (_, i) => [`file ${i}`, randomBytes(3000)]))
const catalog = makeCatalog('docs', files)

/** Writes an Assignment as the assignment controller would, its blobs first. */
async function assign({ namespace, name }: TestAppliance, content: Partial<ContentAssignment>): Promise<void> {
  const spec = {
    content: {
      generation: 1,
      entries: [],
      fill: { timeZone: 'UTC', windows: [] },
      drainSeconds: 0,
      serve: true,
      ...content,
    },
  }
  const { apiVersion, kind } = registry.Assignment
  const assignment = { apiVersion, kind, metadata: { name, namespace }, spec } as unknown as Assignment
  await plane.client.apply(assignments, assignment, { fieldManager: 'weir-assignment', force: true })
}

test('against the real gateway: told by it, filled from a peer that it names, reported to it, withdrawn through it', async () => {
  const origin = await Origin.start(cleanup, files)
  const blobs = new TestGateway('')
  const entry = (indices?: number[]) => blobs.entry(catalog, origin.url, indices)
  const [all, some] = [entry(), entry([1, 2, 3])]
  for (const blob of blobs.blobs.values()) await plane.blobStore.put(blob)
  await using gateway = await openGateway(plane)
  const namespace = await makeNamespace(plane)
  const [first, second] = [await makeAppliance(plane, namespace, 'a'), await makeAppliance(plane, namespace, 'b')]
  const run = (appliance: TestAppliance, root: string) =>
    runAgent(cleanup, { url: gateway.url, appliance: appliance.key }, { root, ca: plane.ca, token: appliance.token })
  const contentOfStatus = async ({ name }: TestAppliance) => {
    const appliance = await plane.client.get(appliances, { namespace, name })
    return appliance.status?.content
  }
  const reaches = (appliance: TestAppliance, generation: number, filesHeld: number, inventories: number) =>
    eventually(async () => {
      const content = await contentOfStatus(appliance)
      const isThere = content?.generation === generation && content.filesHeld === filesHeld && content.bytesToFill === 0
      return isThere && content.inventories.length === inventories ? content : undefined
    }, `${appliance.key} reaches generation ${generation}`)

  await assign(first, { entries: [all] })
  const roots = [cleanup.folder(), cleanup.folder()] as const
  const agent = await run(first, roots[0])
  const content = await reaches(first, 1, 50, 1)
  expect(content).toMatchObject({ filesDesired: 50, filesFailing: 0, progressPercent: 100, failures: [] })
  expect(content.inventories[0]).toMatchObject({
    catalog: { namespace: 'isp', name: 'docs' },
    catalogDigest: catalog.digest,
  })
  const { status } = await plane.client.get(appliances, { namespace, name: 'a' })
  expect(status?.addresses).toEqual([{ type: 'HTTP', url: agent.url }])
  expect(status?.agent?.version).toBe('1.2.3')
  expect(origin.requests).toHaveLength(50)

  // The second finds the first through the gateway; the origin is of no use to it.
  await origin.stop()
  await assign(second, { entries: [all] })
  await run(second, roots[1])
  await reaches(second, 1, 50, 1)
  expect(contentOf(roots[1])).toEqual(contentOf(roots[0]))
  expect(origin.requests).toHaveLength(50)

  await assign(first, { generation: 2, entries: [some] })
  await reaches(first, 2, 3, 1)
  await eventually(() => contentOf(roots[0]).size === 3, 'the rest is evicted')
  await assign(first, { generation: 3, entries: [] })
  const empty = await reaches(first, 3, 0, 0)
  await eventually(async () => (await contentOfStatus(first))?.storageUsedBytes === 0, 'all is evicted')
  expect(empty.filesDesired).toBe(0)
})

test('what clients ask for is counted once, by the class of the site, also over an answer that got lost', async () => {
  const origin = await Origin.start(cleanup, files)
  const blobs = new TestGateway('')
  const entry = blobs.entry(catalog, origin.url)
  for (const blob of blobs.blobs.values()) await plane.blobStore.put(blob)
  const store = await openDemandStore(join(cleanup.folder(), 'demand.db'))
  let lost = 0
  // Puts down what it is given, and then fails: the agent cannot know.
  const forgetful: DemandStore = {
    ...bound(store),
    async add(batch) {
      const added = await store.add(batch)
      if (lost++ < 2) throw new Error('the answer got lost')
      return added
    },
  }
  await using gateway = await openGateway(plane, { demandStore: forgetful })
  const namespace = await makeNamespace(plane)
  const appliance = await makeAppliance(plane, namespace, 'counted')
  await assign(appliance, { entries: [entry] })
  const agent = await runAgent(
    cleanup,
    { url: gateway.url, appliance: appliance.key },
    { root: cleanup.folder(), ca: plane.ca, token: appliance.token, tuning: { demandIntervalMs: 100 } },
  )
  await eventually(async () => {
    const { status } = await plane.client.get(appliances, { namespace, name: 'counted' })
    return status?.content?.filesHeld === 50
  }, 'it holds everything')
  const url = (path: string) => `${agent.url}/isp/docs/${encodeURIComponent(path)}`
  const get = async (path: string, init: RequestInit = {}) => (await fetch(url(path), init)).arrayBuffer()
  await get('file 3')
  await get('file 3')
  await get('file 7', { headers: { Range: 'bytes=0-99' } })
  // None of these is a view.
  await get('file 9', { method: 'HEAD' })
  await get('no such file')
  await (await fetch(`${agent.url}/.weir/sha256/${catalog.entries[11]!.sha256}`)).arrayBuffer()

  const today = Math.floor(Date.now() / 86_400_000)
  const rows = await eventually(async () => {
    const seen = await store.files('isp/docs', today - 1, today + 1)
    return seen.reduce((sum, { requests }) => sum + requests, 0) >= 3 && lost >= 3 ? seen : undefined
  }, 'what was asked for is there')
  const byFile = new Map(rows.map(({ file, requests, bytes, demandClass }) => [file, { requests, bytes, demandClass }]))
  expect(byFile).toEqual(
    new Map([
      [3, { requests: 2, bytes: 6000, demandClass: 'de' }],
      [7, { requests: 1, bytes: 100, demandClass: 'de' }],
    ]),
  )
  const sites = await store.sites((today - 1) * 24, (today + 1) * 24)
  expect(sites.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(6100)
  expect(new Set(sites.map(({ site }) => site))).toEqual(new Set([`${namespace}/fra1`]))
  await agent.close()
})

const bound = (store: DemandStore): DemandStore => ({
  add: (...batch) => store.add(...batch),
  files: (...range) => store.files(...range),
  classes: (catalog) => store.classes(catalog),
  sites: (...range) => store.sites(...range),
  forget: (...days) => store.forget(...days),
  close: () => store.close(),
})
