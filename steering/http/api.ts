import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Address, newAddress } from '../../reconcilers/steering/address.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Counters } from '../counters.ts'
import { clientKey } from '../network-of.ts'
import { RateWindow } from '../rate-window.ts'
import type { Steered, Steerer } from '../steerer.ts'
import { AnswerText } from './answer-text.ts'
import { readBody } from './body.ts'
import { explain } from './explanation.ts'
import type { Peers } from './peers.ts'
import { HttpProblem, invalid, PROBLEM_TYPE, problemBody } from './problem.ts'
import { askOfBody, askOfQuery, type ReadAsk, readClient } from './read-ask.ts'

export interface ApiOptions {
  readonly world: World
  readonly steerer: Steerer
  readonly peers: Peers
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
  /** Requests per second of one client; 0: without bound. */
  readonly perClient: number
  /** Origins of pages whose players may read answers; `*`: all. */
  readonly corsOrigins: readonly string[]
  readonly whyDown: (appliance: string) => string | undefined
  /** A client says that an appliance failed it. */
  readonly onHint: (appliance: string, address: Readonly<Address>) => void
  readonly onDecision: (steered: Steered, address: Readonly<Address>) => void
  /** What a restart would help with. */
  readonly health: () => Readonly<Record<string, string | undefined>>
  /** What it must have to answer. */
  readonly readiness: () => Readonly<Record<string, string | undefined>>
}

/** For how long a browser remembers that it may ask, in seconds. */
const PREFLIGHT_SECONDS = '86400'

/** Answers players. No request, whatever it is, makes more than one answer, and none ends the program. */
export class Api {
  readonly #options: ApiOptions
  readonly #rate: RateWindow
  readonly #text: AnswerText
  readonly #named = newAddress()
  readonly #anyOrigin: boolean

  constructor(options: ApiOptions) {
    this.#options = options
    this.#rate = new RateWindow(options.clock, options.perClient)
    this.#text = new AnswerText(options.world, () => options.clock.now().getTime())
    this.#anyOrigin = options.corsOrigins.includes('*')
  }

  /** Takes one request; its answer may come later, when its body is there. */
  handle(req: IncomingMessage, res: ServerResponse): void {
    const startedMs = performance.now()
    try {
      this.#route(req, res, startedMs)
    } catch (error) {
      this.#fail(req, res, error)
    }
  }

