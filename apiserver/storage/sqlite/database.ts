import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../errors.ts'
import type { Packed } from './packed.ts'

/** "weir", as the file's application_id. */
const applicationId = 0x77656972
/** Grows with every change of the schema that an older program cannot read. */
const formatVersion = 1
/** Pages in the write-ahead log before they are copied to the database (32 MiB): rarer copies of pages that change again and again. */
const checkpointPages = 8192
/** Records are read back in chunks of about so many bytes of JSON, each one buffer that its objects share. */
const chunkBytes = 256 * 1024

const schema = `
  create table object (
    key text primary key not null,
    create_revision integer not null,
    mod_revision integer not null,
    value text not null
  ) strict;
  create table state (id integer primary key check (id = 1), revision integer not null) strict;
  insert into state values (1, 0);
  pragma application_id = ${applicationId};
  pragma user_version = ${formatVersion};
`

/** The database: one row per object that exists, and the last revision. Blocks while it reads, writes and syncs. */
export class Database {
  readonly #db: DatabaseSync
  readonly #put
  readonly #delete
  readonly #setRevision

  /** Throws `Locked`, `UnknownFormat` or `Corrupt`. */
  constructor(file: string) {
    createFile(file)
    this.#db = open(file)
    this.#put = this.#db.prepare(`
      insert into object values (?, ?, ?, cast(? as text)) on conflict (key) do update
      set create_revision = excluded.create_revision, mod_revision = excluded.mod_revision, value = excluded.value`)
    this.#delete = this.#db.prepare('delete from object where key = ?')
    this.#setRevision = this.#db.prepare('update state set revision = ?')
  }

  get revision(): number {
    return Number(this.#db.prepare('select revision from state').get()?.revision)
  }

  /** Everything, in order of key. */
  *records(): Generator<Packed, void, undefined> {
    const rows = this.#db
      .prepare('select key, create_revision, mod_revision, cast(value as blob) as json from object order by key')
      .iterate()
    let chunk = new Chunk()
    for (const row of rows) {
      chunk.add(String(row.key), Number(row.create_revision), Number(row.mod_revision), row.json)
      if (chunk.bytes < chunkBytes) continue
      yield chunk.pack()
      chunk = new Chunk()
    }
    yield chunk.pack()
  }

  /** Writes all or nothing, and returns once it is on disk. Throws `WriteFailed` or, where the outcome is unknown, `Unavailable`. */
  append(entries: Packed): void {
    try {
      this.#db.exec('begin immediate')
      let offset = 0
      for (const [i, key] of entries.keys.entries()) {
        const length = entries.lengths[i]!
        if (length < 0) {
          this.#delete.run(key)
          continue
        }
        const json = entries.json.subarray(offset, offset + length)
        this.#put.run(key, entries.createRevisions[i]!, entries.modRevisions[i]!, json)
        offset += length
      }
      this.#setRevision.run(entries.modRevisions.at(-1)!)
      this.#db.exec('commit')
    } catch (error) {
      throw this.#rollBack(error)
    }
  }

  close(): void {
    this.#db.close()
  }

  #rollBack(cause: unknown): StoreError {
    const message = cause instanceof Error ? cause.message : String(cause)
    try {
      if (this.#db.isTransaction) this.#db.exec('rollback')
    } catch {
      return new StoreError('Unavailable', message, { cause })
    }
    // Only of a full disk is it known that nothing was kept: after a failed sync the disk may hold anything.
    return new StoreError(sqliteCode(cause) === sqlite.full ? 'WriteFailed' : 'Unavailable', message, { cause })
  }
}

/** Primary result codes of SQLite that are told apart: https://www.sqlite.org/rescode.html */
const sqlite = { busy: 5, corrupt: 11, full: 13, notADatabase: 26 }

function sqliteCode(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  // The low byte of an extended result code is the primary one.
  return typeof code === 'number' ? code & 0xff : undefined
}

/** The file holds Secrets: its owner's alone. It and its folders exist durably before anything in it is acknowledged. */
function createFile(file: string): void {
  let folder = dirname(file)
  const created = mkdirSync(folder, { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
  syncFolder(folder)
  while (created && folder.length >= created.length) {
    folder = dirname(folder)
    syncFolder(folder)
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  fsyncSync(fd)
  closeSync(fd)
}

function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file)
  try {
    db.exec('pragma locking_mode = exclusive')
    const id = pragma(db, 'application_id')
    const version = pragma(db, 'user_version')
    const tables = db.prepare('select count(*) as n from sqlite_schema').get()?.n
    const isNew = id === 0 && version === 0 && tables === 0
    if (!isNew && id !== applicationId) throw new StoreError('UnknownFormat', `${file} is not a store of Weir`)
    if (version > formatVersion) {
      throw new StoreError('UnknownFormat', `${file} has format ${version}; this program reads up to ${formatVersion}`)
    }
    // With the exclusive lock the log needs no shared-memory file. Full: every commit syncs the log.
    db.exec('pragma journal_mode = wal; pragma synchronous = full')
    db.exec(`pragma wal_autocheckpoint = ${checkpointPages}; pragma cache_size = -65536`)
    if (isNew) db.exec(`begin exclusive; ${schema} commit`)
    // Takes the lock for good, also where nothing had to be written.
    db.exec('begin immediate; update state set revision = revision; commit')
    return db
  } catch (error) {
    db.close()
    throw openError(file, error)
  }
}

function openError(file: string, error: unknown): unknown {
  switch (sqliteCode(error)) {
    case sqlite.busy:
      return new StoreError('Locked', `${file} is in use by another process`, { cause: error })
    case sqlite.corrupt:
    case sqlite.notADatabase:
      return new StoreError('Corrupt', `${file} cannot be read: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      })
    default:
      return error
  }
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`pragma ${name}`).get()?.[name])
}

/** Gathers records until they are sent on. */
class Chunk {
  readonly #keys: string[] = []
  readonly #createRevisions: number[] = []
  readonly #modRevisions: number[] = []
  readonly #json: Uint8Array[] = []
  bytes = 0

  add(key: string, createRevision: number, modRevision: number, json: unknown): void {
    if (!(json instanceof Uint8Array)) throw new StoreError('Corrupt', `the value of ${key} is no JSON text`)
    this.#keys.push(key)
    this.#createRevisions.push(createRevision)
    this.#modRevisions.push(modRevision)
    this.#json.push(json)
    this.bytes += json.length
  }

  pack(): Packed {
    return {
      keys: this.#keys,
      createRevisions: this.#createRevisions,
      modRevisions: this.#modRevisions,
      ...concatenate(this.#json),
    }
  }
}

function concatenate(parts: readonly Uint8Array[]): Pick<Packed, 'json' | 'lengths'> {
  const json = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    json.set(part, offset)
    offset += part.length
  }
  return { json, lengths: parts.map((part) => part.length) }
}
