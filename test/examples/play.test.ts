import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

// The player of examples/play, without its page: test/drills/play.ts has a browser play.

interface Loaded {
  readonly data?: string
  readonly error?: string
}
interface Failure {
  readonly appliance: string
  readonly why: string
}
interface Loader {
  load(context: object, config: object, callbacks: object): void
  abort(): void
}
type NewLoader = new () => Loader
interface Page {
  Steering: new (url: string) => object
  steeredLoader: (options: object) => NewLoader
}

const page = join(import.meta.dirname, '../../examples/play/page')
const load = (name: string) => import(pathToFileURL(join(page, name)).href) as Promise<unknown>
const closers: (() => Promise<void>)[] = []

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Steering's part: whom it names, what it was asked, and what it was told. */
let named: readonly { readonly url: string; readonly appliance: string }[] = []
let asked: string[] = []
let hinted: string[] = []
let steeringUrl: string
let good: string
let broken: string
let silent: string
let refusing: string
let Module: Page

beforeAll(async () => {
  Module = { ...((await load('steering.js')) as Page), ...((await load('steered-loader.js')) as Page) }
  steeringUrl = await serve(async (req, res) => {
    if (req.method === 'POST') {
      let body = ''
      for await (const chunk of req) body += chunk
      hinted.push(...(JSON.parse(body) as { failed: string[] }).failed)
      res.writeHead(202).end('{}')
      return
    }
    asked.push(req.url!)
    const excluded = new URL(req.url!, 'http://x').searchParams.getAll('exclude')
    res.end(JSON.stringify({ urls: named.filter(({ appliance }) => !excluded.includes(appliance)) }))
  })
  good = await serve((req, res) => void res.end(`bytes of ${req.url}${req.headers.range ?? ''}`))
  broken = await serve((_, res) => {
    res.writeHead(200, { 'Content-Length': 100 }).write('half')
    setTimeout(() => res.destroy(), 20)
  })
  silent = await serve((_, res) => void res.writeHead(200, { 'Content-Length': 100 }).write('half'))
  refusing = await serve((_, res) => void res.writeHead(503).end('out of service'))
})
afterAll(async () => {
  for (const close of closers) await close()
})

/** A player of its own that loads files one after the other, and who failed it. */
function player() {
  const failures: Failure[] = []
  const servedBy: string[] = []
  asked = []
  hinted = []
  const Loader = Module.steeredLoader({
    steering: new Module.Steering(steeringUrl),
    base: 'http://steered.invalid/',
    onServed: ({ appliance }: Failure) => void servedBy.push(appliance),
    onFailed: (failure: Failure) => void failures.push(failure),
  })
  const get = (file: string, context: object = {}) =>
    new Promise<Loaded>((resolve) => {
      const callbacks = {
        onSuccess: ({ data }: { data: string }) => resolve({ data }),
        onError: ({ text }: { text: string }) => resolve({ error: text }),
      }
      new Loader().load({ url: `http://steered.invalid/${file}`, responseType: 'text', ...context }, {}, callbacks)
    })
  return { get, failures, servedBy, Loader }
}

const names = (...bases: readonly string[]) =>
  bases.map((base, i) => ({ appliance: `play/${'abc'[i]}`, url: `${base}/play/films/1.m4s` }))

test.each([
  ['cannot be reached', () => 'http://127.0.0.1:1', /fetch failed/],
  ['breaks off in the middle', () => broken, /terminated/],
  ['sends nothing any more', () => silent, /nothing came for 1500 ms/],
  ['refuses', () => refusing, /it answers 503/],
])('where the first %s, the next serves all of it, and the first is not asked again', async (_, first, why) => {
  named = names(first(), good)
  const { get, failures, servedBy } = player()
  expect(await get('play/films/1.m4s')).toEqual({ data: 'bytes of /play/films/1.m4s' })
  expect(failures.map(({ appliance }) => appliance)).toEqual(['play/a'])
  expect(failures[0]!.why).toMatch(why)
  expect(await get('play/films/2.m4s')).toEqual({ data: 'bytes of /play/films/1.m4s' })
  expect(servedBy).toEqual(['play/b', 'play/b'])
  expect(failures).toHaveLength(1)
  expect(asked).toEqual(['/v1/steer?file=play%2Ffilms%2F1.m4s', '/v1/steer?file=play%2Ffilms%2F2.m4s&exclude=play%2Fa'])
  // Nobody waits for hints.
  while (hinted.length === 0) await sleep(5)
  expect(hinted).toEqual(['play/a'])
})

test('who failed is asked again when nobody else is left', async () => {
  named = names(refusing)
  const { get, failures } = player()
  expect(await get('play/films/1.m4s')).toEqual({ error: 'all that were named for play/films/1.m4s have failed' })
  named = names(good)
  expect(await get('play/films/1.m4s')).toEqual({ data: 'bytes of /play/films/1.m4s' })
  expect(failures).toHaveLength(1)
})

test('where nobody is named, who was named for other files is asked; without any it fails', async () => {
  named = names(good)
  const { get } = player()
  expect(await get('play/films/1.m4s')).toEqual({ data: 'bytes of /play/films/1.m4s' })
  named = []
  expect(await get('play/films/1.m4s')).toEqual({ data: 'bytes of /play/films/1.m4s' })
  expect(await player().get('play/films/1.m4s')).toEqual({ error: 'nobody has play/films/1.m4s' })
})

test('a part of a file is asked for, and a name is taken as it is', async () => {
  named = names(good)
  const { get } = player()
  const part = { rangeStart: 10, rangeEnd: 20 }
  expect(await get('play/films/a%20b.m4s', part)).toEqual({ data: 'bytes of /play/films/1.m4sbytes=10-19' })
  expect(asked).toEqual(['/v1/steer?file=play%2Ffilms%2Fa+b.m4s'])
})

test('what is no longer wanted ends, and is nobody’s failure', async () => {
  named = names(silent)
  const { Loader, failures } = player()
  const loader = new Loader()
  const told: string[] = []
  const callbacks = {
    onAbort: () => told.push('aborted'),
    onSuccess: () => told.push('success'),
    onError: () => told.push('error'),
  }
  loader.load({ url: 'http://steered.invalid/play/films/1.m4s', responseType: 'text' }, {}, callbacks)
  while (asked.length === 0) await sleep(5)
  loader.abort()
  // Whoever is asked after it has been answered after it.
  named = names(good)
  await player().get('play/films/1.m4s')
  expect([told, failures]).toEqual([['aborted'], []])
})
