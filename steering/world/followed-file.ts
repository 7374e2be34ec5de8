import { stat } from 'node:fs/promises'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { versionOf } from './location-messages.ts'

/** A file that was written to less than this ago may still be. */
const SETTLED_MS = 2000

/** Whether a file is whole, as far as its age says: half of one that is being written may be missing. A time to come says nothing. */
export function isSettled({ mtimeMs }: { readonly mtimeMs: number }, clock: Clock): boolean {
  const ageMs = clock.now().getTime() - mtimeMs
  return ageMs < 0 || ageMs >= SETTLED_MS
}

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

/** A file that is read again when it has changed, and nobody writes to it any more. One that cannot be read leaves what was read before in force, until it changes again. */
export class FollowedFile<T> {
  readonly #options: FollowedFileOptions<T>
  #current: T | undefined
  #mark = ''
  /** What was wrong with it the last time, which is told once. */
  #fault = ''
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
        .then(
          () => {
            this.#fault = ''
          },
          ({ message: error }: Error) => {
            if (!this.#closed && error !== this.#fault) log.warn({ path, error }, `the ${name} cannot be read`)
            this.#fault = error
          },
        )
        .finally(() => {
          if (!this.#closed) this.#later()
        })
    })
  }

  async #read(): Promise<void> {
    const { path, read, clock } = this.#options
    const found = await stat(path)
    if (!found.isFile()) throw new Error('is no file')
    const mark = versionOf(found)
    if (mark === this.#mark || (this.#current !== undefined && !isSettled(found, clock))) return
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
