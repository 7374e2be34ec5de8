import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http'
import type { Clock } from '../clock.ts'
import { ConnectError, TimeoutError } from '../errors.ts'
import type { Credential } from './credentials.ts'
import type { ClusterAccess } from './kubeconfig.ts'

// Not imported: an import reads every export of node:http, one of which loads a WebSocket client, at 18 ms for each program that starts.
const http = () => process.getBuiltinModule('node:http')
const https = () => process.getBuiltinModule('node:https')

export interface TransportRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly credential: Credential
  readonly signal?: AbortSignal
  /** How long until the answer's headers, and for `read` until its end. */
  readonly timeoutMs: number
  /** A long-lived answer: takes no place among the bounded connections. */
  readonly stream?: boolean
  /** Called just before the request is written to its connection; what it throws is what `open` rejects with, and nothing is sent. */
  readonly guard?: () => void
}

export interface TransportOptions {
  readonly access: Pick<ClusterAccess, 'server' | 'ca' | 'tlsServerName' | 'insecureSkipTlsVerify' | 'proxyUrl'>
  readonly clock: Clock
  /** Connections for requests that end; watches come on top. */
  readonly maxConnections: number
}

/** HTTP/1.1 with keep-alive to one server. Knows nothing of Kubernetes. */
export class Transport {
  readonly #options: TransportOptions
  readonly #target: { readonly secure: boolean; readonly host: string; readonly port: number; readonly prefix: string }
  #agents: { cert: string | undefined; short: Agent; long: Agent } | undefined

  constructor(options: TransportOptions) {
    this.#options = options
    const { protocol, hostname, port, pathname } = new URL(options.access.server)
    const secure = protocol === 'https:'
    this.#target = {
      secure,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (secure ? 443 : 80) : Number(port),
      prefix: pathname === '/' ? '' : pathname,
    }
  }

  /**
   * Sends one request and gives the answer once its headers are there; its body is still to be read.
   * Throws ConnectError, TimeoutError, or the signal's reason.
   */
  open(request: TransportRequest): Promise<IncomingMessage> {
    const { signal, timeoutMs, body, method } = request
    const { access, clock } = this.#options
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const outgoing = this.#create(request)
      let answer: IncomingMessage | undefined
      const breakOff = (error: Error) => (answer ?? outgoing).destroy(error)
      const onAbort = () => breakOff(new Error('aborted', { cause: signal?.reason }))
      const cancelTimer = clock.after(timeoutMs, () =>
        breakOff(new TimeoutError(`${method} ${access.server}${request.path}`, timeoutMs)),
      )
      const end = () => {
        cancelTimer()
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      outgoing.on('error', (error) => {
        end()
        // Once there is an answer, whoever reads it hears of the error there.
        if (!answer) reject(this.#errorOf(error, request, outgoing.writableFinished, outgoing.reusedSocket))
      })
      const { guard } = request
      // The connection may have been waited for; only then is anything written to it.
      if (guard) outgoing.once('socket', () => refuse(outgoing, guard))
      outgoing.on('response', (response) => {
        answer = response
        response.once('close', end)
        if (request.stream) cancelTimer()
        resolve(response)
      })
      outgoing.end(body)
    })
  }

  #errorOf(error: unknown, request: TransportRequest, sent: boolean, reused: boolean): unknown {
    if (request.signal?.aborted) return request.signal.reason
    if (error instanceof TimeoutError) return error
    if (error instanceof Refused) return error.cause
    const broken = new ConnectError(this.#options.access.server, error, sent)
    return reused ? Object.assign(broken, { [REUSED]: true }) : broken
  }

  /** Sends one request and reads its answer to the end. A request lost with an idle connection that the server had closed is sent again. */
  async read(request: TransportRequest): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await this.open(request)
        return {
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: await this.#readBody(response, request),
        }
      } catch (error) {
        const idle = error instanceof ConnectError && REUSED in error
        // POST may have been carried out; the other verbs may be repeated without harm.
        if (!idle || request.method === 'POST' || attempt >= 2) throw error
      }
    }
  }

  /** By its events: an iterator costs more than all else that is done with a short answer. */
  #readBody(response: IncomingMessage, request: TransportRequest): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      const broken = (error: unknown) => reject(this.#errorOf(error, request, true, false))
      const closed = () => {
        if (!response.readableEnded) broken(response.errored ?? new Error('the connection was closed within an answer'))
      }
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
      response.once('error', broken)
      response.once('close', closed)
      if (response.closed) closed()
    })
  }

  /** Breaks every connection. Requests under way fail with ConnectError. */
  close(): void {
    this.#agents?.short.destroy()
    this.#agents?.long.destroy()
    this.#agents = undefined
  }

  #create({ method, path, headers, body, credential, stream }: TransportRequest): ClientRequest {
    const agents = this.#agentsFor(credential)
    const length = body === undefined ? undefined : Buffer.byteLength(body)
    const { secure, host, port, prefix } = this.#target
    const options: RequestOptions = {
      method,
      host,
      port,
      path: prefix + path,
      agent: stream ? agents.long : agents.short,
      headers: {
        ...headers,
        ...credential.headers,
        ...(credential.authorization === undefined ? {} : { Authorization: credential.authorization }),
        ...(length === undefined ? {} : { 'Content-Length': String(length) }),
      },
    }
    return secure ? https().request(options) : http().request(options)
  }

  /** Connections are bound to the certificate they were opened with: a renewed one gets new connections. */
  #agentsFor(credential: Credential): { short: Agent; long: Agent } {
    if (this.#agents && this.#agents.cert === credential.cert) return this.#agents
    this.close()
    const { access, maxConnections } = this.#options
    const proxyEnv =
      access.proxyUrl === undefined ? undefined : { HTTP_PROXY: access.proxyUrl, HTTPS_PROXY: access.proxyUrl }
    const common = { keepAlive: true, scheduling: 'lifo' as const, ...(proxyEnv ? { proxyEnv } : {}) }
    // One for all connections: to read certificates and key anew costs each of them half a millisecond.
    const secured = () => ({
      secureContext: process.getBuiltinModule('node:tls').createSecureContext({
        ...(access.insecureSkipTlsVerify ? {} : { ca: access.ca ?? systemAuthorities() }),
        ...(credential.cert === undefined ? {} : { cert: credential.cert }),
        ...(credential.key === undefined ? {} : { key: credential.key }),
      }),
      ...(access.tlsServerName === undefined ? {} : { servername: access.tlsServerName }),
      ...(access.insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
    })
    const tls = this.#target.secure ? secured() : undefined
    const make = (maxSockets: number) => {
      const agent = tls
        ? new (https().Agent)({ ...common, ...tls, maxSockets })
        : new (http().Agent)({ ...common, maxSockets })
      // All of its connections go to one server as one user. Its own way to tell them apart, twice a request, is a text of all certificates.
      agent.getName = () => access.server
      return agent
    }
    this.#agents = { cert: credential.cert, short: make(maxConnections), long: make(Number.POSITIVE_INFINITY) }
    return this.#agents
  }
}

/** Those that Node brings and those of this system; several milliseconds to read, so only where a kubeconfig names none. */
function systemAuthorities(): string[] {
  const tls = process.getBuiltinModule('node:tls')
  return [...new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])]
}

/** Carries what a guard threw past the connection's own errors. */
class Refused extends Error {}

function refuse(outgoing: ClientRequest, guard: () => void): void {
  try {
    guard()
  } catch (cause) {
    outgoing.destroy(new Refused('the request was refused before it was sent', { cause }))
  }
}

const REUSED = Symbol('the connection had served a request before')
