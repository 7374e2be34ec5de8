import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { Queue } from '../../runtime/queue/queue.ts'

export interface KeyLoopOptions {
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  /** Most keys worked on in one go. */
  readonly batch: number
  /** Brings keys up to date. Where it rejects, all of them are tried again with back-off. */
  readonly work: (keys: readonly string[]) => Promise<void>
}

/** Works on keys, a batch at a time, until none is left. Retries failed ones with back-off. */
export class KeyLoop {
  readonly #options: KeyLoopOptions
  readonly #queue: Queue
  #working: Promise<void> | undefined
  #closed = false

  constructor(options: KeyLoopOptions) {
    this.#options = options
    this.#queue = new Queue({
      clock: options.clock,
      onReady: () => this.#pump(),
      backoff: { baseMs: 20, capMs: 30_000 },
    })
  }

  add(key: string): void {
    this.#queue.add(key)
  }

  addAfter(key: string, ms: number): void {
    this.#queue.addAfter(key, ms)
  }

  /** Takes no more keys; resolves when the batch under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    this.#queue.close()
    await this.#working
  }

  /** Resolves when no key waits to be worked on now. */
  async idle(): Promise<void> {
    // Keys that were just added are announced in a microtask.
    await Promise.resolve()
    while (this.#working) await this.#working
  }

  #pump(): void {
    this.#working ??= this.#run().finally(() => {
      this.#working = undefined
    })
  }

  async #run(): Promise<void> {
    const { batch, work, log, name } = this.#options
    while (!this.#closed) {
      const keys: string[] = []
      for (
        let key = this.#queue.take();
        key !== undefined;
        key = keys.length < batch ? this.#queue.take() : undefined
      ) {
        keys.push(key)
      }
      if (keys.length === 0) return
      try {
        await work(keys)
        for (const key of keys) this.#queue.forget(key)
      } catch (err) {
        if (this.#closed) return
        for (const key of keys) this.#queue.retry(key)
        log.error({ err, controller: name, keys: keys.slice(0, 5) }, 'cannot bring objects up to date, trying again')
      } finally {
        for (const key of keys) this.#queue.done(key)
      }
    }
  }
}
