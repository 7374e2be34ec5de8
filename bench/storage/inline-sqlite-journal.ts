import { join } from 'node:path'
import type { Journal, JournalRecord } from '../../apiserver/storage/journal.ts'
import { Database } from '../../apiserver/storage/sqlite/database.ts'
import { pack, unpack } from '../../apiserver/storage/sqlite/packed.ts'

/** The same database without the thread: the event loop waits for the disk. */
export function inlineSqliteJournal(folder: string): Journal {
  const database = new Database(join(folder, 'store.db'))
  return {
    async load() {
      const records: JournalRecord[] = []
      for (const chunk of database.records()) unpack(chunk, records)
      return { revision: database.revision, records }
    },
    append: async (events) => database.append(pack(events)),
    close: async () => database.close(),
  }
}
