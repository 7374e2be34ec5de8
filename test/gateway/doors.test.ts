import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startGateway } from '../../gateway/gateway.ts'
import { parseRange } from '../../gateway/http/range.ts'
import { tokenSecretName } from '../../reconcilers/credentials/plan-credentials.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { fixedCredentials } from '../../runtime/client/credentials.ts'
import { secrets } from '../../runtime/client/resource.ts'
import {
  type Ask,
  appliances,
  ask as askAny,
  assign,
  type ControlPlane,
  eventually,
  inventory,
  makeAppliance,
  makeNamespace,
  openGateway,
  setToken,
  startControlPlane,
  type TestAppliance,
  TestStream,
} from './harness.ts'

let plane: ControlPlane
let gateway: Awaited<ReturnType<typeof openGateway>>
let namespace: string
let box: TestAppliance
let other: TestAppliance

const ask = (path: string, options: Ask = {}) => askAny(gateway.url + path, { ca: plane.ca, ...options })
/** The gateway hears of objects a moment after they are made. */
const letIn = (appliance: TestAppliance) =>
  eventually(async () => (await heartbeat(appliance, appliance.token)).status === 204, `${appliance.key} is let in`)
const heartbeat = (to: TestAppliance, token?: string) =>
  ask(`${to.path}/heartbeat`, { method: 'POST', body: { bootId: 'b' }, ...(token !== undefined && { token }) })

beforeAll(async () => {
  plane = await startControlPlane()
  gateway = await openGateway(plane)
  namespace = await makeNamespace(plane)
  box = await makeAppliance(plane, namespace, 'box')
  other = await makeAppliance(plane, namespace, 'other')
  await letIn(box)
  await letIn(other)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await plane[Symbol.asyncDispose]()
})

describe('tokens', () => {
  test('an appliance opens its own paths, and no others', async () => {
    expect((await heartbeat(box, box.token)).status).toBe(204)
    const refused = await heartbeat(other, box.token)
    expect(refused.status).toBe(403)
    expect(JSON.parse(refused.text)).toEqual({
      reason: 'Forbidden',
      message: `the token is not that of appliance ${other.key}`,
    })
    expect((await heartbeat({ ...box, path: `/v1/appliances/${namespace}/nobody` }, box.token)).status).toBe(403)
  })

  test.each([
    ['no token', undefined],
    ['an empty token', ''],
    ['a token that nobody has', randomBytes(32).toString('base64url')],
    ['the beginning of a token', 'short'],
  ])('%s: 401 everywhere', async (_, token) => {
    const credentials = token === undefined ? {} : { token }
    for (const path of [`${box.path}/assignment`, `${box.path}/sources`, `/v1/blobs/sha256:${'0'.repeat(64)}`]) {
      const refused = await ask(path, credentials)
      expect([path, refused.status, refused.headers['www-authenticate']]).toEqual([path, 401, 'Bearer'])
    }
  })

  test('a token is not taken from the query', async () => {
    expect((await ask(`${box.path}/sources?token=${box.token}&access_token=${box.token}`)).status).toBe(401)
  })

  test('a changed token shuts the old one out at once, and ends what it had open', async () => {
    const changing = await makeAppliance(plane, namespace, 'changing')
    await letIn(changing)
    const stream = await TestStream.open(gateway.url, changing, plane.ca)
    const token = randomBytes(32).toString('base64url')
    await setToken(plane.client, namespace, 'changing', token)
    await eventually(() => stream.ended, 'the stream has ended')
    expect((await heartbeat(changing, changing.token)).status).toBe(401)
    expect((await heartbeat(changing, token)).status).toBe(204)
  })

  test('a token that could be guessed opens nothing', async () => {
    const weak = await makeAppliance(plane, namespace, 'weak')
    await letIn(weak)
    await setToken(plane.client, namespace, 'weak', 'password')
    await eventually(async () => (await heartbeat(weak, weak.token)).status === 401, 'the old token is gone')
    expect((await heartbeat(weak, 'password')).status).toBe(401)
  })

  test('a Secret that only looks like a token opens nothing', async () => {
    const token = randomBytes(32).toString('base64url')
    const data = { token: Buffer.from(token).toString('base64') }
    const secret = (name: string, labels: Record<string, string>) => ({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace, labels }, data },
    })
    await plane.client.create(secrets, secret('mine', { 'fleet.weir.dev/appliance': 'box' }))
    await plane.client.create(secrets, secret(tokenSecretName('unlabelled'), {}))
    const later = await makeAppliance(plane, namespace, 'later')
    await letIn(later)
    expect((await heartbeat(box, token)).status).toBe(401)
    expect((await heartbeat(box, box.token)).status).toBe(204)
  })

  test('an appliance that is deleted is let in no more', async () => {
    const leaving = await makeAppliance(plane, namespace, 'leaving')
    await letIn(leaving)
    const stream = await TestStream.open(gateway.url, leaving, plane.ca)
    await plane.client.delete(appliances, leaving)
    await eventually(() => stream.ended, 'the stream has ended')
    expect((await heartbeat(leaving, leaving.token)).status).toBe(404)
  })
})

