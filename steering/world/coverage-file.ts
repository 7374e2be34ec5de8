import { readFile, stat } from 'node:fs/promises'
import { type Coverage, readCoverage } from '../../reconcilers/steering/client/coverage.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'

/** How often the file is looked at: somebody else writes it anew, or a ConfigMap is mounted there. */
const LOOK_MS = 5000
/** Rows whose faults are told. */
const FAULTS_TOLD = 5

/** Where clients are by a coverage file, which is read again when it has changed. One that cannot be read leaves what was read before in force. */
export class CoverageFile {
  readonly #path: string
  readonly #clock: Clock
  readonly #log: Log
  #current: Coverage | undefined
  #mark = ''
  #cancel = () => {}
  #closed = false

  constructor(path: string, clock: Clock, log: Log) {
    this.#path = path
    this.#clock = clock
    this.#log = log
  }

  get current(): Coverage | undefined {
    return this.#current
  }

  /** Reads it, and goes on looking; the first time, it throws where the file cannot be read. */
  async start(): Promise<void> {
    await this.#read()
    this.#later()
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  #later(): void {
    this.#cancel = this.#clock.after(LOOK_MS, () => {
      this.#read()
        .catch((error: Error) =>
          this.#log.warn({ path: this.#path, error: error.message }, 'the coverage file cannot be read'),
        )
        .finally(() => {
          if (!this.#closed) this.#later()
        })
    })
  }

  async #read(): Promise<void> {
    const { mtimeMs, size, ino } = await stat(this.#path)
    const mark = `${mtimeMs} ${size} ${ino}`
    if (mark === this.#mark) return
    const coverage = readCoverage(await readFile(this.#path, 'utf8'))
    this.#mark = mark
    const { refused } = coverage
    // One that is being written, say. Otherwise no client would be known any more.
    const isLost = coverage.size === 0 && refused.length > 0 && this.#current !== undefined
    if (!isLost) this.#current = coverage
    const fields = { path: this.#path, prefixes: coverage.size, refused: refused.length }
    if (refused.length === 0) this.#log.info(fields, 'the coverage file has been read')
    else this.#log.warn({ ...fields, first: refused.slice(0, FAULTS_TOLD) }, 'rows of the coverage file are refused')
  }
}