  #route(req: IncomingMessage, res: ServerResponse, startedMs: number): void {
    const url = req.url ?? ''
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    const { method } = req
    if (method === 'OPTIONS') {
      this.#preflight(req, res)
      return
    }
    if (path === '/v1/steer') {
      if (method === 'GET' || method === 'HEAD') {
        this.#steer(req, res, askOfQuery(mark < 0 ? '' : url.slice(mark + 1)), startedMs)
        return
      }
      if (method === 'POST') {
        this.#withBody(req, res, (body) => this.#steer(req, res, askOfBody(body), startedMs))
        return
      }
      throw notAllowed(method, 'GET, HEAD, POST, OPTIONS')
    }
    if (path === '/v1/hints') {
      if (method !== 'POST') throw notAllowed(method, 'POST, OPTIONS')
      this.#withBody(req, res, (body) => this.#hint(req, res, body))
      return
    }
    if (path === '/healthz') {
      this.#checks(req, res, this.#options.health(), 'Unhealthy', 500)
      return
    }
    if (path === '/readyz') {
      this.#checks(req, res, this.#options.readiness(), 'NotReady', 503)
      return
    }
    throw new HttpProblem(404, 'NotFound', 'no such path: there are /v1/steer, /v1/hints, /healthz and /readyz')
  }

  #withBody(req: IncomingMessage, res: ServerResponse, use: (body: string) => void): void {
    readBody(
      req,
      (body) => {
        try {
          use(body)
        } catch (error) {
          this.#fail(req, res, error)
        }
      },
      (problem) => this.#fail(req, res, problem),
    )
  }

  /** Whose request it is, and whether it may ask again this second. */
  #clientOf(req: IncomingMessage, named: string | undefined): Address {
    const { peers, counters } = this.#options
    let address = peers.clientOf(req)
    if (named !== undefined) {
      if (!peers.mayNameClient(req))
        throw new HttpProblem(403, 'Forbidden', 'only trusted proxies may say for which client they ask', {
          faults: [{ pointer: '/client', parameter: 'client', detail: 'may not be given from here' }],
        })
      readClient(named, this.#named)
      address = this.#named
    }
    if (!this.#rate.take(clientKey(address))) {
      counters.rateLimited++
      throw new HttpProblem(429, 'TooManyRequests', 'this client asks too often', { headers: { 'Retry-After': '1' } })
    }
    return address
  }

  #steer(req: IncomingMessage, res: ServerResponse, ask: ReadAsk, startedMs: number): void {
    const { steerer, counters, world, whyDown, onDecision } = this.#options
    const address = this.#clientOf(req, ask.client)
    const steered = steerer.steer(address, ask)
    counters.decided(steered.answer)
    let text = this.#text.open(steered)
    if (ask.explain) text += `,"explanation":${JSON.stringify(explain(world, steered, address, whyDown))}`
    onDecision(steered, address)
    this.#send(req, res, 200, 'application/json', `${text}}\n`)
    counters.seconds.observe((performance.now() - startedMs) / 1000)
  }

  #hint(req: IncomingMessage, res: ServerResponse, text: string): void {
    const { steerer, world, onHint } = this.#options
    const { client, failed } = readHint(text)
    const address = this.#clientOf(req, client)
    for (const one of failed) {
      const ordinal = steerer.applianceOf(one)
      if (ordinal !== undefined) onHint(world.applianceKeys[ordinal]!, address)
    }
    // Whether an appliance is known is not told: it is nothing that the client could do anything about.
    this.#send(req, res, 202, 'application/json', '{}\n')
  }

  #checks(
    req: IncomingMessage,
    res: ServerResponse,
    checks: Readonly<Record<string, string | undefined>>,
    reason: string,
    status: number,
  ): void {
    const wrong = Object.entries(checks).flatMap(([what, problem]) =>
      problem === undefined ? [] : `${what}: ${problem}`,
    )
    if (wrong.length > 0) throw new HttpProblem(status, reason, wrong.join('; '))
    this.#send(req, res, 200, 'application/json', '{"status":"ok"}\n')
  }

  #preflight(req: IncomingMessage, res: ServerResponse): void {
    const origin = this.#allowedOrigin(req)
    const headers = [
      ...['Content-Length', '0', 'Allow', 'GET, HEAD, POST, OPTIONS'],
      ...(origin === undefined ? [] : ['Access-Control-Allow-Origin', origin]),
      ...['Access-Control-Allow-Methods', 'GET, POST', 'Access-Control-Allow-Headers', 'content-type'],
      ...['Access-Control-Max-Age', PREFLIGHT_SECONDS, 'Vary', 'Origin'],
    ]
    this.#options.counters.answered(204)
    res.writeHead(204, headers)
    res.end()
  }

  #allowedOrigin(req: IncomingMessage): string | undefined {
    if (this.#anyOrigin) return '*'
    const { origin } = req.headers
    return origin !== undefined && this.#options.corsOrigins.includes(origin) ? origin : undefined
  }

  #send(
    req: IncomingMessage,
    res: ServerResponse,
    status: number,
    type: string,
    body: string,
    more: Readonly<Record<string, string>> = {},
  ): void {
    this.#options.counters.answered(status)
    // Mostly every character is one byte, and need not be encoded.
    const length = Buffer.byteLength(body)
    const headers = ['Content-Type', type, 'Content-Length', String(length), 'Cache-Control', 'no-store']
    if (this.#anyOrigin) headers.push('Access-Control-Allow-Origin', '*')
    else {
      headers.push('Vary', 'Origin')
      const origin = this.#allowedOrigin(req)
      if (origin !== undefined) headers.push('Access-Control-Allow-Origin', origin)
    }
    for (const name in more) headers.push(name, more[name]!)
    res.writeHead(status, headers)
    res.end(req.method === 'HEAD' ? undefined : body, length === body.length ? 'latin1' : 'utf8')
  }

  #fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    if (!(error instanceof HttpProblem))
      this.#options.log.error({ err: error, method: req.method, url: req.url?.slice(0, 500) }, 'a request failed')
    const problem =
      error instanceof HttpProblem ? error : new HttpProblem(500, 'InternalError', 'steering failed; its log says why')
    if (res.headersSent || res.destroyed) {
      res.destroy()
      return
    }
    this.#send(req, res, problem.status, PROBLEM_TYPE, problemBody(problem), problem.headers)
  }
}

function notAllowed(method: string | undefined, allow: string): HttpProblem {
  return new HttpProblem(405, 'MethodNotAllowed', `${method} is not allowed here`, { headers: { Allow: allow } })
}

/** Most appliances that one hint may name. */
const MAX_HINTED = 8

/** Reads the body of `POST /v1/hints`: `{"failed": [URL or namespace/name, …]}`. */
function readHint(text: string): { readonly client: string | undefined; readonly failed: readonly string[] } {
  let body: { client?: unknown; failed?: unknown } | null
  try {
    body = JSON.parse(text) as typeof body
  } catch (error) {
    throw invalid([{ pointer: '', detail: `the body is not JSON: ${(error as Error).message}` }])
  }
  const { client, failed } = body ?? {}
  const good =
    Array.isArray(failed) &&
    failed.length > 0 &&
    failed.length <= MAX_HINTED &&
    failed.every((one) => typeof one === 'string' && one.length <= 4096)
  if (!good) throw invalid([{ pointer: '/failed', detail: `must be a list of 1 to ${MAX_HINTED} URLs or appliances` }])
  if (client !== undefined && typeof client !== 'string')
    throw invalid([{ pointer: '/client', detail: 'must be a text' }])
  return { client, failed }
}
