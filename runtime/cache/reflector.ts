import type { KubeObject } from '../../crds/metadata.ts'
import { Backoff } from '../backoff.ts'
import type { Client } from '../client/client.ts'
import type { Resource } from '../client/resource.ts'
import type { WatchEvent } from '../client/watch.ts'
import { type Clock, sleep } from '../clock.ts'
import { ApiError, isGone, isTooManyRequests } from '../errors.ts'
import type { Log } from '../log.ts'

/** Where a reflector puts what it sees. */
export interface Sink<T> {
  /** Everything there is, now. */
  replace(objects: readonly T[]): void
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void
}

export interface Selection {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: Pick<Client, 'list' | 'watch'>
  readonly resource: Resource<T>
  readonly selection: Selection
  readonly clock: Clock
  readonly log: Log
  /** A watch that says nothing, not even a bookmark, for so long is broken off. Servers send bookmarks about every minute. */
  readonly idleTimeoutMs: number
  readonly random: () => number
}

/** A watch that ends sooner than this did no good: the next one waits. */
const SHORT_WATCH_MS = 1000
/** A watch that has lived for so long was a good one, though nothing came: what failed before it is forgotten when it breaks. */
const GOOD_WATCH_MS = 5000
/** After so many watches in a row that failed, the version they start from is not trusted any more. */
const FAILED_WATCHES_BEFORE_RELIST = 3

/**
 * Keeps a sink equal to a collection of the API: one list, then a watch from there on, for ever. Whatever goes wrong it starts again by
 * itself, from the last version seen where that is still possible. `run` ends only when its signal aborts.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>
  readonly #sink: Sink<T>
  readonly #backoff: Backoff
  #resourceVersion: string | undefined
  #failedWatches = 0
  /** When the server took the watch that is open, or was open last; monotonic. */
  #openedAtMs: number | undefined
  #lastError: Error | undefined

  constructor(options: ReflectorOptions<T>, sink: Sink<T>) {
    this.#options = options
    this.#sink = sink
    this.#backoff = new Backoff({ baseMs: 250, capMs: 30_000, jitter: 0.5, random: options.random })
  }

  /** Why it is not following the API at the moment; undefined while it is. */
  get lastError(): Error | undefined {
    return this.#lastError
  }

  /** The version that the sink is at; undefined until the first list and when the next step is a list. */
  get resourceVersion(): string | undefined {
    return this.#resourceVersion
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) await this.#list(signal)
        else await this.#watch(this.#resourceVersion, signal)
      } catch (error) {
        if (signal.aborted) return
        await this.#recover(error, signal)
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, resource, selection } = this.#options
    const { items, resourceVersion } = await client.list(resource, { ...selection, signal })
    this.#sink.replace(items)
    this.#resourceVersion = resourceVersion
    this.#lastError = undefined
    this.#failedWatches = 0
  }

  async #watch(from: string, signal: AbortSignal): Promise<void> {
    const { client, resource, selection, clock, random, idleTimeoutMs } = this.#options
    const startedMs = clock.monotonicMs()
    // Spread over minutes, so that the watches of a fleet of programs are not renewed all at once.
    const timeoutSeconds = Math.round(300 + 300 * random())
    const events = client.watch(resource, {
      ...selection,
      resourceVersion: from,
      timeoutSeconds,
      idleTimeoutMs,
      signal,
      // Failures still count for a while: a server that takes every watch and breaks it is not asked any faster.
      onOpen: () => {
        this.#lastError = undefined
        this.#openedAtMs = clock.monotonicMs()
      },
    })
    for await (const event of events) this.#take(event)
    if (clock.monotonicMs() - startedMs < SHORT_WATCH_MS) await this.#pause(this.#backoff.next(), signal)
    else this.#healthy()
  }

  #take(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') this.#resourceVersion = event.resourceVersion
    else {
      this.#sink.event(event.type, event.object)
      this.#resourceVersion = event.object.metadata.resourceVersion
    }
    if (this.#failedWatches > 0 || this.#backoff.failures > 0) this.#healthy()
  }

  #healthy(): void {
    this.#failedWatches = 0
    this.#lastError = undefined
    this.#backoff.reset()
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { log, resource, clock } = this.#options
    if (this.#openedAtMs !== undefined && clock.monotonicMs() - this.#openedAtMs >= GOOD_WATCH_MS) this.#healthy()
    this.#openedAtMs = undefined
    this.#lastError = error instanceof Error ? error : new Error(String(error))
    if (this.#resourceVersion !== undefined) {
      this.#failedWatches++
      // An API server that refuses a watch refuses where it starts, or will say in its answer to a list what is wrong.
      const refused = error instanceof ApiError && !isTooManyRequests(error) && error.code !== 503
      if (refused || this.#failedWatches >= FAILED_WATCHES_BEFORE_RELIST) this.#resourceVersion = undefined
    }
    const serverAsksMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0
    const waitMs = Math.max(this.#backoff.next(), serverAsksMs)
    const fields = { kind: resource.kind, error: this.#lastError.message, waitMs: Math.round(waitMs) }
    const next = this.#resourceVersion === undefined ? 'list again' : 'watch again'
    if (isGone(error)) log.debug(fields, `watch expired; will ${next}`)
    else log.warn(fields, `lost track of the API; will ${next}`)
    await this.#pause(waitMs, signal)
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await sleep(this.#options.clock, ms, signal)
    } catch {
      // Aborted: `run` sees it.
    }
  }
}
