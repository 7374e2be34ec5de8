import { join } from 'node:path'
import { memoryJournal } from './journal.ts'
import { JournaledStore, type StoreOptions } from './journaled-store.ts'
import { sqliteJournal } from './sqlite/journal.ts'
import type { Store } from './store.ts'

/**
 * Opens the store kept in a folder, creating it where it is not there (mode 0700): the durable default, on SQLite.
 * Rejects with a StoreError `Locked`, `UnknownFormat` or `Corrupt`.
 */
export function openStore(folder: string, options?: StoreOptions): Promise<Store> {
  return JournaledStore.open(sqliteJournal(join(folder, 'store.db')), options)
}

/** A store that forgets everything when closed: for tests and previews. */
export function openMemoryStore(options?: StoreOptions): Promise<Store> {
  return JournaledStore.open(memoryJournal(), options)
}
