import type { KubeObject } from '../crds/metadata.ts'
import type { ObjectRef, Plan, Write } from '../reconcilers/plan.ts'
import { isNoopApply } from '../runtime/apply-noop.ts'
import type { BlobStore } from '../runtime/blob-store.ts'
import type { Client } from '../runtime/client/client.ts'
import { keyOf, type Resource } from '../runtime/client/resource.ts'
import type { Result } from '../runtime/controller/controller.ts'
import { type ApiError, isAlreadyExists, isInvalid, isNotFound, Retryable } from '../runtime/errors.ts'
import type { EventSink } from './events.ts'
import { resourceOf } from './resources.ts'

export interface ExecutorOptions {
  readonly client: Client
  readonly blobs: BlobStore
  readonly events: EventSink
  /** Who owns the fields: `weir-<controller>`. */
  readonly fieldManager: string
  /** Caches of the kinds that plans write: what is known to be so is not written again. */
  readonly caches: readonly WrittenCache[]
}

/** What the executor asks of a cache. */
export interface WrittenCache {
  readonly resource: Resource
  get(key: string): KubeObject | undefined
  hasSeen(written: KubeObject, timeoutMs: number): Promise<boolean>
}

/** Carries plans out, as one field manager. */
export interface Executor {
  /** Blobs, then writes in order, then events; gives the plan's outcome. Throws at the first thing that fails: the loop tries all again. */
  execute(plan: Plan, signal?: AbortSignal): Promise<Result>
}

/** How long a write waits to be seen by the cache, so that the next decision is made on it. */
const SEEN_TIMEOUT_MS = 2000

export function createExecutor(options: ExecutorOptions): Executor {
  return new PlanExecutor(options)
}

class PlanExecutor implements Executor {
  readonly #options: ExecutorOptions
  readonly #caches: ReadonlyMap<Resource, WrittenCache>

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#caches = new Map(options.caches.map((cache) => [cache.resource, cache]))
  }

  async execute(plan: Plan, signal?: AbortSignal): Promise<Result> {
    const { blobs, events, fieldManager } = this.#options
    for (const { digest, bytes } of plan.blobs) await blobs.put(bytes, digest)
    let written = 0
    for (const write of plan.writes) {
      signal?.throwIfAborted()
      if (await this.#write(write)) written++
    }
    // Events tell of what has happened; a plan whose every write was so already has made nothing happen.
    if (written > 0 || plan.writes.length === 0) for (const event of plan.events) events.record(event, fieldManager)
    return plan.outcome
  }

  /** Whether something was written. */
  async #write(write: Write): Promise<boolean> {
    switch (write.op) {
      case 'apply':
        return await this.#apply(write.object, '')
      case 'applyStatus':
        return await this.#apply(write.object, 'status')
      case 'create':
        return await this.#create(write.object)
      case 'delete':
        return await this.#delete(write)
    }
  }

  async #apply(object: KubeObject, subresource: '' | 'status'): Promise<boolean> {
    const { client, fieldManager } = this.#options
    const resource = resourceOf(object)
    const cache = this.#caches.get(resource)
    const live = cache?.get(keyOf(object.metadata))
    if (live && isNoopApply(live, object, fieldManager, subresource)) return false
    let answer: KubeObject
    try {
      const how = { fieldManager, force: true, ...(subresource ? { subresource } : {}) }
      answer = await client.apply(resource, object, how)
    } catch (error) {
      // The status of what is gone is nobody's concern; that it is gone makes its key come again.
      if (subresource === 'status' && isNotFound(error)) return false
      if (isOfAnother(error)) throw new Retryable('Conflict', (error as Error).message, { cause: error })
      throw error
    }
    if (answer.metadata.resourceVersion === live?.metadata.resourceVersion) return false
    await cache?.hasSeen(answer, SEEN_TIMEOUT_MS)
    return true
  }

  async #create(object: KubeObject): Promise<boolean> {
    const resource = resourceOf(object)
    const cache = this.#caches.get(resource)
    if (cache?.get(keyOf(object.metadata))) return false
    try {
      const answer = await this.#options.client.create(resource, object, { fieldManager: this.#options.fieldManager })
      await cache?.hasSeen(answer, SEEN_TIMEOUT_MS)
      return true
    } catch (error) {
      if (isAlreadyExists(error)) return false
      throw error
    }
  }

  async #delete({ ref, preconditions }: { ref: ObjectRef; preconditions?: { uid?: string } }): Promise<boolean> {
    const resource = resourceOf(ref)
    const cache = this.#caches.get(resource)
    const live = cache?.get(keyOf(ref))
    if (cache && (!live || live.metadata.deletionTimestamp)) return false
    try {
      await this.#options.client.delete(resource, ref, preconditions ? { preconditions } : {})
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }
}

/** How the API server refuses an apply whose uid is not the object's: it was deleted and made again since it was read. */
function isOfAnother(error: unknown): boolean {
  return isInvalid(error) && (error as ApiError).causes.some(({ field }) => field === 'metadata.uid')
}
