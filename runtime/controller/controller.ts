import type { KubeObject } from '../../crds/metadata.ts'
import type { BackoffOptions } from '../backoff.ts'
import type { Cache } from '../cache/cache.ts'
import type { Change } from '../cache/store.ts'
import type { Clock } from '../clock.ts'
import { ApiError, ConnectError, isConflict, ReconcileError, Stalled, TimeoutError, Waiting } from '../errors.ts'
import type { Log } from '../log.ts'
import { PRIORITY, type Priority, Queue } from '../queue/queue.ts'
import { Causes } from '../tracing/causes.ts'
import { type Cause, causeOf, type Tracing } from '../tracing/tracing.ts'

/** How a reconcile ended; the same as a Plan's outcome. */
export type Result =
  | { readonly type: 'done' }
  /** Look again after `afterMs`, whatever happens. */
  | { readonly type: 'requeue'; readonly afterMs: number }
  /** `waiting`: somebody else must move first. `stalled`: only a person can help. `retry`: try again with back-off. */
  | {
      readonly type: 'waiting' | 'stalled' | 'retry'
      readonly reason: string
      readonly message: string
      readonly afterMs?: number
    }

export interface ReconcileContext {
  /** Aborts when the controller is closed. */
  readonly signal: AbortSignal
  /** Says `controller`, `key` and `reconcile` (an id) on every line. */
  readonly log: Log
}

/** Told of every reconcile; for metrics. Must not throw. */
export interface ControllerObserver {
  /** `workMs`: how long it took. `queuedMs`: how long the key had waited for it, without its delay. */
  reconciled(controller: string, result: Result, workMs: number, queuedMs: number): void
}

/** How a controller is, and what it has done since its start. */
export interface ControllerLoad {
  /** Keys waiting to be taken, waiting for their time, and being worked on. */
  readonly waiting: number
  readonly delayed: number
  readonly running: number
  readonly concurrency: number
  readonly adds: number
  readonly retries: number
  /** How long the keys being worked on have been, in ms: the longest, and together. */
  readonly longestMs: number
  readonly unfinishedMs: number
}

export interface ControllerOptions {
  /** In CamelCase or kebab-case; in logs, metrics and, as `weir-<name>`, the field manager. */
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  /** Looks at everything anew and makes it so. Given a key, never an event; may throw a ReconcileError or anything else. */
  readonly reconcile: (key: string, context: ReconcileContext) => Promise<Result>
  /** Keys worked on at the same time; never one key twice. 1 unless told. */
  readonly concurrency?: number
  readonly backoff?: BackoffOptions
  /** When to look again at a key that waits and has not said when: a safety net, as what it waits for is watched. 60 s unless told. */
  readonly waitingMs?: number
  readonly observer?: ControllerObserver
  readonly tracing?: Tracing
  /** Called once, when the controller has been closed. */
  readonly onClose?: () => void
}

export interface WatchOptions<T> {
  /** Which changes matter. All unless told. */
  readonly when?: (change: Change<T>) => boolean
  /** Gather changes for so long before the key is looked at: for what changes often and matters little. */
  readonly delayMs?: number
  readonly priority?: Priority
}

const NO_CAUSES: readonly Cause[] = []
/** Conflicts of one key in a row that are tried again at once. */
const FREE_CONFLICTS = 3

/** The one loop: takes keys, reconciles them, and alone decides when to try again. */
export class Controller {
  readonly name: string
  readonly #options: ControllerOptions
  readonly #queue: Queue
  readonly #stop = new AbortController()
  readonly #running = new Set<Context>()
  readonly #needs = new Set<Cache>()
  readonly #causes = new Causes()
  #drained: (() => void) | undefined
  readonly #primaries: Cache[] = []
  #started = false
  #reconciles = 0

