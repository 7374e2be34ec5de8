import { createHash } from 'node:crypto'
import { timestamp } from '../reconcilers/conditions.ts'
import type { PlannedEvent } from '../reconcilers/plan.ts'
import type { Client } from '../runtime/client/client.ts'
import { type CoreEvent, coreEvents } from '../runtime/client/resource.ts'
import type { Clock } from '../runtime/clock.ts'
import { isAlreadyExists, isNotFound } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'

/** Takes events in; sending them never holds a reconcile up nor fails it. */
export interface EventSink {
  record(event: PlannedEvent, component: string): void
}

export interface RecorderOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  /** Equal events within this time are sent as one, with their count. 10 s unless told. */
  readonly gatherMs?: number
  /** Events about one object in a row; after them one every `refillMs`. 25 and 5 minutes unless told, as client-go has it. */
  readonly burst?: number
  readonly refillMs?: number
}

/** An event that was sent and may happen again. */
interface Sent {
  event: CoreEvent
  /** Since the last write. */
  pending: number
  lastMs: number
  /** Ends once the last write has; writes of one event follow one another. */
  writing: Promise<void>
}

interface Bucket {
  tokens: number
  refilledMs: number
}

/** Equal events that happen again after so long are told anew instead of counted. */
const AGGREGATE_MS = 600_000
/** At most so many different events are remembered for counting. */
const MAX_REMEMBERED = 4096

/**
 * Sends core/v1 Events. The first of its kind goes out at once; equal ones that follow (object, component, type, reason, message) are gathered
 * and counted on that same Event. An object that something keeps happening to cannot flood the API.
 */
export class EventRecorder implements EventSink {
  readonly #options: Required<RecorderOptions>
  readonly #sent = new Map<string, Sent>()
  readonly #buckets = new Map<string, Bucket>()
  readonly #timers = new Set<() => void>()
  readonly #writes = new Set<Promise<void>>()
  readonly #stop = new AbortController()

  constructor(options: RecorderOptions) {
    this.#options = { gatherMs: 10_000, burst: 25, refillMs: 300_000, ...options }
  }

  record(event: PlannedEvent, component: string): void {
    if (this.#stop.signal.aborted) return
    const nowMs = this.#options.clock.now().getTime()
    const { regarding: r, type, reason, message } = event
    const id = JSON.stringify([component, r.apiVersion, r.kind, r.namespace, r.name, r.uid, type, reason, message])
    const known = this.#sent.get(id)
    if (known && nowMs - known.lastMs < AGGREGATE_MS) {
      known.lastMs = nowMs
      if (known.pending++ === 0) this.#later(known)
      return
    }
    if (!this.#admit(`${r.kind} ${r.namespace} ${r.name}`, nowMs)) {
      this.#options.log.debug({ event }, 'event dropped: too many about one object')
      return
    }
    const fresh: Sent = {
      event: this.#coreEvent(event, component, id),
      pending: 0,
      lastMs: nowMs,
      writing: Promise.resolve(),
    }
    this.#sent.set(id, fresh)
    this.#forgetOld(nowMs)
    this.#write(fresh, () => this.#create(fresh))
  }

  /** Sends what has been gathered and resolves when every write has ended. */
  async close(): Promise<void> {
    for (const cancel of this.#timers) cancel()
    for (const sent of this.#sent.values()) if (sent.pending > 0) this.#write(sent, () => this.#count(sent))
    await Promise.all(this.#writes)
    this.#stop.abort()
  }

  #later(sent: Sent): void {
    const cancel = this.#options.clock.after(this.#options.gatherMs, () => {
      this.#timers.delete(cancel)
      this.#write(sent, () => this.#count(sent))
    })
    this.#timers.add(cancel)
  }

  #write(sent: Sent, action: () => Promise<void>): void {
    const write = sent.writing.then(action).catch((error: unknown) => {
      // An event is a courtesy: its loss must not cost anything else.
      this.#options.log.warn({ reason: sent.event.reason, error: (error as Error).message }, 'cannot record an event')
    })
    sent.writing = write
    this.#writes.add(write)
    void write.then(() => this.#writes.delete(write))
  }

  async #create(sent: Sent): Promise<void> {
    try {
      sent.event = await this.#options.client.create(coreEvents, sent.event)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      // Made before a restart: go on counting there.
      const { namespace, name = '' } = sent.event.metadata
      sent.event = await this.#options.client.get(coreEvents, { ...(namespace ? { namespace } : {}), name })
      sent.pending++
      await this.#count(sent)
    }
  }

  async #count(sent: Sent): Promise<void> {
    const { client, clock } = this.#options
    const { namespace, name = '' } = sent.event.metadata
    const merge = { count: sent.event.count + sent.pending, lastTimestamp: timestamp(clock.now()) }
    sent.pending = 0
    try {
      sent.event = await client.patch(
        coreEvents,
        { ...(namespace ? { namespace } : {}), name },
        { type: 'merge', merge },
      )
    } catch (error) {
      if (!isNotFound(error)) throw error
      // It outlived its time to live: begin anew.
      const { resourceVersion: _, uid: __, ...metadata } = sent.event.metadata
      sent.event = await client.create(coreEvents, { ...sent.event, ...merge, metadata })
    }
  }

  #coreEvent({ regarding, type, reason, message }: PlannedEvent, component: string, id: string): CoreEvent {
    const now = timestamp(this.#options.clock.now())
    const { apiVersion, kind, namespace, name, uid } = regarding
    const suffix = createHash('sha256').update(`${id} ${now}`).digest('hex').slice(0, 16)
    return {
      apiVersion: 'v1',
      kind: 'Event',
      // Events about cluster-scoped objects live in `default`, as kubectl expects.
      metadata: { name: `${name.slice(0, 236)}.${suffix}`, namespace: namespace ?? 'default' },
      involvedObject: { apiVersion, kind, name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) },
      type,
      reason,
      message: message.length > 1024 ? `${message.slice(0, 1021)}…` : message,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component },
      reportingComponent: component,
      reportingInstance: '',
    }
  }

  #admit(object: string, nowMs: number): boolean {
    const { burst, refillMs } = this.#options
    const bucket = this.#buckets.get(object) ?? { tokens: burst, refilledMs: nowMs }
    const refilled = Math.floor((nowMs - bucket.refilledMs) / refillMs)
    bucket.tokens = Math.min(burst, bucket.tokens + refilled)
    bucket.refilledMs += refilled * refillMs
    this.#buckets.set(object, bucket)
    if (bucket.tokens <= 0) return false
    bucket.tokens--
    return true
  }

  #forgetOld(nowMs: number): void {
    if (this.#sent.size <= MAX_REMEMBERED) return
    for (const [id, sent] of this.#sent) {
      const old = nowMs - sent.lastMs >= AGGREGATE_MS || this.#sent.size > MAX_REMEMBERED
      if (old && sent.pending === 0) this.#sent.delete(id)
    }
    for (const [object, bucket] of this.#buckets) {
      const full = bucket.tokens + (nowMs - bucket.refilledMs) / this.#options.refillMs >= this.#options.burst
      if (full) this.#buckets.delete(object)
    }
  }
}
