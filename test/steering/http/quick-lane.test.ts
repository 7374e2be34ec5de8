import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { buildWorld } from '../../../reconcilers/steering/build-world.ts'
import { putCatalog } from '../../../reconcilers/steering/update.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import { silentLog } from '../../../runtime/log.ts'
import { Counters } from '../../../steering/counters.ts'
import { Api } from '../../../steering/http/api.ts'
import { TrustedProxies } from '../../../steering/http/client-address.ts'
import { Peers } from '../../../steering/http/peers.ts'
import { QuickLane } from '../../../steering/http/quick-lane.ts'
import { ReplyHeads } from '../../../steering/http/reply-heads.ts'
import { requestHandler } from '../../../steering/http/request-handler.ts'
import { HTTP_LIMITS, type HttpServer, listenHttp } from '../../../steering/http/server.ts'
import { Steerer } from '../../../steering/steerer.ts'
import { CatalogIndex, catalogTables } from '../../../steering/world/catalog-index.ts'

// The same bytes to the quick lane, and to node:http alone: whatever comes, in whatever pieces, both must say the same.

const clock = new FakeClock()
const parts = (perClient = 0) => {
  const world = buildWorld({ sites: [], appliances: [] }, 0)
  const tables = catalogTables([{ path: 'one.mp4' }, { path: 'zwölf.mp4' }], 2, 64)
  putCatalog(world, 'play/films', new CatalogIndex(`sha256:${'0'.repeat(64)}`, tables))
  const peers = new Peers(new TrustedProxies([]), 'x-forwarded-for')
  const steerer = new Steerer({ world, clientMap: () => ({ find: () => undefined }), random: () => 0 })
  const api = new Api({
    ...{ world, steerer, peers, clock, perClient, counters: new Counters(), log: silentLog },
    ...{ whyDown: () => undefined, onHint: () => {}, onDecision: () => {}, health: () => ({}), readiness: () => ({}) },
  })
  return { api, peers, clock, corsOrigins: ['https://tv.example'] }
}
const listen = (perClient?: number) =>
  listenHttp({ listen: { host: '127.0.0.1', port: 0 }, limits: HTTP_LIMITS, ...parts(perClient) })

let server: HttpServer
const { api, peers, corsOrigins } = parts()
const heads = new ReplyHeads(corsOrigins, HTTP_LIMITS.keepAliveMs)
const plain = createServer(
  { maxHeaderSize: HTTP_LIMITS.maxHeaderBytes, keepAliveTimeout: HTTP_LIMITS.keepAliveMs },
  requestHandler({ api, peers, heads }),
)
beforeAll(async () => {
  server = await listen()
  plain.listen(0, '127.0.0.1')
  await once(plain, 'listening')
})
afterAll(async () => {
  plain.close()
  await server.close()
})

const portOf = ({ url }: HttpServer) => Number(new URL(url).port)

