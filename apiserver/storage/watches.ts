import { StoreError } from './errors.ts'
import type { History } from './history.ts'
import { inPrefix, prefixesOf } from './keys.ts'
import type { EventBatch, StoreEvent, Watch, WatchSink } from './store.ts'

/** Most events handed over at once while catching up, so that a sink can say early that it is full. */
const replayLength = 256
/**
 * What is committed within this time, in milliseconds, is handed to a crowd in one batch: writing to one more connection costs some 20 µs,
 * one more event in the same write next to nothing.
 */
const gatherMs = 10
/** So many watchers of one prefix are a crowd. Fewer are told at once. */
const crowdSize = 64

/** The watches of a store, by prefix: publishing costs what the watchers of the changed keys cost, however many others there are. */
export class Watches {
  readonly #history: History
  readonly #groups = new Map<string, Group>()
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
    let group = this.#groups.get(prefix)
    if (!group) {
      group = { prefix, watchers: new Set(), gathered: [], timer: undefined }
      this.#groups.set(prefix, group)
    }
    const watcher: Watcher = { group, sink, revision: afterRevision, state: 'live' }
    group.watchers.add(watcher)
    this.#catchUp(watcher)
    const handed = () => this.#handedTo(watcher)
    return {
      get revision() {
        return handed()
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
      if (group.watchers.size < crowdSize && group.gathered.length === 0) this.#handAll(group, batch)
      else {
        group.gathered.push(...batch)
        group.timer ??= setTimeout(() => this.#flush(group), gatherMs)
      }
    }
    for (const watcher of this.#full) {
      if (watcher.revision < this.#history.compactedRevision) this.#end(watcher, 'Compacted')
    }
  }

  endAll(): void {
    for (const group of this.#groups.values()) {
      this.#flush(group)
      for (const watcher of group.watchers) this.#end(watcher, 'Closed')
    }
  }

  #route(events: EventBatch): Map<Group, StoreEvent[]> {
    const batches = new Map<Group, StoreEvent[]>()
    if (this.#groups.size === 0) return batches
    for (const event of events) {
      for (const prefix of prefixesOf(event.key)) {
        const group = this.#groups.get(prefix)
        if (!group) continue
        const batch = batches.get(group)
        if (batch) batch.push(event)
        else batches.set(group, [event])
      }
    }
    return batches
  }

  #flush(group: Group): void {
    clearTimeout(group.timer)
    group.timer = undefined
    const batch = group.gathered
    group.gathered = []
    if (batch.length > 0) this.#handAll(group, batch)
  }

  #handAll(group: Group, batch: EventBatch): void {
    const first = batch[0]!.revision
    const last = batch.at(-1)!.revision
    for (const watcher of group.watchers) {
      if (watcher.state !== 'live' || watcher.revision >= last) continue
      // A watch that has begun, or caught up, since the first was committed has part of it already.
      const missing = watcher.revision < first ? batch : batch.filter((event) => event.revision > watcher.revision)
      this.#hand(watcher, missing)
    }
  }

  #handedTo({ group, state, revision }: Watcher): number {
    if (state !== 'live') return revision
    const next = group.gathered[0]?.revision ?? this.#revision + 1
    return Math.max(revision, next - 1)
  }

  #catchUp(watcher: Watcher): void {
    const target = this.#revision
    if (watcher.revision >= target) return
    const { prefix } = watcher.group
    const missed: StoreEvent[] = []
    for (const event of this.#history.after(watcher.revision)) if (inPrefix(event.key, prefix)) missed.push(event)
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
    const { group } = watcher
    group.watchers.delete(watcher)
    if (group.watchers.size === 0) {
      clearTimeout(group.timer)
      this.#groups.delete(group.prefix)
    }
    return true
  }
}

/** All watchers of one prefix. */
interface Group {
  readonly prefix: string
  readonly watchers: Set<Watcher>
  /** Committed, to be handed over when the timer fires. */
  gathered: StoreEvent[]
  timer: NodeJS.Timeout | undefined
}

interface Watcher {
  readonly group: Group
  readonly sink: WatchSink
  /** Handed over up to here, at least. */
  revision: number
  state: 'live' | 'full' | 'ended'
}
