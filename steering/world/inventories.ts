import type { InventoryRef } from '../../crds/types.gen.ts'
import { DRAIN_SECONDS } from '../../reconcilers/assignment/plan-assignment.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Blobs } from './blobs.ts'
import type { CatalogIndex } from './catalog-index.ts'
import type { CatalogReader } from './catalog-reader.ts'
import { nextTurn } from './in-slices.ts'

export interface InventoriesOptions {
  readonly blobs: Blobs
  readonly reader: CatalogReader
  readonly clock: Clock
  readonly log: Log
  /** What an appliance verifiably holds of a catalog, from now on; undefined: nothing. */
  readonly onInventory: (appliance: string, catalog: string, files: FileSet | undefined) => void
  /** A version of a catalog has been read. */
  readonly onCatalog: (catalog: string, index: CatalogIndex) => void
  /** The catalog is gone, or its indices begin anew. */
  readonly onCatalogGone: (catalog: string) => void
}

/**
 * An appliance whose new inventory cannot be read for so long is taken to hold nothing of the catalog: what it no longer advertises is evicted some
 * `drainSeconds` later, and clients must not be sent there any more.
 */
export const UNREAD_MS = 2000
/** That counts from when it is its turn: of thousands that change at once the last wait longer, but never until what they no longer advertise is evicted. */
export const BACKLOG_MS = (DRAIN_SECONDS - 10) * 1000
const RETRY_MS = 1000
const READS_AT_ONCE = 32

/** What is known of one appliance's inventory of one catalog. */
interface Told {
  ref: InventoryRef
  /** The digest of what the world has; undefined: it has nothing. */
  inForce: string | undefined
  /** It has files beyond the last of the catalog as it has been read. */
  isCut: boolean
  /** Since when the world has something older than what is told, monotonic ms; undefined: it has not. */
  staleSinceMs: number | undefined
  cancel: () => void
}

interface KnownCatalog {
  readonly uid: string
  digest: string
  /** How many indices there are in the version that was read last; undefined: none has been read. */
  files: number | undefined
  /** Versions that number their files as this one does. */
  readonly alike: Map<string, Promise<boolean>>
}

/** Follows what appliances say that they hold, and what catalogs number: blobs are read as digests change. */
export class Inventories {
  readonly #options: InventoriesOptions
  readonly #told = new Map<string, Map<string, Told>>()
  readonly #catalogs = new Map<string, KnownCatalog>()
  readonly #queue: (() => Promise<void>)[] = []
  /** When the last of those that have been read may be taken up: one in each turn of the event loop, in the order in which they were read. */
  #turn = Promise.resolve()
  #reading = 0
  #closed = false
  #whenIdle: (() => void)[] = []

  constructor(options: InventoriesOptions) {
    this.#options = options
  }

  /** Blobs that still have to be read. */
  get pending(): number {
    return this.#queue.length + this.#reading
  }

