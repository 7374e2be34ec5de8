import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { Client } from '../../../runtime/client/client.ts'
import { LineSplitter } from '../../../runtime/client/ndjson.ts'
import { configMaps } from '../../../runtime/client/resource.ts'
import { isGone } from '../../../runtime/errors.ts'
import { clientOf, startServer, type TestServer, until } from '../http.ts'

describe('lines', () => {
  const text = '{"a":"é"}\n\n{"b":2}\r\n{"c":"☃"}\n{"half'
  test.each([1, 2, 3, 5, 7, 1000])('whatever the chunks: %i bytes each', (size) => {
    const splitter = new LineSplitter()
    const bytes = Buffer.from(text)
    const lines: string[] = []
    for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)))
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{ a: 'é' }, { b: 2 }, { c: '☃' }])
    expect(splitter.pendingBytes).toBe(6)
  })

  test('a line without end is refused rather than gathered', () => {
    const splitter = new LineSplitter(10)
    splitter.push(Buffer.from('12345'))
    expect(() => splitter.push(Buffer.from('678901'))).toThrow('longer than 10 bytes')
  })
})

let server: TestServer | undefined
let client: Client
let connections = 0

async function serve(answer: (response: ServerResponse) => void): Promise<void> {
  server = await startServer((request, response) => {
    connections++
    request.on('close', () => connections--)
    answer(response)
  })
  client = clientOf(server.url)
}

afterEach(async () => {
  client?.close()
  await server?.[Symbol.asyncDispose]()
})

const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`
const bookmark = line('BOOKMARK', {
  metadata: { resourceVersion: '7', annotations: { 'k8s.io/initial-events-end': 'true' } },
})

async function read(limit = Number.POSITIVE_INFINITY): Promise<string[]> {
  const got: string[] = []
  for await (const event of client.watch(configMaps)) {
    got.push(event.type === 'BOOKMARK' ? `BOOKMARK ${event.resourceVersion} ${event.initialEventsEnd}` : event.type)
    if (got.length === limit) break
  }
  return got
}

test('events, bookmarks, and a stream that ends in good order', async () => {
  await serve((response) => response.end(line('ADDED', {}) + bookmark + line('DELETED', {})))
  expect(await read()).toEqual(['ADDED', 'BOOKMARK 7 true', 'DELETED'])
})

test('an ERROR event is thrown as what it is', async () => {
  await serve((response) =>
    response.end(line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' })),
  )
  const error = await read().catch((e: unknown) => e)
  expect(isGone(error)).toBe(true)
  expect((error as Error).message).toBe('too old')
})

test.each([
  { why: 'half a line at the end', send: '{"type":"ADD', message: 'the stream ended within a line' },
  { why: 'no JSON', send: 'hello\n', message: 'JSON' },
  { why: 'an event of no known type', send: line('SINGING', {}), message: 'unknown event type "SINGING"' },
])('$why: the connection counts as broken', async ({ send, message }) => {
  await serve((response) => response.end(send))
  await expect(read()).rejects.toMatchObject({ name: 'ConnectError', message: expect.stringContaining(message) })
})

test('leaving the loop ends the request', async () => {
  await serve((response) => response.write(line('ADDED', {})))
  expect(await read(1)).toEqual(['ADDED'])
  await until(() => connections === 0)
})
