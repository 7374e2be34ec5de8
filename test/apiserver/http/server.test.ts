import { stat } from 'node:fs/promises'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openMemoryStore } from '../../../apiserver/storage/open.ts'
import { TestServer } from '../support/test-server.ts'
import { configMap, configMaps } from '../support/widgets.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.stop())

test('the kubeconfig is for its owner only', async () => {
  expect((await stat(server.server.kubeconfigPath)).mode & 0o777).toBe(0o600)
})

test('/version says which Kubernetes it speaks', async () => {
  const { body } = await server.get('/version')
  expect(body).toMatchObject({ major: '1', minor: '36' })
  expect(body.gitVersion).toMatch(/^v1\.36\.\d+\+weir$/)
})

describe('health', () => {
  test.each(['healthz', 'livez', 'readyz'])('/%s lists its checks', async (endpoint) => {
    const { status, text } = await server.get(`/${endpoint}?verbose`)
    expect(status).toBe(200)
    expect(text.split('\n')).toEqual(expect.arrayContaining(['[+]ping ok', '[+]etcd ok', `${endpoint} check passed`]))
    expect((await server.get(`/${endpoint}`)).text).toBe('ok')
    expect((await server.get(`/${endpoint}/etcd`)).text).toBe('ok')
    expect((await server.get(`/${endpoint}/nonsense`)).status).toBe(404)
    expect((await server.get(`/${endpoint}?verbose&exclude=etcd`)).text).toContain('[+]etcd excluded: ok')
  })

  test('a store that takes no writes any more fails them, and says which', async () => {
    const store = await openMemoryStore()
    await TestServer.during({ store }, async (failing) => {
      Object.defineProperty(store, 'failure', { value: new Error('the disk is gone') })
      const answer = await failing.get('/readyz')
      expect([answer.status, answer.text.includes('[-]etcd failed: reason withheld')]).toEqual([500, true])
    })
  })
})

describe('requests that make no sense', () => {
  test.each<[string, string, number]>([
    ['GET', '/apis/nobody.example.com/v1/things', 404],
    ['GET', '/nonsense', 404],
    ['GET', '/api/v1/namespaces/default/configmaps/%zz', 400],
    ['GET', '/version?timeout=soon', 400],
    ['POST', `${configMaps}/name`, 405],
    ['OPTIONS', configMaps, 405],
    ['POST', '/api/v1/configmaps', 404],
  ])('%s %s', async (method, path, status) => {
    expect((await server.request(method, path)).status).toBe(status)
  })

  test.each<[string, string | Buffer, string, number]>([
    ['no JSON', '{nonsense', 'application/json', 400],
    ['an empty body', '', 'application/json', 400],
    ['a list', '[]', 'application/json', 400],
    ['a form', 'a=b', 'application/x-www-form-urlencoded', 415],
    ['protobuf that is none', 'nonsense', 'application/vnd.kubernetes.protobuf', 400],
    ['YAML that is none', 'a: [', 'application/yaml', 400],
    ['a deep hole', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 'application/json', 400],
  ])('a body of %s', async (_, body, type, status) => {
    const refused = await server.request('POST', configMaps, body, { headers: { 'content-type': type } })
    expect([refused.status, refused.body.kind, refused.body.code]).toEqual([status, 'Status', status])
  })

  test('one that gets no answer within its own timeout: 504, long before the server would give it up', async () => {
    const { hostname, port } = new URL(server.server.url)
    const socket = connect({ host: hostname, port: Number(port), ca: server.ca })
    const head = ['Host: api', 'Authorization: Bearer admin-token', 'Content-Type: application/json']
    // The rest of the body never comes.
    const target = `POST ${configMaps}?timeout=150ms HTTP/1.1`
    socket.write(`${[target, ...head, 'Content-Length: 100'].join('\r\n')}\r\n\r\n{`)
    let answer = ''
    for await (const chunk of socket) {
      answer += chunk
      if (answer.includes('allotted timeout')) break
    }
    expect(answer).toMatch(/^HTTP\/1\.1 504 .*"reason":"Timeout"/s)
    socket.destroy()
  })

  test.each([
    ['0s', 'none is asked for'],
    ['-1s', 'nonsense is none'],
    ['1h', 'more than there is'],
  ])('timeout=%s: %s', async (timeout) => {
    expect((await server.get(`/version?timeout=${timeout}`)).status).toBe(200)
  })

  test('a body of more than 3 MiB', async () => {
    const body = JSON.stringify(configMap('huge', { a: 'x'.repeat(3 * 1024 * 1024) }))
    const refused = await server.post(configMaps, body)
    expect([refused.status, refused.body.reason]).toEqual([413, 'RequestEntityTooLarge'])
  })

  test('a plain-text client is told so, and others are not disturbed', async () => {
    const { hostname, port } = new URL(server.server.url)
    const socket = connect({ host: hostname, port: Number(port), ca: server.ca })
    socket.write('nonsense\r\n\r\n')
    const text = await new Promise<string>((resolve) => socket.once('data', (d) => resolve(String(d))))
    expect(text).toContain('400 Bad Request')
    socket.destroy()
    expect((await server.get('/healthz')).status).toBe(200)
  })
})

test('protobuf is answered with JSON, which Go clients take as well', async () => {
  const only = { headers: { accept: 'application/vnd.kubernetes.protobuf' } }
  const answer = await server.get(configMaps, only)
  expect([answer.status, answer.headers['content-type'], answer.body.kind]).toEqual([
    200,
    'application/json',
    'ConfigMapList',
  ])
})

test('too many requests at once are turned away, not queued', async () => {
  await TestServer.during({ limits: { maxInFlight: 3 } }, async (busy) => {
    const tries = Array.from({ length: 40 }, (_, i) => busy.post(configMaps, configMap(`busy-${i}`)))
    const statuses = new Set((await Promise.all(tries)).map((a) => a.status))
    expect([...statuses].every((s) => s === 201 || s === 429)).toBe(true)
    expect(statuses.has(201)).toBe(true)
  })
})

test('a stop ends watches and lets writes finish', async () => {
  const folder = await TestServer.during({ durable: true, keepFolder: true }, async (stopping) => {
    const watch = await stopping.watch(`${configMaps}?watch=true`)
    const writes = Array.from({ length: 20 }, (_, i) => stopping.post(configMaps, configMap(`last-${i}`)))
    const first = await Promise.race(writes)
    expect(first.status).toBe(201)
    const stopped = stopping.server.close()
    const statuses = await Promise.all(writes.map((w) => w.then((a) => a.status).catch(() => 0)))
    expect(statuses.every((s) => s === 201 || s === 0)).toBe(true)
    await stopped
    await watch.ended
  })
  await TestServer.during({ folder }, async (again) => {
    expect((await again.get(`${configMaps}/last-0`)).status).toBe(200)
  })
})
