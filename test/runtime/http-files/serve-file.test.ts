import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fileBelow, serveFolder, urlPathOf } from '../../../runtime/http-files/folder.ts'
import { type Served, serveFile } from '../../../runtime/http-files/serve-file.ts'
import { startServer, type TestServer, until } from '../http.ts'

const CONTENT = '0123456789'
const BIG = Buffer.alloc(3_000_001, 'weir').fill('x', 1_500_000, 1_500_100)
const MODIFIED = 'Wed, 02 Jan 2030 03:04:05 GMT'

let dir: string
let server: TestServer
const served: Served[] = []

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'weir-files-'))
  writeFileSync(join(dir, 'ten'), CONTENT)
  writeFileSync(join(dir, 'empty'), '')
  writeFileSync(join(dir, 'big'), BIG)
  mkdirSync(join(dir, 'folder'))
  utimesSync(join(dir, 'ten'), new Date(MODIFIED), new Date(MODIFIED))
  server = await startServer(async (request, response) => {
    const path = join(dir, (request.url ?? '').slice(1))
    served.push(
      await serveFile(request, response, {
        path,
        etag: '"sha256-ab"',
        lastModified: true,
        headers: { 'Cache-Control': 'immutable' },
        missingHeaders: { 'Access-Control-Allow-Origin': '*' },
      }),
    )
  })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

/** Node's own client, because fetch hides what is on the wire. */
function ask(path: string, headers: http.OutgoingHttpHeaders = {}, method = 'GET', base = server.url): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(base, { path, method, headers, agent: false }, async (response) => {
      const chunks: Buffer[] = []
      try {
        for await (const chunk of response) chunks.push(chunk as Buffer)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
      } catch (error) {
        reject(error)
      }
    })
    request.on('error', reject).end()
  })
}

describe('whole files', () => {
  test('GET says everything a cache wants to know', async () => {
    const { status, headers, body } = await ask('/ten')
    expect(status).toBe(200)
    expect(body.toString()).toBe(CONTENT)
    expect(headers).toMatchObject({
      'accept-ranges': 'bytes',
      'cache-control': 'immutable',
      'content-length': '10',
      'content-type': 'application/octet-stream',
      etag: '"sha256-ab"',
      'last-modified': MODIFIED,
    })
  })

  test('HEAD is GET without the body, and without ranges', async () => {
    const { status, headers, body } = await ask('/ten', { Range: 'bytes=1-2' }, 'HEAD')
    expect([status, headers['content-length'], body.length]).toEqual([200, '10', 0])
  })

  test('a file of many buffers comes byte for byte, several at a time', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask('/big')))
    for (const { body } of answers) expect(body.equals(BIG)).toBe(true)
  })

  test('an empty file', async () => {
    const { status, headers, body } = await ask('/empty')
    expect([status, headers['content-length'], body.length]).toEqual([200, '0', 0])
  })

  test.each(['/missing', '/folder', '/ten/below', `/${'x'.repeat(300)}`])('%s is 404', async (path) => {
    const { status, headers } = await ask(path)
    // That it is not there is not for ever, and told to pages too.
    expect([status, headers['cache-control'], headers['access-control-allow-origin']]).toEqual([404, undefined, '*'])
  })

  test('other methods are 405 and say which are allowed', async () => {
    const { status, headers } = await ask('/ten', {}, 'POST')
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD'])
  })
})

