import type { FileFailure } from '../../crds/types.gen.ts'
import { backoffMs } from '../../runtime/backoff.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Tuning } from '../tuning.ts'
import type { FillError } from './fill-error.ts'
import type { WantedFile } from './view.ts'

/** What is known of a file that did not come at the first attempt. */
interface Trouble {
  attempts: number
  reason: string
  message: string
  source: string | undefined
  /** By URL: when it may be asked there again, and how often it has failed there. */
  readonly retries: Map<string, { failures: number; atMs: number }>
}

export interface TroublesOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly tuning: Tuning
}

/** A peer that answered 404 is not asked for that file again for a while. */
const MISS_MS = 15_000

/** Files that failed: how often, why, and where and when they may be tried again. */
export class Troubles {
  readonly #options: TroublesOptions
  readonly #troubles = new Map<string, Trouble>()

  constructor(options: TroublesOptions) {
    this.#options = options
  }

  /** Notes a failure, at a URL where one was asked. Gives the wait until the next try, ms. */
  note(sha256: string, { reason, message }: Pick<FillError, 'reason' | 'message'>, url: string | undefined): number {
    const trouble = this.#of(sha256)
    trouble.attempts++
    Object.assign(trouble, { reason, message, source: url })
    if (url === undefined) return this.#backoffMs(trouble.attempts)
    const failures = (trouble.retries.get(url)?.failures ?? 0) + 1
    const waitMs = this.#backoffMs(failures)
    trouble.retries.set(url, { failures, atMs: this.#options.clock.monotonicMs() + waitMs })
    return waitMs
  }

  /** Notes what trying again will not change: it is told at once. */
  noteForGood(sha256: string, failure: Pick<FillError, 'reason' | 'message'>): void {
    this.note(sha256, failure, undefined)
    this.#of(sha256).attempts += this.#options.tuning.failingAfterAttempts
  }

  /** The source does not have it: no failure, but no use in asking again soon. */
  noteMiss(sha256: string, url: string): void {
    this.#of(sha256).retries.set(url, { failures: 0, atMs: this.#options.clock.monotonicMs() + MISS_MS })
  }

  forget(sha256: string): void {
    this.#troubles.delete(sha256)
  }

  /** Forgets files that are not wanted; of the others, where they failed, for origins may have moved. */
  reset(isWanted: (sha256: string) => boolean): void {
    for (const [sha256, { retries }] of this.#troubles) {
      if (isWanted(sha256)) retries.clear()
      else this.#troubles.delete(sha256)
    }
  }

  /** When a file may be asked for at a URL again, monotonic ms; 0 when it has not failed there. */
  retryAtMs(sha256: string, url: string): number {
    return this.#troubles.get(sha256)?.retries.get(url)?.atMs ?? 0
  }

  isFailing(sha256: string): boolean {
    return (this.#troubles.get(sha256)?.attempts ?? 0) >= this.#options.tuning.failingAfterAttempts
  }

  /** Files that have failed often enough to be told of, under all of their names, in no order. */
  failures(wanted: ReadonlyMap<string, WantedFile>): FileFailure[] {
    const failures: FileFailure[] = []
    for (const [sha256, { attempts, reason, message, source }] of this.#troubles) {
      if (!this.isFailing(sha256)) continue
      for (const { view, file } of wanted.get(sha256)?.names ?? []) {
        const { path } = file
        failures.push({ path, catalog: view.catalog, reason, message, ...(source && { source }), attempts })
      }
    }
    return failures
  }

  #of(sha256: string): Trouble {
    let trouble = this.#troubles.get(sha256)
    if (!trouble) {
      trouble = { attempts: 0, reason: '', message: '', source: undefined, retries: new Map() }
      this.#troubles.set(sha256, trouble)
    }
    return trouble
  }

  #backoffMs(failures: number): number {
    const { tuning, random } = this.#options
    return backoffMs(failures, { baseMs: tuning.retryBaseMs, capMs: tuning.retryCapMs, random })
  }
}
