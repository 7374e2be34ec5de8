import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { registry } from '../../crds/registry.gen.ts'
import type { Assignment } from '../../crds/types.gen.ts'
import { type CatalogFile, identityOf } from '../../reconcilers/blobs/catalog.ts'
import { applyCatalogDelta, DELTA_TYPE } from '../../reconcilers/blobs/catalog-delta.ts'
import {
  appliances,
  ask,
  assignments,
  type ControlPlane,
  eventually,
  makeAppliance,
  makeNamespace,
  openGateway,
  startControlPlane,
} from '../gateway/harness.ts'
import { Cleanup, filled, makeCatalogOf, Origin, runAgent, sha256, type TestCatalog, TestGateway } from './harness.ts'

const cleanup = new Cleanup()
afterAll(() => cleanup.run())

/** The few files that the appliance holds; the others are only listed. */
const contents = new Map(['a', 'b', 'c'].map((path) => [path, randomBytes(2000)]))
const real = [...contents].map(([path, bytes]): CatalogFile => ({ path, size: bytes.length, sha256: sha256(bytes) }))
const listed = (from: number, to: number) =>
  Array.from(
    { length: to - from },
    (_, i): CatalogFile => ({ path: `f/${from + i}`, size: 1, sha256: sha256(`${from + i}`) }),
  )

const first = makeCatalogOf('docs', [...real, ...listed(0, 4000)])
const doubled = makeCatalogOf('docs', [...first.entries, ...listed(4000, 8000)])
const halved = makeCatalogOf(
  'docs',
  doubled.entries.map((file, i) => (i > 2 && i % 2 ? null : file)),
  new Map(doubled.entries.flatMap((file, i) => (file && i > 2 && i % 2 ? [[i, identityOf(file)]] : []))),
)
/** Half came back, and one more came: what was there before may still be on disk. */
const restored = makeCatalogOf('docs', [...doubled.entries, ...listed(8000, 8001)])
const renumbered = makeCatalogOf('docs', [...halved.entries.filter((file) => file !== null), ...listed(9000, 9001)])
const another = makeCatalogOf('docs', [...real, ...listed(20_000, 24_000)])

