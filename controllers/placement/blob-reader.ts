import { type CatalogContent, decodeCatalog } from '../../reconcilers/blobs/catalog.ts'
import { type CatalogFiles, StoredCatalogFiles } from '../../reconcilers/blobs/catalog-lines.ts'
import { type Demand, decodeDemand } from '../../reconcilers/blobs/demand.ts'
import { decodeFileSet, type FileSetBlob } from '../../reconcilers/blobs/file-set-blob.ts'
import { decodePlanIndex, type PlanIndex, type PlanIndexRow } from '../../reconcilers/blobs/plan-index.ts'
import type { BlobStore } from '../../runtime/blob-store.ts'
import { Retryable } from '../../runtime/errors.ts'
import { shared } from './shared.ts'
import type { SetSource } from './stored-sets.ts'

/** What is asked of wherever blobs are. Those with a `path` are files of this machine. */
export type ReadableBlobs = Pick<BlobStore, 'get' | 'has'> & Partial<Pick<BlobStore, 'path'>>

/** A plan's index, with its rows by `namespace/name`. */
export interface IndexedPlan extends PlanIndex {
  readonly byAppliance: ReadonlyMap<string, PlanIndexRow>
}

/** Indexes of plans in force are read on every decision about an appliance. */
const INDEXES_KEPT = 64
/** Big, and needed only while planning or uniting. */
const CATALOGS_KEPT = 2

/** Reads blobs by digest, decoded; those that are asked for again and again are kept. A blob that is missing is Retryable. */
export class BlobReader {
  readonly #blobs: ReadableBlobs
  readonly #indexes: Recent<IndexedPlan>
  readonly #catalogs: Recent<CatalogContent>

  constructor(blobs: ReadableBlobs) {
    this.#blobs = blobs
    this.#indexes = new Recent(INDEXES_KEPT)
    this.#catalogs = new Recent(CATALOGS_KEPT)
  }

  index(digest: string): Promise<IndexedPlan> {
    return this.#indexes.get(digest, async () => {
      const index = decodePlanIndex(await this.#read(digest))
      return { ...index, byAppliance: new Map(index.rows.map((row) => [`${row.namespace}/${row.name}`, row])) }
    })
  }

  catalog(digest: string): Promise<CatalogContent> {
    return this.#catalogs.get(digest, async () => decodeCatalog(await this.#read(digest)))
  }

  async demand(digest: string): Promise<Demand> {
    return decodeDemand(await this.#read(digest))
  }

  async fileSet(digest: string): Promise<FileSetBlob> {
    return decodeFileSet(await this.#read(digest))
  }

  /** The files of a catalog that is gone through once: only the blob's bytes are in memory, and nothing is kept. */
  async catalogFiles(digest: string): Promise<CatalogFiles> {
    return new StoredCatalogFiles(await this.#read(digest))
  }

  /** Where a manifest is, so that it can be read when it is needed, on any thread. */
  async source(digest: string): Promise<SetSource> {
    if (!this.#blobs.path) return { bytes: shared(await this.#read(digest)) }
    if (!(await this.has(digest))) throw missing(digest)
    return { path: this.#blobs.path(digest) }
  }

  has(digest: string): Promise<boolean> {
    return this.#blobs.has(digest)
  }

  async #read(digest: string): Promise<Buffer> {
    const bytes = await this.#blobs.get(digest)
    if (!bytes) throw missing(digest)
    return bytes
  }
}

const missing = (digest: string) => new Retryable('BlobMissing', `blob ${digest} is not in the store`)

/** The values used last, by key; two who ask at once share one load. */
class Recent<T> {
  readonly #kept: number
  readonly #values = new Map<string, Promise<T>>()

  constructor(kept: number) {
    this.#kept = kept
  }

  get(key: string, load: () => Promise<T>): Promise<T> {
    const known = this.#values.get(key)
    this.#values.delete(key)
    const value = known ?? load()
    this.#values.set(key, value)
    // A failure is not worth keeping; whoever asked hears of it.
    if (!known) value.catch(() => this.#values.get(key) === value && this.#values.delete(key))
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#kept) break
      this.#values.delete(oldest)
    }
    return value
  }
}
