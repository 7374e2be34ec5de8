import { closeSync, fdatasync, mkdirSync, openSync, writev } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Journal, memoryJournal } from '../../apiserver/storage/journal.ts'
import { sqliteJournal } from '../../apiserver/storage/sqlite/journal.ts'
import { inlineSqliteJournal } from './inline-sqlite-journal.ts'
import { lmdbJournal } from './lmdb-journal.ts'

/** What is compared: each stands under the same engine. */
export const journals: Readonly<Record<string, { about: string; open: (folder: string) => Promise<Journal> }>> = {
  sqlite: {
    about: 'SQLite on its own thread (the default)',
    open: async (folder) => sqliteJournal(join(folder, 'store.db')),
  },
  'sqlite-inline': { about: 'SQLite on the event loop', open: async (folder) => inlineSqliteJournal(folder) },
  lmdb: { about: 'LMDB, its own commit thread', open: lmdbJournal },
  file: { about: 'append to a file, no recovery, no compaction', open: async (folder) => fileJournal(folder) },
  memory: { about: 'nothing: the engine alone', open: async () => memoryJournal() },
}

/** What any log costs at least: one write and one sync per commit. It is never read back. */
function fileJournal(folder: string): Journal {
  mkdirSync(folder, { recursive: true })
  const fd = openSync(join(folder, 'log'), 'a')
  const write = promisify(writev)
  const sync = promisify(fdatasync)
  return {
    load: async () => ({ revision: 0, records: [] }),
    async append(events) {
      await write(
        fd,
        events.flatMap(({ type, key, current }) => [
          Buffer.from(`${type} ${key} ${current.createRevision} ${current.modRevision} ${current.json.length}\n`),
          current.json,
        ]),
      )
      await sync(fd)
    },
    close: async () => closeSync(fd),
  }
}
