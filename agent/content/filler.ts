import type { FileFailure } from '../../crds/types.gen.ts'
import { chooseSource } from '../../reconcilers/agent/choose-source.ts'
import { backoffMs } from '../../runtime/backoff.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { type Delayed, DelayHeap } from '../../runtime/queue/delay-heap.ts'
import type { Fetcher } from '../fetch/fetcher.ts'
import type { FileIo } from '../file-io.ts'
import type { Tuning } from '../tuning.ts'
import { download } from './download.ts'
import { FillError, fillErrorOf } from './fill-error.ts'
import type { RateLimit } from './rate-limit.ts'
import type { Room } from './room.ts'
import type { Offer, Sources } from './sources.ts'
import type { ContentStore } from './store.ts'
import type { WantedFile } from './view.ts'

export interface FillerOptions {
  readonly io: FileIo
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly tuning: Tuning
  readonly fetcher: Fetcher
  readonly store: ContentStore
  readonly sources: Sources
  readonly rate: RateLimit
  readonly room: Room
  readonly counters: FillCounters
  /** A file has become held. */
  readonly onHeld: (sha256: string) => void
  /** Something that the status tells has changed. */
  readonly onChange: () => void
}

/** What has happened since the agent started. */
export interface FillCounters {
  filled: number
  filledBytes: { peer: number; parent: number; origin: number }
  failures: Map<string, number>
}

/** What filling looks like now. */
export interface FillProgress {
  readonly missingFiles: number
  /** Bytes still to be fetched. */
  readonly missingBytes: number
  /** Bytes that have no room; 0 when there is room, or nothing to fetch. */
  readonly shortBytes: number
  /** The source of the file that was started last. */
  readonly lastSource: string | undefined
}

/** What is known of a file that did not come at the first attempt. */
interface Trouble {
  attempts: number
  reason: string
  message: string
  source: string | undefined
  /** By URL: when it may be asked there again, and how often it has failed there. */
  readonly retries: Map<string, { failures: number; atMs: number }>
}

interface Waiting extends Delayed {
  readonly sha256: string
}

interface Transfer {
  readonly file: WantedFile
  readonly abort: AbortController
  readonly done: Promise<void>
}

/** Where there is nothing to fetch: empty files, and partial files that are whole. */
const NOWHERE: Offer = { source: 'nowhere', kind: 'origin', tier: 0, url: '' }
/** Files looked at in one go although their sources are to be left alone. */
const MAX_SKIPPED = 256
/** A peer that answered 404 is not asked for that file again for a while. */
const MISS_MS = 15_000
/** Whole files that wait to be made durable: each has a descriptor open. */
const MAX_COMMIT_BACKLOG = 512

/** Fetches what is wanted and not held, in order, until all of it is. Owns retry, and who is asked. */
export class Filler {
  readonly #options: FillerOptions
  #wanted: ReadonlyMap<string, WantedFile> = new Map()
  /** Missing files, in order; `#next` is the first that was not looked at. */
  #queue: WantedFile[] = []
  #next = 0
  /** To be looked at before the queue. */
  readonly #front: string[] = []
  readonly #waiting = new DelayHeap<Waiting>()
  readonly #waitingBySha = new Map<string, Waiting>()
  readonly #trouble = new Map<string, Trouble>()
  readonly #transfers = new Map<string, Transfer>()
  /** Whole, on their way to being durable. */
  readonly #committing = new Map<string, Promise<void>>()
  /** By partial file: who sent its bytes; absent where an earlier run began it. */
  readonly #contributors = new Map<string, Set<string>>()
  #open = false
  #closed = false
  #missingFiles = 0
  #missingBytes = 0
  #lastSource: string | undefined
  /** The file that has no room. `refusedBytes`: the disk itself refused so many. */
  #blocked: { sha256: string; untilMs: number; refusedBytes: number } | undefined
  /** The disk has refused bytes: one file at a time, until one has gone through. */
  #probing = false
  #cancelTimer: () => void = () => {}
  #pumping = false

