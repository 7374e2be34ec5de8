import type { Clock } from '../../runtime/clock.ts'
import { Connection, type Target, type Timeouts } from './connection.ts'
import { FetchError, type Fetcher, type FetchHead, type FetchRequest, type FetchSink } from './fetcher.ts'

export interface HttpFetcherOptions {
  readonly clock: Clock
  readonly timeouts: Timeouts
  /** Sent as User-Agent. */
  readonly userAgent: string
  /** PEM of authorities to believe besides the system's. */
  readonly ca?: string
}

const MAX_REDIRECTS = 5
/** Reading a short body that nobody wants is cheaper than another connection. */
const DRAIN_MAX_BYTES = 64 * 1024
/** Servers close idle connections after 5 s or more: ask again only before that. */
const IDLE_MAX_MS = 4000
const IDLE_MAX_CONNECTIONS = 32

interface Idle {
  readonly connection: Connection
  readonly sinceMs: number
}

/** HTTP/1.1 over kept-alive connections, made for many files and for much data. Follows redirects; sends no cookies, asks for no encoding. */
export class HttpFetcher implements Fetcher {
  readonly #options: HttpFetcherOptions
  readonly #idle = new Map<string, Idle[]>()
  readonly #open = new Set<Connection>()

  constructor(options: HttpFetcherOptions) {
    this.#options = options
  }

  async fetch(request: FetchRequest, sink: FetchSink): Promise<void> {
    let url = request.url
    for (let redirects = 0; ; redirects++) {
      const location = await this.#fetchOnce({ ...request, url }, sink)
      if (location === undefined) return
      if (redirects === MAX_REDIRECTS) throw new FetchError('Protocol', `more than ${MAX_REDIRECTS} redirects`)
      url = redirected(url, location)
    }
  }

  close(): void {
    for (const connection of this.#open) connection.close()
    this.#open.clear()
    this.#idle.clear()
  }

  /** Gives the location to go on to, if the answer was a redirect. */
  async #fetchOnce(request: FetchRequest, sink: FetchSink): Promise<string | undefined> {
    const { target, key, text } = this.#prepare(request)
    for (;;) {
      const connection = this.#take(key, target)
      const reused = connection.used
      let location: string | undefined
      let wanted = false
      let drained = 0
      try {
        const reusable = await connection.exchange({
          request: text,
          signal: request.signal,
          head: (status, headers) => {
            location = redirectOf(status, headers)
            wanted = location === undefined && sink.head(headOf(status, headers, request.url))
            if (!wanted && Number(headers.get('content-length') ?? 0) > DRAIN_MAX_BYTES) throw DROPPED
          },
          data: (chunk) => {
            if (wanted) return sink.data(chunk)
            drained += chunk.length
            if (drained > DRAIN_MAX_BYTES) throw DROPPED
            return undefined
          },
        })
        if (reusable) this.#putBack(key, connection)
        else this.#drop(connection)
        return location
      } catch (error) {
        this.#drop(connection)
        if (error === DROPPED) return location
        // The other side may close an idle connection just as we use it: that says nothing about this request.
        const closed = error instanceof FetchError && error.failure === 'Closed'
        if (closed && reused && !connection.answered) continue
        throw error
      }
    }
  }

  #take(key: string, target: Target): Connection {
    const oldest = this.#options.clock.monotonicMs() - IDLE_MAX_MS
    const idle = this.#idle.get(key) ?? []
    for (let last = idle.pop(); last; last = idle.pop()) {
      if (last.connection.isOpen && last.sinceMs >= oldest) return last.connection
      this.#drop(last.connection)
    }
    const connection = new Connection(target, this.#options.timeouts, this.#options.clock)
    this.#open.add(connection)
    return connection
  }

  #putBack(key: string, connection: Connection): void {
    const idle = this.#idle.get(key) ?? []
    this.#idle.set(key, idle)
    idle.push({ connection, sinceMs: this.#options.clock.monotonicMs() })
    if (idle.length > IDLE_MAX_CONNECTIONS) this.#drop(idle.shift()!.connection)
  }

  #drop(connection: Connection): void {
    connection.close()
    this.#open.delete(connection)
  }

  #prepare({ url, headers }: FetchRequest): { target: Target; key: string; text: string } {
    const parsed = parseUrl(url)
    const secure = parsed.protocol === 'https:'
    const host = parsed.hostname.replace(/^\[|\]$/g, '')
    const port = Number(parsed.port || (secure ? 443 : 80))
    const authorization = parsed.username === '' ? undefined : basic(parsed.username, parsed.password)
    const lines = [
      `GET ${parsed.pathname}${parsed.search} HTTP/1.1`,
      `Host: ${parsed.host}`,
      `User-Agent: ${this.#options.userAgent}`,
      'Accept: */*',
      'Accept-Encoding: identity',
      ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
      ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    ]
    return {
      target: { tls: secure, host, port, ca: this.#options.ca },
      key: `${parsed.protocol}//${parsed.host}`,
      text: `${lines.join('\r\n')}\r\n\r\n`,
    }
  }
}

/** Thrown through a connection to end it, when the body is long and not wanted. */
const DROPPED = new Error('the body is not wanted')

function headOf(status: number, headers: ReadonlyMap<string, string>, url: string): FetchHead {
  return { status, headers, url }
}

function parseUrl(url: string): URL {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new FetchError('Protocol', `not a URL: ${JSON.stringify(url)}`)
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new FetchError('Protocol', `cannot fetch from ${parsed.protocol} URLs, only from http and https`)
  }
  return parsed
}

function basic(username: string, password: string): string {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function redirectOf(status: number, headers: ReadonlyMap<string, string>): string | undefined {
  return [301, 302, 303, 307, 308].includes(status) ? headers.get('location') : undefined
}

function redirected(from: string, location: string): string {
  try {
    return new URL(location, from).href
  } catch {
    throw new FetchError('Protocol', `redirected to ${JSON.stringify(location)}, which is not a URL`)
  }
}
