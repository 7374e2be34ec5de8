import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { Client } from '../../../runtime/client/client.ts'
import type { Credentials } from '../../../runtime/client/credentials.ts'
import { configMaps, namespaces } from '../../../runtime/client/resource.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import {
  ApiError,
  ConnectError,
  isAlreadyExists,
  isConflict,
  isGone,
  isInvalid,
  isNotFound,
  isTransient,
  TimeoutError,
} from '../../../runtime/errors.ts'
import { clientOf, startServer, type TestServer, until } from '../http.ts'

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

let server: TestServer
let client: Client
const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = []

/** Serves the answers in turn, the last one for ever; remembers the requests. */
async function serve(...answers: Answer[]): Promise<void> {
  seen.length = 0
  server = await startServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    answer?.(request, response, body)
  })
  client = clientOf(server.url)
}

afterEach(async () => {
  client.close()
  await server?.[Symbol.asyncDispose]()
})

const json =
  (value: unknown, code = 200, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(value))

const status = (code: number, reason: string, details: object = {}) => ({
  kind: 'Status',
  status: 'Failure',
  code,
  reason,
  message: `it is ${reason}`,
  details,
})

const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'n' }, data: { x: '1' } }
const key = { namespace: 'n', name: 'a' }

describe('requests', () => {
  const object = '/api/v1/namespaces/n/configmaps/a'
  const cases: {
    name: string
    send: () => Promise<unknown>
    method: string
    url: string
    type?: string
    body?: unknown
  }[] = [
    { name: 'get', send: () => client.get(configMaps, key), method: 'GET', url: object },
    {
      name: 'create',
      send: () => client.create(configMaps, configMap, { fieldManager: 'm', dryRun: true }),
      method: 'POST',
      url: '/api/v1/namespaces/n/configmaps?fieldManager=m&dryRun=All',
      type: 'application/json',
      body: configMap,
    },
    {
      name: 'update of a subresource',
      send: () => client.update(configMaps, configMap, { subresource: 'status' }),
      method: 'PUT',
      url: `${object}/status`,
      type: 'application/json',
      body: configMap,
    },
    {
      name: 'json patch',
      send: () => client.patch(configMaps, key, { type: 'json', operations: [{ op: 'remove', path: '/data' }] }),
      method: 'PATCH',
      url: object,
      type: 'application/json-patch+json',
      body: [{ op: 'remove', path: '/data' }],
    },
    {
      name: 'merge patch',
      send: () => client.patch(configMaps, key, { type: 'merge', merge: { data: null } }),
      method: 'PATCH',
      url: object,
      type: 'application/merge-patch+json',
      body: { data: null },
    },
    {
      name: 'apply, taking fields over',
      send: () => client.apply(configMaps, configMap, { fieldManager: 'm', force: true, fieldValidation: 'Strict' }),
      method: 'PATCH',
      url: `${object}?force=true&fieldManager=m&fieldValidation=Strict`,
      type: 'application/apply-patch+yaml',
      body: configMap,
    },
    {
      name: 'apply of a status',
      send: () => client.applyStatus(configMaps, configMap, { fieldManager: 'm' }),
      method: 'PATCH',
      url: `${object}/status?fieldManager=m`,
      type: 'application/apply-patch+yaml',
    },
    {
      name: 'delete with preconditions',
      send: () => client.delete(configMaps, key, { preconditions: { uid: 'u' }, propagationPolicy: 'Foreground' }),
      method: 'DELETE',
      url: object,
      body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'u' }, propagationPolicy: 'Foreground' },
    },
    {
      name: 'a cluster-scoped kind, with a name that needs escaping',
      send: () => client.get(namespaces, { name: 'a/b' }),
      method: 'GET',
      url: '/api/v1/namespaces/a%2Fb',
    },
  ]
  test.each(cases)('$name', async ({ send, method, url, type, body }) => {
    await serve(json(configMap))
    expect(await send()).toEqual(configMap)
    expect(seen[0]).toMatchObject({ method, url })
    if (type) expect(seen[0]?.headers['content-type']).toBe(type)
    if (body) expect(JSON.parse(seen[0]?.body ?? '')).toEqual(body)
  })

  test('connections are kept, and bounded', async () => {
    await serve(json(configMap))
    let opened = 0
    server.server.on('connection', () => opened++)
    client.close()
    client = clientOf(server.url, { maxConnections: 3 })
    await Promise.all(Array.from({ length: 20 }, () => client.get(configMaps, key)))
    expect(seen).toHaveLength(20)
    expect(opened).toBeLessThanOrEqual(3)
  })
})

