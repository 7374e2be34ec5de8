import type { Log } from '../../runtime/log.ts'
import type { Store, StoreEvent, Watch } from '../storage/store.ts'

/** Takes every committed write of the server; must not throw. */
export type Listener = (event: StoreEvent) => void

/** One watch over everything, for the controllers inside the server. */
export class Feed {
  readonly #listeners: Listener[] = []
  readonly #log: Log
  #watch: Watch | undefined

  constructor(log: Log) {
    this.#log = log
  }

  add(listener: Listener): void {
    this.#listeners.push(listener)
  }

  /** Starts after `revision`: listeners have seen the state of then. */
  start(store: Store, revision: number): void {
    this.#watch = store.watch('/', revision, {
      events: (batch) => {
        for (const event of batch) for (const listener of this.#listeners) listener(event)
        return true
      },
      end: (reason) => {
        // Never full, so never behind.
        if (reason === 'Compacted') this.#log.error({}, 'the controllers fell behind the history')
      },
    })
  }

  stop(): void {
    this.#watch?.close()
  }
}
