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
  /** Licences may name it, as they may name the region. */
  readonly country?: string
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
  /** Appliances that have left it since the plan in force was made; see `mostMoved`. */
  readonly gone?: readonly SolverAppliance[]
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
  /** Files that may be held and served only in these regions or countries. A file of several must be allowed by each. */
  readonly licences?: readonly { readonly files: FileSet; readonly regions: readonly string[] }[]
  /** The head, the most popular files that make up `headShare` (0–1) of a site's demand, outlives the loss of any so many appliances of the site. */
  readonly resilience?: { readonly headShare: number; readonly survivesLossOf: number }
}
