import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { truncateSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { RunningAgent } from '../../agent/main.ts'
import { Cleanup, filled, makeCatalog, Origin, runAgent, sha256, TestGateway, until } from './harness.ts'

const cleanup = new Cleanup()
const body = randomBytes(600_000)
const files = new Map([
  ['film.mp4', body],
  ['empty', Buffer.alloc(0)],
  ...['film.m3u8', 'film.MPD', 'high/001.ts', 'high/001.m4s', 'en.vtt', 'patch.bin'].map(
    (name) => [name, Buffer.from(`the bytes of ${name}`)] as const,
  ),
])
const filledBytes = [...files.values()].reduce((sum, { length }) => sum + length, 0)
const etag = `"sha256-${sha256(body)}"`
let agent: RunningAgent
let film: string
let root: string
let gateway: TestGateway

beforeAll(async () => {
  const origin = await Origin.start(cleanup, files)
  gateway = await TestGateway.start(cleanup)
  gateway.assign({ entries: [gateway.entry(makeCatalog('films', files), origin.url)] })
  root = cleanup.folder()
  agent = await runAgent(cleanup, gateway, { root })
  film = `${agent.url}/isp/films/film.mp4`
  await filled(gateway)
})
afterAll(() => cleanup.run())

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())

describe('a held file, by its path in the catalog and by its sha256', () => {
  test.each([
    ['path', () => film],
    ['sha256', () => `${agent.url}/.weir/sha256/${sha256(body)}`],
  ])('by %s', async (_, url) => {
    const whole = await fetch(url())
    expect([whole.status, whole.headers.get('etag'), whole.headers.get('accept-ranges')]).toEqual([200, etag, 'bytes'])
    expect((await bytesOf(whole)).equals(body)).toBe(true)

    const head = await fetch(url(), { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), (await bytesOf(head)).length]).toEqual([200, '600000', 0])

    const part = await fetch(url(), { headers: { Range: 'bytes=100-199' } })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 100-199/600000'])
    expect((await bytesOf(part)).equals(body.subarray(100, 200))).toBe(true)

    const tail = await fetch(url(), { headers: { Range: 'bytes=-5' } })
    expect((await bytesOf(tail)).equals(body.subarray(-5))).toBe(true)

    const beyond = await fetch(url(), { headers: { Range: 'bytes=600000-' } })
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */600000'])

    const known = await fetch(url(), { headers: { 'If-None-Match': etag } })
    expect([known.status, (await bytesOf(known)).length]).toEqual([304, 0])

    const changed = await fetch(url(), { headers: { Range: 'bytes=0-9', 'If-Range': '"sha256-other"' } })
    expect([changed.status, (await bytesOf(changed)).length]).toEqual([200, 600_000])
  })

  test.each([
    ['film.m3u8', 'application/vnd.apple.mpegurl', 'Safari plays no list of another type'],
    ['film.MPD', 'application/dash+xml', 'capitals do not matter'],
    ['film.mp4', 'video/mp4', 'what a <video> plays by itself'],
    ['high/001.ts', 'video/mp2t', 'a segment of MPEG-2, no TypeScript'],
    ['high/001.m4s', 'video/iso.segment', 'a fragment of MP4'],
    ['en.vtt', 'text/vtt; charset=utf-8', 'a <track> of another type is not shown'],
    ['empty', 'application/octet-stream', 'the name says nothing'],
    ['patch.bin', 'application/octet-stream', 'nor does this one'],
  ])('%s is %s: %s', async (name, type) => {
    const url = `${agent.url}/isp/films/${name}`
    const answers = await Promise.all([
      fetch(url),
      fetch(url, { method: 'HEAD' }),
      fetch(url, { headers: { Range: name === 'empty' ? 'lines=1' : 'bytes=0-3' } }),
    ])
    await Promise.all(answers.map((answer) => answer.body?.cancel()))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, name === 'empty' ? 200 : 206])
    expect(answers.map(({ headers }) => headers.get('content-type'))).toEqual([type, type, type])
  })

  test('peers are told bytes, whatever they are called', async () => {
    const answer = await fetch(`${agent.url}/.weir/sha256/${sha256(body)}`, { method: 'HEAD' })
    expect(answer.headers.get('content-type')).toBe('application/octet-stream')
  })

  test('an empty file', async () => {
    const response = await fetch(`${agent.url}/isp/films/empty`)
    expect([response.status, response.headers.get('content-length')]).toEqual([200, '0'])
  })

  test('a query says nothing about the file', async () => {
    expect((await fetch(`${film}?session=1`)).status).toBe(200)
  })
})

