import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../crds/metadata.ts'
import { type Loose, TestServer } from '../support/test-server.ts'
import { crds, widget, widgetCrd, widgets } from '../support/widgets.ts'

let server: TestServer
beforeEach(async () => {
  server = await TestServer.start()
})
afterEach(() => server.stop())

const path = `${crds}/widgets.example.com`

function condition(crd: Loose, type: string): Loose | undefined {
  return (crd.status?.conditions as unknown as Loose[] | undefined)?.find((c) => (c.type as unknown) === type)
}

function withNames(change: JsonObject, metadataName: string): JsonObject {
  const spec = widgetCrd.spec as JsonObject
  return {
    ...widgetCrd,
    metadata: { name: metadataName },
    spec: { ...spec, names: { ...(spec.names as JsonObject), ...change } },
  }
}

test('a CRD is served when its creation has been answered', async () => {
  expect((await server.get(widgets)).status).toBe(404)
  await server.create(crds, widgetCrd)
  const made = await server.create(widgets, widget('at-once'))
  expect(made.spec).toEqual({ color: 'red' })
  const crd = (await server.get(path)).body
  expect(condition(crd, 'Established')).toMatchObject({ status: 'True', reason: 'InitialNamesAccepted' })
  expect(condition(crd, 'NamesAccepted')).toMatchObject({ status: 'True', reason: 'NoConflicts' })
  expect(crd.status).toMatchObject({
    storedVersions: ['v1'],
    acceptedNames: { plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
  })
  const discovery = await server.get('/apis/example.com/v1')
  expect(discovery.text).toContain('"widgets/status"')
})

test('every version shows the same objects', async () => {
  await server.create(crds, widgetCrd)
  await server.create(widgets, widget('shown', { replicas: 2 }))
  const other = await server.get(`${widgets.replace('/v1/', '/v2/')}/shown`)
  expect(other.body).toMatchObject({ apiVersion: 'example.com/v2', kind: 'Widget', spec: { replicas: 2 } })
  const put = await server.put(`${widgets.replace('/v1/', '/v2/')}/shown`, { ...other.body, spec: { replicas: 3 } })
  expect([put.status, put.body.apiVersion]).toEqual([200, 'example.com/v2'])
  expect((await server.get(`${widgets}/shown`)).body).toMatchObject({
    apiVersion: 'example.com/v1',
    spec: { replicas: 3 },
  })
  const watch = await server.watch(`${widgets.replace('/v1/', '/v2/')}?watch=true`)
  expect((await watch.next()).object.apiVersion).toBe('example.com/v2')
  watch.close()
})

test('a changed schema holds for what is stored already: defaults appear, dropped fields go', async () => {
  await server.create(crds, widgetCrd)
  await server.create(widgets, widget('old', { replicas: 1, tags: ['a'] }))
  const crd = (await server.get(path)).body
  const spec = JSON.parse(JSON.stringify(crd.spec)) as {
    versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: Record<string, object> } } } } }[]
  }
  for (const version of spec.versions) {
    const { properties } = version.schema.openAPIV3Schema.properties.spec
    delete properties.tags
    properties.size = { type: 'string', default: 'small' }
  }
  expect((await server.put(path, { ...crd, spec })).status).toBe(200)
  const read = await server.get(`${widgets}/old`)
  expect(read.body.spec).toEqual({ replicas: 1, color: 'red', size: 'small' })
  const list = await server.get(widgets)
  expect((list.body.items as unknown as Loose[])[0]!.spec).toEqual({ replicas: 1, color: 'red', size: 'small' })
})

test('a version that is served no more is gone, and watches of it end', async () => {
  await server.create(crds, widgetCrd)
  const watch = await server.watch(`${widgets.replace('/v1/', '/v2/')}?watch=true`)
  const off = [{ op: 'replace', path: '/spec/versions/1/served', value: false }]
  expect((await server.patch(path, 'json-patch', off)).status).toBe(200)
  await watch.ended
  expect((await server.get(widgets.replace('/v1/', '/v2/'))).status).toBe(404)
  expect((await server.get(widgets)).status).toBe(200)
})

test('who uses a deprecated version is warned', async () => {
  await server.create(crds, widgetCrd)
  const deprecate = [{ op: 'add', path: '/spec/versions/1/deprecated', value: true }]
  expect((await server.patch(path, 'json-patch', deprecate)).status).toBe(200)
  const warned = await server.get(widgets.replace('/v1/', '/v2/'))
  expect(warned.headers.warning).toBe('299 - "example.com/v2 Widget is deprecated"')
  expect((await server.get(widgets)).headers.warning).toBeUndefined()
})

describe('deletion', () => {
  test('takes the objects first', async () => {
    await server.create(crds, widgetCrd)
    await server.create(widgets, widget('a'))
    const watch = await server.watch(`${widgets}?watch=true`)
    await watch.next()
    expect((await server.delete(path)).status).toBe(200)
    expect(await watch.next()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'a' } } })
    await server.until(path, (a) => a.status === 404)
    expect((await server.get(widgets)).status).toBe(404)
    await server.create(crds, widgetCrd)
    expect((await server.get(widgets)).body.items).toEqual([])
  })

  test('waits for their finalizers and takes nothing new meanwhile', async () => {
    await server.create(crds, widgetCrd)
    await server.create(widgets, widget('held', {}, { finalizers: ['example.com/hold'] }))
    await server.delete(path)
    const waiting = await server.until(path, (a) => condition(a.body, 'Terminating') !== undefined)
    expect(waiting.body.metadata!.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io'])
    const refused = await server
      .until(widgets, (a) => a.status === 200)
      .then(() => server.post(widgets, widget('late')))
    expect([refused.status, refused.body.message]).toEqual([
      405,
      'create not allowed while custom resource definition is terminating',
    ])
    await server.patch(`${widgets}/held`, 'merge-patch', { metadata: { finalizers: null } })
    await server.until(path, (a) => a.status === 404)
  })
})

describe('names', () => {
  test('that another CRD of the group has are not accepted until that one goes', async () => {
    await server.create(crds, widgetCrd)
    await server.create(
      crds,
      withNames({ plural: 'gadgets', singular: 'gadget', kind: 'Widget', shortNames: ['gd'] }, 'gadgets.example.com'),
    )
    const refused = await server.until(
      `${crds}/gadgets.example.com`,
      (a) => condition(a.body, 'NamesAccepted') !== undefined,
    )
    expect(condition(refused.body, 'NamesAccepted')).toMatchObject({ status: 'False', reason: 'ListKindConflict' })
    expect(condition(refused.body, 'Established')).toMatchObject({ status: 'False', reason: 'NotAccepted' })
    expect((await server.get('/apis/example.com/v1/gadgets')).status).toBe(404)
    await server.delete(path)
    await server.until(
      `${crds}/gadgets.example.com`,
      (a) => condition(a.body, 'Established')?.status === ('True' as never),
    )
    expect((await server.get('/apis/example.com/v1/gadgets')).status).toBe(200)
  })
})

test('CRDs are served again after a restart, with their objects', async () => {
  let made: Loose | undefined
  const folder = await TestServer.during({ durable: true, keepFolder: true }, async (first) => {
    await first.create(crds, widgetCrd)
    made = await first.create(widgets, widget('kept', { replicas: 4 }))
  })
  await TestServer.during({ folder }, async (second) => {
    expect((await second.get(`${widgets}/kept`)).body).toEqual(made)
  })
})
