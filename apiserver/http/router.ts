import type { IncomingMessage, ServerResponse } from 'node:http'
import { BLOBS_PATH, type BundledBlobs } from '../../runtime/blob-bundle.ts'
import type { Log } from '../../runtime/log.ts'
import type { Api } from '../api.ts'
import { ApiError, badRequest, forbidden, tooManyRequests } from '../api-error.ts'
import type { Authenticator } from '../auth/authenticate.ts'
import { type Authorizer, refusal } from '../auth/authorize.ts'
import { impersonate } from '../auth/impersonate.ts'
import type { User } from '../auth/user.ts'
import { batchHeader, batchPath, serveBatch } from './batch.ts'
import { serveBlobs } from './blobs.ts'
import { Documents } from './documents.ts'
import { type Exchange, HttpExchange } from './exchange.ts'
import { parseGoDuration } from './go-duration.ts'
import { type HealthCheck, health } from './health.ts'
import { parsePath } from './request-info.ts'
import { ResourceHandler } from './resource-handler.ts'
import { versionDocument } from './version.ts'
import type { WatchServer } from './watch.ts'

export interface RouterOptions {
  readonly api: Api
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly watches: WatchServer
  /** Resolves when CRDs written so far are served. */
  readonly settled: () => Promise<void>
  readonly checks: readonly HealthCheck[]
  /** Served to who may read `/weir/v1/blobs`; nothing is there where there are none. */
  readonly blobs?: BundledBlobs
  readonly log: Log
  /** Requests under way, watches aside; more are answered 429. */
  readonly maxInFlight: number
  readonly weirVersion: string
}

/** How long an answer may take: as long as Kubernetes gives it. A watch has been answered once it has begun. */
const deadlineMs = 60_000

/** What anybody may read without saying who they are. */
const open = /^\/(?:healthz|livez|readyz)(?:\/|$)|^\/version\/?$/

/** From a request to its answer: who, may they, what. */
export class Router {
  readonly #options: RouterOptions
  readonly #resources: ResourceHandler
  readonly #documents: Documents
  readonly #version: Buffer
  #inFlight = 0

  constructor(options: RouterOptions) {
    this.#options = options
    this.#resources = new ResourceHandler(options)
    this.#documents = new Documents(options.api.registry)
    this.#version = Buffer.from(JSON.stringify(versionDocument(options.weirVersion), null, 2))
  }

  get inFlight(): number {
    return this.#inFlight
  }

  readonly handle = (req: IncomingMessage, res: ServerResponse): void => {
    const exchange = new HttpExchange(req, res)
    this.#inFlight++
    const cancel = this.#options.api.clock.after(allowedMs(exchange.query), () => {
      const late = new ApiError(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout')
      void exchange.fail(late, () => {})
    })
    this.#serve(exchange)
      .catch((err: unknown) =>
        exchange.fail(err, (fault) =>
          this.#options.log.error({ err: fault, method: req.method, path: exchange.path }, 'request failed'),
        ),
      )
      .catch((err: unknown) => this.#options.log.warn({ err, path: exchange.path }, 'cannot answer'))
      .finally(() => {
        cancel()
        this.#inFlight--
      })
  }

  async #serve(exchange: HttpExchange): Promise<void> {
    const { authenticator, authorizer, maxInFlight } = this.#options
    if (this.#inFlight > maxInFlight) throw tooManyRequests('too many requests, please try again later', 1)
    const sender = authenticator.authenticate(exchange.req)
    const user = impersonate(exchange.req.headers, sender, authorizer)
    const request = parsePath(exchange.path)
    if (!request) throw badRequest(`the path ${JSON.stringify(exchange.path)} is not well-formed`)
    if (!isWatch(exchange.query)) checkTimeout(exchange.query)
    if (exchange.path === batchPath && exchange.method === 'POST') return this.#batch(exchange, user)
    if (request.type === 'path') return this.#path(exchange, user)
    if (!(await this.#resources.handle(exchange, request, user))) await pageNotFound(exchange)
  }

  async #path(exchange: HttpExchange, user: User): Promise<void> {
    const { path } = exchange
    const verb = exchange.method === 'HEAD' ? 'get' : exchange.method.toLowerCase()
    const access = { type: 'path', verb, path } as const
    if (!open.test(path) && !this.#options.authorizer.authorize(user, access).allowed) {
      throw forbidden({ group: '', resource: '' }, '', refusal(user, access))
    }
    if (verb !== 'get') return pageNotFound(exchange)
    if (path === '/version' || path === '/version/') return exchange.send(200, 'application/json', this.#version)
    const answer = health(path, exchange.query, this.#options.checks)
    if (answer) {
      const headers = { 'X-Content-Type-Options': 'nosniff' }
      return exchange.send(answer.status, 'text/plain; charset=utf-8', Buffer.from(answer.body), headers)
    }
    const { blobs } = this.#options
    if (blobs && path === BLOBS_PATH) return serveBlobs(exchange, blobs)
    await this.#document(exchange)
  }

  /** Anybody may send a batch: what is in it, they must be allowed to do. */
  #batch(exchange: HttpExchange, user: User): Promise<void> {
    return serveBatch(
      exchange,
      (item, request) => this.#resources.handle(item, request, user),
      (err, path) => this.#options.log.error({ err, method: 'POST', path }, 'request of a batch failed'),
    )
  }

  async #document(exchange: HttpExchange): Promise<void> {
    if (exchange.path === '/') {
      const paths = [
        '/api',
        '/api/v1',
        '/apis',
        '/healthz',
        '/livez',
        '/openapi/v2',
        '/openapi/v3',
        '/readyz',
        '/version',
        batchPath,
        ...(this.#options.blobs ? [BLOBS_PATH] : []),
      ]
      return exchange.send(200, 'application/json', Buffer.from(JSON.stringify({ paths }, null, 2)))
    }
    const document = this.#documents.find(exchange.path, exchange.header('accept'))
    if (!document) return pageNotFound(exchange)
    const headers: Record<string, string> = { Vary: 'Accept' }
    if (exchange.path.startsWith('/api')) headers[batchHeader] = batchPath
    if (document.etag) {
      headers.Etag = document.etag
      if (exchange.header('if-none-match') === document.etag) {
        exchange.res.writeHead(304, headers).end()
        return
      }
    }
    if (exchange.query?.has('hash')) headers['Cache-Control'] = 'public, immutable'
    await exchange.send(200, document.contentType, document.body, headers)
  }
}

/** As Go's ServeMux says it, which client-go turns into its own sentence. */
function pageNotFound(exchange: Exchange): Promise<void> {
  return exchange.send(404, 'text/plain; charset=utf-8', Buffer.from('404 page not found\n'))
}

/** Watches take as long as they like. */
const isWatch = (query: URLSearchParams | undefined) => ['true', '1'].includes(query?.get('watch') ?? '')

/** How long until a request that has no answer gets 504: as its `timeout` says, where that is shorter. Source: apiserver's WithRequestDeadline. */
function allowedMs(query: URLSearchParams | undefined): number {
  const asked = parseGoDuration(query?.get('timeout') ?? '') ?? 0
  return asked > 0 && asked < deadlineMs && !isWatch(query) ? asked : deadlineMs
}

function checkTimeout(query: URLSearchParams | undefined): void {
  const text = query?.get('timeout')
  if (text === null || text === undefined || text === '') return
  if (parseGoDuration(text) === undefined) {
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`)
  }
}