describe('against the real gateway', () => {
  let plane: ControlPlane
  let gateway: Awaited<ReturnType<typeof openGateway>>
  beforeAll(async () => {
    plane = await startControlPlane()
    cleanup.add(() => plane[Symbol.asyncDispose]())
    gateway = await openGateway(plane)
    cleanup.add(() => gateway.close())
  })

  test('an agent that has a version of a catalog is sent what changed: files that came, that went, new indices; the whole where little is the same', async () => {
    const origin = await Origin.start(cleanup, contents)
    const appliance = await makeAppliance(plane, await makeNamespace(plane), 'box')
    const { namespace, name, key, token } = appliance
    const root = cleanup.folder()
    await runAgent(cleanup, { url: gateway.url, appliance: key }, { root, ca: plane.ca, token })
    const blobs = new TestGateway('')
    let generation = 0
    /** Bytes of blobs, and deltas, that were sent until the appliance holds what it is asked for. */
    const goTo = async (catalog: TestCatalog) => {
      const { blobBytesServed, catalogDeltasServed } = gateway.view.counters
      const entry = blobs.entry(catalog, origin.url, [0, 1, 2])
      for (const blob of blobs.blobs.values()) await plane.blobStore.put(blob)
      const { apiVersion, kind } = registry.Assignment
      const content = { fill: { timeZone: 'UTC', windows: [] }, drainSeconds: 0, serve: true, entries: [entry] }
      const spec = { content: { generation: ++generation, ...content } }
      const assignment = { apiVersion, kind, metadata: { name, namespace }, spec } as unknown as Assignment
      await plane.client.apply(assignments, assignment, { fieldManager: 'weir-assignment', force: true })
      await eventually(async () => {
        const { status } = await plane.client.get(appliances, { namespace, name })
        return status?.content?.generation === generation && status.content.filesHeld === 3
      }, `generation ${generation} is there`)
      // What it has on disk is the version itself, to the byte.
      expect(sha256(readFileSync(join(root, 'state/blobs', catalog.digest.slice(7))))).toBe(catalog.digest.slice(7))
      const { counters } = gateway.view
      return {
        bytes: counters.blobBytesServed - blobBytesServed,
        deltas: counters.catalogDeltasServed - catalogDeltasServed,
      }
    }
    const whole = await goTo(first)
    expect(whole.deltas).toBe(0)
    expect(whole.bytes).toBeGreaterThan(first.blob.length)
    const cameHalf = await goTo(doubled)
    expect(cameHalf.deltas).toBe(1)
    expect(cameHalf.bytes).toBeLessThan(doubled.blob.length * 0.55)
    const wentHalf = await goTo(halved)
    expect(wentHalf.deltas).toBe(1)
    expect(wentHalf.bytes).toBeLessThan(halved.blob.length * 0.1)
    const cameBack = await goTo(restored)
    expect(cameBack.deltas).toBe(1)
    expect(cameBack.bytes).toBeLessThan(restored.blob.length * 0.6)
    await goTo(halved)
    const indexed = await goTo(renumbered)
    expect(indexed.deltas).toBe(1)
    expect(indexed.bytes).toBeLessThan(renumbered.blob.length * 0.1)
    const other = await goTo(another)
    expect(other.deltas).toBe(0)
    expect(other.bytes).toBeGreaterThan(another.blob.length)
    // Nothing was filled again: what a file is, not its index, says whether it is there.
    expect(origin.requests).toHaveLength(3)
  })

  test('what is no version of a catalog, or not there, is no reason to refuse; what is no digest is', async () => {
    const { token } = await makeAppliance(plane, await makeNamespace(plane), 'asker')
    const get = (path: string) => ask(`${gateway.url}/v1/blobs/${path}`, { ca: plane.ca, token })
    await eventually(async () => (await get(first.digest)).status === 200, 'it is let in')
    const delta = await get(`${doubled.digest}?from=${first.digest}`)
    expect(delta.headers['content-type']).toBe(DELTA_TYPE)
    expect(Buffer.concat([...applyCatalogDelta(first.blob, first.digest, delta.body)]).equals(doubled.blob)).toBe(true)
    const picture = await plane.blobStore.put(randomBytes(5000))
    for (const [from, to] of [
      [`sha256:${'0'.repeat(64)}`, first.digest],
      [picture, first.digest],
      [first.digest, picture],
      [first.digest, first.digest],
    ]) {
      const { status, headers, body } = await get(`${to}?from=${from}`)
      expect([status, headers['content-type'], `sha256:${sha256(body)}`]).toEqual([200, 'application/octet-stream', to])
    }
    expect((await get(`${first.digest}?from=yesterday`)).status).toBe(400)
    expect((await get(`sha256:${'0'.repeat(64)}?from=${first.digest}`)).status).toBe(404)
  })
})

describe('an agent whose gateway', () => {
  const header = (from: string) => `${JSON.stringify({ weirCatalogDelta: 1, from, to: doubled.digest })}\n`
  test.each([
    ['knows of no deltas takes the whole', undefined, 1],
    ['sends a delta that leads elsewhere asks for the whole', `${header(first.digest)}=5\n`, 2],
    ['sends a delta of another version asks for the whole', `${header(halved.digest)}=5\n`, 2],
    ['sends nonsense asks for the whole', '<html>', 2],
  ])('%s', async (_, delta, requests) => {
    const origin = await Origin.start(cleanup, contents)
    const gateway = await TestGateway.start(cleanup)
    const root = cleanup.folder()
    await runAgent(cleanup, gateway, { root })
    gateway.assign({ entries: [gateway.entry(first, origin.url, [0, 1, 2])] })
    await filled(gateway, 1)
    gateway.delta = delta
    gateway.assign({ entries: [gateway.entry(doubled, origin.url, [0, 1])] })
    const status = await filled(gateway, 2)
    expect(status.content).toMatchObject({ filesHeld: 2, failures: [] })
    const asked = gateway.blobsAsked.filter((path) => path.startsWith(doubled.digest))
    expect(asked).toEqual([`${doubled.digest}?from=${first.digest}`, doubled.digest].slice(0, requests))
    expect(sha256(readFileSync(join(root, 'state/blobs', doubled.digest.slice(7))))).toBe(doubled.digest.slice(7))
  })
})
