import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answer, type Loose, type RequestOptions, TestServer } from '../support/test-server.ts'
import { configMap, configMaps } from '../support/widgets.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.stop())

const path = '/weir/v1/batch'
interface Item {
  readonly method: string
  readonly path: string
  readonly contentType?: string
  readonly body?: unknown
}
const send = (requests: readonly unknown[], options?: RequestOptions) => server.post(path, { requests }, options)
const responses = ({ body }: Answer) => body.responses as unknown as readonly (Loose & { readonly code: number })[]
const codes = (answer: Answer) => responses(answer).map(({ code }) => code)
const applyOf = (name: string, data: Record<string, string>, query = ''): Item => ({
  method: 'PATCH',
  path: `${configMaps}/${name}?fieldManager=tester${query}`,
  contentType: 'application/apply-patch+yaml',
  body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data },
})

test('discovery, and only that, says where batches are sent', async () => {
  for (const document of ['/api', '/apis']) expect((await server.get(document)).headers['weir-batch']).toBe(path)
  expect((await server.get('/version')).headers['weir-batch']).toBeUndefined()
})

test('every request is answered as if it came alone, in its place', async () => {
  await server.create(configMaps, configMap('there', { a: '1' }))
  const answer = await send([
    { method: 'GET', path: `${configMaps}/there` },
    { method: 'GET', path: `${configMaps}/missing` },
    { method: 'GET', path: `${configMaps}?fieldSelector=metadata.name%3Dthere` },
    { method: 'POST', path: configMaps, body: configMap('there', {}) },
    { method: 'POST', path: configMaps, body: configMap('made', { a: '1' }) },
    { method: 'DELETE', path: `${configMaps}/nobody` },
  ])
  expect(answer.status).toBe(200)
  expect(codes(answer)).toEqual([200, 404, 200, 409, 201, 404])
  const [one, missing, list, taken] = responses(answer)
  expect(one!.body).toEqual((await server.get(`${configMaps}/there`)).body)
  expect(missing!.body).toEqual((await server.get(`${configMaps}/missing`)).body)
  expect(list!.body!.items).toMatchObject([{ metadata: { name: 'there' } }])
  expect(taken!.body).toMatchObject({ kind: 'Status', reason: 'AlreadyExists' })
  expect((await server.get(`${configMaps}/made`)).status).toBe(200)
})

test('dry runs keep nothing; what is not dry does', async () => {
  const answer = await send([applyOf('dry', { a: '1' }, '&dryRun=All'), applyOf('wet', { a: '1' })])
  expect(codes(answer)).toEqual([201, 201])
  expect(responses(answer)[0]!.body).toMatchObject({
    data: { a: '1' },
    metadata: { managedFields: [{ manager: 'tester' }] },
  })
  expect((await server.get(`${configMaps}/dry`)).status).toBe(404)
  expect((await server.get(`${configMaps}/wet`)).status).toBe(200)
})

test('a conflict, an invalid object and a good one do not touch each other', async () => {
  await server.request('PATCH', `${configMaps}/owned?fieldManager=other`, applyOf('owned', { a: '1' }).body, {
    headers: { 'content-type': 'application/apply-patch+yaml' },
  })
  const wrong = { ...applyOf('wrong', {}), body: { ...(applyOf('wrong', {}).body as object), dtaa: {} } }
  const answer = await send([
    applyOf('owned', { a: '2' }),
    { ...wrong, path: `${wrong.path}&fieldValidation=Strict` },
    applyOf('fine', { a: '2' }),
  ])
  const [owned, invalid] = responses(answer)
  expect(owned).toMatchObject({ code: 409, body: { details: { causes: [{ reason: 'FieldManagerConflict' }] } } })
  expect(invalid!.code).toBeGreaterThanOrEqual(400)
  expect(codes(answer)[2]).toBe(201)
})

