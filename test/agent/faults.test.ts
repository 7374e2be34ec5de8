import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  Cleanup,
  contentOf,
  type Fault,
  filled,
  makeCatalog,
  Origin,
  runAgent,
  sha256,
  TestGateway,
  until,
} from './harness.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const BAD = randomBytes(400_000)

interface Case {
  readonly reason: string
  readonly message: RegExp
  readonly fault: Fault
}

const flipped = (bytes: Buffer) => {
  const wrong = Buffer.from(bytes)
  wrong[wrong.length - 1]! ^= 1
  return wrong
}

const cases: Record<string, Case> = {
  'wrong bytes of the right length': {
    reason: 'DigestMismatch',
    message: /^sha256 is [0-9a-f]{12}… where the catalog says [0-9a-f]{12}…$/,
    fault: (_, response, bytes) => response.end(flipped(bytes)),
  },
  'wrong bytes, also when resumed': {
    reason: 'DigestMismatch',
    message: /^sha256 is/,
    fault(request, response, bytes) {
      const start = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0)
      const headers = start > 0 ? { 'Content-Range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}
      response.writeHead(start > 0 ? 206 : 200, headers)
      // The first answer breaks off after half of it, which is wrong; the second is right.
      if (start > 0) response.end(bytes.subarray(start))
      else response.write(flipped(bytes.subarray(0, bytes.length / 2)), () => response.destroy())
    },
  },
  'a length that is too long': {
    reason: 'WrongSize',
    message: /^the source has 400007 bytes instead of 400000$/,
    fault: (_, response, bytes) => response.end(Buffer.concat([bytes, Buffer.alloc(7)])),
  },
  'more bytes than there should be, without a length': {
    reason: 'WrongSize',
    message: /^the source sends more than 400000 bytes$/,
    fault(_, response, bytes) {
      response.write(bytes)
      response.end('more')
    },
  },
  'a length that is too short': {
    reason: 'WrongSize',
    message: /^the source has 3 bytes instead of 400000$/,
    fault: (_, response) => response.end('abc'),
  },
  'fewer bytes than there should be, without a length': {
    reason: 'WrongSize',
    message: /^the source has fewer than 11 of its 400000 bytes$/,
    fault(request, response, bytes) {
      if (request.headers.range) return void response.writeHead(416).end()
      response.write(bytes.subarray(0, 10))
      response.end()
    },
  },
  'nothing, without a length': {
    reason: 'Truncated',
    message: /^the source ended after 0 of 400000 bytes$/,
    fault: (_, response) => response.writeHead(200, { 'Transfer-Encoding': 'chunked' }).end(),
  },
  'truncation, every time at the same place': {
    reason: 'Truncated',
    message: /^the connection was closed before the answer was whole$/,
    fault(request, response, bytes) {
      const start = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0)
      const headers = start > 0 ? { 'Content-Range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}
      response.writeHead(start > 0 ? 206 : 200, { ...headers, 'Content-Length': bytes.length - start })
      response.write(bytes.subarray(start, 100_000), () => response.destroy())
    },
  },
  'a stall before the first byte': {
    reason: 'Stalled',
    message: /^nothing came for 0\.15 s$/,
    fault: () => {},
  },
  'a stall in the middle': {
    reason: 'Stalled',
    message: /^nothing came for 0\.15 s$/,
    fault(request, response, bytes) {
      if (request.headers.range) return
      response.writeHead(200, { 'Content-Length': bytes.length })
      response.write(bytes.subarray(0, 100_000))
    },
  },
  '404': {
    reason: 'HTTP404',
    message: /^the source answered 404$/,
    fault: (_, response) => response.writeHead(404).end('no'),
  },
  '500': {
    reason: 'HTTP500',
    message: /^the source answered 500$/,
    fault: (_, response) => response.writeHead(500).end('oops'),
  },
  'a page that says 200 and means no': {
    reason: 'WrongSize',
    message: /^the source has 22 bytes instead of 400000$/,
    fault: (_, response) => response.end('<html>not here</html>\n'),
  },
  'another encoding': {
    reason: 'BadAnswer',
    message: /^the source encodes it as gzip$/,
    fault: (_, response, bytes) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(bytes),
  },
  'no HTTP at all': {
    reason: 'BadAnswer',
    message: /^the answer is not valid HTTP/,
    fault: (request) => request.socket.end('hello\r\n\r\n'),
  },
}

