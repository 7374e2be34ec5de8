import { dirname } from 'node:path'
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

const MAX_BATCH = 256

/**
 * Makes files durable under their final name. A disk writes many small changes as fast as one, so those that arrive while it is busy are
 * made durable together: every file's bytes, then their names, then the folders.
 */
export class Committer {
  readonly #io: FileIo
  #pending: Pending[] = []
  #running: Promise<void> | undefined

  constructor(io: FileIo) {
    this.#io = io
  }

  /** Files that are not durable yet. Each has a descriptor open. */
  get backlog(): number {
    return this.#pending.length
  }

  /** Resolves once the file survives a power cut under its final name. Rejects with what the disk threw; then `from` is still there. */
  commit(commit: Commit): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ ...commit, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, MAX_BATCH)
      await this.#commitBatch(batch)
    }
    this.#running = undefined
  }

  async #commitBatch(batch: readonly Pending[]): Promise<void> {
    const renamed = await Promise.all(batch.map((pending) => this.#place(pending)))
    const placed = batch.filter((_, i) => renamed[i])
    const byFolder = Map.groupBy(placed, ({ to }) => dirname(to))
    await Promise.all(
      [...byFolder].map(async ([folder, commits]) => {
        try {
          await this.#io.syncFolder(folder)
          for (const { resolve } of commits) resolve()
        } catch (error) {
          for (const { reject } of commits) reject(error)
        }
      }),
    )
  }

  async #place({ file, from, to, reject }: Pending): Promise<boolean> {
    try {
      try {
        await file.sync()
      } finally {
        await file.close()
      }
      await this.#io.rename(from, to)
      return true
    } catch (error) {
      reject(error)
      return false
    }
  }
}
