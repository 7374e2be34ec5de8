import type { KubeObject } from '../../crds/metadata.ts'

/** One version of one object, as stored. Immutable: the same instance serves every reader and watcher. */
export interface Stored {
  readonly key: string
  /** Deeply frozen; `metadata.resourceVersion` is `modRevision` in decimal. */
  readonly value: KubeObject
  /** `value` as UTF-8 JSON, encoded once. Never write into it. */
  readonly json: Buffer
  /** The revision at which the key came to be (again). */
  readonly createRevision: number
  readonly modRevision: number
}

export type StoreEventType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** One committed write. */
export interface StoreEvent {
  readonly type: StoreEventType
  readonly key: string
  readonly revision: number
  /** The new state; of a deletion the last state, its resourceVersion being the revision of the deletion. */
  readonly current: Stored
  /** The state before; undefined where the type is ADDED. */
  readonly previous: Stored | undefined
}

/**
 * Events in order of revision, at least one. All live watchers of one prefix are handed the same instance, so that what is derived from it
 * (an encoded frame) can be made once and kept in a WeakMap for the others.
 */
export type EventBatch = readonly StoreEvent[]

export interface RangeOptions {
  /** At most so many items; absent or 0: all. */
  readonly limit?: number
  /** Only keys greater than this one, which need not exist. */
  readonly startAfter?: string
  /** The state as of this revision; absent or 0: the latest committed. */
  readonly revision?: number
}

export interface Page {
  readonly items: readonly Stored[]
  /** The revision of the snapshot the items were read from. */
  readonly revision: number
  /** How many keys of the prefix follow the last item. */
  readonly remaining: number
}

/** Reads and writes of one transaction. Reads see its own writes and every earlier transaction, durable already or not. */
export interface Transaction {
  get(key: string): Stored | undefined
  /**
   * Creates or replaces. The store sets `metadata.resourceVersion`, encodes and deeply freezes: the value, or parts of it, may come from
   * other stored objects, but must not be changed afterwards.
   */
  put(key: string, value: KubeObject): Stored
  /**
   * Deletes; returns the last state as the DELETED event will carry it (resourceVersion: the deletion's). `last` replaces the content of
   * that last state. Undefined where the key does not exist.
   */
  delete(key: string, last?: KubeObject): Stored | undefined
}

export interface WatchSink {
  /**
   * Takes committed events. Called in order, and must not throw. A sink that is one of a crowd of the same prefix may be told some
   * milliseconds late, of all that was committed meanwhile at once. Return false when full: nothing more comes before
   * {@link Watch.resume} and nothing is buffered meanwhile (what was missed is read from the history then).
   */
  events(batch: EventBatch): boolean
  /** The watch is over: `Compacted` if the sink fell behind the history (answer 410), `Closed` if the store closes. */
  end(reason: 'Compacted' | 'Closed'): void
}

export interface Watch {
  /**
   * Every event of the prefix up to this revision has been handed to the sink: the resourceVersion of a bookmark. Behind the store's
   * revision while the sink is full, or is about to be told.
   */
  readonly revision: number
  /** Goes on after the sink returned false. Synchronously hands over what was missed. */
  resume(): void
  close(): void
}

/**
 * Where the API server keeps its objects. Every committed write has a revision of its own, strictly greater than all before (etcd's model;
 * gaps are allowed). Readers and watchers see only what is durable.
 */
export interface Store {
  /** The revision of the last durable write; 0 where nothing has ever been written. */
  readonly revision: number
  /** Snapshots and watches can start at this revision or later. */
  readonly compactedRevision: number
  /** Set once writes are refused for good (`Unavailable`): the server is not ready any more. */
  readonly failure: Error | undefined

  get(key: string): Stored | undefined

  /** The objects under a prefix (see keys.ts) in order of key. Throws `Compacted` or `FutureRevision`. */
  range(prefix: string, options?: RangeOptions): Page

  /**
   * Runs `fn` at once, synchronously, against the latest state including writes that are not durable yet: transactions are serial. What it
   * writes is committed as one. Resolves with fn's result once its writes, and those it has read, are durable. Where `fn` throws, nothing is
   * written and the promise rejects with what was thrown, likewise not before what it had read is durable.
   * Rejects with `WriteFailed`, `Unavailable` or `Closed`.
   */
  transact<T>(fn: (tx: Transaction) => T): Promise<T>

  /**
   * Hands the events after `afterRevision` to the sink, in order, without a gap: those in the history before this returns, the others as they
   * are committed. Throws `Compacted` or `FutureRevision`.
   */
  watch(prefix: string, afterRevision: number, sink: WatchSink): Watch

  /** Waits for the writes under way, ends the watches, releases the data. */
  close(): Promise<void>
}
