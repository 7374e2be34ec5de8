import { stat } from 'node:fs/promises'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { versionOf } from './location-messages.ts'

/** How often the file is looked at: somebody else writes it anew, or a volume is mounted there. */
const LOOK_MS = 5000

export interface FollowedFileOptions<T> {
  readonly path: string
  /** What it is called in the log: `coverage file`. */
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  /** Makes of the file what is to be in force, without holding up anybody. Rejects where it is none; `before` is what is in force. */
  readonly read: (before: T | undefined) => Promise<T>
}

/** A file that is read again when it has changed. One that cannot be read leaves what was read before in force, until it changes again. */
export class FollowedFile<T> {
  readonly #options: FollowedFileOptions<T>
  #current: T | undefined
  #mark = ''
  #cancel = () => {}
  #closed = false

  constructor(options: FollowedFileOptions<T>) {
    this.#options = options
  }

  get current(): T | undefined {
    return this.#current
  }

  /** Reads it, and goes on looking; the first time, it throws where the file cannot be read. */
  async start(): Promise<void> {
    try {
      await this.#read()
    } catch (error) {
      throw new Error(`the ${this.#options.name} ${this.#options.path}: ${(error as Error).message}`)
    }
    this.#later()
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  #later(): void {
    const { clock, log, path, name } = this.#options
    this.#cancel = clock.after(LOOK_MS, () => {
      this.#read()
        .catch((error: Error) => {
          if (!this.#closed) log.warn({ path, error: error.message }, `the ${name} cannot be read`)
        })
        .finally(() => {
          if (!this.#closed) this.#later()
        })
    })
  }

  async #read(): Promise<void> {
    const { path, read } = this.#options
    const mark = versionOf(await stat(path))
    if (mark === this.#mark) return
    // Before it is read: what is no use is not read again every time.
    this.#mark = mark
    try {
      this.#current = await read(this.#current)
    } catch (error) {
      // A fault of the disk may be over the next time.
      if ((error as NodeJS.ErrnoException).code !== undefined) this.#mark = ''
      throw error
    }
  }
}
