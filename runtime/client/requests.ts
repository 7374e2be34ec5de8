import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type Clock, sleep, systemClock } from '../clock.ts'
import { ApiError, ConnectError, CredentialsError, type StatusBody } from '../errors.ts'
import type { Credential } from './credentials.ts'
import type { ClusterAccess } from './kubeconfig.ts'
import { Transport, type TransportRequest } from './transport.ts'

export interface ClientOptions {
  readonly access: ClusterAccess
  /** The User-Agent, such as `weir-controllers/0.1.0`; also the field manager where a write names none. */
  readonly userAgent?: string
  readonly clock?: Clock
  /** Connections for requests that end (watches come on top). 16 unless told. */
  readonly maxConnections?: number
  /** Until a request has its whole answer. 30 s unless told. */
  readonly timeoutMs?: number
  /** Times that a request is repeated because the server asked for it (429, 503 with Retry-After). 5 unless told. */
  readonly maxServerRetries?: number
  /** Receives the server's `Warning` headers (RFC 9111 warn-text), such as of deprecated versions. */
  readonly onWarning?: (text: string) => void
  /**
   * Called when a request that may change something is about to go on the wire, on every attempt; what it throws ends the request unsent.
   * For fencing: a leader that was deposed while a request waited for its connection must not send it.
   */
  readonly beforeWrite?: () => void
  /** Told of every answer by its HTTP code, or of `<error>` where none came: for metrics. Watches count when they begin. */
  readonly onAnswer?: (method: string, code: string) => void
}

export interface RequestOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** A request to any path, for what the typed methods do not cover. */
export interface RawRequest extends RequestOptions {
  readonly method?: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  readonly contentType?: string
  readonly accept?: string
  /** Told the headers of an answer that is no error. */
  readonly onHeaders?: (headers: IncomingMessage['headers']) => void
}

const MAX_SERVER_RETRIES = 5
const MAX_RETRY_AFTER_MS = 30_000

/** Requests of one API server: with credentials, asked again where the server wants it, refusals as errors. */
export class Requests {
  readonly clock: Clock
  readonly #server: string
  readonly #options: ClientOptions
  readonly #transport: Transport

  constructor(options: ClientOptions) {
    this.#options = options
    this.#server = options.access.server
    this.clock = options.clock ?? systemClock
    this.#transport = new Transport({
      access: options.access,
      clock: this.clock,
      maxConnections: options.maxConnections ?? 16,
    })
  }

  /** Breaks every connection, watches included. */
  close(): void {
    this.#transport.close()
  }

  /** The whole answer of a request that the server does not refuse. */
  async send(path: string, request: RawRequest): Promise<{ body: Buffer; headers: IncomingHttpHeaders }> {
    const { method = 'GET', query, body, contentType = 'application/json', accept = 'application/json' } = request
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const maxServerRetries = this.#options.maxServerRetries ?? MAX_SERVER_RETRIES
    const headers = { ...this.#headers(accept), ...(payload === undefined ? {} : { 'Content-Type': contentType }) }
    const target = path + queryString(query)
    for (let serverRetries = 0, authRetried = false; ; ) {
      const answer = await this.#counted(method, async () =>
        this.#transport.read(await this.#prepare(method, target, headers, request, payload)),
      )
      this.#warn(answer.headers.warning)
      if (answer.status < 400) request.onHeaders?.(answer.headers)
      if (answer.status < 400) return answer
      if (answer.status === 401 && !authRetried && this.#options.access.credentials.invalidate()) {
        authRetried = true
        continue
      }
      const error = apiError(`${method} ${path}`, answer.status, answer.body, answer.headers['retry-after'])
      const mayRetry = (error.code === 429 || error.code === 503) && error.retryAfterMs !== undefined
      if (!mayRetry || serverRetries >= maxServerRetries) throw error
      serverRetries++
      await sleep(this.clock, Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS), request.signal)
    }
  }

  /** The answer of a request as it comes, once the server has said 200. */
  async open(
    path: string,
    query: RawRequest['query'],
    signal: AbortSignal,
    accept = 'application/json',
  ): Promise<IncomingMessage> {
    const target = path + queryString(query)
    for (let authRetried = false; ; authRetried = true) {
      const headers = this.#headers(accept)
      const request = { ...(await this.#prepare('GET', target, headers, { signal }, undefined)), stream: true }
      const response = await this.#counted('GET', () => this.#transport.open(request))
      this.#warn(response.headers.warning)
      if (response.statusCode === 200) return response
      const body = await readAll(response, this.#server)
      const retry = response.statusCode === 401 && !authRetried && this.#options.access.credentials.invalidate()
      if (!retry) throw apiError(`GET ${path}`, response.statusCode ?? 0, body, response.headers['retry-after'])
    }
  }

  async #counted<T extends { readonly status: number } | { readonly statusCode?: number | undefined }>(
    method: string,
    send: () => Promise<T>,
  ): Promise<T> {
    const { onAnswer } = this.#options
    if (!onAnswer) return await send()
    try {
      const answer = await send()
      onAnswer(method, String('status' in answer ? answer.status : answer.statusCode))
      return answer
    } catch (error) {
      onAnswer(method, '<error>')
      throw error
    }
  }

  async #prepare(
    method: string,
    path: string,
    headers: Record<string, string>,
    { signal, timeoutMs }: RequestOptions,
    body: string | undefined,
  ): Promise<TransportRequest> {
    const { beforeWrite } = this.#options
    return {
      method,
      path,
      headers,
      credential: await this.#credential(),
      timeoutMs: timeoutMs ?? this.#options.timeoutMs ?? 30_000,
      ...(signal ? { signal } : {}),
      ...(body === undefined ? {} : { body }),
      ...(beforeWrite && method !== 'GET' ? { guard: beforeWrite } : {}),
    }
  }

  async #credential(): Promise<Credential> {
    try {
      return await this.#options.access.credentials.get()
    } catch (error) {
      throw new CredentialsError(error)
    }
  }

  #headers(accept: string): Record<string, string> {
    return { Accept: accept, 'User-Agent': this.#options.userAgent ?? 'weir' }
  }

  /** `299 - "text"`, several joined by commas. */
  #warn(header: string | undefined): void {
    if (!header || !this.#options.onWarning) return
    for (const match of header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)) {
      this.#options.onWarning((match[1] ?? '').replace(/\\(.)/g, '$1'))
    }
  }
}

function queryString(query: RawRequest['query']): string {
  if (!query) return ''
  let text = ''
  for (const name of Object.keys(query)) {
    const value = query[name]
    if (value !== undefined)
      text += `${text === '' ? '?' : '&'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`
  }
  return text
}

function apiError(request: string, code: number, body: Buffer, retryAfter: string | undefined): ApiError {
  let status: StatusBody = {}
  const text = body.toString('utf8')
  try {
    const parsed = JSON.parse(text) as StatusBody | null
    if (parsed?.kind === 'Status') status = parsed
  } catch {
    // Not from an API server: a proxy's page, say. Its first line is better than nothing.
    const line = text.split('\n', 1)[0]?.slice(0, 200).trim()
    if (line) status = { message: `${request}: ${code} ${line}` }
  }
  return new ApiError(request, status, code, retryAfterMs(retryAfter))
}

/** Seconds; the HTTP-date form is not used by API servers. */
function retryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d+$/.test(header) ? Number(header) * 1000 : undefined
}

async function readAll(response: IncomingMessage, server: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer)
  } catch (error) {
    throw new ConnectError(server, error, true)
  }
  return Buffer.concat(chunks)
}