test('each item is authorised by itself, as who sent the batch', async () => {
  await server.create(configMaps, configMap('private', { a: '1' }))
  const items: Item[] = [
    { method: 'GET', path: `${configMaps}/private` },
    applyOf('forbidden', { a: '1' }, '&dryRun=All'),
    {
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    },
  ]
  const bob = await send(items, { token: 'bob-token' })
  expect(codes(bob)).toEqual([403, 403, 201])
  expect(responses(bob)[0]!.body!.message).toContain('User "bob" cannot get resource "configmaps"')
  expect(responses(bob)[2]!.body).toMatchObject({ status: { userInfo: { username: 'bob' } } })
  expect(codes(await send(items, { token: null }))).toEqual([403, 403, 403])
  const impersonated = await send(items, { headers: { 'impersonate-user': 'bob' } })
  expect(codes(impersonated).slice(0, 2)).toEqual([403, 403])
})

test('admission sees each item: nothing is made in a namespace that is not there', async () => {
  const nowhere = { ...configMap('x', {}), metadata: { name: 'x', namespace: 'nowhere' } }
  const answer = await send([{ method: 'POST', path: '/api/v1/namespaces/nowhere/configmaps', body: nowhere }])
  expect(responses(answer)[0]).toMatchObject({ code: 404, body: { message: 'namespaces "nowhere" not found' } })
})

test('warnings stay with their item', async () => {
  const spec = { group: '', version: 'v1' }
  const unknown = { ...configMap('warned', {}), nonsense: spec }
  const answer = await send([
    { method: 'POST', path: `${configMaps}?dryRun=All&fieldValidation=Warn`, body: unknown },
    { method: 'POST', path: `${configMaps}?dryRun=All`, body: configMap('silent', {}) },
  ])
  expect(responses(answer)[0]!.warnings).toEqual(['unknown field "nonsense"'])
  expect(responses(answer)[1]!.warnings).toBeUndefined()
})

describe('refused, item by item', () => {
  test.each<[string, Item, number, string]>([
    [
      'a watch: its answer never ends',
      { method: 'GET', path: `${configMaps}?watch=true` },
      400,
      'a batch cannot watch',
    ],
    ['a batch in a batch', { method: 'POST', path }, 400, 'is not the path of a resource'],
    ['a document', { method: 'GET', path: '/apis' }, 400, 'is not the path of a resource'],
    ['a path that cannot be read', { method: 'GET', path: `${configMaps}/%zz` }, 400, 'is not the path of a resource'],
    ['a kind that is not there', { method: 'GET', path: '/apis/x.io/v1/things' }, 404, 'could not find the requested'],
    ['a verb that is none', { method: 'BREW', path: configMaps }, 405, ''],
  ])('%s', async (_reason, item, code, message) => {
    const answer = await send([item, { method: 'GET', path: configMaps }])
    expect(codes(answer)).toEqual([code, 200])
    expect(String(responses(answer)[0]!.body!.message)).toContain(message)
  })
})

describe('refused as a whole', () => {
  test.each<[string, unknown, number]>([
    ['no list of requests', {}, 400],
    ['no JSON', '{nonsense', 400],
    ['a request without a path', { requests: [{ method: 'GET' }] }, 400],
    ['a request that is none', { requests: ['GET /'] }, 400],
    ['more than it may hold', { requests: Array(1001).fill({ method: 'GET', path: configMaps }) }, 400],
    ['a body beyond 3 MiB', { requests: [{ method: 'GET', path: 'x'.repeat(3 * 1024 * 1024) }] }, 413],
  ])('%s', async (_reason, body, status) => {
    expect((await server.post(path, body)).status).toBe(status)
  })

  test('any method but POST', async () => {
    expect((await server.get(path)).status).toBe(404)
  })
})

test('answers are bounded: what was not carried out says so, and nothing of it happened', async () => {
  const large = 'x'.repeat(900_000)
  await server.create(configMaps, configMap('large', { large }))
  const read: Item = { method: 'GET', path: `${configMaps}/large` }
  const answer = await send([...Array<Item>(60).fill(read), applyOf('too-late', { a: '1' })])
  const last = responses(answer).at(-1)!
  expect(last).toMatchObject({ code: 429, body: { reason: 'TooManyRequests' } })
  expect((await server.get(`${configMaps}/too-late`)).status).toBe(404)
  expect(codes(answer)[0]).toBe(200)
})
