import { ConnectError, TimeoutError } from '../../runtime/errors.ts'

/** How long requests that are under way may take to be answered once somebody has pressed Ctrl-C. */
const GRACE_MS = 5000

export interface ExecuteOptions<T, R> {
  /** Items under way at once. */
  readonly concurrency: number
  /** Aborted: nothing more is begun. */
  readonly interrupted: AbortSignal
  /** Called before each wave; what it throws ends the whole. */
  readonly prepare?: (wave: readonly T[]) => Promise<void>
  readonly send: (item: T, signal: AbortSignal) => Promise<R>
  /** Told of what is done, in the order of the items. */
  readonly onDone: (item: T, result: R) => Promise<void>
}

/** What was done and what was not: every item is in exactly one list. */
export interface Execution<T> {
  readonly done: readonly T[]
  /** Sent, but not answered: it may have been carried out. */
  readonly unknown: readonly T[]
  /** Not done. */
  readonly pending: readonly T[]
  /** The first thing that went wrong, and with what. Interruption is not one. */
  readonly failure: { readonly item: T | undefined; readonly error: unknown } | undefined
}

/**
 * Carries out waves one after the other. After a failure or an interruption nothing more is begun; what is under way is waited for, so
 * that it is known what was done.
 */
export async function execute<T, R>(
  waves: readonly (readonly T[])[],
  options: ExecuteOptions<T, R>,
): Promise<Execution<T>> {
  const { interrupted } = options
  const cut = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const onInterrupt = () => {
    timer = setTimeout(() => cut.abort(interrupted.reason), GRACE_MS)
  }
  if (interrupted.aborted) onInterrupt()
  interrupted.addEventListener('abort', onInterrupt, { once: true })
  const work = new Work(options, cut.signal)
  try {
    for (const wave of waves) if (!work.stopped) await work.run(wave)
  } finally {
    clearTimeout(timer)
    interrupted.removeEventListener('abort', onInterrupt)
  }
  return work.outcome(waves.flat())
}

class Work<T, R> {
  readonly #options: ExecuteOptions<T, R>
  readonly #signal: AbortSignal
  readonly #done = new Set<T>()
  readonly #unknown = new Set<T>()
  #failure: Execution<T>['failure']

  constructor(options: ExecuteOptions<T, R>, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
  }

  get stopped(): boolean {
    return this.#failure !== undefined || this.#options.interrupted.aborted
  }

  async run(wave: readonly T[]): Promise<void> {
    const { concurrency, prepare } = this.#options
    try {
      await prepare?.(wave)
    } catch (error) {
      if (!this.#options.interrupted.aborted) this.#failure = { item: undefined, error }
      return
    }
    const results = new Map<T, R>()
    const tell = new InOrder(wave, results, this.#options.onDone)
    let next = 0
    const lane = async () => {
      while (next < wave.length && !this.stopped) {
        const item = wave[next++]!
        await this.#one(item, results)
        await tell.what(false)
      }
    }
    await Promise.all(Array.from({ length: Math.min(concurrency, wave.length) }, lane))
    await tell.what(true)
  }

  async #one(item: T, results: Map<T, R>): Promise<void> {
    try {
      results.set(item, await this.#options.send(item, this.#signal))
      this.#done.add(item)
    } catch (error) {
      const unanswered = (error instanceof ConnectError && error.sent) || error instanceof TimeoutError
      if (unanswered || this.#signal.aborted) this.#unknown.add(item)
      if (!this.#signal.aborted) this.#failure ??= { item, error }
    }
  }

  outcome(items: readonly T[]): Execution<T> {
    return {
      done: items.filter((item) => this.#done.has(item)),
      unknown: items.filter((item) => this.#unknown.has(item)),
      pending: items.filter((item) => !this.#done.has(item) && !this.#unknown.has(item)),
      failure: this.#failure,
    }
  }
}

/** Tells of results in the order of their items, although they come in any. */
class InOrder<T, R> {
  readonly #items: readonly T[]
  readonly #results: ReadonlyMap<T, R>
  readonly #tell: (item: T, result: R) => Promise<void>
  #at = 0
  #telling: Promise<void> = Promise.resolve()

  constructor(items: readonly T[], results: ReadonlyMap<T, R>, tell: (item: T, result: R) => Promise<void>) {
    this.#items = items
    this.#results = results
    this.#tell = tell
  }

  /** Tells of all results up to the first that is missing; `all`: of those behind it too. */
  what(all: boolean): Promise<void> {
    this.#telling = this.#telling.then(async () => {
      for (; this.#at < this.#items.length; this.#at++) {
        const item = this.#items[this.#at]!
        if (this.#results.has(item)) await this.#tell(item, this.#results.get(item)!)
        else if (!all) return
      }
    })
    return this.#telling
  }
}