describe('ranges', () => {
  const cases: { why: string; range: string; path?: string; status: number; body?: string; contentRange?: string }[] = [
    { why: 'from, to', range: 'bytes=2-4', status: 206, body: '234', contentRange: 'bytes 2-4/10' },
    { why: 'from', range: 'bytes=7-', status: 206, body: '789', contentRange: 'bytes 7-9/10' },
    { why: 'everything', range: 'bytes=0-', status: 206, body: CONTENT, contentRange: 'bytes 0-9/10' },
    { why: 'past the end', range: 'bytes=8-99', status: 206, body: '89', contentRange: 'bytes 8-9/10' },
    { why: 'the last byte', range: 'bytes=9-9', status: 206, body: '9', contentRange: 'bytes 9-9/10' },
    { why: 'the last few', range: 'bytes=-3', status: 206, body: '789', contentRange: 'bytes 7-9/10' },
    {
      why: 'more than there is, from behind',
      range: 'bytes=-99',
      status: 206,
      body: CONTENT,
      contentRange: 'bytes 0-9/10',
    },
    { why: 'the unit in capitals', range: 'BYTES=0-0', status: 206, body: '0', contentRange: 'bytes 0-0/10' },
    { why: 'behind the end', range: 'bytes=10-', status: 416, contentRange: 'bytes */10' },
    { why: 'none from behind', range: 'bytes=-0', status: 416, contentRange: 'bytes */10' },
    { why: 'to before from: not a range, ignored', range: 'bytes=4-2', status: 200, body: CONTENT },
    { why: 'no numbers: ignored', range: 'bytes=-', status: 200, body: CONTENT },
    { why: 'several: ignored, the whole is sent', range: 'bytes=0-1,3-4', status: 200, body: CONTENT },
    { why: 'another unit: ignored', range: 'lines=0-1', status: 200, body: CONTENT },
    {
      why: 'of an empty file: the file, so that who resumes is done',
      range: 'bytes=0-',
      path: '/empty',
      status: 200,
      body: '',
    },
    { why: 'of an empty file, from behind', range: 'bytes=-5', path: '/empty', status: 200, body: '' },
  ]
  test.each(cases)('$why: $range', async ({ range, path = '/ten', status, body = '', contentRange }) => {
    const answer = await ask(path, { Range: range })
    expect([answer.status, answer.body.toString(), answer.headers['content-range']]).toEqual([
      status,
      body,
      contentRange,
    ])
    expect(answer.headers['content-length']).toBe(String(body.length))
  })

  test('a range across buffers', async () => {
    const { body } = await ask('/big', { Range: 'bytes=250000-1600000' })
    expect(body.equals(BIG.subarray(250_000, 1_600_001))).toBe(true)
  })
})

describe('conditions', () => {
  const later = 'Thu, 03 Jan 2030 03:04:05 GMT'
  const earlier = 'Tue, 01 Jan 2030 03:04:05 GMT'
  const cases: { why: string; headers: http.OutgoingHttpHeaders; status: number; body?: string }[] = [
    { why: 'the client has it', headers: { 'If-None-Match': '"sha256-ab"' }, status: 304 },
    { why: 'one of several, weakly', headers: { 'If-None-Match': '"x", W/"sha256-ab"' }, status: 304 },
    { why: 'any', headers: { 'If-None-Match': '*' }, status: 304 },
    { why: 'the client has another', headers: { 'If-None-Match': '"x"' }, status: 200, body: CONTENT },
    { why: 'not changed since', headers: { 'If-Modified-Since': MODIFIED }, status: 304 },
    { why: 'changed since', headers: { 'If-Modified-Since': earlier }, status: 200, body: CONTENT },
    { why: 'no date: ignored', headers: { 'If-Modified-Since': 'yesterday' }, status: 200, body: CONTENT },
    {
      why: 'a tag goes before a date',
      headers: { 'If-None-Match': '"x"', 'If-Modified-Since': later },
      status: 200,
      body: CONTENT,
    },
    { why: 'must be this one, and is', headers: { 'If-Match': '"sha256-ab"' }, status: 200, body: CONTENT },
    { why: 'must be another', headers: { 'If-Match': '"x"' }, status: 412 },
    { why: 'a weak tag never matches strongly', headers: { 'If-Match': 'W/"sha256-ab"' }, status: 412 },
    { why: 'must be older', headers: { 'If-Unmodified-Since': earlier }, status: 412 },
    {
      why: 'a range, if it still is this one',
      headers: { Range: 'bytes=0-1', 'If-Range': '"sha256-ab"' },
      status: 206,
      body: '01',
    },
    {
      why: 'a range, but it is another: the whole',
      headers: { Range: 'bytes=0-1', 'If-Range': '"x"' },
      status: 200,
      body: CONTENT,
    },
    {
      why: 'a range and a weak tag: the whole',
      headers: { Range: 'bytes=0-1', 'If-Range': 'W/"sha256-ab"' },
      status: 200,
      body: CONTENT,
    },
    {
      why: 'a range, if not changed since',
      headers: { Range: 'bytes=0-1', 'If-Range': MODIFIED },
      status: 206,
      body: '01',
    },
    {
      why: 'a range, and the date differs: the whole',
      headers: { Range: 'bytes=0-1', 'If-Range': later },
      status: 200,
      body: CONTENT,
    },
    {
      why: 'an unsatisfiable range of another: the whole',
      headers: { Range: 'bytes=99-', 'If-Range': '"x"' },
      status: 200,
      body: CONTENT,
    },
  ]
  test.each(cases)('$why', async ({ headers, status, body = '' }) => {
    const answer = await ask('/ten', headers)
    expect([answer.status, answer.body.toString()]).toEqual([status, body])
    if (status !== 412) expect(answer.headers.etag).toBe('"sha256-ab"')
  })
})

