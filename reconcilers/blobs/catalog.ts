/** One file of a catalog. `size` in bytes; `sha256` 64 lower-case hex digits. */
export interface CatalogFile {
  readonly path: string
  readonly size: number
  readonly sha256: string
  readonly title?: string
  /** The day, UTC, on which the title came or comes out: `2026-01-08`. */
  readonly released?: string
  /** What the title is like: titles of a cohort rise and fall alike. */
  readonly cohort?: string
  /** Countries (ISO 3166-1 alpha-2) and regions in which it may be held and served; sorted. Everywhere, unless told. */
  readonly licensedIn?: readonly string[]
}

/**
 * A version of a catalog. A file's position in `files` is its index: manifests and inventories name files by it. An index
 * whose file was removed holds `null` and is never given to another file, so that sets over an older version stay true.
 */
export interface CatalogContent {
  readonly files: readonly (CatalogFile | null)[]
  /** Files that are there (not `null`) and their bytes. */
  readonly count: number
  readonly bytes: number
}

export function catalogOf(files: readonly (CatalogFile | null)[]): CatalogContent {
  let count = 0
  let bytes = 0
  for (const file of files) {
    if (!file) continue
    count++
    bytes += file.size
  }
  return { files, count, bytes }
}

/** NDJSON: a header line, then a line per file index. The same content always gives the same bytes. */
export function encodeCatalog(catalog: CatalogContent): Uint8Array {
  const lines = [JSON.stringify({ weirCatalog: 1, files: catalog.count, bytes: catalog.bytes })]
  for (const file of catalog.files) {
    if (!file) lines.push('null')
    else {
      const { path, size, sha256, title, released, cohort, licensedIn } = file
      // Always in this order; what is undefined is not written.
      lines.push(JSON.stringify({ path, size, sha256, title, released, cohort, licensedIn }))
    }
  }
  return new TextEncoder().encode(`${lines.join('\n')}\n`)
}

/** Reads what `encodeCatalog` wrote. Throws a RangeError where the bytes are no catalog of version 1. */
export function decodeCatalog(bytes: Uint8Array): CatalogContent {
  const lines = new TextDecoder().decode(bytes).split('\n')
  const header = parse(lines[0], 1) as { weirCatalog?: unknown; files?: unknown; bytes?: unknown } | null
  if (header?.weirCatalog !== 1) throw new RangeError('catalog: not a catalog of version 1')
  const files: (CatalogFile | null)[] = []
  for (let i = 1; i < lines.length - 1; i++) files.push(parse(lines[i], i + 1) as CatalogFile | null)
  const catalog = catalogOf(files)
  if (catalog.count !== header.files || catalog.bytes !== header.bytes) {
    throw new RangeError(`catalog: the header says ${header.files} files, ${catalog.count} are there`)
  }
  return catalog
}

function parse(line: string | undefined, number: number): unknown {
  try {
    return JSON.parse(line ?? '')
  } catch {
    throw new RangeError(`line ${number} is not JSON`)
  }
}
