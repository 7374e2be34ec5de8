import type { BgpTables } from '../../reconcilers/steering/client/bgp-dump.ts'
import type { CoverageTables } from '../../reconcilers/steering/client/coverage.ts'

/** What the thread that reads where clients are is asked. */
export interface LocationQuestion {
  readonly type: 'bgp' | 'coverage'
  readonly path: string
}

/** What a file says, and which version of it: `versionOf` its stat. */
export interface FileTables<Tables> {
  readonly version: string
  readonly tables: Tables
}

export type LocationAnswer = FileTables<BgpTables> | FileTables<CoverageTables>

/** Tells one version of a file from another. */
export const versionOf = (stat: { readonly mtimeMs: number; readonly size: number; readonly ino: number }) =>
  `${stat.mtimeMs} ${stat.size} ${stat.ino}`