  constructor(options: FillerOptions) {
    this.#options = options
    options.store.expectsMore = () => this.#transfers.size > 0
  }

  /** Sets what to hold; `order` has the same files, the first to be fetched first. What is no longer wanted is dropped, its partial bytes too. */
  async setWanted(wanted: ReadonlyMap<string, WantedFile>, order: readonly WantedFile[]): Promise<void> {
    const { store } = this.#options
    this.#wanted = wanted
    this.#front.length = 0
    this.#blocked = undefined
    for (const [sha256, waiting] of this.#waitingBySha) if (!wanted.has(sha256)) this.#unwait(waiting)
    for (const sha256 of this.#trouble.keys()) if (!wanted.has(sha256)) this.#trouble.delete(sha256)
    // Bases of origins may have changed: what failed there says nothing about the new ones.
    for (const { retries } of this.#trouble.values()) retries.clear()
    this.#queue = order.filter(({ sha256 }) => !store.has(sha256))
    this.#next = 0
    this.#missingFiles = this.#queue.length
    this.#missingBytes = this.#queue.reduce((sum, { size }) => sum + size, 0)
    const dropped = [...this.#transfers.values()].filter(({ file }) => !wanted.has(file.sha256))
    for (const { abort } of dropped) abort.abort()
    await Promise.all(dropped.map(({ done }) => done))
    for (const sha256 of [...store.partials()]) {
      if (!wanted.has(sha256) && !this.#transfers.has(sha256) && !this.#committing.has(sha256)) {
        await store.discardPartial(sha256)
      }
    }
    this.kick()
  }

  /** Opens or closes the fill window. Closing breaks off what is under way; its bytes are kept. */
  setOpen(open: boolean): void {
    if (this.#open === open) return
    this.#open = open
    if (!open) for (const { abort } of this.#transfers.values()) abort.abort()
    this.kick()
  }

  /** A held file is no longer held: it is fetched again, before all others. */
  refill(sha256: string, reason: string, message: string): void {
    const file = this.#wanted.get(sha256)
    if (!file) return
    this.#missingFiles++
    this.#missingBytes += file.size
    // As bad as a failure that came again: it is told at once.
    const attempts = Math.max(1, this.#options.tuning.failingAfterAttempts)
    this.#trouble.set(sha256, { attempts, reason, message, source: undefined, retries: new Map() })
    this.#front.push(sha256)
    this.kick()
  }

  progress(): FillProgress {
    const { store, room } = this.#options
    let partial = 0
    for (const sha256 of store.partials())
      if (this.#wanted.has(sha256) && !store.has(sha256)) partial += store.partialBytes(sha256)
    const missingBytes = Math.max(0, this.#missingBytes - partial)
    const short = missingBytes - room.freeBytes - this.#outstanding()
    return {
      missingFiles: this.#missingFiles,
      missingBytes,
      shortBytes: this.#blocked ? Math.max(1, this.#blocked.refusedBytes, short) : 0,
      lastSource: this.#lastSource,
    }
  }

  /** Files whose last attempts failed, in no order. */
  failures(): FileFailure[] {
    const { failingAfterAttempts } = this.#options.tuning
    const failures: FileFailure[] = []
    for (const [sha256, { attempts, reason, message, source }] of this.#trouble) {
      if (attempts < failingAfterAttempts) continue
      for (const { view, file } of this.#wanted.get(sha256)?.names ?? []) {
        const { path } = file
        failures.push({ path, catalog: view.catalog, reason, message, ...(source && { source }), attempts })
      }
    }
    return failures
  }

  /** There may be room again. */
  roomChanged(): void {
    if (!this.#blocked) return
    this.#blocked = undefined
    this.kick()
  }

  /** Looks whether more can be started. */
  kick(): void {
    // Not re-entrant: what starts a transfer may kick again.
    if (this.#pumping || this.#closed) return
    this.#pumping = true
    try {
      this.#pump()
    } finally {
      this.#pumping = false
    }
    this.#setTimer()
  }

  /** Ends what is under way; partial bytes stay. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    for (const { abort } of this.#transfers.values()) abort.abort()
    await Promise.all([...this.#transfers.values()].map(({ done }) => done))
    await Promise.all(this.#committing.values())
  }

  #outstanding(): number {
    let bytes = 0
    for (const { file } of this.#transfers.values()) bytes += file.size - this.#options.store.partialBytes(file.sha256)
    return bytes
  }

  #pump(): void {
    for (let skipped = 0; this.#open && skipped < MAX_SKIPPED && this.#mayStart(); ) {
      const file = this.#takeNext()
      if (!file) return
      const started = this.#tryStart(file)
      if (started === 'no-room') return
      if (started === 'no-source') skipped++
    }
  }

  #mayStart(): boolean {
    const { tuning, store } = this.#options
    const count = this.#transfers.size
    if (this.#probing && count > 0) return false
    if (this.#blocked || count >= tuning.maxTransfers || store.commitBacklog >= MAX_COMMIT_BACKLOG) return false
    return count < tuning.maxLargeTransfers || this.#outstanding() < tuning.transferBytesAhead
  }

  /** The next missing file that nobody works on: one that comes first for a reason, one whose time has come, one of the queue. */
  #takeNext(): WantedFile | undefined {
    for (let sha256 = this.#front.shift(); sha256 !== undefined; sha256 = this.#front.shift()) {
      if (this.#isIdle(sha256)) return this.#wanted.get(sha256)
    }
    const nowMs = this.#options.clock.monotonicMs()
    for (let due = this.#waiting.peek(); due && due.dueMs <= nowMs; due = this.#waiting.peek()) {
      this.#unwait(due)
      if (this.#isIdle(due.sha256)) return this.#wanted.get(due.sha256)
    }
    while (this.#next < this.#queue.length) {
      const file = this.#queue[this.#next++]!
      if (this.#isIdle(file.sha256) && !this.#waitingBySha.has(file.sha256)) return file
    }
    return undefined
  }

  #isIdle(sha256: string): boolean {
    const busy = this.#options.store.has(sha256) || this.#transfers.has(sha256) || this.#committing.has(sha256)
    return this.#wanted.has(sha256) && !busy
  }

  #tryStart(file: WantedFile): 'started' | 'no-room' | 'no-source' {
    const { store, room, sources, clock } = this.#options
    const need = file.size - store.partialBytes(file.sha256)
    if (need > room.freeBytes || room.isStale) {
      this.#front.unshift(file.sha256)
      void this.#look(need)
      return 'no-room'
    }
    if (need === 0) {
      this.#start(file, NOWHERE)
      return 'started'
    }
    const nowMs = clock.monotonicMs()
    const { offers, refused } = sources.offers(file)
    const retries = this.#trouble.get(file.sha256)?.retries
    const choice = chooseSource(
      offers.map(({ source, tier, url }) => ({
        id: url,
        tier,
        active: sources.active(source),
        suspendedUntilMs: sources.suspendedUntilMs(source),
        retryAtMs: retries?.get(url)?.atMs ?? 0,
      })),
      file.sha256,
      nowMs,
    )
    if (choice.type === 'use') {
      room.promise(need)
      this.#start(file, offers.find(({ url }) => url === choice.id)!)
      return 'started'
    }
    if (choice.type === 'wait') {
      this.#wait(file.sha256, choice.untilMs)
    } else {
      this.#noteTrouble(file.sha256, refused ?? new FillError('NoSource', 'file', 'no source has it'), undefined)
      this.#wait(file.sha256, nowMs + this.#options.tuning.retryCapMs)
    }
    return 'no-source'
  }

  /** Measures the room and goes on; where there is none, looks again later. */
  async #look(need: number): Promise<void> {
    const { room, tuning, clock, log } = this.#options
    if (this.#blocked) return
    const sha256 = this.#front[0] ?? ''
    this.#blocked = { sha256, untilMs: Number.POSITIVE_INFINITY, refusedBytes: 0 }
    try {
      await room.measure(() => this.#outstanding())
    } catch (err) {
      log.error({ err }, 'cannot tell how much room the disk has')
    }
    if (this.#blocked?.sha256 !== sha256) return
    if (need <= room.freeBytes) this.#blocked = undefined
    else {
      this.#blocked = { sha256, untilMs: clock.monotonicMs() + tuning.roomIntervalMs, refusedBytes: 0 }
      this.#options.onChange()
    }
    this.kick()
  }

  #start(file: WantedFile, offer: Offer): void {
    const abort = new AbortController()
    this.#options.sources.begin(offer.source)
    if (offer !== NOWHERE) this.#lastSource = offer.source
    const done = this.#transfer(file, offer, abort.signal).finally(() => {
      this.#transfers.delete(file.sha256)
      this.kick()
    })
    this.#transfers.set(file.sha256, { file, abort, done })
  }

  async #transfer(file: WantedFile, offer: Offer, signal: AbortSignal): Promise<void> {
    const { store, sources } = this.#options
    const { sha256, size } = file
    // Bytes that were there before this run: nobody knows whom they are from.
    const contributors = this.#contributors.get(sha256) ?? new Set(store.partialBytes(sha256) > 0 ? ['unknown'] : [])
    this.#contributors.set(sha256, contributors.add(offer.source))
    try {
      const { file: verified, fetchedBytes } = await download(this.#options, {
        sha256,
        size,
        path: store.partialPath(sha256),
        resume: store.partialBytes(sha256) > 0,
        url: offer.url,
        mayMiss: offer.kind !== 'origin',
        signal,
        onProgress: (bytes) => store.notePartial(sha256, bytes),
      })
      sources.end(offer.source, undefined, false)
      this.#options.counters.filledBytes[offer.kind] += fetchedBytes
      this.#commit(file, verified)
    } catch (error) {
      const failure = fillErrorOf(error)
      sources.end(offer.source, failure, contributors.size === 1)
      await this.#afterFailure(file, offer, failure)
    }
  }

  /** Runs beside the transfers: the network need not wait for the disk. */
  #commit({ sha256, size }: WantedFile, verified: Parameters<ContentStore['publish']>[2]): void {
    const { store, counters, onHeld } = this.#options
    const committed = store.publish(sha256, size, verified).then(
      () => {
        this.#committing.delete(sha256)
        this.#contributors.delete(sha256)
        this.#trouble.delete(sha256)
        this.#probing = false
        if (this.#wanted.has(sha256)) {
          this.#missingFiles--
          this.#missingBytes -= size
        }
        counters.filled++
        onHeld(sha256)
        this.kick()
      },
      (error) => {
        this.#committing.delete(sha256)
        this.#onDiskFailure(sha256, fillErrorOf(error))
        this.kick()
      },
    )
    this.#committing.set(sha256, committed)
  }

  async #afterFailure({ sha256 }: WantedFile, offer: Offer, failure: FillError): Promise<void> {
    const { log, store, clock, tuning } = this.#options
    if (failure.poisoned) {
      this.#contributors.delete(sha256)
      // Where the disk refuses even that, the bytes are hashed again and found wrong again.
      await store.discardPartial(sha256).catch((err) => log.warn({ err, sha256 }, 'cannot discard a partial file'))
    }
    switch (failure.blame) {
      case 'stopped':
        this.#front.push(sha256)
        return
      case 'disk':
        this.#onDiskFailure(sha256, failure)
        return
      case 'source':
        this.#count(failure)
        this.#front.push(sha256)
        this.#options.onChange()
        return
      case 'miss':
        this.#troubleOf(sha256).retries.set(offer.url, {
          failures: 0,
          atMs: this.#options.clock.monotonicMs() + MISS_MS,
        })
        this.#front.push(sha256)
        return
      case 'file':
        log.debug({ sha256, url: offer.url, reason: failure.reason }, 'could not fetch a file')
        this.#noteTrouble(sha256, failure, offer.url || undefined)
        // With nobody to blame, another source is no better.
        if (offer === NOWHERE) this.#wait(sha256, clock.monotonicMs() + tuning.retryBaseMs)
        else this.#front.push(sha256)
    }
  }

  #onDiskFailure(sha256: string, failure: FillError): void {
    const { clock, tuning, store } = this.#options
    if (failure.reason === 'StorageFull') {
      this.#count(failure)
      this.#front.unshift(sha256)
      this.#probing = true
      const refusedBytes = (this.#wanted.get(sha256)?.size ?? 0) - store.partialBytes(sha256)
      this.#blocked = { sha256, untilMs: clock.monotonicMs() + tuning.roomIntervalMs, refusedBytes }
      this.#options.onChange()
      return
    }
    this.#noteTrouble(sha256, failure, undefined)
    const { attempts } = this.#troubleOf(sha256)
    this.#wait(sha256, clock.monotonicMs() + this.#backoffMs(attempts))
  }

  #noteTrouble(sha256: string, failure: FillError, url: string | undefined): void {
    this.#count(failure)
    const trouble = this.#troubleOf(sha256)
    trouble.attempts++
    trouble.reason = failure.reason
    trouble.message = failure.message
    trouble.source = url
    if (url !== undefined) {
      const failures = (trouble.retries.get(url)?.failures ?? 0) + 1
      trouble.retries.set(url, { failures, atMs: this.#options.clock.monotonicMs() + this.#backoffMs(failures) })
    }
    if (trouble.attempts >= this.#options.tuning.failingAfterAttempts) this.#options.onChange()
  }

  #troubleOf(sha256: string): Trouble {
    let trouble = this.#trouble.get(sha256)
    if (!trouble) {
      trouble = { attempts: 0, reason: '', message: '', source: undefined, retries: new Map() }
      this.#trouble.set(sha256, trouble)
    }
    return trouble
  }

  #count({ reason }: FillError): void {
    const { failures } = this.#options.counters
    failures.set(reason, (failures.get(reason) ?? 0) + 1)
  }

  #backoffMs(failures: number): number {
    const { retryBaseMs: baseMs, retryCapMs: capMs } = this.#options.tuning
    return backoffMs(failures, { baseMs, capMs, random: this.#options.random })
  }

  #wait(sha256: string, untilMs: number): void {
    const waiting = this.#waitingBySha.get(sha256) ?? { sha256, dueMs: 0, heapIndex: -1 }
    this.#waitingBySha.set(sha256, waiting)
    this.#waiting.put(waiting, untilMs)
  }

  #unwait(waiting: Waiting): void {
    this.#waiting.remove(waiting)
    this.#waitingBySha.delete(waiting.sha256)
  }

  /** Wakes up when the first file may be tried again, or the disk is to be looked at again. */
  #setTimer(): void {
    this.#cancelTimer()
    this.#cancelTimer = () => {}
    if (!this.#open || this.#closed) return
    const dueMs = this.#blocked ? this.#blocked.untilMs : (this.#waiting.peek()?.dueMs ?? Number.POSITIVE_INFINITY)
    if (dueMs === Number.POSITIVE_INFINITY) return
    const inMs = Math.max(0, dueMs - this.#options.clock.monotonicMs())
    this.#cancelTimer = this.#options.clock.after(inMs, () => {
      if (this.#blocked && this.#blocked.untilMs <= this.#options.clock.monotonicMs()) this.#blocked = undefined
      this.kick()
    })
  }
}
