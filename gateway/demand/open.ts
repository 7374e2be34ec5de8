import type { DemandStore } from './store.ts'

/** A store by what names it: a PostgreSQL URL (`postgres://…`), or else a file for SQLite. Rejects where it cannot be used. */
export async function openDemandStore(where: string): Promise<DemandStore> {
  if (/^postgres(ql)?:\/\//.test(where)) return (await import('./postgres-store.ts')).PostgresDemandStore.open(where)
  return new (await import('./sqlite-store.ts')).SqliteDemandStore(where)
}
