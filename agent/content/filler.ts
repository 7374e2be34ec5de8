import type { FileFailure } from '../../crds/types.gen.ts'
import { chooseSource } from '../../reconcilers/agent/choose-source.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Fetcher } from '../fetch/fetcher.ts'
import type { FileIo, OpenFile } from '../file-io.ts'
import type { Tuning } from '../tuning.ts'
import { download } from './download.ts'
import { FillError, fillErrorOf } from './fill-error.ts'
import { FillQueue } from './fill-queue.ts'
import type { RateLimit } from './rate-limit.ts'
import type { Room } from './room.ts'
import type { Offer, Sources } from './sources.ts'
import type { ContentStore } from './store.ts'
import { Troubles } from './troubles.ts'
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

interface Transfer {
  readonly file: WantedFile
  readonly abort: AbortController
  readonly done: Promise<void>
}

/** Where there is nothing to fetch: empty files, and partial files that are whole. */
const NOWHERE: Offer = { source: 'nowhere', kind: 'origin', tier: 0, url: '' }
/** Files looked at in one go although their sources are to be left alone. */
const MAX_SKIPPED = 256
const MIN_PAUSE_MS = 20
/** Whole files that wait to be made durable: each has a descriptor open. */
const MAX_COMMIT_BACKLOG = 512

/** Fetches what is wanted and not held, in order, until all of it is. Owns retry, and who is asked. */
export class Filler {
  readonly #options: FillerOptions
  readonly #queue = new FillQueue()
  readonly #troubles: Troubles
  #wanted: ReadonlyMap<string, WantedFile> = new Map()
  readonly #transfers = new Map<string, Transfer>()
  /** Whole, on their way to being durable. */
  readonly #committing = new Map<string, Promise<void>>()
  /** By partial file: who sent its bytes. */
  readonly #contributors = new Map<string, Set<string>>()
  #open = false
  #closed = false
  #missingFiles = 0
  #missingBytes = 0
  #lastSource: string | undefined
  #measuring = false
  /** There is no room, and that is looked at again then. `refusedBytes`: the disk itself refused so many. */
  #full: { readonly untilMs: number; readonly refusedBytes: number } | undefined
  /** The disk has refused bytes: one file at a time, until one has gone through. */
  #probing = false
  #pumping = false
  #cancelTimer: () => void = () => {}

  constructor(options: FillerOptions) {
    this.#options = options
    this.#troubles = new Troubles(options)
    options.store.expectsMore = () => this.#transfers.size > 0
  }