describe('lists', () => {
  const item = (name: string) => ({ metadata: { name, namespace: 'n', resourceVersion: '1' } })

  test('all pages are read, and items say what they are', async () => {
    await serve(
      json({ metadata: { resourceVersion: '9', continue: 'c2', remainingItemCount: 1 }, items: [item('a')] }),
      json({ metadata: { resourceVersion: '9' }, items: [item('b')] }),
    )
    const { items, resourceVersion } = await client.list(configMaps, { namespace: 'n', labelSelector: 'a=b' })
    expect(items).toEqual([
      { apiVersion: 'v1', kind: 'ConfigMap', ...item('a') },
      { apiVersion: 'v1', kind: 'ConfigMap', ...item('b') },
    ])
    expect(resourceVersion).toBe('9')
    expect(seen.map((s) => s.url)).toEqual([
      '/api/v1/namespaces/n/configmaps?labelSelector=a%3Db&limit=500',
      '/api/v1/namespaces/n/configmaps?labelSelector=a%3Db&limit=500&continue=c2',
    ])
  })

  test('pages that expire on the way are read again in one piece', async () => {
    await serve(
      json({ metadata: { resourceVersion: '9', continue: 'c2' }, items: [item('a')] }),
      json(status(410, 'Expired'), 410),
      json({ metadata: { resourceVersion: '12' }, items: [item('a'), item('b')] }),
    )
    const { items, resourceVersion } = await client.list(configMaps)
    expect(items.map((i) => i.metadata.name)).toEqual(['a', 'b'])
    expect(resourceVersion).toBe('12')
    expect(seen[2]?.url).toBe('/api/v1/configmaps')
  })

  test('an empty list may be null', async () => {
    await serve(json({ metadata: { resourceVersion: '9' }, items: null }))
    expect((await client.list(configMaps)).items).toEqual([])
  })
})

describe('errors', () => {
  const cases: { why: string; answer: Answer; is: (error: unknown) => boolean; code: number; reason: string }[] = [
    {
      why: 'missing object',
      answer: json(status(404, 'NotFound', { name: 'a' }), 404),
      is: isNotFound,
      code: 404,
      reason: 'NotFound',
    },
    { why: 'stale version', answer: json(status(409, 'Conflict'), 409), is: isConflict, code: 409, reason: 'Conflict' },
    {
      why: 'name taken',
      answer: json(status(409, 'AlreadyExists'), 409),
      is: isAlreadyExists,
      code: 409,
      reason: 'AlreadyExists',
    },
    { why: 'version too old', answer: json(status(410, 'Expired'), 410), is: isGone, code: 410, reason: 'Expired' },
    {
      why: 'a proxy answers with a page of its own: the code says what it means',
      answer: (_, response) => response.writeHead(410, { 'Content-Type': 'text/html' }).end('<h1>gone</h1>'),
      is: isGone,
      code: 410,
      reason: 'Gone',
    },
    {
      why: 'server in trouble',
      answer: json(status(500, 'InternalError'), 500),
      is: isTransient,
      code: 500,
      reason: 'InternalError',
    },
  ]
  test.each(cases)('$why', async ({ answer, is, code, reason }) => {
    await serve(answer)
    const error = await client.get(configMaps, key).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ApiError)
    expect(is(error)).toBe(true)
    expect(error).toMatchObject({ code, reason, request: 'GET /api/v1/namespaces/n/configmaps/a' })
  })

  test('every cause of an invalid object is there', async () => {
    const causes = [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.url' }]
    await serve(json(status(422, 'Invalid', { causes }), 422))
    const error = await client.create(configMaps, configMap).catch((e: unknown) => e)
    expect(isInvalid(error)).toBe(true)
    expect((error as ApiError).causes).toEqual(causes)
  })

  test('find: a missing object is undefined, a missing resource an error', async () => {
    await serve(json(status(404, 'NotFound', { name: 'a' }), 404), json(status(404, 'NotFound'), 404))
    expect(await client.find(configMaps, key)).toBeUndefined()
    await expect(client.find(configMaps, key)).rejects.toThrow('it is NotFound')
  })

  test('nobody listens: says which server was tried, and that nothing was sent', async () => {
    await serve(json({}))
    const { url } = server
    await server[Symbol.asyncDispose]()
    const error = await client.get(configMaps, key).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ConnectError)
    expect(error).toMatchObject({ sent: false, server: url })
    expect((error as Error).message).toMatch(new RegExp(`^cannot reach ${url}: connect ECONNREFUSED`))
  })

  test('the connection breaks in mid-answer', async () => {
    await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('{')
      setImmediate(() => response.destroy())
    })
    const error = await client.get(configMaps, key).catch((e: unknown) => e)
    expect(error).toMatchObject({ name: 'ConnectError', sent: true })
  })

  test.each([
    { why: 'no answer at all', answer: () => {} },
    {
      why: 'an answer that stops',
      answer: (_: IncomingMessage, r: ServerResponse) => void r.writeHead(200, { 'Content-Length': 9 }).write('{'),
    },
  ])('a timeout: $why', async ({ answer }) => {
    await serve(answer)
    client.close()
    client = clientOf(server.url, { timeoutMs: 50 })
    const error = await client.get(configMaps, key).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(TimeoutError)
    expect((error as Error).message).toContain('no answer within 0.05 s')
  })

  test('aborting gives the reason of the signal', async () => {
    await serve(() => {})
    const abort = new AbortController()
    const failed = expect(client.get(configMaps, key, { signal: abort.signal })).rejects.toThrow('enough')
    await until(() => seen.length === 1)
    abort.abort(new Error('enough'))
    await failed
  })
})

