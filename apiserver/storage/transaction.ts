import type { KubeObject } from '../../crds/metadata.ts'
import type { SortedIndex } from './sorted-index.ts'
import type { Stored, StoreEvent, Transaction } from './store.ts'
import { storedObject } from './stored-object.ts'

/** The state of a key after a write that is not durable yet. */
export interface Pending {
  /** Undefined: deleted. */
  readonly stored: Stored | undefined
  readonly revision: number
}

interface Write {
  readonly stored: Stored | undefined
  /** What watchers are told: the new state, or the last one. */
  readonly current: Stored
}

/** Collects the reads and writes of one transaction while its function runs. */
export class PendingTransaction implements Transaction {
  readonly #index: SortedIndex
  readonly #pending: ReadonlyMap<string, Pending>
  readonly #firstRevision: number
  #writes: Map<string, Write> | undefined
  #assigned: number
  #dependsOn = 0
  #finished = false

  constructor(index: SortedIndex, pending: ReadonlyMap<string, Pending>, assigned: number) {
    this.#index = index
    this.#pending = pending
    this.#firstRevision = assigned
    this.#assigned = assigned
  }

  /** The last revision given to a write. */
  get assigned(): number {
    return this.#assigned
  }

  /** The highest revision that was read without being durable. */
  get dependsOn(): number {
    return this.#dependsOn
  }

  get(key: string): Stored | undefined {
    const written = this.#writes?.get(key)
    return written ? written.stored : this.#before(key)
  }

  put(key: string, value: KubeObject): Stored {
    const replaced = this.get(key)
    const revision = this.#nextRevision()
    const stored = storedObject(key, value, replaced?.createRevision ?? revision, revision)
    this.#write(key, { stored, current: stored })
    return stored
  }

  delete(key: string, last?: KubeObject): Stored | undefined {
    const replaced = this.get(key)
    if (!replaced) return undefined
    const current = storedObject(key, last ?? replaced.value, replaced.createRevision, this.#nextRevision())
    this.#write(key, { stored: undefined, current })
    return current
  }

  /** Forgets what has been written, as if it had never been. */
  discard(): void {
    this.#writes = undefined
    this.#assigned = this.#firstRevision
  }

  /** The events of the writes, in order of revision: one per key that is not as it was. Nothing can be read or written any more. */
  finish(): readonly StoreEvent[] {
    this.#finished = true
    const events: StoreEvent[] = []
    for (const [key, { stored, current }] of this.#writes ?? []) {
      const previous = this.#before(key)
      if (!stored && !previous) continue
      const type = !stored ? 'DELETED' : previous ? 'MODIFIED' : 'ADDED'
      events.push({ type, key, revision: current.modRevision, current, previous })
    }
    return events
  }

  #before(key: string): Stored | undefined {
    const pending = this.#pending.get(key)
    if (!pending) return this.#index.get(key)
    if (pending.revision > this.#dependsOn) this.#dependsOn = pending.revision
    return pending.stored
  }

  #nextRevision(): number {
    if (this.#finished) throw new Error('the transaction is over: its function must be synchronous')
    return ++this.#assigned
  }

  #write(key: string, write: Write): void {
    this.#writes ??= new Map()
    // A second write of a key takes its place at the end: events are in order of revision.
    this.#writes.delete(key)
    this.#writes.set(key, write)
  }
}
