import type { KubeObject } from '../../crds/metadata.ts'
import { Cache, type CacheOptions } from '../cache/cache.ts'
import type { Client } from '../client/client.ts'
import type { Resource } from '../client/resource.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Controller, ControllerLoad } from './controller.ts'

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
  readonly controllers: readonly (ControllerLoad & { readonly name: string; readonly started: boolean })[]
}

/** Owns the caches and the controllers of a program: starts the former before the latter, and stops them the other way round. */
export class Manager {
  readonly #options: ManagerOptions
  readonly #caches: Cache[] = []
  readonly #controllers: Controller[] = []
  readonly #started = new Set<Controller>()
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

  /**
   * Starts every cache at once, and every controller as soon as what it reads has synced and `lead` has resolved: one resource that cannot be read
   * holds up only those who need it. Resolves once every controller works; rejects when the signal aborts, or `close` is called, first.
   */
  async start(signal?: AbortSignal, lead: Promise<unknown> = Promise.resolve()): Promise<void> {
    const ended = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    const aborted = Promise.withResolvers<never>()
    aborted.promise.catch(() => {})
    ended.addEventListener('abort', () => aborted.reject(ended.reason), { once: true })
    for (const cache of this.#caches) cache.start()
    this.#scheduleResync()
    await Promise.all([
      ...this.#caches.map((cache) => cache.waitForSync(ended)),
      ...this.#controllers.map(async (controller) => {
        await Promise.all([...controller.caches].map((cache) => cache.waitForSync(ended)))
        await Promise.race([lead, aborted.promise])
        ended.throwIfAborted()
        controller.start()
        this.#started.add(controller)
      }),
    ])
  }

  get status(): ManagerStatus {
    return {
      caches: this.#caches.map(({ resource, synced, error }) => ({
        resource: resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`,
        synced,
        ...(error ? { error: error.message } : {}),
      })),
      controllers: this.#controllers.map((controller) => ({
        name: controller.name,
        started: this.#started.has(controller),
        ...controller.load,
      })),
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
