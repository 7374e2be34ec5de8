import { type Address, newAddress } from '../../reconcilers/steering/address.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Counters } from '../counters.ts'
import { clientKey } from '../network-of.ts'
import { RateWindow } from '../rate-window.ts'
import type { Steered, Steerer } from '../steerer.ts'
import { AnswerText } from './answer-text.ts'
import { explain } from './explanation.ts'
import type { Peers } from './peers.ts'
import { HttpProblem, invalid, PROBLEM_TYPE, problemBody } from './problem.ts'
import { NO_MORE, type Question, type Reply } from './question.ts'
import { askOfBody, askOfQuery, readClient } from './read-ask.ts'
import { WallSecond } from './wall-second.ts'

export interface ApiOptions {
  readonly world: World
  readonly steerer: Steerer
  readonly peers: Peers
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
  /** Requests per second of one client; 0: without bound. */
  readonly perClient: number
  readonly whyDown: (appliance: string) => string | undefined
  /** A client says that an appliance failed it. */
  readonly onHint: (appliance: string, address: Readonly<Address>) => void
  readonly onDecision: (steered: Steered, address: Readonly<Address>) => void
  /** What a restart would help with. */
  readonly health: () => Readonly<Record<string, string | undefined>>
  /** What it must have to answer. */
  readonly readiness: () => Readonly<Record<string, string | undefined>>
}

/** What a client says of itself, in what it asks. */
interface OfClient {
  readonly client: string | undefined
}

/** For how long a browser remembers that it may ask, in seconds. */
const PREFLIGHT_SECONDS = '86400'
const JSON_TYPE = 'application/json'
const STEER = '/v1/steer'
const HINTS = '/v1/hints'
const QUESTION_MARK = 63

/** Answers players. No request, whatever it is, makes more than one answer, and none ends the program. */
export class Api {
  readonly #options: ApiOptions
  readonly #rate: RateWindow
  readonly #text: AnswerText
  readonly #named = newAddress()
  /** The wall clock as of the last answer. */
  readonly wall: WallSecond
  /** Whose the request at hand is. */
  #client: Readonly<Address> = this.#named

  constructor(options: ApiOptions) {
    this.#options = options
    this.#rate = new RateWindow(options.clock, options.perClient)
    this.wall = new WallSecond(options.clock)
    this.#text = new AnswerText(options.world, this.wall)
  }

  /** Answers one request, all of which is there. Never throws. */
  answer(question: Question): Reply {
    const { clock, counters } = this.#options
    const startedMs = clock.monotonicMs()
    this.wall.follow(startedMs)
    let reply: Reply
    try {
      if (isAt(question.target, STEER)) {
        reply = this.#steer(question, startedMs)
        if (reply.status === 200) counters.seconds.observe((clock.monotonicMs() - startedMs) / 1000)
      } else reply = this.#route(question, startedMs)
    } catch (error) {
      return this.refuse(error, question.method, question.target)
    }
    counters.answered(reply.status)
    return reply
  }

  /** The reply to a request that failed: an HttpProblem as it says, anything else as a fault of ours, which is logged. */
  refuse(error: unknown, method: string | undefined, target: string | undefined): Reply {
    const { log, counters } = this.#options
    if (!(error instanceof HttpProblem))
      log.error({ err: error, method, url: target?.slice(0, 500) }, 'a request failed')
    const problem =
      error instanceof HttpProblem ? error : new HttpProblem(500, 'InternalError', 'steering failed; its log says why')
    counters.answered(problem.status)
    const more = Object.entries(problem.headers).flat()
    return { status: problem.status, type: PROBLEM_TYPE, body: problemBody(problem), isAscii: false, more }
  }

  /** Whether the body of such a request is read. */
  takesBody(method: string | undefined, target: string | undefined): boolean {
    return method === 'POST' && target !== undefined && (isAt(target, STEER) || isAt(target, HINTS))
  }

