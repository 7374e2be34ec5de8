import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import { type Clock, sleep, systemClock } from '../clock.ts'
import { ApiError, ConnectError, CredentialsError, isGone, type StatusBody } from '../errors.ts'
import type { Credential } from './credentials.ts'
import type { ClusterAccess } from './kubeconfig.ts'
import { apiVersionOf, type ObjectKey, type Resource, resourcePath } from './resource.ts'
import { Transport, type TransportRequest } from './transport.ts'
import { type WatchEvent, type WatchOptions, watchEvents } from './watch.ts'

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
export interface ListOptions extends RequestOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan'
}
export interface WriteOptions extends RequestOptions {
  readonly fieldManager?: string
  readonly dryRun?: boolean
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
}
export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string
  /** Take fields over from other managers. */
  readonly force?: boolean
}
export interface DeleteOptions extends RequestOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly gracePeriodSeconds?: number
  readonly dryRun?: boolean
}
export interface Page<T> {
  readonly items: readonly T[]
  readonly resourceVersion: string
  readonly continue?: string
  readonly remainingItemCount?: number
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

/**
 * A thin client of the Kubernetes API. Objects come and go as plain JSON. Every method throws ApiError when the server refuses,
 * ConnectError or TimeoutError when it does not answer, and the signal's reason when aborted.
 */
export class Client {
  /** The URL of the server, for messages. */
  readonly server: string
  readonly #options: ClientOptions
  readonly #clock: Clock
  readonly #transport: Transport

