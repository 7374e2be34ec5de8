import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Clock, sleep } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { errorCode, type FileIo } from '../file-io.ts'
import type { Tuning } from '../tuning.ts'
import { RateLimit } from './rate-limit.ts'
import type { ContentStore } from './store.ts'

export interface ScrubberOptions {
  readonly io: FileIo
  readonly clock: Clock
  readonly log: Log
  readonly store: ContentStore
  readonly tuning: Tuning
  /** Where it notes how far it has come, so that a reboot does not begin anew. */
  readonly folder: string
  /** A held file is not what it was. */
  readonly onRotten: (sha256: string, message: string) => Promise<void>
  readonly counters: ScrubCounters
}

export interface ScrubCounters {
  scrubbedBytes: number
  passes: number
}

interface Place {
  /** Files up to this one, in the order of their sha256, have been read in this pass. */
  readonly after: string
  /** When the pass began, ms since the epoch. */
  readonly startedAtMs: number
}

const READ_BYTES = 256 * 1024
/** Comes after every sha256: the pass is through. */
const ALL = 'g'
const NOTE_EVERY_MS = 30_000

/** Reads held files again, slowly, for ever: what a disk has forgotten is found before a client asks for it. */
export class Scrubber {
  readonly #options: ScrubberOptions
  readonly #abort = new AbortController()
  readonly #rate: RateLimit
  #running: Promise<void> | undefined
  #notedAtMs = 0

  constructor(options: ScrubberOptions) {
    this.#options = options
    this.#rate = new RateLimit(options.clock, options.tuning.scrubBytesPerSecond)
  }

  start(): void {
    this.#running = this.#run().catch((err) => {
      if (!this.#abort.signal.aborted) this.#options.log.error({ err }, 'scrubbing has ended')
    })
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('closed'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, tuning, counters } = this.#options
    let place = await this.#load()
    for (;;) {
      if (place.after !== ALL) {
        await this.#pass(place)
        counters.passes++
      }
      const restMs = place.startedAtMs + tuning.scrubIntervalMs - clock.now().getTime()
      await sleep(clock, Math.min(tuning.scrubIntervalMs, Math.max(1000, restMs)), this.#abort.signal)
      place = { after: '', startedAtMs: clock.now().getTime() }
    }
  }

  async #pass(place: Place): Promise<void> {
    const { store } = this.#options
    const names = [...store.held()].map(([sha256]) => sha256).filter((sha256) => sha256 > place.after)
    for (const sha256 of names.sort()) {
      this.#abort.signal.throwIfAborted()
      const trouble = await this.#check(sha256)
      if (trouble !== undefined && store.has(sha256)) await this.#options.onRotten(sha256, trouble)
      await this.#note({ ...place, after: sha256 })
    }
    await this.#note({ ...place, after: ALL }, true)
  }

  /** What is wrong with a held file; undefined when nothing is, or it is not held any more. */
  async #check(sha256: string): Promise<string | undefined> {
    const { io, store, counters } = this.#options
    try {
      const file = await io.openRead(store.contentPath(sha256))
      try {
        const hash = createHash('sha256')
        const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(1, store.sizeOf(sha256) ?? 0) + 1))
        for (let at = 0; ; ) {
          const read = await file.read(buffer, at)
          if (read === 0) break
          at += read
          hash.update(buffer.subarray(0, read))
          counters.scrubbedBytes += read
          await this.#rate.take(read, this.#abort.signal)
        }
        return hash.digest('hex') === sha256 ? undefined : 'the bytes on disk no longer match their sha256'
      } finally {
        await file.close()
      }
    } catch (error) {
      this.#abort.signal.throwIfAborted()
      // Evicted while we looked: then it is not held, and nothing is wrong.
      const code = errorCode(error)
      return code === 'ENOENT' ? 'the bytes on disk are gone' : `the disk cannot read its bytes (${code ?? error})`
    }
  }

  async #load(): Promise<Place> {
    const { io, clock, folder } = this.#options
    const fresh = { after: '', startedAtMs: clock.now().getTime() }
    try {
      const bytes = await io.readFile(join(folder, 'scrub.json'))
      const place = bytes && (JSON.parse(new TextDecoder().decode(bytes)) as Partial<Place>)
      const isSound = typeof place?.after === 'string' && Number.isFinite(place.startedAtMs)
      return isSound ? (place as Place) : fresh
    } catch {
      return fresh
    }
  }

  async #note(place: Place, now = false): Promise<void> {
    const { io, clock, folder, log } = this.#options
    const nowMs = clock.monotonicMs()
    if (!now && nowMs - this.#notedAtMs < NOTE_EVERY_MS) return
    this.#notedAtMs = nowMs
    try {
      await io.replaceFile(join(folder, 'scrub.json'), new TextEncoder().encode(`${JSON.stringify(place)}\n`))
    } catch (err) {
      log.warn({ err }, 'cannot note how far scrubbing has come')
    }
  }
}
