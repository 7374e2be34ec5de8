import { join } from 'node:path'
import { findPostgres, startPostgres } from './postgres.ts'

/** A database of a test's own: what `--demand` is told, and how to end it. */
export interface StartedStore {
  readonly where: string
  readonly stop: () => Promise<void> | void
}

/** Each kind of database that demand may be kept in, and can be here. `folder`: for its files. */
export function storeKinds(
  folder: () => string,
): readonly (readonly [name: string, start: () => Promise<StartedStore>])[] {
  const programs = findPostgres()
  return [
    ['SQLite', async () => ({ where: join(folder(), 'deep', 'demand.db'), stop: () => {} })],
    ...(programs ? [['PostgreSQL', () => startPostgres(programs)] as const] : []),
  ]
}
