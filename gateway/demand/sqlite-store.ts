import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
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

/** A large country asks for more than 2^53 bytes a day: an integer beyond that would not be read at all. */
const COUNTED = 'cast(requests as real) as requests, cast(bytes as real) as bytes'

/** Demand in a file of this machine. Blocks while it writes: some 15 ms for the largest batch. */
export class SqliteDemandStore implements DemandStore {
  readonly #db: DatabaseSync
  readonly #take
  readonly #addFile
  readonly #addSite
  readonly #addServed

  /** Throws where the file cannot be opened, or is no database. */
  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true })
    const db = new DatabaseSync(file, { timeout: 10_000 })
    this.#db = db
    // WAL with full syncs: what has been acknowledged outlives a loss of power.
    db.exec('pragma journal_mode = wal; pragma synchronous = full')
    for (const table of TABLES) db.exec(table)
    this.#take = db.prepare('insert into weir_demand_taken values (?, ?, ?) on conflict do nothing')
    this.#addFile = db.prepare(`
      insert into weir_demand_file values (?, ?, ?, ?, ?, ?) on conflict (catalog, class, day, file)
      do update set requests = requests + excluded.requests, bytes = bytes + excluded.bytes`)
    this.#addSite = db.prepare(`
      insert into weir_demand_site values (?, ?, ?, ?) on conflict (site, hour)
      do update set requests = requests + excluded.requests, bytes = bytes + excluded.bytes`)
    this.#addServed = db.prepare(`
      insert into weir_demand_served values (?, ?, ?, ?) on conflict (appliance, hour)
      do update set requests = requests + excluded.requests, bytes = bytes + excluded.bytes
      returning ${COUNTED}`)
  }

  async add({ appliance, id, site, demandClass, hour, catalogs }: DemandBatch, most?: Served): Promise<boolean> {
    return this.#all(() => {
      if (this.#take.run(appliance, id, dayOf(hour)).changes === 0) return false
      const { requests, bytes } = totalOf(catalogs)
      const said = this.#addServed.get(appliance, hour, requests, bytes) as unknown as Served
      if (most) CannotHaveServed.unless(said, most, { appliance, hour })
      for (const counts of catalogs)
        for (const [file, requests, bytes] of rowsOf(counts))
          this.#addFile.run(counts.catalog, demandClass, dayOf(hour), file, requests, bytes)
      this.#addSite.run(site, hour, requests, bytes)
      return true
    })
  }

  async files(catalog: string, fromDay: number, toDay: number, demandClass?: string): Promise<readonly FileDemand[]> {
    const rows = this.#db
      .prepare(
        `select class as "demandClass", day, file, ${COUNTED} from weir_demand_file
         where catalog = ? ${demandClass === undefined ? '' : 'and class = ?'} and day >= ? and day < ? order by class, day, file`,
      )
      .all(catalog, ...(demandClass === undefined ? [] : [demandClass]), fromDay, toDay)
    return rows.map((row) => ({ ...row }) as unknown as FileDemand)
  }

  async classes(catalog: string): Promise<readonly string[]> {
    const rows = this.#db.prepare(CLASSES.replaceAll('$1', '?1')).all(catalog)
    return rows.map((row) => String(row.class)).sort()
  }

  async sites(fromHour: number, toHour: number): Promise<readonly SiteDemand[]> {
    const rows = this.#db
      .prepare(`select site, hour, ${COUNTED} from weir_demand_site where hour >= ? and hour < ? order by site, hour`)
      .all(fromHour, toHour)
    return rows.map((row) => ({ ...row }) as unknown as SiteDemand)
  }

  async forget(beforeDay: number, batchesBeforeDay: number): Promise<void> {
    this.#all(() => {
      this.#db.prepare('delete from weir_demand_taken where day < ?').run(batchesBeforeDay)
      this.#db.prepare('delete from weir_demand_served where hour < ?').run(batchesBeforeDay * 24)
      this.#db.prepare('delete from weir_demand_file where day < ?').run(beforeDay)
      this.#db.prepare('delete from weir_demand_site where hour < ?').run(beforeDay * 24)
    })
  }

  async close(): Promise<void> {
    this.#db.close()
  }

  #all<T>(work: () => T): T {
    this.#db.exec('begin immediate')
    try {
      const result = work()
      this.#db.exec('commit')
      return result
    } catch (error) {
      this.#db.exec('rollback')
      throw error
    }
  }
}
