import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import { ApiError, isGone } from '../errors.ts'
import { type ClientOptions, type RawRequest, type RequestOptions, Requests } from './requests.ts'
import { apiVersionOf, type ObjectKey, type Resource, resourcePath } from './resource.ts'
import { type WatchEvent, type WatchOptions, watchEvents } from './watch.ts'

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

/**
 * A thin client of the Kubernetes API. Objects come and go as plain JSON. Every method throws ApiError when the server refuses,
 * ConnectError or TimeoutError when it does not answer, and the signal's reason when aborted.
 */
export class Client {
  /** The URL of the server, for messages. */
  readonly server: string
  readonly #requests: Requests

  constructor(options: ClientOptions) {
    this.server = options.access.server
    this.#requests = new Requests(options)
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
        clock: this.#requests.clock,
        server: this.server,
        open: (path, query, signal, accept) => this.#requests.open(path, query, signal, accept),
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
    const { body, headers } = await this.#requests.send(path, request)
    return parseAnswer(body, headers['content-type'])
  }

  /** As `raw`; the bytes of the answer, and what they say they are. */
  async bytes(
    path: string,
    request: RawRequest = {},
  ): Promise<{ readonly body: Buffer; readonly contentType: string | undefined }> {
    const { body, headers } = await this.#requests.send(path, request)
    return { body, contentType: headers['content-type'] }
  }

  /** Breaks every connection, watches included. */
  close(): void {
    this.#requests.close()
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

function parseAnswer(body: Buffer, contentType: string | undefined): unknown {
  const text = body.toString('utf8')
  return contentType?.includes('json') && text !== '' ? (JSON.parse(text) as JsonValue) : text
}