  /** Sets what to hold; `order` has the same files, the first to be fetched first. What is no longer wanted is dropped, its partial bytes too. */
  async setWanted(wanted: ReadonlyMap<string, WantedFile>, order: readonly WantedFile[]): Promise<void> {
    const { store } = this.#options
    const isWanted = (sha256: string) => wanted.has(sha256)
    const missing = order.filter(({ sha256 }) => !store.has(sha256))
    this.#wanted = wanted
    this.#full = undefined
    this.#queue.reset(missing, isWanted)
    this.#troubles.reset(isWanted)
    this.#missingFiles = missing.length
    this.#missingBytes = missing.reduce((sum, { size }) => sum + size, 0)
    const dropped = [...this.#transfers.values()].filter(({ file }) => !isWanted(file.sha256))
    for (const { abort } of dropped) abort.abort()
    await Promise.all(dropped.map(({ done }) => done))
    for (const sha256 of [...store.partials()]) {
      const isBusy = this.#transfers.has(sha256) || this.#committing.has(sha256)
      if (!isWanted(sha256) && !isBusy) await this.#discardPartial(sha256)
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
    this.#troubles.noteForGood(sha256, { reason, message })
    this.#queue.putFirst(sha256, true)
    this.kick()
  }

  progress(): FillProgress {
    const { store, room } = this.#options
    let partial = 0
    for (const sha256 of store.partials()) {
      if (this.#wanted.has(sha256) && !store.has(sha256)) partial += store.partialBytes(sha256)
    }
    const missingBytes = Math.max(0, this.#missingBytes - partial)
    const short = missingBytes - room.freeBytes - this.#outstanding()
    return {
      missingFiles: this.#missingFiles,
      missingBytes,
      shortBytes: this.#full ? Math.max(1, this.#full.refusedBytes, short) : 0,
      lastSource: this.#lastSource,
    }
  }

  /** Files whose last attempts failed, in no order. */
  failures(): FileFailure[] {
    return this.#troubles.failures(this.#wanted)
  }

  /** There may be room again. */
  roomChanged(): void {
    if (!this.#full) return
    this.#full = undefined
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

  /** Bytes still to come of what is under way. */
  #outstanding(): number {
    let bytes = 0
    for (const { file } of this.#transfers.values()) bytes += file.size - this.#options.store.partialBytes(file.sha256)
    return bytes
  }

  #pump(): void {
    const isIdle = (sha256: string) => this.#isIdle(sha256)
    for (let skipped = 0; this.#open && skipped < MAX_SKIPPED && this.#mayStart(); ) {
      const sha256 = this.#queue.take(this.#options.clock.monotonicMs(), isIdle)
      const file = sha256 === undefined ? undefined : this.#wanted.get(sha256)
      if (!file || !this.#hasRoom(file)) return
      if (!this.#tryStart(file)) skipped++
    }
  }

  #mayStart(): boolean {
    const { tuning, store } = this.#options
    const count = this.#transfers.size
    if (this.#full || this.#measuring || (this.#probing && count > 0)) return false
    if (count >= tuning.maxTransfers || store.commitBacklog >= MAX_COMMIT_BACKLOG) return false
    return count < tuning.maxLargeTransfers || this.#outstanding() < tuning.transferBytesAhead
  }

  #isIdle(sha256: string): boolean {
    const busy = this.#options.store.has(sha256) || this.#transfers.has(sha256) || this.#committing.has(sha256)
    return this.#wanted.has(sha256) && !busy
  }

  #bytesToCome({ sha256, size }: WantedFile): number {
    return size - this.#options.store.partialBytes(sha256)
  }

  /** Where it is not known whether there is room, that is measured, and filling goes on afterwards. */
  #hasRoom(file: WantedFile): boolean {
    const { room } = this.#options
    const need = this.#bytesToCome(file)
    if (!room.isStale && need <= room.freeBytes) return true
    this.#queue.putFirst(file.sha256, true)
    void this.#measureRoom(need)
    return false
  }

  async #measureRoom(need: number): Promise<void> {
    const { room, tuning, clock, log, onChange } = this.#options
    this.#measuring = true
    let hasRoom = false
    try {
      await room.measure(() => this.#outstanding())
      hasRoom = need <= room.freeBytes
    } catch (err) {
      log.error({ err }, 'cannot tell how much room the disk has')
    }
    this.#measuring = false
    if (!hasRoom) {
      this.#full = { untilMs: clock.monotonicMs() + tuning.roomIntervalMs, refusedBytes: 0 }
      onChange()
    }
    this.kick()
  }

  /** False when no source may be asked for it now. */
  #tryStart(file: WantedFile): boolean {
    const { sources, clock, tuning, room, onChange } = this.#options
    const { sha256 } = file
    const need = this.#bytesToCome(file)
    if (need === 0) {
      this.#start(file, NOWHERE)
      return true
    }
    const { offers, refused } = sources.offers(file)
    const candidates = offers.map(({ source, tier, url }) => ({
      id: url,
      tier,
      active: sources.active(source),
      suspendedUntilMs: sources.suspendedUntilMs(source),
      retryAtMs: this.#troubles.retryAtMs(sha256, url),
    }))
    const nowMs = clock.monotonicMs()
    const choice = chooseSource(candidates, sha256, nowMs)
    if (choice.type === 'use') {
      room.promise(need)
      this.#start(file, offers.find(({ url }) => url === choice.id)!)
      return true
    }
    if (choice.type === 'wait') this.#queue.wait(sha256, choice.untilMs)
    else {
      const failure = refused ?? new FillError('NoSource', 'file', 'no source has it')
      this.#count(failure)
      this.#troubles.noteForGood(sha256, failure)
      this.#queue.wait(sha256, nowMs + tuning.retryCapMs)
      onChange()
    }
    return false
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
    const { store, sources, counters } = this.#options
    const { sha256, size } = file
    const hasPart = store.partialBytes(sha256) > 0
    // Bytes that were there before this run: nobody knows whom they are from.
    const contributors = this.#contributors.get(sha256) ?? new Set(hasPart ? ['unknown'] : [])
    this.#contributors.set(sha256, contributors.add(offer.source))
    try {
      const { file: verified, fetchedBytes } = await download(this.#options, {
        sha256,
        size,
        path: store.partialPath(sha256),
        resume: hasPart,
        url: offer.url,
        mayMiss: offer.kind !== 'origin',
        signal,
        onProgress: (bytes) => store.notePartial(sha256, bytes),
      })
      sources.end(offer.source, undefined, false)
      counters.filledBytes[offer.kind] += fetchedBytes
      this.#commit(file, verified)
    } catch (error) {
      const failure = fillErrorOf(error)
      sources.end(offer.source, failure, contributors.size === 1)
      await this.#afterFailure(file, offer, failure)
    }
  }

  /** Runs beside the transfers: the network need not wait for the disk. */
  #commit({ sha256, size }: WantedFile, verified: OpenFile): void {
    const { store, counters, onHeld } = this.#options
    const committed = store.publish(sha256, size, verified).then(
      () => {
        this.#committing.delete(sha256)
        this.#contributors.delete(sha256)
        this.#troubles.forget(sha256)
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
        this.#contributors.delete(sha256)
        this.#onDiskFailure({ sha256, size, names: [] }, fillErrorOf(error))
        this.kick()
      },
    )
    this.#committing.set(sha256, committed)
  }

  async #afterFailure(file: WantedFile, offer: Offer, failure: FillError): Promise<void> {
    const { log, clock, onChange } = this.#options
    const { sha256 } = file
    if (failure.poisoned) await this.#discardPartial(sha256)
    if (failure.blame === 'disk') return this.#onDiskFailure(file, failure)
    if (failure.blame === 'miss') this.#troubles.noteMiss(sha256, offer.url)
    if (failure.blame === 'source' || failure.blame === 'file') this.#count(failure)
    if (failure.blame === 'source') onChange()
    if (failure.blame === 'file') {
      log.debug({ sha256, url: offer.url, reason: failure.reason }, 'could not fetch a file')
      const waitMs = this.#troubles.note(sha256, failure, offer === NOWHERE ? undefined : offer.url)
      if (this.#troubles.isFailing(sha256)) onChange()
      // With nobody to blame, another source is no better.
      if (offer === NOWHERE) return this.#queue.wait(sha256, clock.monotonicMs() + waitMs)
    }
    this.#queue.putFirst(sha256)
  }

  #onDiskFailure(file: WantedFile, failure: FillError): void {
    const { clock, tuning, onChange } = this.#options
    const { sha256 } = file
    const nowMs = clock.monotonicMs()
    this.#count(failure)
    if (failure.reason === 'StorageFull') {
      this.#queue.putFirst(sha256, true)
      this.#probing = true
      this.#full = { untilMs: nowMs + tuning.roomIntervalMs, refusedBytes: this.#bytesToCome(file) }
    } else {
      this.#queue.wait(sha256, nowMs + this.#troubles.note(sha256, failure, undefined))
    }
    onChange()
  }

  async #discardPartial(sha256: string): Promise<void> {
    const { store, log } = this.#options
    this.#contributors.delete(sha256)
    try {
      await store.discardPartial(sha256)
    } catch (err) {
      // Its bytes would be hashed and found wrong again.
      log.warn({ err, sha256 }, 'cannot discard a partial file')
    }
  }

  #count({ reason }: FillError): void {
    const { failures } = this.#options.counters
    failures.set(reason, (failures.get(reason) ?? 0) + 1)
  }

  /** Wakes up when the first file may be tried again, or the disk is to be looked at again. */
  #setTimer(): void {
    this.#cancelTimer()
    this.#cancelTimer = () => {}
    if (!this.#open || this.#closed || this.#measuring) return
    const dueMs = this.#full?.untilMs ?? this.#queue.dueMs
    if (dueMs === Number.POSITIVE_INFINITY) return
    const { clock } = this.#options
    // What is due already waits for something that ends, and will kick; not for time to pass.
    const inMs = Math.max(MIN_PAUSE_MS, dueMs - clock.monotonicMs())
    this.#cancelTimer = clock.after(inMs, () => {
      if (this.#full && this.#full.untilMs <= clock.monotonicMs()) this.#full = undefined
      this.kick()
    })
  }
}
