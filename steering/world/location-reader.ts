import type { BgpTables } from '../../reconcilers/steering/client/bgp-dump.ts'
import type { CoverageTables } from '../../reconcilers/steering/client/coverage.ts'
import type { FileTables, LocationQuestion } from './location-messages.ts'
import { ReadingThread } from './reading-thread.ts'

// Compiled, this file and the worker's end in .js.
const script = import.meta.url.endsWith('.ts') ? './location-worker.ts' : './location-worker.js'

/** Reads files of where clients are on a thread of its own. Rejects where they cannot be read, or change meanwhile. */
export class LocationReader {
  readonly #thread = new ReadingThread<LocationQuestion>(new URL(script, import.meta.url), 'where clients are')

  /** A BGP feed. Rejects where its last line has no end. */
  bgp(path: string): Promise<FileTables<BgpTables>> {
    return this.#thread.ask({ type: 'bgp', path })
  }

  coverage(path: string): Promise<FileTables<CoverageTables>> {
    return this.#thread.ask({ type: 'coverage', path })
  }

  close(): Promise<void> {
    return this.#thread.close()
  }
}
