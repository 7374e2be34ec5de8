import { CatalogIndex, type CatalogTables } from './catalog-index.ts'
import type { CatalogQuestion } from './catalog-messages.ts'
import { ReadingThread } from './reading-thread.ts'

// Compiled, this file and the worker's end in .js.
const script = import.meta.url.endsWith('.ts') ? './catalog-worker.ts' : './catalog-worker.js'

/** Reads catalogs on a thread of its own. */
export class CatalogReader {
  readonly #thread = new ReadingThread<CatalogQuestion>(new URL(script, import.meta.url), 'catalogs')

  /** The catalog in a blob's file. Rejects where its bytes are not those of the digest, or no catalog. */
  async read(digest: string, path: string): Promise<CatalogIndex> {
    return new CatalogIndex(digest, await this.#thread.ask<CatalogTables>({ type: 'read', digest, path }))
  }

  /** Whether the blobs in two files are versions of one catalog, so that indices of the one can be used with the other. */
  alike(older: string, newer: string): Promise<boolean> {
    return this.#thread.ask<boolean>({ type: 'alike', older, newer })
  }

  close(): Promise<void> {
    return this.#thread.close()
  }
}
