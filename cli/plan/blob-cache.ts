import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Io } from '../io.ts'

/** What the cache may take on this machine. */
const MAX_BYTES = 1024 ** 3

/**
 * Blobs that this user has read before, by digest, so that the next plan need not fetch them again. Everything in it can be fetched again: what
 * is damaged is thrown away, and what cannot be written is left out.
 */
export class BlobCache {
  readonly #folder: string
  readonly #maxBytes: number
  /** Writes under way. */
  readonly #writing = new Set<Promise<void>>()
  #wrote = false

  constructor(folder: string, maxBytes = MAX_BYTES) {
    this.#folder = folder
    this.#maxBytes = maxBytes
  }

  /** The bytes, checked against their digest. Reads at once: of ten thousand small files each asynchronous read takes longer than the file. */
  get(digest: string): Buffer | undefined {
    const path = this.#path(digest)
    try {
      const bytes = readFileSync(path)
      if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` !== digest) {
        rmSync(path, { force: true })
        return undefined
      }
      useNow(path)
      return bytes
    } catch {
      return undefined
    }
  }

  /** Keeps bytes whose digest has been checked. Returns at once; `close` waits for it. */
  put(digest: string, bytes: Buffer): void {
    this.#wrote = true
    const writing = this.#write(digest, bytes)
      .catch(() => {})
      .finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }

  /** Waits for what is being written, and throws out what was not used for longest where all is too much. */
  async close(): Promise<void> {
    await Promise.all(this.#writing)
    if (this.#wrote) await this.#shrink().catch(() => {})
  }

  async #write(digest: string, bytes: Buffer): Promise<void> {
    const path = this.#path(digest)
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
    const incoming = join(this.#folder, `${randomUUID()}.part`)
    try {
      await writeFile(incoming, bytes, { mode: 0o600, flag: 'wx' })
      await rename(incoming, path)
    } finally {
      await rm(incoming, { force: true })
    }
  }

  async #shrink(): Promise<void> {
    const names = await readdir(this.#folder, { recursive: true })
    const files: { path: string; bytes: number; usedMs: number }[] = []
    for (const name of names) {
      const path = join(this.#folder, name)
      const found = await stat(path).catch(() => undefined)
      if (found?.isFile()) files.push({ path, bytes: found.size, usedMs: found.mtimeMs })
    }
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { path, bytes } of files.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= this.#maxBytes) return
      await rm(path, { force: true })
      total -= bytes
    }
  }

  #path(digest: string): string {
    const hex = digest.slice('sha256:'.length)
    return join(this.#folder, hex.slice(0, 2), hex)
  }
}

/** How exactly it is known when something was used last. */
const USED_MS = 3_600_000

/** Used just now: the last to go. */
function useNow(path: string): void {
  const nowMs = Date.now()
  if (statSync(path).mtimeMs < nowMs - USED_MS) utimesSync(path, nowMs / 1000, nowMs / 1000)
}

/** Where this user's caches are; undefined where there is no such place. */
export function cacheFolder(
  { env }: Pick<Io, 'env'>,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'weir', 'blobs')
  if (platform === 'win32') return env.LOCALAPPDATA && join(env.LOCALAPPDATA, 'weir', 'cache', 'blobs')
  if (!env.HOME) return undefined
  return platform === 'darwin'
    ? join(env.HOME, 'Library', 'Caches', 'weir', 'blobs')
    : join(env.HOME, '.cache', 'weir', 'blobs')
}
