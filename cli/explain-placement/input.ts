import type { BlobReader } from '../../controllers/placement/blob-reader.ts'
import type { Appliance, PlacementPolicy } from '../../crds/types.gen.ts'
import type { CatalogContent } from '../../reconcilers/blobs/catalog.ts'
import type { PlacementProblem } from '../../reconcilers/placement/problem.ts'
import type { FoundFiles } from './find-files.ts'

export interface ExplainInput {
  readonly policy: PlacementPolicy
  readonly found: FoundFiles
  readonly catalog: CatalogContent
  readonly catalogDigest: string
  /** As controllers would pose it now: what appliances hold of it is what the plan in force asks. */
  readonly problem: PlacementProblem
  readonly isUpToDate: boolean
  readonly applianceOf: (key: string) => Appliance | undefined
  readonly reader: BlobReader
  readonly limit: number
  /** `namespace/name` of the only site that is asked about. */
  readonly site?: string
}