describe('requests', () => {
  test.each([
    ['an unknown path', '/v1/nothing', {}, 404],
    ['an unknown path of an appliance', 'APPLIANCE/nothing', {}, 404],
    ['a path with more', 'APPLIANCE/heartbeat/now', { method: 'POST' }, 404],
    ['another method', 'APPLIANCE/heartbeat', { method: 'GET' }, 405],
    ['bad encoding', '/v1/blobs/%zz', {}, 400],
    ['a body that is not JSON', 'APPLIANCE/heartbeat', { method: 'POST', body: Buffer.from('{') }, 400],
    ['a body that is no object', 'APPLIANCE/heartbeat', { method: 'POST', body: [1] }, 400],
    ['a heartbeat without a bootId', 'APPLIANCE/heartbeat', { method: 'POST', body: {} }, 400],
    [
      'a heartbeat that is too long',
      'APPLIANCE/heartbeat',
      { method: 'POST', body: { bootId: 'x'.repeat(5000) } },
      413,
    ],
    [
      'a compressed body',
      'APPLIANCE/heartbeat',
      { method: 'POST', body: {}, headers: { 'Content-Encoding': 'gzip' } },
      415,
    ],
    ['no assignment yet', 'APPLIANCE/assignment', {}, 404],
    ['counts that are none', 'APPLIANCE/demand', { method: 'PUT', body: { id: 'x', hour: -1, catalogs: [] } }, 400],
    ['counts where nobody keeps them', 'APPLIANCE/demand', { method: 'PUT', body: noCounts() }, 404],
    ['an inventory that is none', 'APPLIANCE/inventory/ns/cat', { method: 'PUT', body: Buffer.from('hello') }, 400],
    ['an inventory of no catalog', 'APPLIANCE/inventory/ns/Films!', { method: 'PUT', body: inventory(1) }, 400],
    [
      'an inventory that is too long',
      'APPLIANCE/inventory/ns/cat',
      { method: 'PUT', body: Buffer.alloc(16 * 1024 * 1024 + 1) },
      413,
    ],
  ] as [string, string, Ask, number][])('%s', async (_, path, options, status) => {
    const answer = await ask(path.replace('APPLIANCE', box.path), { token: box.token, ...options })
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.text)).toEqual({ reason: expect.any(String), message: expect.any(String) })
  })

  test('a method that is not allowed is told what is', async () => {
    const { headers } = await ask(`${box.path}/status`, { token: box.token, method: 'POST' })
    expect(headers.allow).toBe('PUT')
  })

  test('plain HTTP is not answered', async () => {
    await expect(askAny(gateway.url.replace('https', 'http'))).rejects.toThrow()
  })

  test('it stands by its certificate', async () => {
    await expect(askAny(`${gateway.url}/healthz`)).rejects.toThrow(/self-signed|unable to verify/)
    expect((await ask('/healthz')).status).toBe(200)
    expect((await ask('/readyz')).status).toBe(200)
  })
})

