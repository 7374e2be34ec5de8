import type { KubeObject } from '../crds/metadata.ts'
import type { Plan, Preconditions, Write } from '../reconcilers/plan.ts'
import { isNoopApply } from '../runtime/apply-noop.ts'
import type { BlobStore } from '../runtime/blob-store.ts'
import type { Client } from '../runtime/client/client.ts'
import { keyOf, type Resource } from '../runtime/client/resource.ts'
import type { Result } from '../runtime/controller/controller.ts'
import { type ApiError, isAlreadyExists, isConflict, isInvalid, isNotFound, Retryable } from '../runtime/errors.ts'
import { TRACEPARENT_ANNOTATION, type Tracing } from '../runtime/tracing/tracing.ts'
import type { EventSink } from './events.ts'
import { explainForbidden } from './forbidden.ts'
import { resourceOf } from './resources.ts'
import type { WriteOrder } from './write-order.ts'

export interface ExecutorOptions {
  readonly client: Client
  readonly blobs: BlobStore
  readonly events: EventSink
  /** Who owns the fields: `weir-<controller>`. */
  readonly fieldManager: string
  /** Caches of the kinds that plans write: what is known to be so is not written again. */
  readonly caches: readonly WrittenCache[]
  /** Shared by all executors of a process: writes of one object follow one another. */
  readonly order?: WriteOrder
  /** Throws where this process may not write any more. Asked before every write; the client asks again when it sends. */
  readonly assertLead?: () => void
  readonly tracing?: Tracing
}

/** What the executor asks of a cache. */
export interface WrittenCache {
  readonly resource: Resource
  get(key: string): KubeObject | undefined
  hasSeen(written: KubeObject, timeoutMs: number): Promise<boolean>
  hasMovedOn(read: KubeObject, timeoutMs: number): Promise<boolean>
}

/** Carries plans out, as one field manager. */
export interface Executor {
  /**
   * Blobs, then writes in order, then events; gives the plan's outcome. Throws at the first thing that fails: the loop tries all again.
   * `read`: the objects that the plan was decided on. A write of one of them lands only on the very version that was read.
   */
  execute(plan: Plan, signal?: AbortSignal, read?: readonly (KubeObject | undefined)[]): Promise<Result>
}

/** How long a write waits to be seen by the cache, so that the next decision is made on it. */
const SEEN_TIMEOUT_MS = 2000

export function createExecutor(options: ExecutorOptions): Executor {
  return new PlanExecutor(options)
}

/** The versions that one plan's writes are based on, by kind and key: what was read, and then what the plan's own writes gave back. */
type Bases = Map<string, KubeObject>
type Apply = Extract<Write, { op: 'apply' | 'applyStatus' }>
/** Told what a write gave back; and the name of its span, where there is one. */
interface Trace {
  readonly wrote: (answer: KubeObject) => void
  readonly traceparent?: string
}
const NO_TRACE: Trace = { wrote() {} }
/** What other programs act on: they go on in the trace that it carries. */
const CARRIES_TRACE: ReadonlySet<string> = new Set(['Assignment'])