describe('trying again', () => {
  test('429 with Retry-After: waits as long as it is told', async () => {
    await serve(json(status(429, 'TooManyRequests'), 429, { 'Retry-After': '7' }), json(configMap))
    const clock = new FakeClock()
    client.close()
    client = clientOf(server.url, { clock })
    const answer = client.create(configMaps, configMap)
    await until(() => seen.length === 1 && clock.pendingTimers === 1)
    await clock.advance(6999)
    expect(seen).toHaveLength(1)
    await clock.advance(1)
    expect(await answer).toEqual(configMap)
  })

  test('503 without Retry-After: is an error at once', async () => {
    await serve(json(status(503, 'ServiceUnavailable'), 503))
    await expect(client.get(configMaps, key)).rejects.toThrow('it is ServiceUnavailable')
    expect(seen).toHaveLength(1)
  })

  test('401: a credential that can be renewed is, once', async () => {
    await serve(json(status(401, 'Unauthorized'), 401), json(configMap))
    let token = 'old'
    const credentials: Credentials = {
      get: async () => ({ authorization: `Bearer ${token}` }),
      invalidate: () => {
        token = 'new'
        return true
      },
    }
    client.close()
    client = clientOf(server.url, { access: { server: server.url, credentials } })
    await client.get(configMaps, key)
    expect(seen.map((s) => s.headers.authorization)).toEqual(['Bearer old', 'Bearer new'])
  })

  test('a kept connection that the server has closed meanwhile: the request goes over a new one', async () => {
    await serve(json(configMap))
    await client.get(configMaps, key)
    // Reset as the request arrives: what a client sees of a server that closed the idle connection a moment ago.
    const [listener] = server.server.listeners('request') as ((i: IncomingMessage, o: ServerResponse) => void)[]
    server.server.removeAllListeners('request')
    server.server.once('request', (request) => {
      request.socket.destroy()
      if (listener) server.server.on('request', listener)
    })
    expect(await client.get(configMaps, key)).toEqual(configMap)
  })
})

test('warnings reach whoever shows them', async () => {
  const warnings: string[] = []
  await serve(json(configMap, 200, { Warning: '299 - "v1 is old", 299 - "say \\"hi\\""' }))
  client.close()
  client = clientOf(server.url, { onWarning: (text) => warnings.push(text) })
  await client.get(configMaps, key)
  expect(warnings).toEqual(['v1 is old', 'say "hi"'])
})
