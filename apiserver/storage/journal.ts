import type { EventBatch } from './store.ts'

/** One object as it comes back from disk. */
export interface JournalRecord {
  readonly key: string
  readonly json: Buffer
  readonly createRevision: number
  readonly modRevision: number
}

export interface JournalContent {
  /** The last revision ever written, that of a deletion included; 0 where there is none. */
  readonly revision: number
  /** The objects that exist, in order of key. */
  readonly records: readonly JournalRecord[]
}

/**
 * Keeps the current objects on disk: the durable half of a store. It knows neither history nor watches; the engine (journaled-store.ts) serves
 * every read from memory.
 */
export interface Journal {
  /** Called once, first. Rejects with `Locked`, `UnknownFormat` or `Corrupt`. */
  load(): Promise<JournalContent>
  /**
   * Writes all or nothing; resolves once it would survive a power cut. Never called while an append is under way. Rejects with `WriteFailed`
   * where nothing was written; any other error means that this is unknown.
   */
  append(events: EventBatch): Promise<void>
  close(): Promise<void>
}

/** A journal that forgets: for tests and previews. */
export function memoryJournal(): Journal {
  return {
    load: async () => ({ revision: 0, records: [] }),
    append: async () => {},
    close: async () => {},
  }
}
