import type { KubeObject } from '../crds/metadata.ts'

/** What a write or an event is about. `namespace` is absent for cluster-scoped kinds. */
export interface ObjectRef {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly uid?: string
}

/** A delete happens only while these still hold; otherwise it is a conflict, and the key is reconciled again. */
export interface Preconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

/** An immutable blob that must be stored, and fsynced, before any write of the plan. `digest` is `sha256:<64 hex>` of all `bytes`. */
export interface PlannedBlob {
  readonly digest: string
  /** In one piece, or in pieces to be stored one after the other. */
  readonly bytes: Uint8Array | readonly Uint8Array[]
}

/**
 * One change of one object.
 * - `apply`: server-side apply of everything but status, as the controller's field manager; says *all* that manager wants to own.
 * - `applyStatus`: the same for the status subresource.
 * - `create`: for immutable objects; that it exists already counts as done.
 * - `delete`: that it is gone already counts as done.
 */
export type Write =
  | { readonly op: 'apply'; readonly object: KubeObject }
  | { readonly op: 'applyStatus'; readonly object: KubeObject }
  | { readonly op: 'create'; readonly object: KubeObject }
  | { readonly op: 'delete'; readonly ref: ObjectRef; readonly preconditions?: Preconditions }

/** Something that has happened and that a person may want to know of. No timestamps or counters in `message`: equal events are counted. */
export interface PlannedEvent {
  readonly regarding: ObjectRef
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/**
 * How the loop goes on with the key.
 * - `done`: nothing until something changes. `requeue`: look again after `afterMs`, whatever happens.
 * - `waiting`: somebody else must move first (a budget, a peer, a window); look again after `afterMs`, or when something changes.
 * - `stalled`: only a change by a person helps; no retry.
 * - `retry`: it failed and may work later; exponential back-off, or `afterMs` where the other side has said so.
 */
export type PlanOutcome =
  | { readonly type: 'done' }
  | { readonly type: 'requeue'; readonly afterMs: number }
  | {
      readonly type: 'waiting' | 'stalled' | 'retry'
      readonly reason: string
      readonly message: string
      readonly afterMs?: number
    }

/** What a reconciler decided. Carried out by `controllers/execute.ts`: blobs, then writes in order, then events. */
export interface Plan {
  readonly blobs: readonly PlannedBlob[]
  readonly writes: readonly Write[]
  readonly events: readonly PlannedEvent[]
  readonly outcome: PlanOutcome
}

/** Names an object for a delete, an event or an owner. */
export function refOf(object: KubeObject): ObjectRef {
  const { name, namespace, uid } = object.metadata
  if (name === undefined) throw new TypeError(`${object.kind} without metadata.name cannot be referred to`)
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(uid === undefined ? {} : { uid }),
  }
}

/**
 * Collects a Plan. `done`, `requeueAfter`, `waiting`, `stalled` and `retry` end it and give the Plan; the other methods may be called
 * in any order and keep the order of their calls.
 */
export class PlanBuilder {
  readonly #subject: ObjectRef | undefined
  readonly #blobs: PlannedBlob[] = []
  readonly #writes: Write[] = []
  readonly #events: PlannedEvent[] = []

  constructor(subject?: ObjectRef) {
    this.#subject = subject
  }

  /** Server-side applies one object or several, without their status. */
  apply(objects: KubeObject | readonly KubeObject[]): this {
    for (const object of listOf(objects)) this.#writes.push({ op: 'apply', object })
    return this
  }

  applyStatus(objects: KubeObject | readonly KubeObject[]): this {
    for (const object of listOf(objects)) this.#writes.push({ op: 'applyStatus', object })
    return this
  }

  create(objects: KubeObject | readonly KubeObject[]): this {
    for (const object of listOf(objects)) this.#writes.push({ op: 'create', object })
    return this
  }

  delete(ref: ObjectRef, preconditions?: Preconditions): this {
    this.#writes.push(preconditions === undefined ? { op: 'delete', ref } : { op: 'delete', ref, preconditions })
    return this
  }

  blob(blobs: PlannedBlob | readonly PlannedBlob[]): this {
    this.#blobs.push(...listOf(blobs))
    return this
  }

  /** Records what has happened to the subject, or to `regarding`. */
  event(
    type: PlannedEvent['type'],
    reason: string,
    message: string,
    regarding: ObjectRef | undefined = this.#subject,
  ): this {
    if (regarding === undefined) throw new TypeError(`event ${reason} needs plan(subject) or a regarding of its own`)
    this.#events.push({ regarding, type, reason, message })
    return this
  }

  done(): Plan {
    return this.#end({ type: 'done' })
  }

  /** Look again after `afterMs`, which must not be negative. */
  requeueAfter(afterMs: number): Plan {
    return this.#end({ type: 'requeue', afterMs })
  }

  waiting(reason: string, message: string, afterMs?: number): Plan {
    return this.#end({ type: 'waiting', reason, message, ...(afterMs === undefined ? {} : { afterMs }) })
  }

  stalled(reason: string, message: string): Plan {
    return this.#end({ type: 'stalled', reason, message })
  }

  retry(reason: string, message: string, afterMs?: number): Plan {
    return this.#end({ type: 'retry', reason, message, ...(afterMs === undefined ? {} : { afterMs }) })
  }

  #end(outcome: PlanOutcome): Plan {
    return { blobs: this.#blobs, writes: this.#writes, events: this.#events, outcome }
  }
}

/** Starts a plan. `subject` is what its events are about unless they say otherwise. */
export function plan(subject?: KubeObject): PlanBuilder {
  return new PlanBuilder(subject === undefined ? undefined : refOf(subject))
}

/** A plan that only says that a person must act. */
export function stalled(subject: KubeObject, reason: string, message: string): Plan {
  return plan(subject).stalled(reason, message)
}

/** A plan that only says what it waits for. */
export function waiting(subject: KubeObject, reason: string, message: string, afterMs?: number): Plan {
  return plan(subject).waiting(reason, message, afterMs)
}

function listOf<T>(one: T | readonly T[]): readonly T[] {
  return Array.isArray(one) ? one : [one as T]
}
