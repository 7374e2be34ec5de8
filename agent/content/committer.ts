import { dirname } from 'node:path'
import type { Clock } from '../../runtime/clock.ts'
import type { FileIo, OpenFile } from '../file-io.ts'

export interface Commit {
  /** Whole and verified; closed by the committer. */
  readonly file: OpenFile
  readonly from: string
  readonly to: string
}

interface Pending extends Commit {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Descriptors that are open for it at once. */
const MAX_PLACING = 64
/**
 * Makes files durable under their final name: every file's bytes, then its name, then the folder. Many small files cost little each, for
 * a disk writes many small changes as fast as one: those that arrive while it is busy are made durable together.
 */
export class Committer {
  /** Whether more files will come soon, so that it is worth waiting for them. */
  expectsMore: () => boolean = () => false
  readonly #io: FileIo
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #queue: Pending[] = []
  #placing = 0
  /** Files under their final names, by folder, whose folder is not durable yet. */
  #placed = new Map<string, Pending[]>()
  #flushing = false
  #cancelTimer: (() => void) | undefined

  /** `intervalMs`: while files keep coming, a folder is made durable so often, for all files that it got in the meantime. */
  constructor(io: FileIo, clock: Clock, intervalMs: number) {
    this.#io = io
    this.#clock = clock
    this.#intervalMs = intervalMs
  }

  /** Files whose bytes are not durable yet. Each has a descriptor open. */
  get backlog(): number {
    return this.#queue.length + this.#placing
  }

  /** Resolves once the file survives a power cut under its final name. Rejects with what the disk threw. */
  commit(commit: Commit): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...commit, resolve, reject })
      this.#place()
    })
  }

  #place(): void {
    while (this.#placing < MAX_PLACING) {
      const pending = this.#queue.shift()
      if (!pending) break
      this.#placing++
      void this.#placeOne(pending).finally(() => {
        this.#placing--
        this.#place()
        this.#flushSoon()
      })
    }
  }

  async #placeOne(pending: Pending): Promise<void> {
    const { file, from, to, reject } = pending
    try {
      try {
        await file.sync()
      } finally {
        await file.close()
      }
      await this.#io.rename(from, to)
      const folder = dirname(to)
      const others = this.#placed.get(folder)
      if (others) others.push(pending)
      else this.#placed.set(folder, [pending])
    } catch (error) {
      reject(error)
    }
  }

  /** At once when nothing more is on its way, so that a single file does not wait. */
  #flushSoon(): void {
    if (this.#flushing || this.#placed.size === 0) return
    if (this.backlog === 0 && !this.expectsMore()) void this.#flush()
    else this.#cancelTimer ??= this.#clock.after(this.#intervalMs, () => void this.#flush())
  }

  async #flush(): Promise<void> {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    if (this.#flushing) return
    this.#flushing = true
    const placed = this.#placed
    this.#placed = new Map()
    await Promise.all([...placed].map(([folder, commits]) => this.#syncFolder(folder, commits)))
    this.#flushing = false
    this.#flushSoon()
  }

  async #syncFolder(folder: string, commits: readonly Pending[]): Promise<void> {
    try {
      await this.#io.syncFolder(folder)
      for (const { resolve } of commits) resolve()
    } catch (error) {
      for (const { reject } of commits) reject(error)
    }
  }
}