  /** Resolves once everything that is to be read has been, or has to be tried again later. */
  async idle(): Promise<void> {
    if (this.pending > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  /** Inventories that the world does not have though they are told, because they cannot be read or belong to another catalog. */
  get withheld(): number {
    let count = 0
    for (const byCatalog of this.#told.values()) {
      for (const { ref, inForce } of byCatalog.values()) if (inForce !== ref.digest) count++
    }
    return count
  }

  /** Digests of everything in use. */
  *needed(): Generator<string> {
    for (const { digest } of this.#catalogs.values()) yield digest
    for (const byCatalog of this.#told.values()) {
      for (const { ref, inForce } of byCatalog.values()) {
        yield ref.digest
        yield ref.catalogDigest
        if (inForce !== undefined) yield inForce
      }
    }
  }

  close(): void {
    this.#closed = true
    this.#queue.length = 0
    for (const byCatalog of this.#told.values()) for (const { cancel } of byCatalog.values()) cancel()
  }

  /** All that an appliance says that it holds; what is left out is withdrawn at once. */
  setAppliance(appliance: string, refs: readonly InventoryRef[]): void {
    const byCatalog = this.#told.get(appliance) ?? new Map<string, Told>()
    this.#told.set(appliance, byCatalog)
    const named = new Set<string>()
    for (const ref of refs) {
      const catalog = `${ref.catalog.namespace}/${ref.catalog.name}`
      named.add(catalog)
      const told = byCatalog.get(catalog)
      if (told?.ref.digest === ref.digest && told.ref.catalogDigest === ref.catalogDigest) continue
      const next = told ?? { ref, inForce: undefined, isCut: false, staleSinceMs: undefined, cancel: () => {} }
      next.ref = ref
      byCatalog.set(catalog, next)
      this.#load(appliance, catalog, next)
    }
    for (const [catalog, told] of byCatalog) {
      if (named.has(catalog)) continue
      told.cancel()
      byCatalog.delete(catalog)
      this.#options.onInventory(appliance, catalog, undefined)
    }
  }

  removeAppliance(appliance: string): void {
    this.setAppliance(appliance, [])
    this.#told.delete(appliance)
  }

  /** The version of a catalog in force; undefined: it has none yet, or is gone. */
  setCatalog(catalog: string, version: { readonly uid: string; readonly digest: string } | undefined): void {
    const known = this.#catalogs.get(catalog)
    if (known && known.uid !== version?.uid) {
      // Another one of the same name numbers its files anew.
      this.#catalogs.delete(catalog)
      for (const byCatalog of this.#told.values()) {
        const told = byCatalog.get(catalog)
        if (told) told.inForce = undefined
      }
      this.#options.onCatalogGone(catalog)
    }
    if (!version || this.#catalogs.get(catalog)?.digest === version.digest) return
    const { alike = new Map<string, Promise<boolean>>(), files } = this.#catalogs.get(catalog) ?? {}
    alike.set(version.digest, Promise.resolve(true))
    this.#catalogs.set(catalog, { ...version, alike, files })
    this.#readCatalog(catalog, version)
  }

  /** A version of a catalog is in force: has those read that waited for it. */
  #takeCatalog(catalog: string, index: CatalogIndex): void {
    this.#catalogs.get(catalog)!.files = index.files
    this.#options.onCatalog(catalog, index)
    for (const [appliance, byCatalog] of this.#told) {
      const told = byCatalog.get(catalog)
      if (told && (told.inForce === undefined || told.isCut)) this.#load(appliance, catalog, told)
    }
  }

  #readCatalog(catalog: string, version: { readonly uid: string; readonly digest: string }): void {
    const { blobs, reader, clock, log } = this.#options
    const isCurrent = () => {
      const now = this.#catalogs.get(catalog)
      return !this.#closed && now?.uid === version.uid && now.digest === version.digest
    }
    const read = async () => {
      if (!isCurrent()) return
      try {
        const index = await reader.read(version.digest, await blobs.file(version.digest))
        if (isCurrent()) this.#takeCatalog(catalog, index)
      } catch (error) {
        if (!isCurrent()) return
        log.warn({ catalog, digest: version.digest, error: (error as Error).message }, 'a catalog cannot be read')
        clock.after(RETRY_MS, () => this.#enqueue(read, true))
      }
    }
    this.#enqueue(read, true)
  }

  #load(appliance: string, catalog: string, told: Told): void {
    const { clock, onInventory } = this.#options
    told.cancel()
    const { ref } = told
    const isCurrent = () => !this.#closed && told.ref === ref && this.#told.get(appliance)?.get(catalog) === told
    const withdraw = () => {
      // What is in force is true still where it is read again only for what more there is in it.
      if (!isCurrent() || told.inForce === undefined || told.inForce === ref.digest) return
      told.inForce = undefined
      onInventory(appliance, catalog, undefined)
    }
    const nowMs = clock.monotonicMs()
    told.staleSinceMs ??= nowMs
    const cancelBacklog = clock.after(told.staleSinceMs + BACKLOG_MS - nowMs, withdraw)
    let cancelUnread: (() => void) | undefined
    let cancelRetry = () => {}
    told.cancel = () => {
      cancelBacklog()
      cancelUnread?.()
      cancelRetry()
    }
    const load = async () => {
      // Without its catalog no file of it can be asked for; `#takeCatalog` loads it again.
      const { uid, files: known } = this.#catalogs.get(catalog) ?? {}
      if (!isCurrent() || known === undefined) return
      cancelUnread ??= clock.after(UNREAD_MS, withdraw)
      try {
        const held = await this.#read(catalog, ref)
        await this.#ownTurn()
        const { uid: uidNow, files = 0 } = this.#catalogs.get(catalog) ?? {}
        if (!isCurrent() || uidNow !== uid) return
        told.cancel()
        told.staleSinceMs = undefined
        told.inForce = held ? ref.digest : undefined
        told.isCut = held?.reachesBeyond(files) ?? false
        onInventory(appliance, catalog, held && below(held, files))
      } catch (error) {
        if (!isCurrent()) return
        this.#options.log.warn(
          { appliance, catalog, digest: ref.digest, error: (error as Error).message },
          'an inventory cannot be read',
        )
        cancelRetry = clock.after(RETRY_MS, () => this.#enqueue(load))
      }
    }
    this.#enqueue(load)
  }

  /** Taking one up is work of a millisecond or more: answers wait for one, and not for all that come together. */
  #ownTurn(): Promise<void> {
    this.#turn = this.#turn.then(nextTurn)
    return this.#turn
  }

  /** What an inventory says, in the numbers of the catalog in force; undefined where its numbers mean other files. */
  async #read(catalog: string, ref: InventoryRef): Promise<FileSet | undefined> {
    const { blobs, log } = this.#options
    const { set, catalog: catalogDigest } = await blobs.inventory(ref.digest)
    if (await this.#isAlike(catalog, catalogDigest)) return set
    log.warn(
      { catalog, catalogDigest },
      'an inventory numbers files as another catalog of the same name did; it is left out',
    )
    return undefined
  }

  async #isAlike(catalog: string, digest: string): Promise<boolean> {
    const known = this.#catalogs.get(catalog)
    if (!known) return false
    let alike = known.alike.get(digest)
    if (!alike) {
      alike = this.#compare(digest, known.digest)
      known.alike.set(digest, alike)
      // One that could not be read is looked for again.
      alike.catch(() => known.alike.delete(digest))
    }
    return await alike
  }

  /** Takes a second or two for a million files: whoever asks meanwhile shares the answer. */
  async #compare(digest: string, current: string): Promise<boolean> {
    const { blobs, reader } = this.#options
    return await reader.alike(...(await Promise.all([blobs.file(digest), blobs.file(current)])))
  }

  #enqueue(read: () => Promise<void>, first = false): void {
    if (this.#closed) return
    if (first) this.#queue.unshift(read)
    else this.#queue.push(read)
    this.#next()
  }

  #next(): void {
    while (this.#reading < READS_AT_ONCE) {
      const read = this.#queue.shift()
      if (!read) return
      this.#reading++
      void read().finally(() => {
        this.#reading--
        this.#next()
        if (this.pending > 0) return
        const waiting = this.#whenIdle
        this.#whenIdle = []
        for (const resolve of waiting) resolve()
      })
    }
  }
}

/**
 * What a set has below `files`, which is all that can be asked for. World and decisions have room for each index up to the last one: what an appliance claims
 * beyond must not take it.
 */
function below({ words }: FileSet, files: number): FileSet {
  const cut = words.slice(0, Math.ceil(files / 32))
  if (files >>> 5 < cut.length) cut[files >>> 5]! &= 2 ** (files & 31) - 1
  return new FileSet(cut)
}
