import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, opendir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/** A blob's bytes: in one piece, in pieces, or as they come. */
export type BlobSource = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

export interface BlobInfo {
  /** `sha256:<64 hex>`. */
  readonly digest: string
  readonly bytes: number
  /** When it was last put. */
  readonly putAt: Date
}

/** The bytes are not those that the digest names. */
export class DigestMismatchError extends Error {
  constructor(expected: string, actual: string) {
    super(`the bytes are ${actual}, not ${expected}`)
    this.name = 'DigestMismatchError'
  }
}

/** Immutable bytes by their digest. */
export interface BlobStore {
  /** Stores bytes; they are on disk, under their digest, when this resolves. Throws DigestMismatchError where `expected` is another. */
  put(source: BlobSource, expected?: string): Promise<string>
  /** All bytes, or undefined where there is no such blob. */
  get(digest: string): Promise<Buffer | undefined>
  /** Bytes `start` to `end`, both included, of a blob that exists. */
  stream(digest: string, range?: { readonly start?: number; readonly end?: number }): Readable
  stat(digest: string): Promise<BlobInfo | undefined>
  has(digest: string): Promise<boolean>
  /** Every blob, in no particular order. */
  list(): AsyncGenerator<BlobInfo>
  delete(digest: string): Promise<void>
  /** The file that holds the blob, for serving it. Throws a RangeError where the digest is none. */
  path(digest: string): string
}

const DIGEST = /^sha256:([0-9a-f]{64})$/

/** `sha256:<hex>` of bytes. */
export function digestOf(bytes: Uint8Array | Iterable<Uint8Array>): string {
  const hash = createHash('sha256')
  for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) hash.update(piece)
  return `sha256:${hash.digest('hex')}`
}

/** No put takes so long: what is left in `incoming/` after it was left there by a crash. */
const ABANDONED_MS = 24 * 3_600_000

/**
 * Opens (and makes, where needed) a blob store in a folder: `sha256/ab/<hex>` for blobs, `incoming/` for those not yet whole. What a crash
 * left in `incoming/` is removed. Only one process may write to the folder unless all open it as `shared`, as replicas on one volume do: then
 * only what is a day old is taken for abandoned.
 */
export async function openBlobStore(root: string, { shared = false } = {}): Promise<BlobStore> {
  const incoming = join(root, 'incoming')
  if (shared) await removeAbandoned(incoming)
  else await rm(incoming, { recursive: true, force: true })
  await mkdir(incoming, { recursive: true })
  await mkdir(join(root, 'sha256'), { recursive: true })
  return new FolderBlobStore(root)
}

/** The blobs in a folder that somebody else keeps: only read, so that it may be mounted read-only. */
export function blobFolder(root: string): Pick<BlobStore, 'get' | 'has' | 'path'> {
  return new FolderBlobStore(root)
}

async function removeAbandoned(incoming: string): Promise<void> {
  for (const name of (await orMissing(readdir(incoming))) ?? []) {
    const path = join(incoming, name)
    const found = await orMissing(stat(path))
    if (found && Date.now() - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true })
  }
}

class FolderBlobStore implements BlobStore {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  path(digest: string): string {
    const hex = DIGEST.exec(digest)?.[1]
    if (hex === undefined) throw new RangeError(`not a digest: ${JSON.stringify(digest)}`)
    return join(this.#root, 'sha256', hex.slice(0, 2), hex)
  }

  async put(source: BlobSource, expected?: string): Promise<string> {
    // Bytes at hand are hashed first: mostly the blob is there already, and nothing need be written.
    if (source instanceof Uint8Array || Array.isArray(source)) {
      const digest = digestOf(source)
      if (expected !== undefined && expected !== digest) throw new DigestMismatchError(expected, digest)
      if (await this.#touch(digest)) return digest
    }
    const incoming = join(this.#root, 'incoming', randomUUID())
    try {
      const digest = await writeDurably(incoming, source)
      if (expected !== undefined && expected !== digest) throw new DigestMismatchError(expected, digest)
      const path = this.path(digest)
      const folder = join(path, '..')
      const made = await mkdir(folder, { recursive: true })
      await rename(incoming, path)
      await syncFolder(folder)
      if (made !== undefined) await syncFolder(join(folder, '..'))
      return digest
    } finally {
      await rm(incoming, { force: true })
    }
  }

  async get(digest: string): Promise<Buffer | undefined> {
    return await orMissing(readFile(this.path(digest)))
  }

  stream(digest: string, range: { readonly start?: number; readonly end?: number } = {}): Readable {
    return createReadStream(this.path(digest), { ...range, highWaterMark: 256 * 1024 })
  }

  async stat(digest: string): Promise<BlobInfo | undefined> {
    const found = await orMissing(stat(this.path(digest)))
    return found && { digest, bytes: found.size, putAt: found.mtime }
  }

  async has(digest: string): Promise<boolean> {
    return (await this.stat(digest)) !== undefined
  }

  async *list(): AsyncGenerator<BlobInfo> {
    for await (const folder of await opendir(join(this.#root, 'sha256'))) {
      for await (const file of await opendir(join(this.#root, 'sha256', folder.name))) {
        const info = DIGEST.test(`sha256:${file.name}`) ? await this.stat(`sha256:${file.name}`) : undefined
        if (info) yield info
      }
    }
  }

  async delete(digest: string): Promise<void> {
    await rm(this.path(digest), { force: true })
  }

  /** Makes a blob that is there young again, so that no collection of old blobs takes it from under who has just put it. */
  async #touch(digest: string): Promise<boolean> {
    const now = new Date()
    const touched = await orMissing(utimes(this.path(digest), now, now).then(() => true))
    return touched === true
  }
}

/**
 * Deletes blobs that nothing needs: not in `needed`, and put before `olderThan`, because a blob is put before the object that names it.
 * Returns the digests deleted.
 */
export async function collectBlobs(
  store: Pick<BlobStore, 'list' | 'delete'>,
  needed: ReadonlySet<string>,
  olderThan: Date,
): Promise<string[]> {
  const deleted: string[] = []
  for await (const { digest, putAt } of store.list()) {
    if (needed.has(digest) || putAt >= olderThan) continue
    await store.delete(digest)
    deleted.push(digest)
  }
  return deleted
}

async function writeDurably(path: string, source: BlobSource): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o640)
  try {
    for await (const piece of source instanceof Uint8Array ? [source] : source) {
      hash.update(piece)
      await writeAll(file, piece)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return `sha256:${hash.digest('hex')}`
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let written = 0; written < piece.length; ) {
    written += (await file.write(piece, written, piece.length - written)).bytesWritten
  }
}

/** A rename is durable once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function orMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
