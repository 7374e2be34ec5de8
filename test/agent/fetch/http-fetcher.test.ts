import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { FetchError, type FetchHead } from '../../../agent/fetch/fetcher.ts'
import { HttpFetcher } from '../../../agent/fetch/http-fetcher.ts'
import { issueAuthority, issueCertificate } from '../../../runtime/certificates/issue.ts'
import { systemClock } from '../../../runtime/clock.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function serve(handler: http.RequestListener): Promise<{ url: string; connections: () => number }> {
  let connections = 0
  const server = http.createServer(handler).on('connection', () => connections++)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections }
}

/** A server that says exactly these bytes to whoever connects. */
async function serveRaw(onConnection: (socket: net.Socket) => void): Promise<string> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    onConnection(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`
}

function newFetcher(idleMs = 5000): HttpFetcher {
  const fetcher = new HttpFetcher({ clock: systemClock, timeouts: { connectMs: 2000, idleMs }, userAgent: 'weir-test' })
  closing.push(() => fetcher.close())
  return fetcher
}

async function get(fetcher: HttpFetcher, url: string, headers: Record<string, string> = {}) {
  const body: Buffer[] = []
  let head: FetchHead | undefined
  await fetcher.fetch(
    { url, headers, signal: new AbortController().signal },
    {
      head(got) {
        head = got
        return true
      },
      data(chunk) {
        body.push(Buffer.from(chunk))
        return undefined
      },
    },
  )
  return { head: head as FetchHead, body: Buffer.concat(body) }
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error) => (error instanceof FetchError ? error.failure : error),
  )

test('many files go over one connection, with the headers asked for', async () => {
  const { url, connections } = await serve((request, response) => {
    response.end(`${request.url} ${request.headers.range} ${request.headers.authorization}`)
  })
  const fetcher = newFetcher()
  for (let i = 0; i < 20; i++) {
    const { head, body } = await get(fetcher, `${url}/a%20b/${i}?q=1`, { Range: 'bytes=3-' })
    expect(head.status).toBe(200)
    expect(body.toString()).toBe(`/a%20b/${i}?q=1 bytes=3- undefined`)
  }
  expect(connections()).toBe(1)
  const { body } = await get(fetcher, url.replace('//', '//ann:p%40ss@'))
  expect(body.toString()).toBe(`/ undefined Basic ${Buffer.from('ann:p@ss').toString('base64')}`)
})

test('a slow consumer makes the server wait, keeps its lent bytes intact, and is not taken for a stall', async () => {
  const bytes = randomBytes(8 * 1024 * 1024)
  const { url } = await serve((_, response) => response.end(bytes))
  const hash = createHash('sha256')
  let lent = 0
  let most = 0
  await newFetcher(60).fetch(
    { url, signal: new AbortController().signal },
    {
      head: () => true,
      data(chunk) {
        lent += chunk.length
        most = Math.max(most, lent)
        // Longer than the idle timeout: it is we who wait.
        return delay(20).then(() => {
          hash.update(chunk)
          lent -= chunk.length
        })
      },
    },
  )
  expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
  expect(most).toBeLessThanOrEqual(1024 * 1024)
})

test('follows redirects, to other hosts too, and not for ever', async () => {
  const other = await serve((_, response) => response.end('there'))
  const { url } = await serve((request, response) => {
    const location = request.url === '/loop' ? '/loop' : request.url === '/a' ? 'b' : `${other.url}/c`
    response.writeHead(302, { Location: location }).end('moved')
  })
  const { head, body } = await get(newFetcher(), `${url}/a`)
  expect([body.toString(), head.url]).toEqual(['there', `${other.url}/c`])
  await expect(get(newFetcher(), `${url}/loop`)).rejects.toThrow('more than 5 redirects')
})

test('a body that is not wanted costs no connection when short, and ends the connection when long', async () => {
  const { url, connections } = await serve((request, response) => {
    response.writeHead(404).end(request.url === '/long' ? Buffer.alloc(1 << 20) : 'no')
  })
  const fetcher = newFetcher()
  const refuse = (path: string) =>
    fetcher.fetch(
      { url: url + path, signal: new AbortController().signal },
      {
        head: () => false,
        data: () => {
          throw new Error('got a body that it did not want')
        },
      },
    )
  await refuse('/short')
  await refuse('/short')
  expect(connections()).toBe(1)
  await refuse('/long')
  await refuse('/short')
  expect(connections()).toBe(2)
})

test('an idle connection that the server has closed is replaced without a failure', async () => {
  const sockets: net.Socket[] = []
  const url = await serveRaw((socket) => {
    sockets.push(socket)
    socket.on('data', () => {
      // The second request on a connection finds it closed.
      if (socket.bytesWritten > 0) socket.destroy()
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const fetcher = newFetcher()
  for (let i = 0; i < 3; i++) expect((await get(fetcher, url)).body.toString()).toBe('ok')
  expect(sockets).toHaveLength(3)
})

describe('over TLS', () => {
  const validity = { now: new Date(), days: 1 }

  async function serveTls(body: Buffer) {
    const authority = await issueAuthority('an authority', validity)
    const subject = { type: 'server', commonName: 'origin', names: ['127.0.0.1'] } as const
    const { certificate, key } = await issueCertificate(authority, subject, validity)
    const server = https.createServer({ cert: certificate, key }, (_, response) => response.end(body))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    closing.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/x`, ca: authority.certificate }
  }

  test('bytes come as without it', async () => {
    const body = randomBytes(5 << 20)
    const { url, ca } = await serveTls(body)
    const timeouts = { connectMs: 5000, idleMs: 5000 }
    const fetcher = new HttpFetcher({ clock: systemClock, timeouts, userAgent: 'weir-test', ca })
    closing.push(() => fetcher.close())
    for (let i = 0; i < 3; i++) expect((await get(fetcher, url)).body.equals(body)).toBe(true)
  })

  test('nothing comes from a server that nobody vouches for', async () => {
    const { url } = await serveTls(Buffer.from('x'))
    const fetched = get(newFetcher(), url)
    expect(await failure(fetched)).toBe('Unreachable')
    await expect(fetched).rejects.toThrow('certificate')
  })
})

