import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { contentTypeOf } from '../../runtime/http-files/content-type.ts'
import { type Served, serveFile } from '../../runtime/http-files/serve-file.ts'
import type { Log } from '../../runtime/log.ts'
import { errorCode } from '../file-io.ts'
import type { Tuning } from '../tuning.ts'
import { ServingLoad } from './load.ts'
import type { OpenFiles } from './open-files.ts'
import type { CountedFile, Tally } from './tally.ts'

/** Bytes to serve: where they are, and what they are called. */
export interface ServableFile {
  readonly sha256: string
  readonly path: string
  readonly bytes: number | undefined
  /** As what clients ask for it. */
  readonly counted?: CountedFile
}

export interface ServeOptions {
  readonly host: string
  readonly port: number
  readonly log: Log
  readonly tuning: Tuning
  readonly openFiles: OpenFiles
  readonly counters: ServeCounters
  readonly tally: Tally
  /** The held file that a catalog's path means. */
  readonly findPath: (catalog: string, path: string) => ServableFile | undefined
  /** The held file with that sha256. */
  readonly findSha256: (sha256: string) => ServableFile | undefined
  /** Whether clients are served; peers are in any case. */
  readonly isServing: () => boolean
  readonly metrics: () => string
  /** The disk could not read a file that was held. */
  readonly onUnreadable: (sha256: string, message: string) => void
}

export interface ServeCounters {
  readonly requests: Map<number, number>
  sentBytes: { client: number; peer: number }
}

export interface ContentServer {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

const PEER_PREFIX = '/.weir/sha256/'
/** A head longer than this is no request for a file. */
const MAX_HEADER_BYTES = 16 * 1024
const HEADERS_TIMEOUT_MS = 10_000
/** Players in pages of any site may read what clients are served, and why they are not: whoever reaches an appliance gets its files, without cookies or passwords. */
const FOR_PAGES = { 'Access-Control-Allow-Origin': '*' }

/** Serves what is held, over HTTP. Only verified files are ever found. */
export async function startServer(options: ServeOptions): Promise<ContentServer> {
  const load = new ServingLoad()
  const server = http.createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS, keepAliveTimeout: 15_000, noDelay: true },
    (request, response) => void new Handler(options, load, request, response).run(),
  )
  // Nobody sends us a body worth waiting for.
  server.requestTimeout = HEADERS_TIMEOUT_MS
  server.maxConnections = options.tuning.maxConnections
  // A client that takes nothing for so long keeps a file from being evicted for no good.
  server.setTimeout(options.tuning.clientTimeoutMs)
  server.on('connection', (socket) => load.opened(socket))
  server.listen(options.port, options.host)
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  return {
    host: address,
    port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

class Handler {
  readonly #options: ServeOptions
  readonly #load: ServingLoad
  readonly #request: IncomingMessage
  readonly #response: ServerResponse

  constructor(options: ServeOptions, load: ServingLoad, request: IncomingMessage, response: ServerResponse) {
    this.#options = options
    this.#load = load
    this.#request = request
    this.#response = response
  }

  async run(): Promise<void> {
    try {
      await this.#route()
    } catch (err) {
      this.#options.log.error({ err, url: this.#request.url }, 'could not answer')
      if (this.#response.headersSent) this.#response.destroy()
      else this.#text(500, 'internal error')
    }
  }

  async #route(): Promise<void> {
    const { method, url = '/' } = this.#request
    if (method !== 'GET' && method !== 'HEAD') return this.#text(405, 'only GET and HEAD', { Allow: 'GET, HEAD' })
    const end = url.indexOf('?')
    const path = end < 0 ? url : url.slice(0, end)
    // Who asks whether it is there is told how busy it is: steering shares clients out by it.
    if (path === '/healthz') return this.#text(200, 'ok', { 'Weir-Load': this.#load.text() })
    if (path === '/metrics')
      return this.#text(200, this.#options.metrics(), { 'Content-Type': 'text/plain; version=0.0.4' })
    if (path.startsWith(PEER_PREFIX)) return this.#peer(path.slice(PEER_PREFIX.length))
    return this.#client(path)
  }

  async #peer(sha256: string): Promise<void> {
    const file = this.#options.findSha256(sha256)
    if (!file) return this.#text(404, 'not held here')
    await this.#send(file, 'peer', { 'Cache-Control': 'public, max-age=31536000, immutable' })
  }

  async #client(path: string): Promise<void> {
    const segments = decodeSegments(path)
    if (!segments) return this.#text(400, 'the path is not valid', FOR_PAGES)
    if (!this.#options.isServing()) return this.#text(503, 'out of service', FOR_PAGES)
    const [namespace, catalog, ...rest] = segments
    const name = rest.join('/')
    const file = this.#options.findPath(`${namespace}/${catalog}`, name)
    if (!file) return this.#text(404, 'not held here', FOR_PAGES)
    await this.#send(file, 'client', FOR_PAGES, contentTypeOf(name))
  }

  async #send(
    { sha256, path, bytes, counted }: ServableFile,
    whom: 'client' | 'peer',
    headers: Record<string, string>,
    contentType?: string,
  ): Promise<void> {
    const { openFiles, onUnreadable, counters, tally } = this.#options
    openFiles.opened(sha256, this.#response)
    this.#load.requests++
    let served: Served
    try {
      served = await serveFile(this.#request, this.#response, {
        path,
        ...(bytes === undefined ? {} : { bytes }),
        etag: `"sha256-${sha256}"`,
        headers,
        ...(whom === 'client' ? { missingHeaders: FOR_PAGES } : {}),
        ...(contentType === undefined ? {} : { contentType }),
      })
    } catch (error) {
      // Bad sectors show here first. Anything else, such as too many open files, says nothing about the file.
      if (errorCode(error) === 'EIO') onUnreadable(sha256, 'the disk cannot read its bytes (EIO)')
      throw error
    } finally {
      this.#load.requests--
      openFiles.closed(sha256, this.#response)
    }
    this.#count(served.status)
    counters.sentBytes[whom] += served.bytes
    // Who only asks whether he has it already, or for nothing of it, wants no bytes.
    if (whom === 'client' && counted && served.bytes > 0) tally.count(counted, served.bytes)
    if (served.status === 404) onUnreadable(sha256, 'the bytes on disk are gone, or not all there')
  }

  #text(status: number, text: string, headers: Record<string, string> = {}): void {
    const body = Buffer.from(text.endsWith('\n') ? text : `${text}\n`)
    this.#response.writeHead(status, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': body.length,
      ...headers,
    })
    this.#response.end(this.#request.method === 'HEAD' ? undefined : body)
    this.#count(status)
  }

  #count(status: number): void {
    const { requests } = this.#options.counters
    requests.set(status, (requests.get(status) ?? 0) + 1)
  }
}

/** The segments of a URL path, unescaped one by one; undefined when an escape is malformed. */
function decodeSegments(path: string): string[] | undefined {
  try {
    return path.split('/').slice(1).map(decodeURIComponent)
  } catch {
    return undefined
  }
}
