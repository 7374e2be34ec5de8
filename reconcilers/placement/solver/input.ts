import type { FileSet } from '../../blobs/file-set.ts'

export interface SolverAppliance {
  readonly key: string
  readonly storageBytes: number
  readonly throughputGbps: number
  /** What it is to hold by the plan in force. */
  readonly held?: FileSet
}

export interface SolverSite {
  readonly key: string
  readonly region: string
  /** Where misses go; the first that is among the sites counts. */
  readonly parents: readonly string[]
  readonly appliances: readonly SolverAppliance[]
  /** Which popularity its viewers have. 0 unless told. */
  readonly demandClass?: number
  /** At the peak, in Gbit/s. Unknown: throughput is taken to be enough. */
  readonly demandGbps?: number
  /** What it counts as where its demand is not known. 1 unless told. */
  readonly assumedGbps?: number
  /** The most that may be moved into it, in bytes. Whatever pays, unless told. */
  readonly fillBytes?: number
}

export interface SolverInput {
  /** Bytes per file index; NaN where there is no file. */
  readonly sizes: Float64Array
  /** Relative requests per file, for each class of demand. */
  readonly popularity: readonly Float64Array[]
  readonly fileHashes: Uint32Array
  readonly sites: readonly SolverSite[]
  readonly copies: { readonly perSite: number; readonly perRegion: number }
  readonly pins: readonly { readonly files: FileSet; readonly copies: number | 'all' }[]
  readonly excluded: FileSet
}