describe('a file that no source has right is never published, is reported, and holds nobody up', () => {
  test.each(Object.entries(cases))('%s', async (_, { reason, message, fault }) => {
    const files = new Map([['bad', BAD]])
    for (let i = 0; i < 30; i++) files.set(`good/${i}`, randomBytes(1000))
    const origin = await Origin.start(cleanup, files)
    origin.faults.set('bad', fault)
    const gateway = await TestGateway.start(cleanup)
    const catalog = makeCatalog('docs', files)
    gateway.assign({ entries: [gateway.entry(catalog, origin.url)] })
    const root = cleanup.folder()
    const agent = await runAgent(cleanup, gateway, { root, tuning: reason === 'Stalled' ? { idleTimeoutMs: 150 } : {} })

    const { content } = await until(
      () => {
        const told = gateway.status
        return told?.content.filesHeld === 30 && told.content.failures[0]?.reason === reason ? told : undefined
      },
      () => gateway.status,
    )
    expect(content.failures).toEqual([
      {
        path: 'bad',
        catalog: 'isp/docs',
        reason,
        message: expect.stringMatching(message),
        source: `${origin.url}/bad`,
        attempts: expect.any(Number),
      },
    ])
    expect(content).toMatchObject({ filesFailing: 1, filesDesired: 31, progressPercent: expect.any(Number) })
    expect(content.progressPercent).toBeLessThan(100)
    expect(content.waitingFor).toBe('1 file that no source has right')
    expect(contentOf(root).has(sha256(BAD))).toBe(false)
    expect((await fetch(`${agent.url}/isp/docs/bad`)).status).toBe(404)
    expect((await fetch(`${agent.url}/.weir/sha256/${sha256(BAD)}`)).status).toBe(404)

    // The origin is mended: the file comes by itself.
    origin.faults.clear()
    const after = await filled(gateway)
    expect(after.content).toMatchObject({ filesFailing: 0, failures: [], progressPercent: 100 })
    expect(contentOf(root).get(sha256(BAD))?.equals(BAD)).toBe(true)
  })
})

test('an origin that ignores ranges is read from the start again', async () => {
  const files = new Map([['file', BAD]])
  const origin = await Origin.start(cleanup, files)
  let answers = 0
  origin.faults.set('file', (_, response, bytes) => {
    response.writeHead(200, { 'Content-Length': bytes.length })
    if (++answers < 3) response.write(bytes.subarray(0, 150_000 * answers), () => response.destroy())
    else response.end(bytes)
  })
  const gateway = await TestGateway.start(cleanup)
  gateway.assign({ entries: [gateway.entry(makeCatalog('docs', files), origin.url)] })
  await runAgent(cleanup, gateway, { root: cleanup.folder() })
  await filled(gateway)
  expect(origin.requests.map(({ range }) => range)).toEqual([undefined, 'bytes=150000-', 'bytes=300000-'])
})

test('a truncated file is continued where it broke off', async () => {
  const files = new Map([['file', BAD]])
  const origin = await Origin.start(cleanup, files)
  origin.faults.set('file', (request, response, bytes) => {
    if (request.headers.range) return origin.sendRanged(request, response, bytes)
    response.writeHead(200, { 'Content-Length': bytes.length })
    response.write(bytes.subarray(0, 150_000), () => response.destroy())
  })
  const gateway = await TestGateway.start(cleanup)
  gateway.assign({ entries: [gateway.entry(makeCatalog('docs', files), origin.url)] })
  await runAgent(cleanup, gateway, { root: cleanup.folder() })
  const { content } = await filled(gateway)
  expect(content.failures).toEqual([])
  expect(origin.requests.map(({ range }) => range)).toEqual([undefined, 'bytes=150000-'])
  expect(origin.sentBytes).toBe(250_000)
})

