import type { Connection } from '../api/connect.ts'
import type { LoadedManifests } from '../manifests/manifest.ts'
import type { Work } from './examine.ts'
import type { ApplyOptions } from './options.ts'

/** What is to be applied, and how: as the flags say, or as a saved plan does. */
export interface ApplyInput {
  readonly loaded: Pick<LoadedManifests, 'manifests' | 'problems'>
  /** A plan may have nothing to apply; files may not. */
  readonly mayBeEmpty: boolean
  readonly options: ApplyOptions
  connection(connected: Connection): Connection
  /** Throws where it is out of date. */
  check(connection: Connection): Promise<void>
  /** Leaves of the work what was asked for. */
  narrow(connection: Connection, work: Work): Promise<Work>
}
