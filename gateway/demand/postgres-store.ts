import { Postgres, type PostgresRow } from '../../runtime/postgres.ts'
import { CannotHaveServed, type Served } from './served-hours.ts'
import {
  CLASSES,
  type DemandBatch,
  type DemandStore,
  dayOf,
  type FileDemand,
  rowsOf,
  type SiteDemand,
  TABLES,
  totalOf,
} from './store.ts'

const CONNECTIONS = 4
/** Makes one gateway at a time create the tables: PostgreSQL's `if not exists` is not safe against another. */
const SETUP_LOCK = 0x77656972

/** Demand in a PostgreSQL database, shared by gateways. */
export class PostgresDemandStore implements DemandStore {
  readonly #database: Postgres

  private constructor(database: Postgres) {
    this.#database = database
  }

  /** `url`: `postgres://user:password@host/database`. Rejects where the database cannot be reached, or tables cannot be made. */
  static async open(url: string): Promise<PostgresDemandStore> {
    const database = await Postgres.open(url, { name: 'weir-gateway', connections: CONNECTIONS })
    try {
      await database.transaction(async (queries) => {
        await queries.query('select pg_advisory_xact_lock($1)', [SETUP_LOCK])
        for (const table of TABLES) await queries.query(table)
      })
    } catch (error) {
      await database.close()
      throw error
    }
    return new PostgresDemandStore(database)
  }

  add({ appliance, id, site, demandClass, hour, catalogs }: DemandBatch, most?: Served): Promise<boolean> {
    return this.#database.transaction(async (queries) => {
      const taken = await queries.query('insert into weir_demand_taken values ($1, $2, $3) on conflict do nothing', [
        appliance,
        id,
        dayOf(hour),
      ])
      if (taken.changed === 0) return false
      const { requests, bytes } = totalOf(catalogs)
      // Holds the row, so that what another gateway adds to this hour counts.
      const { rows: said } = await queries.query(
        `insert into weir_demand_served values ($1, $2, $3, $4) on conflict (appliance, hour)
         do update set requests = weir_demand_served.requests + excluded.requests, bytes = weir_demand_served.bytes + excluded.bytes
         returning requests, bytes`,
        [appliance, hour, requests, bytes],
      )
      if (most) CannotHaveServed.unless(counted(said[0]!), most, { appliance, hour })
      // In the same order by every writer.
      for (const counts of [...catalogs].sort((a, b) => (a.catalog < b.catalog ? -1 : 1))) {
        const rows = rowsOf(counts)
        await queries.query(
          `insert into weir_demand_file
           select $1, $2, $3, file, requests, bytes from unnest($4::int[], $5::bigint[], $6::bigint[]) as t (file, requests, bytes)
           on conflict (catalog, class, day, file)
           do update set requests = weir_demand_file.requests + excluded.requests, bytes = weir_demand_file.bytes + excluded.bytes`,
          [counts.catalog, demandClass, dayOf(hour), ...[0, 1, 2].map((k) => rows.map((row) => row[k]))],
        )
      }
      await queries.query(
        `insert into weir_demand_site values ($1, $2, $3, $4) on conflict (site, hour)
         do update set requests = weir_demand_site.requests + excluded.requests, bytes = weir_demand_site.bytes + excluded.bytes`,
        [site, hour, requests, bytes],
      )
      return true
    })
  }

  async files(catalog: string, fromDay: number, toDay: number, demandClass?: string): Promise<readonly FileDemand[]> {
    const { rows } = await this.#database.query(
      `select class as "demandClass", day, file, requests, bytes from weir_demand_file
       where catalog = $1 and day >= $2 and day < $3 ${demandClass === undefined ? '' : 'and class = $4'}
       order by class collate "C", day, file`,
      [catalog, fromDay, toDay, ...(demandClass === undefined ? [] : [demandClass])],
    )
    return rows.map(counted) as unknown as FileDemand[]
  }

  async classes(catalog: string): Promise<readonly string[]> {
    const { rows } = await this.#database.query(CLASSES, [catalog])
    return rows.map((row) => String(row.class)).sort()
  }

  async sites(fromHour: number, toHour: number): Promise<readonly SiteDemand[]> {
    const { rows } = await this.#database.query(
      `select site, hour, requests, bytes from weir_demand_site where hour >= $1 and hour < $2 order by site collate "C", hour`,
      [fromHour, toHour],
    )
    return rows.map(counted) as unknown as SiteDemand[]
  }

  forget(beforeDay: number, batchesBeforeDay: number): Promise<void> {
    return this.#database.transaction(async (queries) => {
      await queries.query('delete from weir_demand_taken where day < $1', [batchesBeforeDay])
      await queries.query('delete from weir_demand_served where hour < $1', [batchesBeforeDay * 24])
      await queries.query('delete from weir_demand_file where day < $1', [beforeDay])
      await queries.query('delete from weir_demand_site where hour < $1', [beforeDay * 24])
    })
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

/** `bigint` comes as text; these are small enough for numbers. */
function counted(row: PostgresRow) {
  return { ...row, requests: Number(row.requests), bytes: Number(row.bytes) }
}