describe('when it goes wrong on the way', () => {
  test('a client that leaves: says that it was not whole, and its buffers serve the next', async () => {
    served.length = 0
    for (let i = 0; i < 3; i++) {
      await new Promise<void>((resolve) => {
        const request = http.get(server.url, { path: '/big', agent: false }, (response) => {
          response.once('data', () => request.destroy())
        })
        request.on('error', () => {}).on('close', () => resolve())
      })
    }
    await until(() => served.length === 3)
    // The kernel's buffers may swallow all of it before the client is seen to leave; it must not be called whole then by mistake.
    for (const answer of served) expect(answer.status).toBe(200)
    expect((await ask('/big')).body.equals(BIG)).toBe(true)
  })

  test('a file that shrinks while it is sent: the connection breaks rather than end well', async () => {
    const path = join(dir, 'shrinking')
    writeFileSync(path, BIG)
    const outcome = await new Promise<string>((resolve) => {
      const request = http.get(server.url, { path: '/shrinking', agent: false }, (response) => {
        truncateSync(path, 10)
        response
          .on('error', () => resolve('broken'))
          .on('end', () => resolve('ended well'))
          .resume()
      })
      request.on('error', () => resolve('broken'))
    })
    expect(outcome).toBe('broken')
  })
})

describe('a folder', () => {
  const cases = [
    { path: '/a/b', file: '/root/a/b' },
    { path: '/a%20b/%C3%A9%23%3F?query=1', file: '/root/a b/é#?' },
    { path: '/..a/b..', file: '/root/..a/b..' },
    { path: '/a\\b', file: '/root/a\\b' },
    { path: '/', file: undefined },
    { path: '/../etc', file: undefined },
    { path: '/a/%2e%2e/b', file: undefined },
    { path: '/a%2F..%2F..%2Fb', file: undefined },
    { path: '/a%00', file: undefined },
    { path: '/%zz', file: undefined },
    { path: '/%ff', file: undefined },
    { path: '/a//b', file: undefined },
    { path: '/a/./b', file: undefined },
  ]
  test.each(cases)('$path', ({ path, file }) => {
    expect(fileBelow('/root', path)).toBe(file)
  })

  test.each(['a/b', 'a b', 'é#?%', '☃/😀', "it's (1)!*"])('the URL of %s leads back to it', (path) => {
    expect(fileBelow('/root', `/${urlPathOf(path)}`)).toBe(`/root/${path}`)
  })

  test('serves what is in it, through symlinks, and nothing else', async () => {
    symlinkSync(join(dir, 'ten'), join(dir, 'folder', 'link'))
    await using origin = await startServer((request, response) => void serveFolder(dir, request, response))
    expect((await ask('/folder/link', {}, 'GET', origin.url)).body.toString()).toBe(CONTENT)
    expect((await ask('/folder', {}, 'GET', origin.url)).status).toBe(404)
    expect((await ask('/folder/../ten', {}, 'GET', origin.url)).status).toBe(404)
    const { headers } = await ask('/ten', {}, 'GET', origin.url)
    expect((await ask('/ten', { 'If-None-Match': headers.etag }, 'GET', origin.url)).status).toBe(304)
  })
})
