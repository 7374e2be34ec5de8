import { StoreError } from './errors.ts'
import { History, type HistoryLimits } from './history.ts'
import type { Journal } from './journal.ts'
import { readSnapshot } from './snapshot.ts'
import { SortedIndex } from './sorted-index.ts'
import type { Page, RangeOptions, Store, Stored, StoreEvent, Transaction, Watch, WatchSink } from './store.ts'
import { StoredObject } from './stored-object.ts'
import { type Pending, PendingTransaction } from './transaction.ts'
import { Watches } from './watches.ts'

/** About a minute of a busy fleet; a client that was away for longer lists again. */
const defaultHistory: HistoryLimits = { events: 100_000, bytes: 64 * 1024 * 1024 }

export interface StoreOptions {
  readonly history?: HistoryLimits
}

/** A transaction that waits for the disk. */
interface Waiting {
  /** In order of revision; none where the transaction only read what is not durable yet. */
  readonly events: readonly StoreEvent[]
  readonly settle: () => void
  readonly reject: (error: Error) => void
}

/**
 * The store over any journal: readers and watchers are served from memory; what is written while the disk is busy goes to it together, as the
 * next append (group commit).
 */
export class JournaledStore implements Store {
  readonly #journal: Journal
  readonly #index = new SortedIndex()
  readonly #history: History
  readonly #watches: Watches
  /** The latest state of keys whose last write is not durable yet. */
  readonly #pending = new Map<string, Pending>()
  #queue: Waiting[] = []
  #committing: Promise<void> | undefined
  #running = false
  #revision: number
  /** The last revision given to a write; gaps stay where a write was rolled back. */
  #assigned: number
  #failure: StoreError | undefined
  #closed = false

  /** Reads back what the journal holds. Rejects as {@link Journal.load} does. */
  static async open(journal: Journal, options: StoreOptions = {}): Promise<Store> {
    const { revision, records } = await journal.load()
    const store = new JournaledStore(journal, revision, options.history ?? defaultHistory)
    for (const record of records) store.#index.set(new StoredObject(record))
    return store
  }

  private constructor(journal: Journal, revision: number, history: HistoryLimits) {
    this.#journal = journal
    this.#revision = revision
    this.#assigned = revision
    this.#history = new History(revision, history)
    this.#watches = new Watches(this.#history, revision)
  }

  get revision(): number {
    return this.#revision
  }

  get compactedRevision(): number {
    return this.#history.compactedRevision
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  get(key: string): Stored | undefined {
    return this.#index.get(key)
  }

  range(prefix: string, options: RangeOptions = {}): Page {
    this.#refuseFuture(options.revision ?? 0)
    return readSnapshot(this.#index, this.#history, this.#revision, prefix, options)
  }

  watch(prefix: string, afterRevision: number, sink: WatchSink): Watch {
    if (this.#closed) throw closed()
    this.#refuseFuture(afterRevision)
    return this.#watches.add(prefix, afterRevision, sink)
  }

  transact<T>(fn: (tx: Transaction) => T): Promise<T> {
    if (this.#closed) return Promise.reject(closed())
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#running) throw new Error('transactions do not nest: use the outer one')
    const tx = new PendingTransaction(this.#index, this.#pending, this.#assigned)
    let outcome: (() => T) | undefined
    this.#running = true
    try {
      const result = fn(tx)
      outcome = () => result
    } catch (error) {
      outcome = () => {
        throw error
      }
      tx.discard()
    } finally {
      this.#running = false
    }
    const events = tx.finish()
    this.#assigned = tx.assigned
    for (const { type, current, revision } of events) {
      this.#pending.set(current.key, { stored: type === 'DELETED' ? undefined : current, revision })
    }
    return this.#enqueue(outcome, events, tx.dependsOn)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#committing
    this.#watches.endAll()
    await this.#journal.close()
  }

  #enqueue<T>(outcome: () => T, events: readonly StoreEvent[], dependsOn: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        try {
          resolve(outcome())
        } catch (error) {
          reject(error)
        }
      }
      if (events.length === 0 && dependsOn <= this.#revision) return settle()
      this.#queue.push({ events, settle, reject })
      this.#committing ??= this.#commitAll()
    })
  }

  /** Appends until nothing waits any more. */
  async #commitAll(): Promise<void> {
    // Everything that this turn of the event loop still has to say goes along.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) {
      const waiting = this.#queue
      this.#queue = []
      const events = waiting.length === 1 ? waiting[0]!.events : waiting.flatMap((w) => w.events)
      try {
        if (events.length > 0) await this.#journal.append(events)
      } catch (error) {
        this.#fail(error, waiting)
        continue
      }
      this.#apply(events)
      for (const { settle } of waiting) settle()
    }
    this.#committing = undefined
  }

  #apply(events: readonly StoreEvent[]): void {
    for (const { type, current, key, revision } of events) {
      if (type === 'DELETED') this.#index.delete(key)
      else this.#index.set(current)
      if (this.#pending.get(key)?.revision === revision) this.#pending.delete(key)
      this.#revision = revision
    }
    this.#history.push(events)
    this.#watches.publish(events)
    // From now on only the history holds what has been replaced.
    for (const { type, current, previous } of events) {
      if (previous instanceof StoredObject) previous.forgetValue()
      if (type === 'DELETED' && current instanceof StoredObject) current.forgetValue()
    }
  }

  /** Rejects the batch, and all that has been built on it since. */
  #fail(cause: unknown, batch: readonly Waiting[]): void {
    const rolledBack = cause instanceof StoreError && cause.code === 'WriteFailed'
    const reason = cause instanceof Error ? cause.message : String(cause)
    const error = rolledBack ? cause : new StoreError('Unavailable', `the store needs a restart: ${reason}`, { cause })
    if (!rolledBack) this.#failure = error
    const after = this.#queue
    this.#queue = []
    this.#pending.clear()
    for (const { reject } of batch) reject(error)
    for (const { reject } of after) reject(error)
  }

  #refuseFuture(revision: number): void {
    if (revision <= this.#revision) return
    throw new StoreError('FutureRevision', `revision ${revision} is newer than ${this.#revision}, the latest`)
  }
}

function closed(): StoreError {
  return new StoreError('Closed', 'the store is closed')
}
