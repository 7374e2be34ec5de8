import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  readingOf,
  readSource,
  SourceError,
  type SourceLimits,
  type Validators,
} from '../../controllers/catalog/read-source.ts'
import { CatalogBuilder } from '../../reconcilers/catalog/builder.ts'
import { FakeClock, systemClock } from '../../runtime/clock.ts'
import { startServer, type TestServer, until } from '../runtime/http.ts'

const line = (path: string) => `{"path":"${path}","size":1,"sha256":"${'a'.repeat(64)}"}\n`

let server: TestServer
let requests: IncomingMessage[]
let answer: (request: IncomingMessage, response: ServerResponse) => void
let dir: string

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'weir-source-'))
  requests = []
  answer = (_, response) => response.end(line('a'))
  server = await startServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

interface How {
  readonly url?: string
  readonly known?: Validators
  readonly limits?: Partial<SourceLimits>
  readonly clock?: FakeClock
  readonly signal?: AbortSignal
  readonly fileRoots?: readonly string[]
}

async function read({ url = `${server.url}/c.ndjson`, known = {}, limits = {}, ...how }: How = {}) {
  const builder = new CatalogBuilder()
  const options = { clock: how.clock ?? systemClock, fileRoots: how.fileRoots ?? [], limits }
  const content = await readSource(url, builder, known, options, how.signal ?? new AbortController().signal)
  return { content, reading: readingOf(content, builder) }
}

/** The paths that were read, or why there are none. */
async function outcome(how: How = {}): Promise<string> {
  try {
    const { reading } = await read(how)
    if (reading.type === 'read') return `read ${reading.built.catalog.files.map((file) => file?.path).join(' ')}`
    if (reading.type === 'refused')
      return reading.errors.map((error) => `line ${error.line}: ${error.message}`).join('; ')
    return reading.type
  } catch (error) {
    if (error instanceof SourceError) return error.message.replaceAll(server.url, 'URL')
    throw error
  }
}

