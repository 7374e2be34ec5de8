import type { CatalogCounts } from '../../reconcilers/gateway/request-counts.ts'
import type { Served } from './served-hours.ts'

/** What an appliance counted, with whose viewers these were. */
export interface DemandBatch {
  /** `namespace/name`. */
  readonly appliance: string
  readonly id: string
  /** `namespace/name`. */
  readonly site: string
  readonly demandClass: string
  readonly hour: number
  readonly catalogs: readonly CatalogCounts[]
}

/** What the viewers of one class asked for of a file in a day (days since 1970-01-01, UTC). File −1: files that were not told one by one. */
export interface FileDemand {
  readonly demandClass: string
  readonly day: number
  readonly file: number
  readonly requests: number
  readonly bytes: number
}

/** What the appliances of a site (`namespace/name`) were asked for in an hour (since 1970-01-01T00:00Z). */
export interface SiteDemand {
  readonly site: string
  readonly hour: number
  readonly requests: number
  readonly bytes: number
}

/**
 * What viewers asked for: per class of demand, file and day, and per site and hour; never per site and file, which would grow with both. Several gateways may share one.
 * Methods reject where the database cannot be reached or written.
 */
export interface DemandStore {
  /**
   * Adds a batch, all of it or nothing; false where it has been added before. Resolves once that is on disk. Rejects with CannotHaveServed where the appliance would then
   * have said more than `most` of the batch's hour, in whichever batches and to whichever gateways.
   */
  add(batch: DemandBatch, most?: Served): Promise<boolean>
  /** Of a catalog (`namespace/name`), from one day up to but without another; by class, day and file. Of one class only, where told: all of a year may not fit into memory. */
  files(catalog: string, fromDay: number, toDay: number, demandClass?: string): Promise<readonly FileDemand[]>
  /** The classes of demand that anything was counted of in a catalog. */
  classes(catalog: string): Promise<readonly string[]>
  /** From one hour up to but without another; by site and hour. */
  sites(fromHour: number, toHour: number): Promise<readonly SiteDemand[]>
  /** Forgets what was counted of days before that one; and which batches of days before the other made it up, so that none of those may come again. */
  forget(beforeDay: number, batchesBeforeDay: number): Promise<void>
  close(): Promise<void>
}

/** The same for both databases. */
export const TABLES = [
  `create table if not exists weir_demand_taken (
    appliance text not null, batch text not null, day integer not null, primary key (appliance, batch))`,
  `create table if not exists weir_demand_file (
    catalog text not null, class text not null, day integer not null, file integer not null,
    requests bigint not null, bytes bigint not null, primary key (catalog, class, day, file))`,
  `create table if not exists weir_demand_site (
    site text not null, hour integer not null, requests bigint not null, bytes bigint not null, primary key (site, hour))`,
  // What each appliance said, so that it cannot have been more than there was: kept as long as batches may come.
  `create table if not exists weir_demand_served (
    appliance text not null, hour integer not null, requests bigint not null, bytes bigint not null, primary key (appliance, hour))`,
]

/** Steps from class to class along the primary key, rather than over all rows. `$1` (or `?1`): the catalog. */
export const CLASSES = `with recursive known(class) as (
  select min(class) from weir_demand_file where catalog = $1
  union all
  select (select min(class) from weir_demand_file where catalog = $1 and class > known.class) from known where known.class is not null
) select class from known where class is not null`

/** Rows of a catalog in a batch, by file: that two writers meet them in the same order keeps them from waiting for each other in a circle. */
export function rowsOf({ files, others }: CatalogCounts): (readonly [file: number, requests: number, bytes: number])[] {
  const rows = [...files].sort((a, b) => a[0] - b[0])
  return others.requests > 0 || others.bytes > 0 ? [[-1, others.requests, others.bytes], ...rows] : rows
}

/** Sums over a batch. */
export function totalOf(catalogs: readonly CatalogCounts[]): Served {
  let [requests, bytes] = [0, 0]
  for (const catalog of catalogs)
    for (const [, more, moreBytes] of rowsOf(catalog)) {
      requests += more
      bytes += moreBytes
    }
  return { requests, bytes }
}

export const dayOf = (hour: number) => Math.floor(hour / 24)
