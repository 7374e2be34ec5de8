import type { CatalogTables } from './catalog-index.ts'

/** What the thread that reads catalogs is asked. */
export type ToCatalogReader =
  /** Read the catalog blob in a file. */
  | { readonly type: 'read'; readonly id: number; readonly digest: string; readonly path: string }
  /** Whether two versions of a catalog number their files alike: an index that both have is the same file, or no file any more in one of them. */
  | { readonly type: 'alike'; readonly id: number; readonly older: string; readonly newer: string }

export type FromCatalogReader =
  | { readonly type: 'read'; readonly id: number; readonly tables: CatalogTables }
  | { readonly type: 'alike'; readonly id: number; readonly alike: boolean }
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