test.each([
  ['a file', () => film, 200, '*'],
  ['why there is none', () => `${agent.url}/isp/films/other`, 404, '*'],
  ['not what peers are served', () => `${agent.url}/.weir/sha256/${sha256(body)}`, 200, null],
  ['not its metrics', () => `${agent.url}/metrics`, 200, null],
])('players in pages may read %s', async (_, url, status, origins) => {
  const answer = await fetch(url(), { headers: { Origin: 'https://play.example' } })
  await answer.body?.cancel()
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([status, origins])
})

/** What a server answers to these very bytes. */
async function raw(request: string): Promise<string> {
  const socket = net.connect(Number(new URL(agent.url).port), '127.0.0.1')
  socket.write(request)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('latin1')
}

describe('what is not there, or not right', () => {
  test.each([
    ['GET', '/isp/films/other', 404],
    ['GET', '/isp/films/', 404],
    ['GET', '/isp/films', 404],
    ['GET', '/isp/other/film.mp4', 404],
    ['GET', '/other/films/film.mp4', 404],
    ['GET', '/', 404],
    ['GET', '/isp/films/film.mp4/', 404],
    ['GET', '/isp/films/%zz', 400],
    ['GET', `/.weir/sha256/${'0'.repeat(64)}`, 404],
    ['GET', '/.weir/sha256/..%2f..%2fstate%2fdesired.json', 404],
    ['GET', '/.weir/sha256/../../state/desired.json', 404],
    ['GET', '/isp/films/../../../../etc/passwd', 404],
    ['POST', '/isp/films/film.mp4', 405],
    ['DELETE', '/isp/films/film.mp4', 405],
    ['HEAD', '/isp/films/other', 404],
    ['GET', '/healthz', 200],
  ])('%s %s: %i', async (method, path, status) => {
    const answer = await raw(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    if (status === 405) expect(answer).toContain('Allow: GET, HEAD\r\n')
    if (method === 'HEAD') expect(answer).toMatch(/\r\n\r\n$/)
  })

  test('an endless head', async () => {
    expect(await raw(`GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
  })
})

test('metrics tell what was served and what is held', async () => {
  await (await fetch(film)).arrayBuffer()
  const metrics = await (await fetch(`${agent.url}/metrics`)).text()
  expect(metrics).toContain(`# TYPE weir_agent_files_held gauge\nweir_agent_files_held ${files.size}\n`)
  expect(metrics).toContain(`weir_agent_filled_bytes_total{source="origin"} ${filledBytes}\n`)
  expect(Number(/weir_agent_http_requests_total\{code="200"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(0)
  expect(Number(/weir_agent_sent_bytes_total\{to="client"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThanOrEqual(600_000)
})

test('half a file is not served: it is fetched again', async () => {
  const whole = files.get('patch.bin')!
  const hex = sha256(whole)
  truncateSync(join(root, 'content', hex.slice(0, 2), hex), 3)
  const url = `${agent.url}/isp/films/patch.bin`
  const answer = await fetch(url, { headers: { Range: 'bytes=0-1' } })
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([404, '*'])
  const text = async () => await (await fetch(url)).text()
  await until(async () => ((await text()) === whole.toString() ? true : undefined), text)
})

test('addresses that cannot be are refused before anything is touched', async () => {
  const root = cleanup.folder()
  const start = (options: object) => runAgent(cleanup, gateway, { root, ...options })
  await expect(start({ listen: { host: '0.0.0.0', port: 0 } })).rejects.toThrow('under which URL')
  await expect(start({ advertiseUrl: 'example.com:80' })).rejects.toThrow('not an http or https URL')
  await expect(start({ advertiseUrl: 'http://example.com/path' })).rejects.toThrow('without a path')
})
