import type { Journal, JournalRecord } from '../../apiserver/storage/journal.ts'

// lmdb is no dependency of the project: npm install --no-save --ignore-scripts lmdb@3.5.6

/** What is used of the package. */
interface Lmdb {
  open(options: { path: string; encoding: 'binary'; overlappingSync: boolean; cache: boolean }): LmdbDatabase
}
interface LmdbDatabase {
  batch(action: () => void): Promise<boolean>
  put(key: string, value: Buffer): Promise<boolean>
  remove(key: string): Promise<boolean>
  getRange(): Iterable<{ key: string; value: Buffer }>
  close(): Promise<void>
}

const revisionKey = 'revision'
const headerBytes = 16

/** Objects as `createRevision modRevision json`, each revision a double; a commit includes its sync. */
export async function lmdbJournal(folder: string): Promise<Journal> {
  const name = 'lmdb'
  const { open }: Lmdb = await import(name)
  const db = open({ path: folder, encoding: 'binary', overlappingSync: false, cache: false })
  return {
    async load() {
      const records: JournalRecord[] = []
      let revision = 0
      for (const { key, value } of db.getRange()) {
        if (key === revisionKey) revision = value.readDoubleLE()
        else {
          const json = Buffer.from(value.subarray(headerBytes))
          records.push({ key, json, createRevision: value.readDoubleLE(), modRevision: value.readDoubleLE(8) })
        }
      }
      return { revision, records }
    },
    async append(events) {
      await db.batch(() => {
        for (const { type, key, current } of events) {
          if (type === 'DELETED') db.remove(key)
          else {
            const value = Buffer.allocUnsafe(headerBytes + current.json.length)
            value.writeDoubleLE(current.createRevision)
            value.writeDoubleLE(current.modRevision, 8)
            current.json.copy(value, headerBytes)
            db.put(key, value)
          }
        }
        const revision = Buffer.alloc(8)
        revision.writeDoubleLE(events.at(-1)!.revision)
        db.put(revisionKey, revision)
      })
    },
    close: () => db.close(),
  }
}

/** Whether the package is installed. */
export async function hasLmdb(): Promise<boolean> {
  const name = 'lmdb'
  return import(name).then(
    () => true,
    () => false,
  )
}
