import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../crds/metadata.ts'
import { type Loose, TestServer } from '../support/test-server.ts'
import { configMap, configMaps, crds, widget, widgetCrd, widgets } from '../support/widgets.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.create(crds, widgetCrd)
})
afterAll(() => server.stop())

const gone = (path: string) => server.until(path, (a) => a.status === 404)

function ownedBy(owner: Loose, more: JsonObject = {}): JsonObject {
  return {
    ownerReferences: [
      {
        apiVersion: String(owner.apiVersion),
        kind: String(owner.kind),
        name: String(owner.metadata!.name),
        uid: String(owner.metadata!.uid),
        ...more,
      },
    ],
  }
}

test('dependents go after their owner, and theirs after them', async () => {
  const owner = await server.create(widgets, widget('bg-owner'))
  const child = await server.create(configMaps, configMap('bg-child', {}, ownedBy(owner)))
  await server.create(configMaps, configMap('bg-grandchild', {}, ownedBy(child)))
  await server.create(configMaps, configMap('bg-bystander'))
  await server.delete(`${widgets}/bg-owner`)
  await gone(`${configMaps}/bg-child`)
  await gone(`${configMaps}/bg-grandchild`)
  expect((await server.get(`${configMaps}/bg-bystander`)).status).toBe(200)
})

test('an object with another owner left stays, without the one that went', async () => {
  const one = await server.create(widgets, widget('two-1'))
  const two = await server.create(widgets, widget('two-2'))
  const refs = [one, two].flatMap((o) => ownedBy(o).ownerReferences as JsonObject[])
  await server.create(configMaps, configMap('two-owned', {}, { ownerReferences: refs }))
  await server.delete(`${widgets}/two-1`)
  const left = await server.until(
    `${configMaps}/two-owned`,
    (a) => (a.body.metadata!.ownerReferences as unknown as unknown[]).length === 1,
  )
  expect(left.body.metadata!.ownerReferences).toMatchObject([{ name: 'two-2' }])
})

test('Orphan keeps dependents and takes the owner off them', async () => {
  const owner = await server.create(widgets, widget('or-owner'))
  await server.create(configMaps, configMap('or-child', {}, ownedBy(owner)))
  await server.delete(`${widgets}/or-owner`, { propagationPolicy: 'Orphan' })
  await gone(`${widgets}/or-owner`)
  const child = await server.get(`${configMaps}/or-child`)
  expect([child.status, child.body.metadata!.ownerReferences]).toEqual([200, undefined])
})

describe('Foreground', () => {
  test('the owner goes last', async () => {
    const owner = await server.create(widgets, widget('fg-owner'))
    const held = { ...ownedBy(owner, { blockOwnerDeletion: true }), finalizers: ['example.com/hold'] }
    await server.create(configMaps, configMap('fg-child', {}, held))
    await server.delete(`${widgets}/fg-owner`, { propagationPolicy: 'Foreground' })
    await server.until(`${configMaps}/fg-child`, (a) => a.body.metadata!.deletionTimestamp !== undefined)
    const waiting = await server.get(`${widgets}/fg-owner`)
    expect(waiting.body.metadata!.finalizers).toEqual(['foregroundDeletion'])
    await server.patch(`${configMaps}/fg-child`, 'merge-patch', { metadata: { finalizers: null } })
    await gone(`${configMaps}/fg-child`)
    await gone(`${widgets}/fg-owner`)
  })

  test('it does not wait for dependents that do not block', async () => {
    const owner = await server.create(widgets, widget('nb-owner'))
    const held = { ...ownedBy(owner), finalizers: ['example.com/hold'] }
    await server.create(configMaps, configMap('nb-child', {}, held))
    await server.delete(`${widgets}/nb-owner`, { propagationPolicy: 'Foreground' })
    await gone(`${widgets}/nb-owner`)
    await server.until(`${configMaps}/nb-child`, (a) => a.body.metadata!.deletionTimestamp !== undefined)
    await server.patch(`${configMaps}/nb-child`, 'merge-patch', { metadata: { finalizers: null } })
  })

  test('a chain goes from its end', async () => {
    const owner = await server.create(widgets, widget('ch-owner'))
    const child = await server.create(widgets, widget('ch-child', {}, ownedBy(owner, { blockOwnerDeletion: true })))
    await server.create(configMaps, configMap('ch-leaf', {}, ownedBy(child, { blockOwnerDeletion: true })))
    await server.delete(`${widgets}/ch-owner`, { propagationPolicy: 'Foreground' })
    for (const path of [`${configMaps}/ch-leaf`, `${widgets}/ch-child`, `${widgets}/ch-owner`]) await gone(path)
  })
})

describe('owners that are not there', () => {
  const ref = (change: JsonObject) => ({
    ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'never-was', uid: 'no-such-uid', ...change }],
  })

  test('an object whose owner never was goes', async () => {
    await server.create(configMaps, configMap('absent-child', {}, ref({})))
    await gone(`${configMaps}/absent-child`)
  })

  test('the same name with another uid is another owner', async () => {
    await server.create(configMaps, configMap('reborn'))
    await server.create(configMaps, configMap('reborn-child', {}, ref({ name: 'reborn' })))
    await gone(`${configMaps}/reborn-child`)
  })

  test('of a kind that is not served: better keep the object', async () => {
    await server.create(
      configMaps,
      configMap('unknown-child', {}, ref({ apiVersion: 'nobody.example.com/v1', kind: 'Ghost' })),
    )
    await server.create(configMaps, configMap('witness', {}, ref({})))
    await gone(`${configMaps}/witness`)
    expect((await server.get(`${configMaps}/unknown-child`)).status).toBe(200)
  })
})

test('a circle of owners can be deleted', async () => {
  const a = await server.create(widgets, widget('circle-a'))
  const b = await server.create(widgets, widget('circle-b', {}, ownedBy(a, { blockOwnerDeletion: true })))
  await server.patch(`${widgets}/circle-a`, 'merge-patch', { metadata: ownedBy(b, { blockOwnerDeletion: true }) })
  await server.delete(`${widgets}/circle-a`, { propagationPolicy: 'Foreground' })
  await gone(`${widgets}/circle-a`)
  await gone(`${widgets}/circle-b`)
})

test('what was left to do when the server stopped is done when it starts', async () => {
  const folder = await TestServer.during({ durable: true, keepFolder: true }, async (first) => {
    const owner = await first.create(configMaps, configMap('r-owner'))
    const held = { ...ownedBy(owner), finalizers: ['example.com/hold'] }
    await first.create(configMaps, configMap('r-child', {}, held))
    await first.delete(`${configMaps}/r-owner`)
  })
  await TestServer.during({ folder }, async (second) => {
    await second.until(`${configMaps}/r-child`, (a) => a.body.metadata!.deletionTimestamp !== undefined)
  })
})