describe('failures say what kind they are', () => {
  test('refused', async () => {
    const server = net.createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    expect(await failure(get(newFetcher(), `http://127.0.0.1:${port}/`))).toBe('Unreachable')
  })

  test.each([
    ['a connection closed without an answer', '', 'Closed'],
    ['a truncated body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel', 'Closed'],
    ['truncated chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n', 'Closed'],
    ['nonsense', 'what?\r\n\r\n', 'Protocol'],
  ])('%s', async (_, text, kind) => {
    const url = await serveRaw((socket) => socket.once('data', () => socket.end(text)))
    expect(await failure(get(newFetcher(), url))).toBe(kind)
  })

  test.each([
    ['no head', ''],
    ['half a body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel'],
  ])('a stall: %s', async (_, text) => {
    const url = await serveRaw((socket) => void socket.once('data', () => text && socket.write(text)))
    expect(await failure(get(newFetcher(100), url))).toBe('Stalled')
  })

  test('a stall begins anew with every byte', async () => {
    const url = await serveRaw((socket) =>
      socket.once('data', async () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')
        for (const letter of 'hello') {
          await delay(70)
          socket.write(letter)
        }
      }),
    )
    expect((await get(newFetcher(250), url)).body.toString()).toBe('hello')
  })

  test('aborted: closes the connection, and waits until lent bytes are given back', async () => {
    const abort = new AbortController()
    const { url } = await serve((_, response) => void response.write(Buffer.alloc(100_000)))
    let written = false
    const fetched = newFetcher().fetch(
      { url, signal: abort.signal },
      {
        head: () => true,
        data: () => {
          abort.abort()
          return delay(50).then(() => {
            written = true
          })
        },
      },
    )
    expect(await failure(fetched)).toBe('Aborted')
    expect(written).toBe(true)
  })

  test('what the consumer throws is what comes out', async () => {
    const { url } = await serve((_, response) => response.end(Buffer.alloc(2 << 20)))
    const full = Object.assign(new Error('disk full'), { code: 'ENOSPC' })
    const signal = new AbortController().signal
    const sink = { head: () => true, data: () => Promise.reject(full) }
    await expect(newFetcher().fetch({ url, signal }, sink)).rejects.toBe(full)
    const throwing = {
      head: (): boolean => {
        throw full
      },
      data: () => undefined,
    }
    await expect(newFetcher().fetch({ url, signal }, throwing)).rejects.toBe(full)
  })

  test('not a web address', async () => {
    expect(await failure(get(newFetcher(), 'file:///etc/passwd'))).toBe('Protocol')
    expect(await failure(get(newFetcher(), 'films/a'))).toBe('Protocol')
  })
})
