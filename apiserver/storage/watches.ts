import { StoreError } from './errors.ts'
import type { History } from './history.ts'
import { inPrefix, prefixesOf } from './keys.ts'
import type { EventBatch, StoreEvent, Watch, WatchSink } from './store.ts'

/** Most events handed over at once while catching up, so that a sink can say early that it is full. */
const replayLength = 256

/** The watches of a store, by prefix: publishing costs what the watchers of the changed keys cost, however many others there are. */
export class Watches {
  readonly #history: History
  readonly #byPrefix = new Map<string, Set<Watcher>>()
  readonly #full = new Set<Watcher>()
  #revision: number

  constructor(history: History, revision: number) {
    this.#history = history
    this.#revision = revision
  }

  add(prefix: string, afterRevision: number, sink: WatchSink): Watch {
    if (afterRevision < this.#history.compactedRevision) {
      const oldest = this.#history.compactedRevision
      throw new StoreError('Compacted', `revision ${afterRevision} is older than ${oldest}, the oldest kept`)
    }
    const watcher: Watcher = { prefix, sink, revision: afterRevision, state: 'live' }
    const group = this.#byPrefix.get(prefix)
    if (group) group.add(watcher)
    else this.#byPrefix.set(prefix, new Set([watcher]))
    this.#catchUp(watcher)
    const current = () => this.#revision
    return {
      get revision() {
        return watcher.state === 'live' ? current() : watcher.revision
      },
      resume: () => {
        if (!this.#full.delete(watcher)) return
        watcher.state = 'live'
        this.#catchUp(watcher)
      },
      close: () => this.#remove(watcher),
    }
  }

  /** Hands committed events, which are in the history already, to whoever watches their keys. */
  publish(events: EventBatch): void {
    const last = events.at(-1)
    if (!last) return
    this.#revision = last.revision
    for (const [group, batch] of this.#route(events)) {
      for (const watcher of group) {
        // A watch that another sink has begun just now has caught up by itself.
        if (watcher.state === 'live' && watcher.revision < last.revision) this.#hand(watcher, batch)
      }
    }
    for (const watcher of this.#full)
      if (watcher.revision < this.#history.compactedRevision) this.#end(watcher, 'Compacted')
  }

  endAll(): void {
    for (const group of this.#byPrefix.values()) for (const watcher of group) this.#end(watcher, 'Closed')
  }

  #route(events: EventBatch): Map<Set<Watcher>, StoreEvent[]> {
    const batches = new Map<Set<Watcher>, StoreEvent[]>()
    if (this.#byPrefix.size === 0) return batches
    for (const event of events) {
      for (const prefix of prefixesOf(event.key)) {
        const group = this.#byPrefix.get(prefix)
        if (!group) continue
        const batch = batches.get(group)
        if (batch) batch.push(event)
        else batches.set(group, [event])
      }
    }
    return batches
  }

  #catchUp(watcher: Watcher): void {
    const target = this.#revision
    if (watcher.revision >= target) return
    const missed: StoreEvent[] = []
    for (const event of this.#history.after(watcher.revision))
      if (inPrefix(event.key, watcher.prefix)) missed.push(event)
    for (let i = 0; i < missed.length && watcher.state === 'live'; i += replayLength) {
      this.#hand(watcher, missed.slice(i, i + replayLength))
    }
    if (watcher.state === 'live') watcher.revision = target
  }

  #hand(watcher: Watcher, batch: EventBatch): void {
    watcher.revision = batch.at(-1)!.revision
    let room = false
    try {
      room = watcher.sink.events(batch)
    } catch (error) {
      // A sink that throws is a bug of its owner: its watch ends, the bug surfaces, the commit and the other watches go on.
      this.#end(watcher, 'Closed')
      setImmediate(() => {
        throw error
      })
      return
    }
    if (!room && watcher.state === 'live') {
      watcher.state = 'full'
      this.#full.add(watcher)
    }
  }

  #end(watcher: Watcher, reason: 'Compacted' | 'Closed'): void {
    if (this.#remove(watcher)) watcher.sink.end(reason)
  }

  #remove(watcher: Watcher): boolean {
    if (watcher.state === 'ended') return false
    watcher.state = 'ended'
    this.#full.delete(watcher)
    const group = this.#byPrefix.get(watcher.prefix)
    group?.delete(watcher)
    if (group?.size === 0) this.#byPrefix.delete(watcher.prefix)
    return true
  }
}

interface Watcher {
  readonly prefix: string
  readonly sink: WatchSink
  /** Handed over up to here, at least: a live one has everything. */
  revision: number
  state: 'live' | 'full' | 'ended'
}
