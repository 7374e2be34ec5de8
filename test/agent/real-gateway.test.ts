import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { registry } from '../../crds/registry.gen.ts'
import type { Assignment, ContentAssignment } from '../../crds/types.gen.ts'
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
