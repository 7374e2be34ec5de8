import type { KubeObject } from '../../crds/metadata.ts'
import { Cache, type CacheOptions } from '../cache/cache.ts'
import type { Client } from '../client/client.ts'
import type { Resource } from '../client/resource.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Controller } from './controller.ts'

export interface ManagerOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  /** Everything is looked at again this often, so that nothing that was missed is missed for ever. 10 minutes unless told. */
  readonly resyncMs?: number
}

/** What a manager runs, and how it is. */
export interface ManagerStatus {
  readonly caches: readonly { readonly resource: string; readonly synced: boolean; readonly error?: string }[]
  readonly controllers: readonly {
    readonly name: string
    readonly waiting: number
    readonly delayed: number
    readonly running: number
  }[]
}

/** Owns the caches and the controllers of a program: starts the former before the latter, and stops them the other way round. */
export class Manager {
  readonly #options: ManagerOptions
  readonly #caches: Cache[] = []
  readonly #controllers: Controller[] = []
  readonly #stop = new AbortController()
  #cancelResync: (() => void) | undefined

  constructor(options: ManagerOptions) {
    this.#options = options
  }

  /** A cache that this manager runs. Make one per resource and share it. */
  cache<T extends KubeObject>(
    resource: Resource<T>,
    options: Omit<CacheOptions<T>, 'client' | 'resource' | 'clock' | 'log'> = {},
  ): Cache<T> {
    const { client, clock, log } = this.#options
    const cache = new Cache<T>({ ...options, client, resource, clock, log })
    this.#caches.push(cache as unknown as Cache)
    return cache
  }

  add(...controllers: readonly Controller[]): void {
    this.#controllers.push(...controllers)
  }

  /** Resolves once every cache has synced and every controller works; rejects when the signal aborts, or `close` is called, first. */
  async start(signal?: AbortSignal): Promise<void> {
    const ended = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    for (const cache of this.#caches) cache.start()
    await Promise.all(this.#caches.map((cache) => cache.waitForSync(ended)))
    for (const controller of this.#controllers) controller.start()
    this.#scheduleResync()
  }

  get status(): ManagerStatus {
    return {
      caches: this.#caches.map(({ resource, synced, error }) => ({
        resource: resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`,
        synced,
        ...(error ? { error: error.message } : {}),
      })),
      controllers: this.#controllers.map(({ name, load }) => ({ name, ...load })),
    }
  }

  /** Looks at everything again, now. */
  resync(): void {
    for (const controller of this.#controllers) controller.resync()
  }

  /** Resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the manager was closed'))
    this.#cancelResync?.()
    await Promise.all(this.#controllers.map((controller) => controller.close()))
    await Promise.all(this.#caches.map((cache) => cache.close()))
  }

  #scheduleResync(): void {
    if (this.#stop.signal.aborted) return
    const { clock, resyncMs = 600_000 } = this.#options
    this.#cancelResync = clock.after(resyncMs, () => {
      this.resync()
      this.#scheduleResync()
    })
  }
}