  constructor(options: ClientOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.server = options.access.server
    this.#transport = new Transport({
      access: options.access,
      clock: this.#clock,
      maxConnections: options.maxConnections ?? 16,
    })
  }

  async get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options: RequestOptions = {}): Promise<T> {
    return (await this.raw(resourcePath(resource, key.namespace, key.name), options)) as T
  }

  /** As `get`; undefined where the object does not exist. A missing *resource* is an error still. */
  async find<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options?: RequestOptions,
  ): Promise<T | undefined> {
    try {
      return await this.get(resource, key, options)
    } catch (error) {
      // Only the answer about an object names it; "the server could not find the requested resource" does not.
      if (error instanceof ApiError && error.reason === 'NotFound' && error.details?.name === key.name) return undefined
      throw error
    }
  }

  /** Every page of a collection, `limit` items each. A continue token that expires on the way throws `isGone`. */
  async *pages<T extends KubeObject>(
    resource: Resource<T>,
    { namespace, signal, timeoutMs, ...query }: ListOptions & { readonly limit?: number } = {},
  ): AsyncGenerator<Page<T>> {
    const path = resourcePath(resource, namespace)
    let token: string | undefined
    do {
      // resourceVersion and resourceVersionMatch belong to the first page only; the token carries them on.
      const { resourceVersion, resourceVersionMatch, ...rest } = query
      const from = token === undefined ? { resourceVersion, resourceVersionMatch } : { continue: token }
      const page = pageOf<T>(
        resource,
        await this.raw(path, {
          ...(signal ? { signal } : {}),
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
          query: { ...rest, ...from },
        }),
      )
      yield page
      token = page.continue
    } while (token !== undefined)
  }

  /** A whole collection, read in pages; read again in one piece where the pages expired on the way. */
  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<Page<T>> {
    try {
      return await this.#gather(resource, { ...options, limit: 500 })
    } catch (error) {
      if (!isGone(error)) throw error
      return await this.#gather(resource, options)
    }
  }

  async #gather<T extends KubeObject>(
    resource: Resource<T>,
    options: ListOptions & { readonly limit?: number },
  ): Promise<Page<T>> {
    const items: T[] = []
    let resourceVersion = ''
    for await (const page of this.pages(resource, options)) {
      items.push(...page.items)
      resourceVersion = page.resourceVersion
    }
    return { items, resourceVersion }
  }

  /**
   * Changes from `resourceVersion` on, until the server or `signal` ends the stream. Throws `isGone` when it starts too far back,
   * ConnectError when it breaks, TimeoutError when nothing, not even a bookmark, comes for `idleTimeoutMs`.
   */
  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>> {
    return watchEvents<T>(
      {
        clock: this.#clock,
        server: this.server,
        open: (path, query, signal, accept) => this.#openStream(path, query, signal, accept),
      },
      resource,
      options,
    )
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const path = resourcePath(resource, object.metadata.namespace)
    return (await this.#write('POST', path, typed(resource, object), 'application/json', options)) as T
  }

  /** Replaces the object; with a resourceVersion only if it is the current one. */
  async update<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: WriteOptions & { readonly subresource?: string } = {},
  ): Promise<T> {
    const path = resourcePath(resource, object.metadata.namespace, nameOf(object), options.subresource)
    return (await this.#write('PUT', path, typed(resource, object), 'application/json', options)) as T
  }

  async patch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch:
      | { readonly type: 'json'; readonly operations: readonly JsonObject[] }
      | { readonly type: 'merge'; readonly merge: JsonObject },
    options: WriteOptions & { readonly subresource?: string } = {},
  ): Promise<T> {
    const path = resourcePath(resource, key.namespace, key.name, options.subresource)
    const [body, contentType] =
      patch.type === 'json'
        ? [patch.operations, 'application/json-patch+json']
        : [patch.merge, 'application/merge-patch+json']
    return (await this.#write('PATCH', path, body, contentType, options)) as T
  }

  /** Server-side apply; creates the object where there is none. */
  async apply<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    { force, subresource, ...options }: ApplyOptions & { readonly subresource?: string },
  ): Promise<T> {
    const path = resourcePath(resource, object.metadata.namespace, nameOf(object), subresource)
    const query = { force: force ? true : undefined }
    return (await this.#write(
      'PATCH',
      path,
      typed(resource, object),
      'application/apply-patch+yaml',
      options,
      query,
    )) as T
  }

  applyStatus<T extends KubeObject>(resource: Resource<T>, object: T, options: ApplyOptions): Promise<T> {
    return this.apply(resource, object, { ...options, subresource: 'status' })
  }

  /** Gives the object as it was left (finalizers may keep it) or the Status of its deletion. */
  async delete(resource: Resource, key: ObjectKey, options: DeleteOptions = {}): Promise<JsonObject> {
    const { signal, timeoutMs, dryRun, ...rest } = options
    return (await this.raw(resourcePath(resource, key.namespace, key.name), {
      method: 'DELETE',
      body: { kind: 'DeleteOptions', apiVersion: 'v1', ...rest, ...(dryRun ? { dryRun: ['All'] } : {}) },
      ...(signal ? { signal } : {}),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })) as JsonObject
  }

  /** Any request; the answer parsed where it is JSON, as text where it is not. */
  async raw(path: string, request: RawRequest = {}): Promise<unknown> {
    const { body, headers } = await this.#send(path, request)
    return parseAnswer(body, headers['content-type'])
  }

  /** As `raw`; the bytes of the answer, and what they say they are. */
  async bytes(
    path: string,
    request: RawRequest = {},
  ): Promise<{ readonly body: Buffer; readonly contentType: string | undefined }> {
    const { body, headers } = await this.#send(path, request)
    return { body, contentType: headers['content-type'] }
  }

  async #send(path: string, request: RawRequest): Promise<{ body: Buffer; headers: IncomingHttpHeaders }> {
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
      await sleep(this.#clock, Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS), request.signal)
    }
  }

  /** Breaks every connection, watches included. */
  close(): void {
    this.#transport.close()
  }

  #write(
    method: string,
    path: string,
    body: unknown,
    contentType: string,
    options: WriteOptions,
    query: RawRequest['query'] = {},
  ): Promise<unknown> {
    const { signal, timeoutMs, fieldManager, dryRun, fieldValidation } = options
    return this.raw(path, {
      method,
      body,
      contentType,
      query: { ...query, fieldManager, dryRun: dryRun ? 'All' : undefined, fieldValidation },
      ...(signal ? { signal } : {}),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
  }

  async #openStream(
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
      const body = await readAll(response, this.server)
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

function nameOf(object: KubeObject): string {
  if (!object.metadata.name) throw new TypeError(`${object.kind} has no metadata.name`)
  return object.metadata.name
}

/** Typed lists leave out what their items are; here every object says it. */
function typed<T extends KubeObject>(resource: Resource<T>, object: T): T {
  if (object.apiVersion && object.kind) return object
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind }
}

function pageOf<T extends KubeObject>(resource: Resource<T>, answer: unknown): Page<T> {
  const list = answer as {
    items?: readonly T[] | null
    metadata?: { resourceVersion?: string; continue?: string; remainingItemCount?: number }
  }
  const { resourceVersion = '', continue: token, remainingItemCount } = list.metadata ?? {}
  return {
    items: (list.items ?? []).map((item) => typed(resource, item)),
    resourceVersion,
    ...(token ? { continue: token } : {}),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
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

function parseAnswer(body: Buffer, contentType: string | undefined): unknown {
  const text = body.toString('utf8')
  return contentType?.includes('json') && text !== '' ? (JSON.parse(text) as JsonValue) : text
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
