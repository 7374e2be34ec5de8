import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Address } from '../../reconcilers/steering/address.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Counters } from '../counters.ts'
import type { Steered } from '../steerer.ts'
import { DecisionLines } from './decision-lines.ts'

export interface DecisionLogOptions {
  readonly world: World
  /** Whether an appliance does not answer. */
  readonly isDown: (appliance: string) => boolean
  /** The file that is written; those that were put aside are beside it, with a number. */
  readonly path: string
  /** Put aside at this length of decisions; names and loads come to it. 64 MiB unless told. */
  readonly maxBytes?: number
  /** How many of those are kept. 8 unless told. */
  readonly keep?: number
  /** Share of decisions that are logged, 0…1: of every one so many. 1 unless told. */
  readonly share?: number
  readonly clock: Clock
  readonly log: Log
  readonly counters: Counters
}

/** Lines wait until there are so many bytes, or for so long. */
const FLUSH_BYTES = 32 * 1024
const FLUSH_MS = 500
/** A file that could not be written, as the disk was full, is opened again after so long. */
const RETRY_MS = 5000
/** What waits for a disk that does not keep up; more is not logged, and counted. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024
/** How busy appliances are is told so often at most, and only when so many times as many bytes of decisions have been told since. */
const LOADS_EVERY_MS = 10_000
const LOADS_SHARE = 8

/**
 * Decisions as lines, in files of bounded length and number: what was asked for which network, with which chances, and who was named; and how busy appliances
 * are on the way. Never holds an answer up. For the lines see `DecisionLines`. The client's address is cut to its network: 24 bits, or 48 of IPv6.
 */
export class DecisionLog {
  readonly #options: Required<Pick<DecisionLogOptions, 'path' | 'maxBytes' | 'keep' | 'share'>> & DecisionLogOptions
  #file: WriteStream
  #bytes: number
  #lines = ''
  readonly #text: DecisionLines
  readonly #every: number
  #loadsAtMs = Number.NEGATIVE_INFINITY
  #loadsBytes = 0
  #sinceLoads = 0
  /** Appliances that answer or do not since the last decision. */
  readonly #changed = new Map<string, boolean>()
  /** Of what waits to be written, what does not count towards the length of a file: names and loads, which are bounded by themselves. */
  #uncounted = 0
  #count = 0
  #cancel: (() => void) | undefined
  #rotating: Promise<void> | undefined
  #failedAtMs = 0

  private constructor(options: DecisionLogOptions, file: WriteStream, bytes: number) {
    this.#options = { maxBytes: 64 * 1024 * 1024, keep: 8, share: 1, ...options }
    this.#file = file
    this.#bytes = bytes
    this.#every = Math.max(1, Math.round(1 / this.#options.share))
    this.#text = new DecisionLines(options.world)
    this.#lines = this.#text.head(this.#every)
    this.#uncounted = this.#lines.length
    this.#watch(file)
  }

  /** Goes on with the file that is there. Rejects where its folder cannot be made. */
  static async open(options: DecisionLogOptions): Promise<DecisionLog> {
    await mkdir(dirname(options.path), { recursive: true })
    const bytes = await stat(options.path).then(
      ({ size }) => size,
      () => 0,
    )
    return new DecisionLog(options, createWriteStream(options.path, { flags: 'a', mode: 0o600 }), bytes)
  }

  add(steered: Steered, address: Readonly<Address>): void {
    if (this.#count++ % this.#every !== 0) return
    const { counters, clock } = this.#options
    if (this.#lines.length + this.#file.writableLength > MAX_WAITING_BYTES) {
      counters.decisionsNotLogged++
      return
    }
    const nowMs = clock.now().getTime()
    if (this.#changed.size > 0) {
      const health = this.#text.health(this.#changed, nowMs)
      this.#changed.clear()
      this.#lines += health
      this.#uncounted += health.length
    }
    const line = this.#text.decision(steered, address, nowMs)
    this.#lines += line
    this.#sinceLoads += line.length
    counters.decisionsLogged++
    // After the decision: what it has sent counts.
    if (nowMs - this.#loadsAtMs >= LOADS_EVERY_MS && this.#sinceLoads >= LOADS_SHARE * this.#loadsBytes)
      this.#addLoads(nowMs)
    if (this.#lines.length >= FLUSH_BYTES) this.#flush()
    else this.#cancel ??= clock.after(FLUSH_MS, () => this.#flush())
  }

  /** Steering no longer names an appliance (`namespace/name`) as it does not answer, or does so again. */
  noteUp(appliance: string, up: boolean): void {
    this.#changed.set(appliance, up)
  }

  #addLoads(nowMs: number): void {
    const loads = this.#text.loads(this.#options.isDown, nowMs)
    this.#lines += loads
    this.#uncounted += loads.length
    this.#loadsAtMs = nowMs
    this.#loadsBytes = loads.length
    this.#sinceLoads = 0
  }

  async close(): Promise<void> {
    this.#flush()
    await this.#rotating
    this.#flush()
    await this.#rotating
    await ended(this.#file)
    this.#cancel?.()
  }

  #flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#rotating || this.#lines === '') return
    if (this.#file.destroyed) {
      // What is decided meanwhile waits.
      const { clock } = this.#options
      const leftMs = this.#failedAtMs + RETRY_MS - clock.monotonicMs()
      if (leftMs > 0) {
        this.#cancel = clock.after(leftMs, () => this.#flush())
        return
      }
      this.#begin()
    }
    const lines = this.#lines
    this.#lines = ''
    this.#bytes += lines.length - this.#uncounted
    this.#uncounted = 0
    this.#file.write(lines)
    if (this.#bytes >= this.#options.maxBytes) this.#rotating = this.#rotate()
  }

  /** Puts the file aside under the next number, and begins anew; what is decided meanwhile waits. */
  async #rotate(): Promise<void> {
    const { path, keep, log } = this.#options
    try {
      await ended(this.#file)
      const numbers = await numbersOf(path)
      await rename(path, `${path}.${(numbers.at(-1) ?? 0) + 1}`)
      for (const number of numbers.slice(0, Math.max(0, numbers.length + 1 - keep)))
        await rm(`${path}.${number}`, { force: true })
    } catch (error) {
      log.error({ path, error: (error as Error).message }, 'the log of decisions cannot be put aside')
    }
    this.#bytes = 0
    this.#begin()
    this.#rotating = undefined
  }

  #begin(): void {
    this.#file = createWriteStream(this.#options.path, { flags: 'a', mode: 0o600 })
    this.#watch(this.#file)
    const head = this.#text.head(this.#every)
    this.#lines = `${head}${this.#lines}`
    this.#uncounted += head.length
    this.#loadsAtMs = Number.NEGATIVE_INFINITY
    this.#loadsBytes = 0
  }

  #watch(file: WriteStream): void {
    file.on('error', (error) => {
      this.#failedAtMs = this.#options.clock.monotonicMs()
      this.#options.log.error({ error: error.message }, 'decisions cannot be logged')
    })
  }
}

function ended(file: WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (file.destroyed) resolve()
    else file.once('close', () => resolve()).end()
  })
}

/** Numbers of the files that were put aside, rising. */
export async function numbersOf(path: string): Promise<number[]> {
  const name = `${basename(path)}.`
  const names = await readdir(join(path, '..'))
  return names
    .filter((each) => each.startsWith(name) && /^\d+$/.test(each.slice(name.length)))
    .map((each) => Number(each.slice(name.length)))
    .sort((a, b) => a - b)
}
