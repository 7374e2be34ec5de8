import type { KubeObject } from '../../crds/metadata.ts'
import type { Client } from '../client/client.ts'
import { keyOf, type Resource } from '../client/resource.ts'
import { type Clock, systemClock } from '../clock.ts'
import { type Log, silentLog } from '../log.ts'
import { Reflector, type Selection } from './reflector.ts'
import { type Change, type Indexes, Store } from './store.ts'

export interface CacheOptions<T extends KubeObject> extends Selection {
  readonly client: Pick<Client, 'list' | 'watch'>
  readonly resource: Resource<T>
  readonly indexes?: Indexes<T>
  readonly clock?: Clock
  readonly log?: Log
  /** See Reflector. 3 minutes unless told. */
  readonly idleTimeoutMs?: number
  readonly random?: () => number
}

export type ChangeHandler<T> = (change: Change<T>) => void

/**
 * A copy of one collection of the API that keeps itself up to date. Reads are immediate and give frozen, shared objects; they may be a
 * moment old. It never stops by itself, and `error` says when it cannot follow.
 */
export class Cache<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>
  readonly #store: Store<T>
  readonly #reflector: Reflector<T>
  readonly #log: Log
  readonly #handlers = new Set<ChangeHandler<T>>()
  readonly #waiters = new Map<string, Set<() => void>>()
  readonly #clock: Clock
  readonly #stop = new AbortController()
  readonly #firstSync = Promise.withResolvers<void>()
  #synced = false
  #running: Promise<void> | undefined

  constructor(options: CacheOptions<T>) {
    const { namespace, labelSelector, fieldSelector, indexes, log = silentLog, clock = systemClock } = options
    this.resource = options.resource
    this.#log = log
    this.#clock = clock
    this.#store = new Store(indexes)
    this.#reflector = new Reflector(
      {
        client: options.client,
        resource: options.resource,
        selection: {
          ...(namespace === undefined ? {} : { namespace }),
          ...(labelSelector === undefined ? {} : { labelSelector }),
          ...(fieldSelector === undefined ? {} : { fieldSelector }),
        },
        clock,
        log,
        idleTimeoutMs: options.idleTimeoutMs ?? 180_000,
        random: options.random ?? Math.random,
      },
      { replace: (objects) => this.#replace(objects), event: (type, object) => this.#event(type, object) },
    )
  }

  /** Begins to follow the API. Calling it again does nothing. */
  start(): void {
    this.#running ??= this.#reflector.run(this.#stop.signal)
  }

  /** Stops following; what is held stays readable. */
  async close(): Promise<void> {
    this.#stop.abort(new Error(`the cache of ${this.resource.plural} was closed`))
    await this.#running
  }

  /** True once the collection has been read whole, at some time. */
  get synced(): boolean {
    return this.#synced
  }

  /** Why the cache cannot follow the API just now; undefined while it does. */
  get error(): Error | undefined {
    return this.#reflector.lastError
  }

  /** The version that this cache is at, for comparing with what others have seen. */
  get resourceVersion(): string | undefined {
    return this.#reflector.resourceVersion
  }

  /** Resolves once `synced`; rejects when the signal aborts or the cache is closed first. */
  async waitForSync(signal?: AbortSignal): Promise<void> {
    if (this.#synced) return
    const ended = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    ended.throwIfAborted()
    const aborted = Promise.withResolvers<never>()
    const onAbort = () => aborted.reject(ended.reason)
    ended.addEventListener('abort', onAbort, { once: true })
    try {
      await Promise.race([this.#firstSync.promise, aborted.promise])
    } finally {
      ended.removeEventListener('abort', onAbort)
    }
  }

  /** By `namespace/name`, or `name` for cluster-scoped kinds. */
  get(key: string): T | undefined {
    return this.#store.get(key)
  }

  get size(): number {
    return this.#store.size
  }

  keys(): IterableIterator<string> {
    return this.#store.keys()
  }

  /** All objects, or those of a namespace, in no particular order. */
  list(namespace?: string): T[] {
    return this.#store.list(namespace)
  }

  byIndex(name: string, value: string): T[] {
    return this.#store.byIndex(name, value)
  }

  /** Calls `handler` for every change from now on, and at once for every object that is there. Returns a function that ends it. */
  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler)
    for (const key of this.#store.keys()) {
      const object = this.#store.get(key)
      if (object) this.#call(handler, { type: 'add', key, object })
    }
    return () => this.#handlers.delete(handler)
  }

  /**
   * Resolves once the cache has seen `written`, or something newer, of that object, or that it is gone: so that who has written reads what
   * it wrote. Gives up after `timeoutMs`, because the cache may not be able to follow; says whether it was seen.
   */
  hasSeen(written: KubeObject, timeoutMs: number): Promise<boolean> {
    const key = keyOf(written.metadata)
    const before = this.#store.get(key)
    return this.#until(key, timeoutMs, () => {
      const now = this.#store.get(key)
      // Gone counts once it was there, or where the answer says that it is going.
      if (!now) return before !== undefined || written.metadata.deletionTimestamp !== undefined
      return now.metadata.uid !== written.metadata.uid || !isOlder(now, written)
    })
  }

  /** Resolves once the cache holds anything but `read` under its key; gives up after `timeoutMs`. For who was told that it has changed. */
  hasMovedOn(read: KubeObject, timeoutMs: number): Promise<boolean> {
    const key = keyOf(read.metadata)
    return this.#until(key, timeoutMs, () => {
      const now = this.#store.get(key)
      return (
        !now || now.metadata.uid !== read.metadata.uid || now.metadata.resourceVersion !== read.metadata.resourceVersion
      )
    })
  }

  async #until(key: string, timeoutMs: number, seen: () => boolean): Promise<boolean> {
    if (seen()) return true
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const check = () => {
      if (seen()) resolve(true)
    }
    const cancelTimer = this.#clock.after(timeoutMs, () => resolve(false))
    const waiters = this.#waiters.get(key) ?? new Set()
    this.#waiters.set(key, waiters.add(check))
    try {
      return await promise
    } finally {
      cancelTimer()
      waiters.delete(check)
      if (waiters.size === 0) this.#waiters.delete(key)
    }
  }

  #replace(objects: readonly T[]): void {
    for (const change of this.#store.replace(objects)) this.#emit(change)
    this.#synced = true
    this.#firstSync.resolve()
  }

  #event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
    const change = type === 'DELETED' ? this.#store.delete(object) : this.#store.set(object)
    if (change) this.#emit(change)
  }

  #emit(change: Change<T>): void {
    for (const handler of this.#handlers) this.#call(handler, change)
    const waiters = this.#waiters.get(change.key)
    if (waiters) for (const check of waiters) check()
  }

  /** A handler that throws is a bug; it must not end the watch, nor keep the change from other handlers. */
  #call(handler: ChangeHandler<T>, change: Change<T>): void {
    try {
      handler(change)
    } catch (err) {
      this.#log.error({ err, kind: this.resource.kind, key: change.key }, 'a change handler threw')
    }
  }
}

/** Versions of one resource are decimal numbers that grow (KEP-5504); whatever is none counts as newer. */
function isOlder(a: KubeObject, b: KubeObject): boolean {
  const [left = '', right = ''] = [a.metadata.resourceVersion, b.metadata.resourceVersion]
  if (!/^\d+$/.test(left) || !/^\d+$/.test(right)) return false
  return left.length === right.length ? left < right : left.length < right.length
}
