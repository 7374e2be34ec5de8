import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BlobStore } from '../runtime/blob-store.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { CatalogDeltas } from './catalog-deltas.ts'
import type { CatalogSizes } from './catalog-sizes.ts'
import type { Counters } from './counters.ts'
import type { Demand } from './demand/demand.ts'
import type { Fleet } from './fleet.ts'
import type { Heartbeats } from './heartbeats.ts'
import type { Records } from './records.ts'
import type { ReportReader } from './report-reader.ts'
import type { Reports } from './reports.ts'
import type { AssignmentStreams } from './streams.ts'
import type { Tokens } from './tokens.ts'

/** What is looked at, with what is wrong with it, or undefined. */
export type GatewayHealth = Readonly<Record<'listener' | 'heartbeats', string | undefined>>

/** What routes work with. */
export interface GatewayContext {
  /** The gateway's id, as in its Leases. */
  readonly id: string
  readonly blobs: BlobStore
  readonly deltas: CatalogDeltas
  readonly sizes: CatalogSizes
  readonly clock: Clock
  readonly log: Log
  readonly fleet: Fleet
  readonly records: Records
  readonly tokens: Tokens
  readonly heartbeats: Heartbeats
  readonly reports: Reports
  readonly reportReader: ReportReader
  readonly streams: AssignmentStreams
  readonly demand: Demand
  readonly counters: Counters
  readonly health: () => GatewayHealth
}

/** A request that has been let in. */
export interface RouteRequest {
  readonly gateway: GatewayContext
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly query: URLSearchParams
  /** The appliance whose path it is, `namespace/name`; empty on other paths. */
  readonly appliance: string
  /** What follows the route's own path, decoded. */
  readonly rest: readonly string[]
}

export interface Route {
  /** The path: below the appliance, or from the root. */
  readonly path: readonly string[]
  /** How many more segments follow. */
  readonly restLength: number
  /** Whose token opens it. */
  readonly opens: 'appliance' | 'any-appliance' | 'everybody'
  readonly methods: Readonly<Record<string, (request: RouteRequest) => Promise<void> | void>>
}