  constructor(options: ControllerOptions) {
    this.name = options.name
    this.#options = options
    this.#queue = new Queue({
      clock: options.clock,
      onReady: () => this.#pump(),
      ...(options.backoff ? { backoff: options.backoff } : {}),
    })
  }

  get load(): ControllerLoad {
    const nowMs = this.#options.clock.monotonicMs()
    let longestMs = 0
    let unfinishedMs = 0
    for (const { startedMs } of this.#running) {
      longestMs = Math.max(longestMs, nowMs - startedMs)
      unfinishedMs += nowMs - startedMs
    }
    const { depth: waiting, delayed, taken: running, adds, retries } = this.#queue
    const { concurrency = 1 } = this.#options
    return { waiting, delayed, running, concurrency, adds, retries, longestMs, unfinishedMs }
  }

  /** The caches that must have synced before this controller may decide anything: those that it watches, and those of `needsCaches`. */
  get caches(): Iterable<Cache> {
    return this.#needs
  }

  /** Names caches that are read but not watched. */
  needsCaches(...caches: readonly Pick<Cache, 'waitForSync'>[]): this {
    for (const cache of caches) this.#needs.add(cache as Cache)
    return this
  }

  /** Reconciles every object of the cache under its own key: when it changes and on every resync. */
  reconciles<T extends KubeObject>(cache: Cache<T>, options?: WatchOptions<T>): this {
    this.#primaries.push(cache as unknown as Cache)
    return this.watches(cache, (object) => [objectKey(object)], options)
  }

  /** Reconciles the keys that `keysOf` names for a changed object, as it was and as it is. */
  watches<T extends KubeObject>(
    cache: Cache<T>,
    keysOf: (object: T) => Iterable<string>,
    { when, delayMs, priority }: WatchOptions<T> = {},
  ): this {
    this.#needs.add(cache as unknown as Cache)
    cache.onChange((change) => {
      if (when && !when(change)) return
      const urgency = priority ?? urgencyOf(change, cache.synced)
      const add = (object: T) => {
        for (const key of keysOf(object)) {
          if (this.#options.tracing) this.#causes.note(key, causeOf(change.object))
          if (delayMs === undefined) this.#queue.add(key, urgency)
          else this.#queue.addAfter(key, delayMs, urgency)
        }
      }
      add(change.object)
      if (change.type === 'update') add(change.old)
    })
    return this
  }

  /** Asks for a key to be reconciled. */
  enqueue(key: string, priority: Priority = PRIORITY.normal): void {
    this.#queue.add(key, priority)
  }

  /** Asks for every object of the primary caches to be looked at again, after everything else. */
  resync(): void {
    for (const cache of this.#primaries) for (const key of cache.keys()) this.#queue.add(key, PRIORITY.resync)
  }

  /** Begins to work. Keys that were added before are not lost. */
  start(): void {
    this.#started = true
    this.#pump()
  }

  /** Takes no more keys, aborts what is under way, and resolves when it has ended. */
  async close(): Promise<void> {
    this.#queue.close()
    this.#stop.abort(new Error(`controller ${this.name} was closed`))
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    this.#options.onClose?.()
  }

  #pump(): void {
    const { concurrency = 1 } = this.#options
    while (this.#started && !this.#stop.signal.aborted && this.#running.size < concurrency) {
      const key = this.#queue.take()
      if (key === undefined) return
      void this.#work(key, this.#queue.takenSinceMs)
    }
  }

  #ended(context: Context): void {
    this.#running.delete(context)
    if (this.#running.size === 0) this.#drained?.()
    this.#pump()
  }

  /** Never rejects: whatever becomes of one key, the others go on. */
  async #work(key: string, queuedAtMs: number): Promise<void> {
    const { clock, log, reconcile, observer, tracing } = this.#options
    const startedMs = clock.monotonicMs()
    const context = new Context(this.#stop.signal, log, this.name, key, ++this.#reconciles, startedMs)
    this.#running.add(context)
    const causes = tracing ? this.#causes.take(key) : NO_CAUSES
    let result: Result
    try {
      result = await (tracing
        ? tracing.reconcile(this.name, key, causes, () => reconcile(key, context))
        : reconcile(key, context))
    } catch (error) {
      if (this.#stop.signal.aborted) result = { type: 'done' }
      else result = resultOf(error, context.log)
    }
    if (tracing && result.type === 'retry') this.#causes.restore(key, causes)
    this.#settle(key, result, context)
    this.#queue.done(key)
    observer?.reconciled(this.name, result, clock.monotonicMs() - startedMs, Math.max(0, startedMs - queuedAtMs))
    this.#ended(context)
  }

  #settle(key: string, result: Result, context: ReconcileContext): void {
    const queue = this.#queue
    if (result.type !== 'retry') queue.forget(key)
    switch (result.type) {
      case 'done':
        return
      case 'requeue':
        queue.addAfter(key, result.afterMs)
        return
      case 'waiting':
        context.log.debug({ reason: result.reason }, result.message)
        queue.addAfter(key, result.afterMs ?? this.#options.waitingMs ?? 60_000)
        return
      case 'stalled':
        context.log.warn({ reason: result.reason }, result.message)
        return
      case 'retry': {
        const { reason, message, afterMs } = result
        // Two writers met, and whoever wrote has waited until the other's write was seen here.
        const free = reason === 'Conflict' ? FREE_CONFLICTS : 0
        const waitMs = queue.retry(key, PRIORITY.normal, afterMs, free)
        const fields = { reason, failures: queue.failures(key), waitMs: Math.round(waitMs) }
        // Routine, and over with the next try.
        if (reason === 'Conflict') context.log.debug(fields, message)
        else context.log.warn(fields, message)
      }
    }
  }
}

/** Made for every reconcile, so it holds little; its log is made only when something is said, which mostly nothing is. */
class Context implements ReconcileContext {
  readonly signal: AbortSignal
  readonly #parent: Log
  readonly #controller: string
  readonly #key: string
  readonly #reconcile: number
  readonly startedMs: number
  #log: Log | undefined

  constructor(signal: AbortSignal, parent: Log, controller: string, key: string, reconcile: number, startedMs: number) {
    this.signal = signal
    this.startedMs = startedMs
    this.#parent = parent
    this.#controller = controller
    this.#key = key
    this.#reconcile = reconcile
  }

  get log(): Log {
    this.#log ??= this.#parent.child({ controller: this.#controller, key: this.#key, reconcile: this.#reconcile })
    return this.#log
  }
}

/** What an error that a reconcile threw asks for. */
function resultOf(error: unknown, log: Log): Result {
  if (error instanceof Stalled) return { type: 'stalled', reason: error.reason, message: error.message }
  if (error instanceof Waiting || error instanceof ReconcileError) {
    const afterMs = (error as { readonly afterMs?: number }).afterMs
    const type = error instanceof Waiting ? 'waiting' : 'retry'
    return { type, reason: error.reason, message: error.message, ...(afterMs === undefined ? {} : { afterMs }) }
  }
  if (isConflict(error)) return { type: 'retry', reason: 'Conflict', message: (error as Error).message }
  if (error instanceof ApiError) {
    const { reason, message, retryAfterMs } = error
    return { type: 'retry', reason, message, ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }) }
  }
  if (error instanceof ConnectError || error instanceof TimeoutError) {
    return { type: 'retry', reason: 'ApiUnreachable', message: error.message }
  }
  // Anything else is a bug; keep its stack.
  log.error({ err: error }, 'reconcile failed unexpectedly')
  return { type: 'retry', reason: 'ReconcileFailed', message: error instanceof Error ? error.message : String(error) }
}

function objectKey({ metadata }: KubeObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : (metadata.name ?? '')
}

/** What a person did goes before what follows from it, and that before what is only looked at because the program has just started. */
function urgencyOf<T extends KubeObject>(change: Change<T>, synced: boolean): Priority {
  if (!synced) return PRIORITY.resync
  if (change.type !== 'update') return PRIORITY.user
  const { metadata: now } = change.object
  const { metadata: before } = change.old
  const asked = now.generation !== before.generation || now.deletionTimestamp !== before.deletionTimestamp
  return asked ? PRIORITY.user : PRIORITY.normal
}