/** A client that says the pieces, each when the one before has been answered, or read; what it was answered, without the time. */
async function said(port: number, pieces: readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const closed = once(socket, 'close')
  let answer = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  for (const piece of pieces.slice(0, -1)) {
    const before = answer.length
    socket.write(piece, 'latin1')
    // A part of a question gets no answer: it is given time to arrive alone.
    for (let i = 0; i < 20 && answer.length === before; i++) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  socket.end(pieces.at(-1)!, 'latin1')
  await closed
  return answer.replace(/^Date: .*$/gm, 'Date: now')
}

const statuses = (answer: string) => Array.from(answer.matchAll(/^HTTP\/1\.1 (\d+)/gm), ([, code]) => Number(code))
const ask = (path = 'one.mp4', headers = '') =>
  `GET /v1/steer?file=play/films/${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`
const tell = (body: string, headers = '') =>
  `POST /v1/steer HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n${headers}\r\n${body}`
const utf8 = (text: string) => Buffer.from(text).toString('latin1')
const FILM = '{"files":["play/films/one.mp4"]}'

test.each([
  ['a question', [ask()], [200]],
  ['one after the other', [ask(), ask('none.mp4'), tell(FILM), tell('{'), ask()], [200, 404, 200, 400, 200]],
  ['several at once', [ask() + ask('none.mp4') + tell(FILM)], [200, 404, 200]],
  ['one, then several at once', [ask(), ask() + ask('none.mp4') + ask()], [200, 200, 404, 200]],
  ['in pieces', [ask().slice(0, 20), ask().slice(20, 60), ask().slice(60)], [200]],
  ['one and a half', [ask() + ask('none.mp4').slice(0, 30), ask('none.mp4').slice(30)], [200, 404]],
  ['a body after its head', [tell(FILM).slice(0, -FILM.length), FILM], [200]],
  ['a body in pieces, after a question', [ask(), tell(FILM).slice(0, -5), FILM.slice(-5)], [200, 200]],
  ['letters beyond ASCII in a body', [tell(utf8('{"files":["play/films/zwölf.mp4"]}'))], [200]],
  ['letters beyond ASCII in a problem', [tell(utf8('{"files":["play/films/dreizehn–.mp4"]}'))], [404]],
  ['other methods in between', [ask(), 'DELETE /v1/steer HTTP/1.1\r\nHost: x\r\n\r\n', ask()], [200, 405, 200]],
  ['only the head', [ask().replace('GET', 'HEAD')], [200]],
  ['a page of ours', [ask('one.mp4', 'Origin: https://tv.example\r\n')], [200]],
  ['a page of others', [ask('one.mp4', 'Origin: https://other.example\r\n')], [200]],
  [
    'a page asks whether it may',
    [ask('', 'Origin: https://tv.example\r\n').replace('GET', 'OPTIONS'), ask()],
    [204, 200],
  ],
  ['another path', ['GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n'], [200, 404]],
  ['a hint', [tell('{"failed":["play/a"]}').replace('steer', 'hints')], [202]],
  [
    'chunks',
    [
      tell('', 'Transfer-Encoding: chunked\r\n').replace(/Content-Length.*\r\n/, '') +
        '20\r\n' +
        FILM +
        '\r\n0\r\n\r\n',
    ],
    [200],
  ],
  ['chunks and a length', [tell(FILM, 'Transfer-Encoding: chunked\r\n')], [400]],
  ['two lengths', [tell(FILM, 'Content-Length: 3\r\n')], [400]],
  ['no host', [ask().replace('Host: x\r\n', '')], [400]],
  ['no HTTP, after a question', [ask(), '\x16\x03\x01\x02\r\n\r\n'], [200, 400]],
  ['the last question', [ask(), ask('one.mp4', 'Connection: close\r\n')], [200, 200]],
  ['a packed body', [tell(FILM, 'Content-Encoding: gzip\r\n'), ask()], [415, 200]],
  ['a long body', [tell(`{"files":["play/films/${'x'.repeat(30_000)}"]}`)], [400]],
] as const)('%s', async (_, pieces, expected) => {
  const [lane, node] = await Promise.all([
    said(portOf(server), pieces),
    said((plain.address() as AddressInfo).port, pieces),
  ])
  expect(statuses(lane)).toEqual(expected)
  const headless = (answer: string) => answer.replace(/^(HTTP.*|[\w-]+: .*)\r\n/gm, '')
  const headersOf = (answer: string) => [...answer.matchAll(/^(HTTP.*|[\w-]+: .*)\r$/gm)].map(([line]) => line).sort()
  expect(headless(lane)).toBe(headless(node))
  // What node:http refuses itself, it refuses with a head of its own.
  if (!expected.some((status) => status === 400)) expect(headersOf(lane)).toEqual(headersOf(node))
})

test('the memory of a question is given back with its answer, and not of what goes on to node:http', async () => {
  const read: NonSharedBuffer[] = []
  const left: Socket[] = []
  let accepted: Socket | undefined
  const lane = new QuickLane({
    ...{ api, peers, heads, clock, firstMs: 1000, keepAliveMs: 1000 },
    giveWay: (socket) => left.push(socket),
  })
  const lanes = createSocketServer((socket) => {
    lane.take(socket)
    socket.on('data', (chunk) => read.push(chunk))
    accepted = socket
  })
  lanes.listen(0, '127.0.0.1')
  await once(lanes, 'listening')
  const client = connect({ port: (lanes.address() as AddressInfo).port, host: '127.0.0.1' })
  for (const question of [ask(), tell(FILM)]) {
    client.write(question)
    await once(client, 'data')
  }
  expect(read.map(({ buffer }) => buffer.detached)).toEqual([true, true])
  // Small buffers of Node's share their memory.
  const shared = Buffer.from(ask())
  accepted!.emit('data', shared)
  await once(client, 'data')
  expect(shared.toString()).toBe(ask())
  client.write('DELETE / HTTP/1.1\r\n\r\n')
  while (left.length === 0) await new Promise(setImmediate)
  expect(read[3]!.toString()).toBe('DELETE / HTTP/1.1\r\n\r\n')
  client.destroy()
  left[0]!.destroy()
  lanes.close()
  await once(lanes, 'close')
})

test('nonsense counts as asked', async () => {
  const limited = await listen(2)
  const nonsense = ask().replace('file=', 'what=')
  expect(statuses(await said(portOf(limited), [nonsense, tell('{'), nonsense, ask()]))).toEqual([400, 400, 429, 429])
  await limited.close()
})

test('who is silent for too long is left: at first soon, after a question later', async () => {
  const open = async (first: string) => {
    const socket = connect(portOf(server), '127.0.0.1')
    await once(socket, 'connect')
    const answered = once(socket, 'data')
    socket.write(ask())
    await answered
    if (first === '') return socket
    socket.destroy()
    const silent = connect(portOf(server), '127.0.0.1')
    await once(silent, 'connect')
    return silent
  }
  const [silent, asked] = [await open('silent'), await open('')]
  const ends: string[] = []
  const left = once(silent.on('close', () => ends.push('silent')).resume(), 'close')
  const later = once(asked.on('close', () => ends.push('asked')).resume(), 'close')
  await clock.advance(HTTP_LIMITS.requestTimeoutMs + 2000)
  await left
  expect(ends).toEqual(['silent'])
  await clock.advance(HTTP_LIMITS.keepAliveMs)
  await later
})

test('a server that ends lets connections go', async () => {
  const ending = await listen()
  const socket = connect(portOf(ending), '127.0.0.1')
  await once(socket, 'connect')
  const answered = once(socket, 'data')
  socket.write(ask())
  await answered
  const ended = once(socket.resume(), 'end')
  await ending.close()
  await ended
})
