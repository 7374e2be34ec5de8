import type { ContentAssignment, ContentEntry } from '../../crds/types.gen.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { ContentStore } from './store.ts'
import { type View, type ViewFile, versionOf, type Wanted, type WantedFile, wantedOf } from './view.ts'

export interface KeeperOptions {
  readonly clock: Clock
  readonly log: Log
  readonly store: ContentStore
  /** Whether clients or peers are reading the file now. */
  readonly isOpen: (sha256: string) => boolean
  /** What is advertised must change; at once where something is withdrawn. */
  readonly onInventory: (urgent: boolean) => void
  /** Entries that are no longer wanted but still served have changed. */
  readonly onRetiring: () => void
  /** Files were evicted: there is room. */
  readonly onEvicted: (files: number, bytes: number) => void
}

/** What to advertise of one catalog; `inventory` is undefined where nothing is. */
export interface Advert {
  readonly catalog: string
  readonly inventory: Uint8Array | undefined
}

/** What is to be advertised, and the moment it was true. */
export interface Adverts {
  readonly epoch: number
  readonly adverts: readonly Advert[]
}

interface Retiree {
  readonly view: View
  readonly epoch: number
  withdrawnAtMs: number | undefined
}

interface Surplus {
  readonly epoch: number
  withdrawnAtMs: number | undefined
}

const EVICTIONS_AT_ONCE = 16

/**
 * Knows what is wanted, what of it is held, and what must go. The order is rule: verified before advertised; and before bytes are evicted,
 * the gateway has acknowledged that they are withdrawn, clients had `drainSeconds`, and nobody reads them. Without a gateway nothing is
 * withdrawn, and so nothing is evicted; nor is while the Assignment says that filling is paused.
 */
export class Keeper {
  readonly #options: KeeperOptions
  #assignment: ContentAssignment | undefined
  #views: readonly View[] = []
  #retirees: Retiree[] = []
  #wanted: Wanted = { files: new Map(), conflicts: [] }
  /** Held but not wanted. */
  readonly #surplus = new Map<string, Surplus>()
  /** Goes up whenever less may be advertised than before. */
  #epoch = 0
  /** When the gateway acknowledged that clients are sent elsewhere, while `serve` is false. */
  #unservedAtMs: number | undefined
  #unservedEpoch = 0
  #evicting: Promise<void> | undefined
  #cancelTimer: () => void = () => {}
  #closed = false

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  get assignment(): ContentAssignment | undefined {
    return this.#assignment
  }

  get views(): readonly View[] {
    return this.#views
  }

  get wanted(): ReadonlyMap<string, WantedFile> {
    return this.#wanted.files
  }

  get conflicts(): Wanted['conflicts'] {
    return this.#wanted.conflicts
  }

