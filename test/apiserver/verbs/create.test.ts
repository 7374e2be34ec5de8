import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TestServer } from '../support/test-server.ts'
import { configMap, configMaps, crds, widget, widgetCrd, widgets } from '../support/widgets.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.create(crds, widgetCrd)
})
afterAll(() => server.stop())

test('the server gives an object its uid, time, generation and revision, and fills in defaults', async () => {
  const made = await server.create(widgets, widget('made', { replicas: 1 }))
  expect(made).toMatchObject({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'made', namespace: 'default', generation: 1 },
    spec: { replicas: 1, color: 'red' },
  })
  expect(made.metadata!.uid).toMatch(/^[0-9a-f-]{36}$/)
  expect(made.metadata!.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  const read = await server.get(`${widgets}/made`)
  expect(read.body).toEqual(made)
})

test('what a client may not set is not kept: status, uid, times', async () => {
  const object = {
    ...widget('wishful', {}, { uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z', generation: 7 }),
    status: { replicas: 3 },
  }
  const made = await server.create(widgets, object)
  expect(made.status).toBeUndefined()
  expect(made.metadata!.uid).not.toBe('mine')
  expect(made.metadata!.generation).toBe(1)
  expect(made.metadata!.creationTimestamp).not.toContain('2001')
})

test('generateName makes names that differ', async () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'gen-' } }
  const [a, b] = [await server.create(configMaps, object), await server.create(configMaps, object)]
  expect(a.metadata!.name).toMatch(/^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  expect(a.metadata!.name).not.toBe(b.metadata!.name)
})

test('a dry run answers as if it had been done, and keeps nothing', async () => {
  const dry = await server.post(`${configMaps}?dryRun=All`, configMap('dry'))
  expect(dry.status).toBe(201)
  expect(dry.body.metadata!.uid).toBeDefined()
  expect(dry.body.metadata!.resourceVersion).toBeUndefined()
  expect((await server.get(`${configMaps}/dry`)).status).toBe(404)
})

describe('refusals are the ones that kube-apiserver gives', () => {
  const v1 = 'example.com/v1'
  test.each<[string, string, unknown, number, string, string]>([
    [
      'a kind is missing',
      widgets,
      { metadata: { name: 'a' } },
      400,
      'BadRequest',
      `the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in '{"metadata":{"name":"a"}}'`,
    ],
    [
      'another kind',
      widgets,
      { apiVersion: v1, kind: 'Foo', metadata: { name: 'a' } },
      422,
      'Invalid',
      'Foo.example.com "a" is invalid: kind: Invalid value: "Foo": must be Widget',
    ],
    [
      'another version',
      widgets,
      { apiVersion: 'example.com/v9', kind: 'Widget', metadata: { name: 'a' } },
      400,
      'BadRequest',
      'the API version in the data (example.com/v9) does not match the expected API version (example.com/v1)',
    ],
    [
      'no name',
      widgets,
      { apiVersion: v1, kind: 'Widget', metadata: {} },
      422,
      'Invalid',
      'Widget.example.com "" is invalid: metadata.name: Required value: name or generateName is required',
    ],
    [
      'another namespace',
      widgets,
      widget('a', {}, { namespace: 'other' }),
      400,
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      'a namespace that is not there',
      '/apis/example.com/v1/namespaces/nope/widgets',
      widget('a'),
      404,
      'NotFound',
      'namespaces "nope" not found',
    ],
    [
      'a resourceVersion',
      widgets,
      widget('a', {}, { resourceVersion: '5' }),
      400,
      'BadRequest',
      'resourceVersion should not be set on objects to be created',
    ],
    [
      'a value of the wrong type in a built-in kind',
      configMaps,
      { metadata: { name: 'a' }, data: { a: 1 } },
      400,
      'BadRequest',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
  ])('%s', async (_, path, body, status, reason, message) => {
    const refused = await server.post(path, body)
    expect([refused.status, refused.body.reason, refused.body.message]).toEqual([status, reason, message])
    expect(refused.body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status })
  })

  test('a name that is taken', async () => {
    await server.create(configMaps, configMap('taken'))
    const refused = await server.post(configMaps, configMap('taken'))
    expect(refused.status).toBe(409)
    expect(refused.body).toMatchObject({
      message: 'configmaps "taken" already exists',
      reason: 'AlreadyExists',
      details: { name: 'taken', kind: 'configmaps' },
    })
  })

  test('every cause is named at once', async () => {
    const refused = await server.post(widgets, widget('B_', { color: 'much too long' }))
    expect(refused.status).toBe(422)
    expect(refused.body.details!.causes).toMatchObject([
      { field: 'metadata.name', reason: 'FieldValueInvalid' },
      { field: 'spec.color', reason: 'FieldValueTooLong', message: 'Too long: may not be more than 5 bytes' },
    ])
  })
})

describe('fieldValidation', () => {
  const text =
    '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"NAME","bad":1},"spec":{"foo":1,"color":"x","color":"y"}}'
  const named = (name: string) => text.replace('NAME', name)

  test('Strict refuses unknown and duplicate fields, all of them', async () => {
    const refused = await server.post(`${widgets}?fieldValidation=Strict`, named('strict'))
    expect(refused.status).toBe(400)
    expect(refused.body.message).toBe(
      'Widget in version "v1" cannot be handled as a Widget: strict decoding error: duplicate field "spec.color", unknown field "metadata.bad", unknown field "spec.foo"',
    )
  })

  test('by default they are warned of, and dropped', async () => {
    const made = await server.post(widgets, named('warned'))
    expect(made.status).toBe(201)
    expect(made.body.spec).toEqual({ color: 'y' })
    expect(made.headers.warning).toBe(
      String.raw`299 - "duplicate field \"spec.color\"", 299 - "unknown field \"metadata.bad\"", 299 - "unknown field \"spec.foo\""`,
    )
  })

  test('Ignore says nothing', async () => {
    const made = await server.post(`${widgets}?fieldValidation=Ignore`, named('ignored'))
    expect([made.status, made.headers.warning]).toEqual([201, undefined])
  })

  test('built-in kinds are checked as well', async () => {
    const refused = await server.post(`${configMaps}?fieldValidation=Strict`, { ...configMap('s'), immutible: true })
    expect(refused.body.message).toContain('strict decoding error: unknown field "immutible"')
  })
})

test('YAML is read where it is said to be YAML', async () => {
  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-yaml\ndata:\n  a: "1"\n'
  const made = await server.request('POST', configMaps, yaml, { headers: { 'content-type': 'application/yaml' } })
  expect([made.status, made.body.data]).toEqual([201, { a: '1' }])
})