test('only the first ten failures are told, by path, and all are counted', async () => {
  const files = new Map<string, Buffer>()
  for (let i = 0; i < 25; i++) files.set(`file ${String.fromCharCode(122 - i)}`, randomBytes(10))
  const origin = await Origin.start(cleanup, new Map())
  const gateway = await TestGateway.start(cleanup)
  gateway.assign({ entries: [gateway.entry(makeCatalog('docs', files), origin.url)] })
  const agent = await runAgent(cleanup, gateway, { root: cleanup.folder() })
  const { content } = await until(
    () => (gateway.status?.content.filesFailing === 25 ? gateway.status : undefined),
    () => gateway.status,
  )
  expect(content.failures.map(({ path }) => path)).toEqual([...files.keys()].sort().slice(0, 10))
  expect(await (await fetch(`${agent.url}/metrics`)).text()).toMatch(
    /weir_agent_fill_failures_total\{reason="HTTP404"\} (2[5-9]|[3-9]\d|\d{3,})\n/,
  )
})

test('catalogs that lie: a digest and a size that do not go together, an origin that is no web address', async () => {
  const files = new Map([
    ['a', Buffer.from('same')],
    ['b', Buffer.from('same')],
    ['empty', Buffer.alloc(0)],
    ['c', Buffer.from('fine')],
  ])
  const origin = await Origin.start(cleanup, files)
  const lies = new Map([
    ['b', { size: 9 }],
    ['empty', { sha256: 'f'.repeat(64) }],
  ])
  const gateway = await TestGateway.start(cleanup)
  const elsewhere = makeCatalog('elsewhere', new Map([['x', Buffer.from('local')]]))
  gateway.assign({
    entries: [
      gateway.entry(makeCatalog('docs', files, [...files.keys()], lies), origin.url),
      { ...gateway.entry(elsewhere, ''), originUrl: 'file:///srv/files/' },
    ],
  })
  await runAgent(cleanup, gateway, { root: cleanup.folder() })
  const { content } = await until(
    () => {
      const { filesFailing, filesHeld } = gateway.status?.content ?? {}
      return filesFailing === 3 && filesHeld === 2 ? gateway.status : undefined
    },
    () => gateway.status,
  )
  expect(content.failures.map(({ catalog, path, reason }) => [catalog, path, reason])).toEqual([
    ['isp/docs', 'b', 'SizeConflict'],
    ['isp/docs', 'empty', 'DigestMismatch'],
    ['isp/elsewhere', 'x', 'OriginUnsupported'],
  ])
  expect(content).toMatchObject({ filesDesired: 5, filesHeld: 2 })
})

test('an origin that is away is not asked for every file, is named, and is used again when it is back', async () => {
  const files = new Map<string, Buffer>()
  for (let i = 0; i < 500; i++) files.set(`${i}`, randomBytes(100))
  const origin = await Origin.start(cleanup, files)
  await origin.stop()
  const gateway = await TestGateway.start(cleanup)
  gateway.assign({ entries: [gateway.entry(makeCatalog('docs', files), origin.url)] })
  const agent = await runAgent(cleanup, gateway, { root: cleanup.folder() })
  const { content } = await until(
    () => (gateway.status?.content.waitingFor?.includes('ECONNREFUSED') ? gateway.status : undefined),
    () => gateway.status,
  )
  const port = new URL(origin.url).port
  expect(content.waitingFor).toBe(`500 files from origin ${origin.url} (connect ECONNREFUSED 127.0.0.1:${port})`)
  expect(content.filesFailing).toBe(0)
  await origin.listen(cleanup, Number(port))
  expect((await filled(gateway)).content.filesHeld).toBe(500)
  const metrics = await (await fetch(`${agent.url}/metrics`)).text()
  expect(Number(/reason="Unreachable"\} (\d+)/.exec(metrics)?.[1])).toBeLessThan(300)
})