class PlanExecutor implements Executor {
  readonly #options: ExecutorOptions
  readonly #caches: ReadonlyMap<Resource, WrittenCache>

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#caches = new Map(options.caches.map((cache) => [cache.resource, cache]))
  }

  async execute(plan: Plan, signal?: AbortSignal, read: readonly (KubeObject | undefined)[] = []): Promise<Result> {
    const { blobs, events, fieldManager } = this.#options
    for (const { digest, bytes } of plan.blobs) await blobs.put(bytes, digest)
    const bases: Bases = new Map(read.filter((object) => object !== undefined).map((object) => [idOf(object), object]))
    let written = 0
    for (const write of plan.writes) {
      signal?.throwIfAborted()
      if (await this.#write(write, bases)) written++
    }
    // Events tell of what has happened; a plan whose every write was so already has made nothing happen.
    if (written > 0 || plan.writes.length === 0) for (const event of plan.events) events.record(event, fieldManager)
    return plan.outcome
  }

  /** Whether something was written. */
  async #write(write: Write, bases: Bases): Promise<boolean> {
    const subject = write.op === 'delete' ? { ...write.ref, metadata: write.ref } : write.object
    const send = async () => {
      try {
        return await (this.#options.tracing?.write(
          `${write.op} ${subject.kind}`,
          { 'weir.field_manager': this.#options.fieldManager, 'weir.object': keyOf(subject.metadata) },
          (wrote, traceparent) => this.#send(write, bases, looked, { wrote, traceparent }),
        ) ?? this.#send(write, bases, looked, NO_TRACE))
      } catch (error) {
        throw explainForbidden(error, write, subject, this.#options)
      }
    }
    // What is so already is looked up, not written: nothing waits for it.
    const looked = isApply(write) ? this.#caches.get(resourceOf(write.object))?.get(keyOf(subject.metadata)) : undefined
    if (isApply(write) && looked && this.#isNoop(write, looked)) return false
    return await (this.#options.order?.run(idOf(subject), send) ?? send())
  }

  /** `looked`: the object that was found not to be as it should be before the write had its turn. */
  async #send(write: Write, bases: Bases, looked: KubeObject | undefined, trace: Trace): Promise<boolean> {
    switch (write.op) {
      case 'apply':
      case 'applyStatus':
        return await this.#apply(write, bases, looked, trace)
      case 'create':
        return await this.#create(write.object, trace)
      case 'delete':
        return await this.#delete(write.ref, write.preconditions)
    }
  }

  #isNoop({ op, object }: Apply, live: KubeObject): boolean {
    const [manager, subresource] = [this.#options.fieldManager, op === 'apply' ? '' : 'status']
    if (isNoopApply(live, object, manager, subresource)) return true
    // The trace of an earlier write is no difference.
    const traceparent = CARRIES_TRACE.has(object.kind) ? live.metadata.annotations?.[TRACEPARENT_ANNOTATION] : undefined
    return traceparent !== undefined && isNoopApply(live, withTrace(object, traceparent), manager, subresource)
  }

  async #apply(write: Apply, bases: Bases, looked: KubeObject | undefined, trace: Trace): Promise<boolean> {
    const { client, fieldManager, assertLead } = this.#options
    const { object, op } = write
    const subresource = op === 'apply' ? '' : 'status'
    const resource = resourceOf(object)
    const cache = this.#caches.get(resource)
    const live = cache?.get(keyOf(object.metadata))
    // Looked at again where it has changed: somebody has written it while this write waited for its turn.
    if (live && live !== looked && this.#isNoop(write, live)) return false
    const base = bases.get(idOf(object)) ?? live
    assertLead?.()
    let answer: KubeObject
    try {
      // The cache knows of a newer version: that this one is refused is known without asking.
      if (base && live && live !== base && isNewer(live, base)) throw outdated(object)
      const how = { fieldManager, force: true, ...(subresource ? { subresource } : {}) }
      const traced = withTrace(object, subresource ? undefined : trace.traceparent)
      answer = await client.apply(resource, base ? onVersion(traced, base) : traced, how)
    } catch (error) {
      // The status of what is gone is nobody's concern; that it is gone makes its key come again.
      if (subresource === 'status' && isNotFound(error)) return false
      const isGone = base !== undefined && isNotFound(error)
      if (!isGone && !isConflict(error) && !isOfAnother(error)) throw error
      if (base) await cache?.hasMovedOn(base, SEEN_TIMEOUT_MS)
      throw new Retryable('Conflict', (error as Error).message, { cause: error })
    }
    trace.wrote(answer)
    bases.set(idOf(object), answer)
    if (answer.metadata.resourceVersion === live?.metadata.resourceVersion) return false
    await cache?.hasSeen(answer, SEEN_TIMEOUT_MS)
    return true
  }

  async #create(object: KubeObject, trace: Trace): Promise<boolean> {
    const resource = resourceOf(object)
    const cache = this.#caches.get(resource)
    if (cache?.get(keyOf(object.metadata))) return false
    this.#options.assertLead?.()
    try {
      const answer = await this.#options.client.create(resource, object, { fieldManager: this.#options.fieldManager })
      trace.wrote(answer)
      await cache?.hasSeen(answer, SEEN_TIMEOUT_MS)
      return true
    } catch (error) {
      if (isAlreadyExists(error)) return false
      throw error
    }
  }

  async #delete(ref: Extract<Write, { op: 'delete' }>['ref'], wanted: Preconditions = {}): Promise<boolean> {
    const resource = resourceOf(ref)
    const cache = this.#caches.get(resource)
    const live = cache?.get(keyOf(ref))
    if (cache && (!live || live.metadata.deletionTimestamp)) return false
    this.#options.assertLead?.()
    const { uid, resourceVersion } = live?.metadata ?? {}
    const preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...wanted,
    }
    try {
      await this.#options.client.delete(resource, ref, { preconditions })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      if (live && isConflict(error)) await cache?.hasMovedOn(live, SEEN_TIMEOUT_MS)
      throw error
    }
  }
}

const isApply = (write: Write): write is Apply => write.op === 'apply' || write.op === 'applyStatus'

/** Tells an object from all others. */
function idOf({ apiVersion, kind, metadata }: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>): string {
  return `${apiVersion} ${kind} ${keyOf(metadata)}`
}

/** The object, carrying the trace of its write where it is one that others act on. */
function withTrace(object: KubeObject, traceparent: string | undefined): KubeObject {
  if (traceparent === undefined || !CARRIES_TRACE.has(object.kind)) return object
  const annotations = { ...object.metadata.annotations, [TRACEPARENT_ANNOTATION]: traceparent }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

/** The apply, for this version of the object only. */
function onVersion(object: KubeObject, { metadata: { uid, resourceVersion } }: KubeObject): KubeObject {
  const metadata = {
    ...(uid === undefined ? {} : { uid }),
    ...object.metadata,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  }
  return { ...object, metadata }
}

function isNewer(a: KubeObject, b: KubeObject): boolean {
  const [left = '', right = ''] = [a.metadata.resourceVersion, b.metadata.resourceVersion]
  if (!/^\d+$/.test(left) || !/^\d+$/.test(right)) return false
  return left.length === right.length ? left > right : left.length > right.length
}

const outdated = (object: KubeObject) =>
  new Retryable('Conflict', `${object.kind} ${keyOf(object.metadata)} has changed since it was read`)

/** How the API server refuses an apply whose uid is not the object's: it was deleted and made again since it was read. */
function isOfAnother(error: unknown): boolean {
  if (error instanceof Retryable) return error.reason === 'Conflict'
  return isInvalid(error) && (error as ApiError).causes.some(({ field }) => field === 'metadata.uid')
}