describe('blobs', () => {
  const bytes = randomBytes(300_000)
  const path = `/v1/blobs/${digestOf(bytes)}`
  const get = (options: Ask = {}) => ask(path, { token: box.token, ...options })
  beforeAll(() => plane.blobStore.put(bytes))

  test('are sent whole to any appliance, to be kept for good', async () => {
    const answer = await get({ token: other.token })
    expect(answer.status).toBe(200)
    expect(answer.body.equals(bytes)).toBe(true)
    expect(answer.headers).toMatchObject({ 'content-length': '300000', 'accept-ranges': 'bytes' })
    expect(answer.headers['cache-control']).toContain('immutable')
    expect(answer.headers.etag).toBe(`"${digestOf(bytes).replace(':', '-')}"`)
  })

  test('are sent in part', async () => {
    const answer = await get({ headers: { Range: 'bytes=1000-1999' } })
    expect([answer.status, answer.headers['content-range']]).toEqual([206, 'bytes 1000-1999/300000'])
    expect(answer.body.equals(bytes.subarray(1000, 2000))).toBe(true)
    const resumed = await get({ headers: { Range: 'bytes=299990-', 'If-Range': `${answer.headers.etag}` } })
    expect([resumed.status, resumed.body.equals(bytes.subarray(299_990))]).toEqual([206, true])
    const changed = await get({ headers: { Range: 'bytes=5-', 'If-Range': '"something else"' } })
    expect([changed.status, changed.body.length]).toEqual([200, 300_000])
  })

  test('beyond the end: 416 with the size', async () => {
    const answer = await get({ headers: { Range: 'bytes=300000-' } })
    expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */300000'])
  })

  test('that somebody has already are not sent', async () => {
    const { headers } = await get()
    const again = await get({ headers: { 'If-None-Match': `W/"x", ${headers.etag}` } })
    expect([again.status, again.body.length]).toEqual([304, 0])
  })

  test('HEAD gives the size alone', async () => {
    const answer = await get({ method: 'HEAD' })
    expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([200, '300000', 0])
  })

  test('that do not exist: 404; that cannot exist: 400', async () => {
    expect((await ask(`/v1/blobs/sha256:${'0'.repeat(64)}`, { token: box.token })).status).toBe(404)
    expect((await ask('/v1/blobs/sha256:..%2f..%2fkubeconfig', { token: box.token })).status).toBe(400)
  })

  test('an empty one is sent as such', async () => {
    const digest = await plane.blobStore.put(new Uint8Array())
    const answer = await ask(`/v1/blobs/${digest}`, { token: box.token })
    expect([answer.status, answer.headers['content-length']]).toEqual([200, '0'])
  })
})

test.each([
  ['bytes=0-', 10, { start: 0, end: 9 }],
  ['bytes=3-5', 10, { start: 3, end: 5 }],
  ['bytes=3-500', 10, { start: 3, end: 9 }],
  ['bytes=-4', 10, { start: 6, end: 9 }],
  ['bytes=-40', 10, { start: 0, end: 9 }],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=5-3', 10, undefined],
  ['bytes=1-2,4-5', 10, undefined],
  ['lines=1-2', 10, undefined],
  ['bytes=-', 10, undefined],
  [undefined, 10, undefined],
] as const)('range %s of %d bytes', (header, size, expected) => expect(parseRange(header, size)).toEqual(expected))

test('without its API the gateway is there, and says that it cannot know yet', async () => {
  const client = new Client({ access: { server: 'https://127.0.0.1:9', credentials: fixedCredentials({}) } })
  const { blobStore, tls } = plane
  const cutOff = await startGateway({ client, blobStore, tls, listen: { host: '127.0.0.1', port: 0 }, id: 'cut-off' })
  try {
    const answer = await askAny(`${cutOff.url}${box.path}/assignment`, { ca: plane.ca, token: box.token })
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
    expect((await askAny(`${cutOff.url}/readyz`, { ca: plane.ca })).status).toBe(503)
    expect((await askAny(`${cutOff.url}/healthz`, { ca: plane.ca })).status).toBe(200)
  } finally {
    await cutOff.close()
    client.close()
  }
  await expect(cutOff.ready).rejects.toThrow('closed')
})

test('a gateway whose id cannot be in the name of a Lease does not start', async () => {
  await expect(openGateway(plane, { id: 'Gate way' })).rejects.toThrow('DNS label')
})

test('the assignment is given once to whoever asks once', async () => {
  const asking = await makeAppliance(plane, namespace, 'asking')
  await letIn(asking)
  await assign(plane, asking, 4)
  const answer = await eventually(async () => {
    const got = await ask(`${asking.path}/assignment`, { token: asking.token })
    return got.status === 200 ? got : undefined
  }, 'the assignment is there')
  expect(JSON.parse(answer.text)).toMatchObject({
    type: 'ASSIGNMENT',
    assignment: { content: { generation: 4, serve: true } },
  })
})

function noCounts() {
  return { id: 'boot-0', hour: Math.floor(Date.now() / 3_600_000), catalogs: [] }
}