  #route(question: Question, nowMs: number): Reply {
    const { method, target } = question
    if (method === 'OPTIONS') return PREFLIGHT
    if (isAt(target, HINTS)) {
      if (method !== 'POST') throw notAllowed(method, 'POST, OPTIONS')
      return this.#hint(question, nowMs)
    }
    if (isAt(target, '/healthz')) return checked(this.#options.health(), 'Unhealthy', 500)
    if (isAt(target, '/readyz')) return checked(this.#options.readiness(), 'NotReady', 503)
    throw new HttpProblem(404, 'NotFound', 'no such path: there are /v1/steer, /v1/hints, /healthz and /readyz')
  }

  #steer(question: Question, nowMs: number): Reply {
    const { method, target, body } = question
    const ask =
      method === 'GET' || method === 'HEAD'
        ? this.#read(question, nowMs, target.slice(STEER.length + 1), askOfQuery)
        : method === 'POST'
          ? this.#read(question, nowMs, body, askOfBody)
          : undefined
    if (ask === undefined) {
      if (method === 'OPTIONS') return PREFLIGHT
      throw notAllowed(method, 'GET, HEAD, POST, OPTIONS')
    }
    const { steerer, counters, world, whyDown, onDecision } = this.#options
    const address = this.#client
    const steered = steerer.steer(address, ask)
    counters.decided(steered.answer)
    let text = this.#text.open(steered)
    if (ask.explain) text += `,"explanation":${JSON.stringify(explain(world, steered, address, whyDown))}`
    onDecision(steered, address)
    return { status: 200, type: JSON_TYPE, body: `${text}}\n`, isAscii: !ask.explain, more: NO_MORE }
  }

  #hint(question: Question, nowMs: number): Reply {
    const { steerer, world, onHint } = this.#options
    const { failed } = this.#read(question, nowMs, question.body, readHint)
    for (const one of failed) {
      const ordinal = steerer.applianceOf(one)
      if (ordinal !== undefined) onHint(world.applianceKeys[ordinal]!, this.#client)
    }
    // Whether an appliance is known is not told: it is nothing that the client could do anything about.
    return { status: 202, type: JSON_TYPE, body: '{}\n', isAscii: true, more: NO_MORE }
  }

  /**
   * Reads what is asked, and finds whose request it is: `#client`. It is counted whatever it says: nonsense is not free. Before it is read, except
   * from those who may say for which client they ask.
   */
  #read<T extends OfClient>({ peer, forwarded }: Question, nowMs: number, text: string, read: (text: string) => T): T {
    const { peers } = this.#options
    const client = peers.clientOf(peer, forwarded)
    this.#client = client
    if (!peers.mayNameClient(peer, client)) {
      this.#count(client, nowMs)
      const asked = read(text)
      if (asked.client === undefined) return asked
      throw new HttpProblem(403, 'Forbidden', 'only trusted proxies may say for which client they ask', {
        faults: [{ pointer: '/client', parameter: 'client', detail: 'may not be given from here' }],
      })
    }
    try {
      const asked = read(text)
      if (asked.client !== undefined) {
        readClient(asked.client, this.#named)
        this.#client = this.#named
      }
      return asked
    } finally {
      this.#count(this.#client, nowMs)
    }
  }

  /** Throws where the client has asked often enough this second. */
  #count(client: Readonly<Address>, nowMs: number): void {
    if (this.#rate.take(clientKey(client), nowMs)) return
    this.#options.counters.rateLimited++
    throw new HttpProblem(429, 'TooManyRequests', 'this client asks too often', { headers: { 'Retry-After': '1' } })
  }
}

/** Whether a target has this path, with a query or without. */
function isAt(target: string, path: string): boolean {
  return target.startsWith(path) && (target.length === path.length || target.charCodeAt(path.length) === QUESTION_MARK)
}

const PREFLIGHT: Reply = {
  ...{ status: 204, type: undefined, body: '', isAscii: true },
  more: [
    ...['Allow', 'GET, HEAD, POST, OPTIONS', 'Access-Control-Allow-Methods', 'GET, POST'],
    ...['Access-Control-Allow-Headers', 'content-type', 'Access-Control-Max-Age', PREFLIGHT_SECONDS],
  ],
}

/** The reply to who asks whether all is well. Throws an HttpProblem where it is not. */
function checked(checks: Readonly<Record<string, string | undefined>>, reason: string, status: number): Reply {
  const wrong = Object.entries(checks).flatMap(([what, problem]) =>
    problem === undefined ? [] : `${what}: ${problem}`,
  )
  if (wrong.length > 0) throw new HttpProblem(status, reason, wrong.join('; '))
  return { status: 200, type: JSON_TYPE, body: '{"status":"ok"}\n', isAscii: true, more: NO_MORE }
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