describe('what comes over HTTP', () => {
  const long = `"${'x'.repeat(70_000)}"\n`
  const cases: { why: string; answer: (response: ServerResponse) => void; how?: How; outcome: string }[] = [
    { why: 'lines', answer: (r) => r.end(line('a') + line('b')), outcome: 'read a b' },
    { why: 'no newline at the end', answer: (r) => r.end(line('a') + line('b').trimEnd()), outcome: 'read a b' },
    { why: 'nothing', answer: (r) => r.end(), outcome: 'read ' },
    {
      why: 'compressed',
      answer: (r) => r.setHeader('Content-Encoding', 'gzip').end(gzipSync(line('a'))),
      outcome: 'read a',
    },
    {
      why: 'a bad line, by its number',
      answer: (r) => r.end(`${line('a')}\n{}\n`),
      outcome: 'line 3: path: required, a string',
    },
    {
      why: 'a line longer than any may be, and what follows it still has its number',
      answer: (r) => r.end(`${line('a') + long}{}\n`),
      outcome: 'line 2: longer than 65536 bytes; line 3: path: required, a string',
    },
    {
      why: 'a 10 MB line is not gathered',
      answer: (r) => r.end('x'.repeat(10 * 1024 * 1024)),
      outcome: 'line 1: longer than 65536 bytes',
    },
    { why: 'not UTF-8', answer: (r) => r.end(Buffer.from([0x22, 0xff, 0x22, 0x0a])), outcome: 'line 1: not UTF-8' },
    {
      why: 'not found',
      answer: (r) => r.writeHead(404).end('no'),
      outcome: 'URL/c.ndjson: the server answered 404 Not Found',
    },
    {
      why: 'server error',
      answer: (r) => r.writeHead(500).end('no'),
      outcome: 'URL/c.ndjson: the server answered 500 Internal Server Error',
    },
    {
      why: 'an answer without content is no catalog',
      answer: (r) => r.writeHead(204).end(),
      outcome: 'URL/c.ndjson: the server answered 204 No Content',
    },
    {
      why: 'broken off',
      answer: (r) => {
        r.writeHead(200, { 'Content-Length': 1000 }).write(line('a'))
        setImmediate(() => r.destroy())
      },
      outcome: 'URL/c.ndjson: other side closed',
    },
    {
      why: 'too large',
      answer: (r) => r.end(line('a').repeat(100)),
      how: { limits: { maxBytes: 1000 } },
      outcome: 'URL/c.ndjson: larger than 1000 bytes',
    },
  ]
  test.each(cases)('$why', async ({ answer: give, how, outcome: want }) => {
    answer = (_, response) => give(response)
    expect(await outcome(how)).toBe(want)
  })

  test('lines are the same whatever pieces they come in', async () => {
    answer = async (_, response) => {
      for (const byte of Buffer.from(line('é') + line('☃'))) {
        response.write(Buffer.from([byte]))
        await new Promise((resolve) => setImmediate(resolve))
      }
      response.end()
    }
    expect(await outcome()).toBe('read é ☃')
  })

  test('nobody listens', async () => {
    const { url } = server
    await server[Symbol.asyncDispose]()
    expect(await outcome({ url: `${url}/c` })).toMatch(/^URL\/c: connect ECONNREFUSED/)
  })

  test('credentials of the URL are sent, and never shown', async () => {
    answer = (_, response) => response.writeHead(403).end()
    const url = `${server.url.replace('//', '//jane:s%40cret@')}/c?token=hidden`
    expect(await outcome({ url })).toBe('URL/c: the server answered 403 Forbidden')
    expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('jane:s@cret').toString('base64')}`)
  })
})

describe('asking whether it has changed', () => {
  test('validators come from the answer and go with the next request', async () => {
    answer = (_, response) => response.setHeader('ETag', '"v1"').setHeader('Last-Modified', 'then').end(line('a'))
    const { content } = await read()
    expect(content).toEqual({ type: 'lines', validators: { etag: '"v1"', lastModified: 'then' } })
    answer = (_, response) => response.writeHead(304).end()
    expect(await outcome({ known: { etag: '"v1"', lastModified: 'then' } })).toBe('unchanged')
    expect(requests[1]?.headers).toMatchObject({ 'if-none-match': '"v1"', 'if-modified-since': 'then' })
  })
})

describe('redirects', () => {
  test('are followed', async () => {
    answer = (request, response) => {
      if (request.url === '/c.ndjson') response.writeHead(302, { Location: '/moved' }).end()
      else response.end(line('a'))
    }
    expect(await outcome()).toBe('read a')
  })

  test('but not for ever', async () => {
    answer = (_, response) => response.writeHead(302, { Location: '/c.ndjson' }).end()
    expect(await outcome()).toBe('URL/c.ndjson: more than 5 redirects')
    expect(requests).toHaveLength(6)
  })

  test.each(['file:///etc/passwd', 'http://['])('and not to %s', async (location) => {
    answer = (_, response) => response.writeHead(302, { Location: location }).end()
    expect(await outcome({ fileRoots: ['/'] })).toBe('URL/c.ndjson: redirects to what is no http(s) URL')
  })
})

describe('time', () => {
  test.each([
    { why: 'no answer', give: () => {} },
    { why: 'an answer that stalls', give: (response: ServerResponse) => void response.write(line('a')) },
  ])('$why: is given up when nothing comes', async ({ give }) => {
    answer = (_, response) => give(response)
    const clock = new FakeClock()
    const done = outcome({ clock })
    await until(() => requests.length === 1 && clock.pendingTimers === 2)
    await clock.advance(29_000)
    await clock.advance(31_000)
    expect(await done).toBe('URL/c.ndjson: nothing came for 30 s')
    expect(clock.pendingTimers).toBe(0)
  })

  test('a source that dribbles for ever is given up, though something always comes', async () => {
    let dribble: () => void = () => {}
    answer = (_, response) => {
      dribble = () => response.write('\n')
      dribble()
    }
    const clock = new FakeClock()
    const done = outcome({ clock, limits: { totalTimeoutMs: 60_000 } })
    await until(() => requests.length === 1 && clock.pendingTimers === 2)
    for (let i = 0; i < 4; i++) {
      dribble()
      await new Promise((resolve) => setTimeout(resolve, 20))
      await clock.advance(15_000)
    }
    expect(await done).toBe('URL/c.ndjson: not read within 60 s')
  })

  test('aborting ends it with the reason of the signal', async () => {
    answer = () => {}
    const abort = new AbortController()
    const failed = expect(outcome({ signal: abort.signal })).rejects.toThrow('stopped')
    await until(() => requests.length === 1)
    abort.abort(new Error('stopped'))
    await failed
  })
})

describe('files', () => {
  test('below a folder that is allowed', async () => {
    writeFileSync(join(dir, 'c d.ndjson'), line('a'))
    const url = pathToFileURL(join(dir, 'c d.ndjson')).href
    const { content, reading } = await read({ url, fileRoots: [dir] })
    expect(reading).toMatchObject({ type: 'read' })
    const known = content.type === 'lines' ? content.validators : {}
    expect(await outcome({ url, known, fileRoots: [dir] })).toBe('unchanged')
    writeFileSync(join(dir, 'c d.ndjson'), line('a') + line('b'))
    expect(await outcome({ url, known, fileRoots: [dir] })).toBe('read a b')
  })

  test('and nowhere else, not by a name that begins alike nor through a symlink', async () => {
    const allowed = join(dir, 'allowed')
    writeFileSync(join(dir, 'secret'), 'token')
    writeFileSync(join(dir, 'allowed-not'), 'token')
    for (const path of ['secret', 'missing', 'allowed-not']) {
      const url = `file://${dir}/${path}`
      expect(await outcome({ url, fileRoots: [allowed] })).toBe(
        `${url}: file sources are allowed below ${allowed} only`,
      )
    }
    expect(await outcome({ url: pathToFileURL(join(dir, 'secret')).href })).toMatch(/not allowed/)
    expect(await outcome({ url: `file://${dir}/allowed/../secret`, fileRoots: [allowed] })).toMatch(/allowed below/)
    mkdirSync(allowed)
    symlinkSync(join(dir, 'secret'), join(allowed, 'link'))
    expect(await outcome({ url: pathToFileURL(join(allowed, 'link')).href, fileRoots: [allowed] })).toMatch(
      /allowed below/,
    )
  })

  test.each([
    { path: 'missing', message: /missing: ENOENT/ },
    { path: '', message: /not a regular file/ },
  ])('what cannot be read: $message', async ({ path, message }) => {
    expect(await outcome({ url: pathToFileURL(join(dir, path)).href, fileRoots: [dir] })).toMatch(message)
  })
})
