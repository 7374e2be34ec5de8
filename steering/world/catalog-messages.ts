/** What the thread that reads catalogs is asked: it answers with `CatalogTables`, or a boolean. */
export type CatalogQuestion =
  /** Read the catalog blob in a file. */
  | { readonly type: 'read'; readonly digest: string; readonly path: string }
  /** Whether two versions of a catalog number their files alike: an index that both have is the same file, or no file any more in one of them. */
  | { readonly type: 'alike'; readonly older: string; readonly newer: string }
