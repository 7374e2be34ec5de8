import type { Pool, PoolClient } from 'pg'
import {
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
const CONNECT_TIMEOUT_MS = 5000
const QUERY_TIMEOUT_MS = 30_000
/** Makes one gateway at a time create the tables: PostgreSQL's `if not exists` is not safe against another. */
const SETUP_LOCK = 0x77656972

/** Demand in a PostgreSQL database, shared by gateways. A connection that is lost is opened again by the next call. */
export class PostgresDemandStore implements DemandStore {
  readonly #pool: Pool

  private constructor(pool: Pool) {
    this.#pool = pool
  }

  /** `url`: `postgres://user:password@host/database`. Rejects where the database cannot be reached, or tables cannot be made. */
  static async open(url: string): Promise<PostgresDemandStore> {
    const { default: pg } = await import('pg')
    const pool = new pg.Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      application_name: 'weir-gateway',
    })
    // An idle connection that breaks is no failure: whoever needs one next opens another.
    pool.on('error', () => {})
    const store = new PostgresDemandStore(pool)
    try {
      await store.#all(async (client) => {
        await client.query('select pg_advisory_xact_lock($1)', [SETUP_LOCK])
        for (const table of TABLES) await client.query(table)
      })
    } catch (error) {
      await pool.end()
      throw error
    }
    return store
  }

  add({ appliance, id, site, demandClass, hour, catalogs }: DemandBatch): Promise<boolean> {
    return this.#all(async (client) => {
      const taken = await client.query('insert into weir_demand_taken values ($1, $2, $3) on conflict do nothing', [
        appliance,
        id,
        dayOf(hour),
      ])
      if (taken.rowCount === 0) return false
      // In the same order by every writer.
      for (const counts of [...catalogs].sort((a, b) => (a.catalog < b.catalog ? -1 : 1))) {
        const rows = rowsOf(counts)
        await client.query(
          `insert into weir_demand_file
           select $1, $2, $3, file, requests, bytes from unnest($4::int[], $5::bigint[], $6::bigint[]) as t (file, requests, bytes)
           on conflict (catalog, class, day, file)
           do update set requests = weir_demand_file.requests + excluded.requests, bytes = weir_demand_file.bytes + excluded.bytes`,
          [counts.catalog, demandClass, dayOf(hour), ...[0, 1, 2].map((k) => rows.map((row) => row[k]))],
        )
      }
      const { requests, bytes } = totalOf(catalogs)
      await client.query(
        `insert into weir_demand_site values ($1, $2, $3, $4) on conflict (site, hour)
         do update set requests = weir_demand_site.requests + excluded.requests, bytes = weir_demand_site.bytes + excluded.bytes`,
        [site, hour, requests, bytes],
      )
      return true
    })
  }

  async files(catalog: string, fromDay: number, toDay: number): Promise<readonly FileDemand[]> {
    const { rows } = await this.#pool.query(
      `select class as "demandClass", day, file, requests, bytes from weir_demand_file
       where catalog = $1 and day >= $2 and day < $3 order by class collate "C", day, file`,
      [catalog, fromDay, toDay],
    )
    return rows.map(counted) as FileDemand[]
  }

  async sites(fromHour: number, toHour: number): Promise<readonly SiteDemand[]> {
    const { rows } = await this.#pool.query(
      `select site, hour, requests, bytes from weir_demand_site where hour >= $1 and hour < $2 order by site collate "C", hour`,
      [fromHour, toHour],
    )
    return rows.map(counted) as SiteDemand[]
  }

  forget(beforeDay: number): Promise<void> {
    return this.#all(async (client) => {
      await client.query('delete from weir_demand_taken where day < $1', [beforeDay])
      await client.query('delete from weir_demand_file where day < $1', [beforeDay])
      await client.query('delete from weir_demand_site where hour < $1', [beforeDay * 24])
    })
  }

  close(): Promise<void> {
    return this.#pool.end()
  }

  async #all<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    let broken: Error | undefined
    try {
      await client.query('begin')
      const result = await work(client)
      await client.query('commit')
      return result
    } catch (error) {
      // A connection that cannot even roll back is of no use to anybody.
      await client.query('rollback').catch((failure: Error) => {
        broken = failure
      })
      throw error
    } finally {
      client.release(broken)
    }
  }
}

/** `bigint` comes as text; these are small enough for numbers. */
function counted(row: Readonly<Record<string, unknown>>) {
  return { ...row, requests: Number(row.requests), bytes: Number(row.bytes) }
}
