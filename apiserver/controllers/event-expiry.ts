import type { Log } from '../../runtime/log.ts'
import type { Api } from '../api.ts'
import { asObject, at } from '../json.ts'
import { keyPrefix } from '../storage/keys.ts'

const everyMs = 60_000
/** As long as Kubernetes keeps Events. */
const keptMs = 60 * 60 * 1000
const perTransaction = 500
const prefix = keyPrefix('', 'events')

/** Deletes Events an hour after they were last written to, so that they do not fill the disk. */
export class EventExpiry {
  readonly #api: Api
  readonly #log: Log
  #cancel = () => {}
  #stopped = false

  constructor(api: Api, log: Log) {
    this.#api = api
    this.#log = log
  }

  start(): void {
    this.#cancel = this.#api.clock.after(everyMs, () => {
      this.sweep()
        .catch((err: unknown) => this.#log.error({ err }, 'cannot expire Events'))
        .finally(() => this.#stopped || this.start())
    })
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** Deletes what has expired by now; resolves with how many. */
  async sweep(): Promise<number> {
    const before = this.#api.clock.now().getTime() - keptMs
    const expired = this.#api.store.range(prefix).items.filter((e) => lastSeen(asObject(e.value)) < before)
    for (let i = 0; i < expired.length && !this.#stopped; i += perTransaction) {
      await this.#api.store.transact((tx) => {
        for (const event of expired.slice(i, i + perTransaction)) {
          if (tx.get(event.key)?.modRevision === event.modRevision) tx.delete(event.key)
        }
      })
    }
    return expired.length
  }
}

/** When an event was last heard of, in ms since 1970. */
function lastSeen(event: ReturnType<typeof asObject>): number {
  const times = [
    event.metadata.creationTimestamp,
    event.lastTimestamp,
    event.eventTime,
    at(event, 'series', 'lastObservedTime'),
  ]
  return Math.max(0, ...times.map((t) => (typeof t === 'string' ? Date.parse(t) || 0 : 0)))
}
