import type { IncomingMessage } from 'node:http'
import type { KubeObject } from '../../crds/metadata.ts'
import type { Clock } from '../clock.ts'
import { ApiError, ConnectError, type StatusBody, TimeoutError } from '../errors.ts'
import { LineSplitter } from './ndjson.ts'
import { type Resource, resourcePath } from './resource.ts'

export interface WatchOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Where to go on from; without one, the server starts with what there is. */
  readonly resourceVersion?: string
  /** After this the server ends the stream. */
  readonly timeoutSeconds?: number
  /** Without a line for so long, the connection counts as dead. Off unless told; servers send bookmarks about every minute. */
  readonly idleTimeoutMs?: number
  /** Begin with the current objects as ADDED and a bookmark with `initialEventsEnd`. */
  readonly sendInitialEvents?: boolean
  /** Another representation of the objects than JSON of their own kind, such as `application/json;as=Table;…`. */
  readonly accept?: string
  readonly signal?: AbortSignal
  /** Told once the server has taken the watch, before anything comes. */
  readonly onOpen?: () => void
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Nothing happened up to `resourceVersion`; go on from there. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean }

/** What a watch needs of its client. */
export interface StreamSource {
  readonly clock: Clock
  readonly server: string
  open(
    path: string,
    query: Readonly<Record<string, string | number | boolean | undefined>>,
    signal: AbortSignal,
    accept?: string,
  ): Promise<IncomingMessage>
}

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

/** Reads one watch stream; see `Client.watch`. Ends normally only when the server ended it between two lines. */
export async function* watchEvents<T extends KubeObject>(
  source: StreamSource,
  resource: Resource<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { signal, idleTimeoutMs, namespace, sendInitialEvents, accept, onOpen, ...query } = options
  const path = resourcePath(resource, namespace)
  const stop = new AbortController()
  const onAbort = () => stop.abort(signal?.reason)
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const idle =
    idleTimeoutMs === undefined
      ? undefined
      : new IdleTimer(source.clock, idleTimeoutMs, () =>
          stop.abort(new TimeoutError(`watch ${source.server}${path}`, idleTimeoutMs)),
        )
  const splitter = new LineSplitter()
  try {
    const response = await source.open(
      path,
      {
        ...query,
        watch: true,
        allowWatchBookmarks: true,
        ...(sendInitialEvents ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } : {}),
      },
      stop.signal,
      accept,
    )
    onOpen?.()
    for await (const chunk of response) {
      idle?.touch()
      for (const line of splitter.push(chunk as Buffer)) yield eventOf<T>(line, path)
    }
    if (splitter.pendingBytes > 0)
      throw new ConnectError(source.server, new Error('the stream ended within a line'), true)
  } catch (error) {
    if (stop.signal.aborted) throw stop.signal.reason
    if (error instanceof ApiError || error instanceof ConnectError || error instanceof TimeoutError) throw error
    throw new ConnectError(source.server, error, true)
  } finally {
    idle?.stop()
    signal?.removeEventListener('abort', onAbort)
    // A consumer that leaves the loop early leaves a connection behind; break it.
    stop.abort(new Error('watch ended'))
  }
}

function eventOf<T extends KubeObject>(line: string, path: string): WatchEvent<T> {
  const event = JSON.parse(line) as { readonly type: string; readonly object: unknown }
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return event as { readonly type: 'ADDED'; readonly object: T }
    case 'BOOKMARK': {
      const { metadata } = event.object as KubeObject
      const initialEventsEnd = metadata.annotations?.[INITIAL_EVENTS_END] === 'true'
      return { type: 'BOOKMARK', resourceVersion: metadata.resourceVersion ?? '', initialEventsEnd }
    }
    case 'ERROR':
      throw new ApiError(`watch ${path}`, event.object as StatusBody, 500)
    default:
      throw new TypeError(`watch ${path}: unknown event type ${JSON.stringify(event.type)}`)
  }
}

/** Fires once nothing has touched it for `ms`. Touching is cheap: the timer is set again only when it fires. */
class IdleTimer {
  readonly #clock: Clock
  readonly #ms: number
  readonly #onIdle: () => void
  #lastMs: number
  #cancel: () => void

  constructor(clock: Clock, ms: number, onIdle: () => void) {
    this.#clock = clock
    this.#ms = ms
    this.#onIdle = onIdle
    this.#lastMs = clock.monotonicMs()
    this.#cancel = clock.after(ms, () => this.#check())
  }

  touch(): void {
    this.#lastMs = this.#clock.monotonicMs()
  }

  stop(): void {
    this.#cancel()
  }

  #check(): void {
    const leftMs = this.#lastMs + this.#ms - this.#clock.monotonicMs()
    if (leftMs <= 0) this.#onIdle()
    else this.#cancel = this.#clock.after(leftMs, () => this.#check())
  }
}
