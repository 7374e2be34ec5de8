import type { Pool } from 'pg'

const CONNECT_TIMEOUT_MS = 5000
const QUERY_TIMEOUT_MS = 30_000

export type PostgresRow = Readonly<Record<string, unknown>>

/** What may be asked of a database: `$1` in `text` is the first of `values`. `bigint` comes back as text. Rejects with what the database says. */
export interface PostgresQueries {
  query(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: readonly PostgresRow[]; readonly changed: number }>
}

/** A PostgreSQL database. A connection that is lost is opened again by the next call. */
export class Postgres implements PostgresQueries {
  readonly #pool: Pool

  private constructor(pool: Pool) {
    this.#pool = pool
  }

  /** `url`: `postgres://user:password@host/database`. Connects at the first query. */
  static async open(
    url: string,
    { name, connections }: { readonly name: string; readonly connections: number },
  ): Promise<Postgres> {
    const { default: pg } = await import('pg')
    const pool = new pg.Pool({
      connectionString: url,
      max: connections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      application_name: name,
    })
    // An idle connection that breaks is no failure: whoever needs one next opens another.
    pool.on('error', () => {})
    return new Postgres(pool)
  }

  async query(text: string, values: readonly unknown[] = []) {
    const { rows, rowCount } = await this.#pool.query<PostgresRow>(text, [...values])
    return { rows, changed: rowCount ?? 0 }
  }

  /** All of it or nothing. */
  async transaction<T>(work: (queries: PostgresQueries) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    let broken: Error | undefined
    try {
      await client.query('begin')
      const result = await work({
        async query(text, values = []) {
          const { rows, rowCount } = await client.query<PostgresRow>(text, [...values])
          return { rows, changed: rowCount ?? 0 }
        },
      })
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

  close(): Promise<void> {
    return this.#pool.end()
  }
}