  /** Bytes that are held but not wanted. */
  get surplusBytes(): number {
    let bytes = 0
    for (const sha256 of this.#surplus.keys()) bytes += this.#options.store.sizeOf(sha256) ?? 0
    return bytes
  }

  get retiring(): readonly ContentEntry[] {
    return this.#retirees.map(({ view }) => view.entry)
  }

  /** The views that would retire if `next` came into force: those of now, and those that retire already. */
  retiringAfter(next: readonly View[]): ContentEntry[] {
    return this.#oldViews(next).map(({ entry }) => entry)
  }

  /** Brings an Assignment into force. `retiring` are views of earlier ones, on start. */
  apply(assignment: ContentAssignment, views: readonly View[], retiring: readonly View[] = []): void {
    const { store, onInventory } = this.#options
    this.#epoch++
    const before = new Map(this.#retirees.map((retiree) => [retiree.view, retiree]))
    this.#retirees = [...this.#oldViews(views), ...retiring].map(
      (view) => before.get(view) ?? { view, epoch: this.#epoch, withdrawnAtMs: undefined },
    )
    if (assignment.serve || this.#assignment?.serve !== false) {
      this.#unservedAtMs = undefined
      this.#unservedEpoch = this.#epoch
    }
    this.#assignment = assignment
    this.#views = views
    this.#wanted = wantedOf(views)
    for (const [sha256] of store.held()) this.#note(sha256)
    for (const sha256 of this.#surplus.keys()) if (this.#wanted.files.has(sha256)) this.#surplus.delete(sha256)
    onInventory(true)
    this.kick()
  }

  #oldViews(next: readonly View[]): View[] {
    const names = new Set(next.map(({ entry }) => versionOf(entry)))
    const old = [...this.#retirees.map(({ view }) => view), ...this.#views]
    return old.filter(({ entry }, i) => {
      const isLast = !old.slice(i + 1).some((later) => versionOf(later.entry) === versionOf(entry))
      return isLast && !names.has(versionOf(entry))
    })
  }

  /** The bytes that a catalog's path means, if they are held: in the versions of now, or one that clients may still be sent to. */
  find(catalog: string, path: string): ViewFile | undefined {
    for (const view of this.#views) {
      const file = view.catalog === catalog ? view.find(path) : undefined
      if (file && this.#options.store.has(file.sha256)) return file
    }
    for (let i = this.#retirees.length - 1; i >= 0; i--) {
      const { view } = this.#retirees[i]!
      const file = view.catalog === catalog ? view.find(path) : undefined
      if (file && this.#options.store.has(file.sha256)) return file
    }
    return undefined
  }

  /** Whether clients are served: yes, unless they are sent elsewhere, have been told, and had their time. */
  get isServing(): boolean {
    if (!this.#assignment || this.#assignment.serve || this.#unservedAtMs === undefined) return true
    return this.#options.clock.monotonicMs() < this.#unservedAtMs + this.#drainMs
  }

  /** A file has become held. */
  held(sha256: string): void {
    this.#note(sha256)
    if (this.#surplus.has(sha256)) this.#options.onInventory(true)
    else this.#options.onInventory(false)
  }

  /** A file that was held is not any more: advertised no longer, from now on. */
  lost(sha256: string): void {
    this.#surplus.delete(sha256)
    for (const { view, file } of this.#wanted.files.get(sha256)?.names ?? []) view.setHeld(file, false)
    this.#options.onInventory(true)
  }

  /** What is to be advertised now, of every catalog that something is or was advertised of. */
  adverts(): Adverts {
    const serve = this.#assignment?.serve ?? true
    const adverts = new Map<string, Uint8Array | undefined>()
    for (const { view } of this.#retirees) adverts.set(view.catalog, undefined)
    for (const view of this.#views) {
      adverts.set(view.catalog, serve && view.heldFiles > 0 ? view.inventory() : undefined)
    }
    return { epoch: this.#epoch, adverts: [...adverts].map(([catalog, inventory]) => ({ catalog, inventory })) }
  }

  /** The gateway has acknowledged all of what was to be advertised at that epoch: nobody new is sent to anything else. */
  acknowledged(epoch: number): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const surplus of this.#surplus.values()) if (surplus.epoch <= epoch) surplus.withdrawnAtMs ??= nowMs
    for (const retiree of this.#retirees) if (retiree.epoch <= epoch) retiree.withdrawnAtMs ??= nowMs
    if (this.#assignment?.serve === false && this.#unservedEpoch <= epoch) this.#unservedAtMs ??= nowMs
    this.kick()
  }

  /** Evicts what may go now, and comes back when more may. */
  kick(): void {
    if (this.#closed || this.#evicting) return
    this.#evicting = this.#evictDue().then(() => {
      this.#evicting = undefined
      this.#setTimer()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    await this.#evicting
  }

  /** Bytes stay where they are until there is another Assignment. */
  get #isPaused(): boolean {
    return this.#assignment?.fill.paused ?? false
  }

  get #drainMs(): number {
    return (this.#assignment?.drainSeconds ?? 0) * 1000
  }

  #note(sha256: string): void {
    const wanted = this.#wanted.files.get(sha256)
    if (!wanted) {
      if (!this.#surplus.has(sha256)) this.#surplus.set(sha256, { epoch: this.#epoch, withdrawnAtMs: undefined })
      return
    }
    for (const { view, file } of wanted.names) view.setHeld(file, true)
  }

  async #evictDue(): Promise<void> {
    const { store, log, isOpen, onEvicted, clock } = this.#options
    const due = () => clock.monotonicMs() - this.#drainMs
    const ready = [...(this.#isPaused ? [] : this.#surplus)].filter(
      ([sha256, { withdrawnAtMs }]) => withdrawnAtMs !== undefined && withdrawnAtMs <= due() && !isOpen(sha256),
    )
    for (let i = 0; i < ready.length && !this.#closed; i += EVICTIONS_AT_ONCE) {
      let bytes = 0
      let files = 0
      const evictions = ready.slice(i, i + EVICTIONS_AT_ONCE).map(async ([sha256, surplus]) => {
        // Wanted again, or opened again, since we looked.
        if (this.#surplus.get(sha256) !== surplus || isOpen(sha256)) return
        this.#surplus.delete(sha256)
        bytes += store.sizeOf(sha256) ?? 0
        files++
        await store.evict(sha256).catch((err) => log.error({ err, sha256 }, 'cannot evict a file'))
      })
      await Promise.all(evictions)
      if (files > 0) onEvicted(files, bytes)
    }
    this.#dropRetirees(due())
  }

  #dropRetirees(dueMs: number): void {
    const stay = this.#retirees.filter(({ view, withdrawnAtMs }) => {
      if (withdrawnAtMs === undefined || withdrawnAtMs > dueMs) return true
      return view.files.some(({ sha256 }) => this.#surplus.has(sha256))
    })
    if (stay.length === this.#retirees.length) return
    this.#retirees = stay
    this.#options.onRetiring()
  }

  #setTimer(): void {
    this.#cancelTimer()
    this.#cancelTimer = () => {}
    if (this.#closed) return
    const { clock, isOpen } = this.#options
    const nowMs = clock.monotonicMs()
    let firstMs = Number.POSITIVE_INFINITY
    // Files that are still read wake us when they are let go; so does what waits for them.
    for (const [sha256, { withdrawnAtMs }] of this.#isPaused ? [] : this.#surplus) {
      if (withdrawnAtMs !== undefined && !isOpen(sha256)) firstMs = Math.min(firstMs, withdrawnAtMs)
    }
    for (const { withdrawnAtMs } of this.#retirees) {
      if (withdrawnAtMs !== undefined && withdrawnAtMs + this.#drainMs > nowMs)
        firstMs = Math.min(firstMs, withdrawnAtMs)
    }
    if (firstMs === Number.POSITIVE_INFINITY) return
    this.#cancelTimer = clock.after(Math.max(1, firstMs + this.#drainMs - nowMs), () => this.kick())
  }
}
