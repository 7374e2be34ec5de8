import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** A file that is open. Positions and sizes in bytes. */
export interface OpenFile {
  /** Writes all of `bytes` at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Reads into `into` from `position`; gives how many bytes were read, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>
  size(): Promise<number>
  truncate(bytes: number): Promise<void>
  /** Resolves once the bytes survive a power cut. The file's name does only after `syncFolder`. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** What a file system has, in bytes. */
export interface Capacity {
  readonly freeBytes: number
  readonly totalBytes: number
}

/** Everything the agent does with its disk. Failures are Node's: errors with `code` (`ENOSPC`, `EIO`, `ENOENT`, …). */
export interface FileIo {
  openRead(path: string): Promise<OpenFile>
  /** Opens to write, with what is in it or (`fresh`) empty; makes it when it is not there. */
  openWrite(path: string, fresh?: boolean): Promise<OpenFile>
  /** All of a small file; undefined when it is not there. */
  readFile(path: string): Promise<Uint8Array | undefined>
  /** Replaces a file as a whole and durably: after a crash it holds the old bytes or the new. */
  replaceFile(path: string, bytes: Uint8Array): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Says whether there was something to remove. */
  remove(path: string): Promise<boolean>
  /** Makes a folder and those above it. */
  makeFolder(path: string): Promise<void>
  /** The names in a folder, in no order; none when it is not there. */
  list(path: string): Promise<readonly string[]>
  /** A file's size; undefined when it is not there. */
  sizeOf(path: string): Promise<number | undefined>
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>
  capacity(path: string): Promise<Capacity>
  /** Takes a lock that the system lets go of when the process ends, however it ends. Throws LockedError when it is taken. */
  lock(path: string): Promise<() => void>
}

export class LockedError extends Error {
  constructor(path: string) {
    super(`${dirname(path)} is in use by another agent (it holds ${basename(path)})`)
    this.name = 'LockedError'
  }
}

/** The `code` of a system error, such as `ENOSPC`. */
export function errorCode(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void

// Descriptors and callbacks instead of FileHandle: an agent opens and closes thousands of small files a second.
function call<T>(fn: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => fn((error, value) => (error ? reject(error) : resolve(value))))
}

const run = (fn: (done: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> => call<void>(fn)

class Descriptor implements OpenFile {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += await call<number>((cb) => fs.write(this.#fd, bytes, done, bytes.length - done, position + done, cb))
    }
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return call<number>((cb) => fs.read(this.#fd, into, 0, into.length, position, cb))
  }

  async size(): Promise<number> {
    return (await call<fs.Stats>((cb) => fs.fstat(this.#fd, cb))).size
  }

  truncate(bytes: number): Promise<void> {
    return run((cb) => fs.ftruncate(this.#fd, bytes, cb))
  }

  sync(): Promise<void> {
    return run((cb) => fs.fsync(this.#fd, cb))
  }

  // Takes no longer than handing it to another thread would.
  async close(): Promise<void> {
    fs.closeSync(this.#fd)
  }
}

async function absentAs<T>(absent: T, result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return absent
    throw error
  }
}

const { O_RDWR, O_CREAT, O_TRUNC } = fs.constants
const SQLITE_BUSY = 5

/** The real disk. */
export const nodeFileIo: FileIo = {
  async openRead(path) {
    return new Descriptor(await call<number>((cb) => fs.open(path, 'r', cb)))
  },

  async openWrite(path, fresh = false) {
    const flags = O_RDWR | O_CREAT | (fresh ? O_TRUNC : 0)
    return new Descriptor(await call<number>((cb) => fs.open(path, flags, 0o644, cb)))
  },

  readFile(path) {
    return absentAs<Uint8Array | undefined>(
      undefined,
      call<Uint8Array>((cb) => fs.readFile(path, cb)),
    )
  },

  async replaceFile(path, bytes) {
    const fresh = join(dirname(path), `.${basename(path)}.new`)
    const file = await this.openWrite(fresh, true)
    try {
      await file.write(bytes, 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await this.rename(fresh, path)
    await this.syncFolder(dirname(path))
  },

  rename(from, to) {
    return run((cb) => fs.rename(from, to, cb))
  },

  remove(path) {
    return absentAs(
      false,
      run((cb) => fs.unlink(path, cb)).then(() => true),
    )
  },

  async makeFolder(path) {
    await call<string | undefined>((cb) => fs.mkdir(path, { recursive: true }, cb))
  },

  list(path) {
    return absentAs<readonly string[]>(
      [],
      call<string[]>((cb) => fs.readdir(path, cb)),
    )
  },

  sizeOf(path) {
    return absentAs<number | undefined>(
      undefined,
      call<fs.Stats>((cb) => fs.stat(path, cb)).then((stats) => stats.size),
    )
  },

  async syncFolder(path) {
    // Windows has no such thing: there, a rename is as durable as it gets.
    if (process.platform === 'win32') return
    const fd = await call<number>((cb) => fs.open(path, 'r', cb))
    try {
      await run((cb) => fs.fsync(fd, cb))
    } finally {
      await run((cb) => fs.close(fd, cb))
    }
  },

  async capacity(path) {
    const stats = await call<fs.StatsFs>((cb) => fs.statfs(path, cb))
    return { freeBytes: stats.bavail * stats.bsize, totalBytes: stats.blocks * stats.bsize }
  },

  async lock(path) {
    // SQLite's file locks are the system's own on every platform; a file with a process id in it can outlive the process.
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(path)
    try {
      database.exec('BEGIN EXCLUSIVE')
    } catch (error) {
      database.close()
      const busy = typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === SQLITE_BUSY
      throw busy ? new LockedError(path) : error
    }
    return () => database.close()
  },
}
