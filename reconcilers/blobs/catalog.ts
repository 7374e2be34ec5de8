import { hashString } from '../placement/hash.ts'
import { linesOf } from './lines.ts'

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
  /** By index, what some of the files were that were removed: one that comes back has its index again. See `identityOf`. */
  readonly gone?: ReadonlyMap<number, string>
  /** Files that are there (not `null`) and their bytes. */
  readonly count: number
  readonly bytes: number
}

export function catalogOf(files: readonly (CatalogFile | null)[], gone?: ReadonlyMap<number, string>): CatalogContent {
  let count = 0
  let bytes = 0
  for (const file of files) {
    if (!file) continue
    count++
    bytes += file.size
  }
  return { files, ...(gone && gone.size > 0 && { gone }), count, bytes }
}

/** 128 bits of what a file is: its path, and its bytes by their digest. */
export function identityOf({ path, sha256 }: Pick<CatalogFile, 'path' | 'sha256'>): string {
  return `${sha256.slice(0, 24)}${hashString(path).toString(16).padStart(8, '0')}`
}

/** The line of an index whose file was removed: what it was, or `null` where that is forgotten. */
export function goneLine(identity: string | undefined): string {
  return identity === undefined ? 'null' : `{"gone":"${identity}"}`
}

/** What a line of a catalog blob says: a file, or what one was that was removed. Throws a SyntaxError where it is not JSON. */
export function readCatalogLine(line: string): { readonly file: CatalogFile | null; readonly gone?: string } {
  const value = JSON.parse(line) as (CatalogFile & { readonly gone?: undefined }) | { readonly gone: string } | null
  if (value?.gone !== undefined) return { file: null, gone: value.gone }
  return { file: value }
}

/** NDJSON: a header line, then a line per file index (`goneLine` for those without a file). The same content always gives the same bytes. */
export function encodeCatalog(catalog: CatalogContent): Uint8Array {
  const encoder = new TextEncoder()
  const pieces: Uint8Array[] = []
  let lines = [JSON.stringify({ weirCatalog: 1, files: catalog.count, bytes: catalog.bytes })]
  const flush = () => {
    if (lines.length > 0) pieces.push(encoder.encode(`${lines.join('\n')}\n`))
    lines = []
  }
  for (const [index, file] of catalog.files.entries()) {
    lines.push(file ? fileLine(file) : goneLine(catalog.gone?.get(index)))
    if (lines.length === LINES_AT_ONCE) flush()
  }
  flush()
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** Lines joined at a time: a million of them as one string take twice the memory of the blob, besides it. */
const LINES_AT_ONCE = 10_000

/** Always in this order; what is undefined is not written. */
function fileLine({ path, size, sha256, title, released, cohort, licensedIn }: CatalogFile): string {
  return JSON.stringify({ path, size, sha256, title, released, cohort, licensedIn })
}

/** Reads what `encodeCatalog` wrote. Throws a RangeError where the bytes are no catalog of version 1. */
export function decodeCatalog(bytes: Uint8Array): CatalogContent {
  const files: (CatalogFile | null)[] = []
  const gone = new Map<number, string>()
  let header: { weirCatalog?: unknown; files?: unknown; bytes?: unknown } | null | undefined
  let number = 0
  for (const text of linesOf(bytes)) {
    number++
    if (number === 1) {
      header = parse(text, 1, JSON.parse) as typeof header
      if (header?.weirCatalog !== 1) break
      continue
    }
    const line = parse(text, number, readCatalogLine)
    if (line.gone !== undefined) gone.set(files.length, line.gone)
    files.push(line.file)
  }
  if (header?.weirCatalog !== 1) throw new RangeError('catalog: not a catalog of version 1')
  const catalog = catalogOf(files, gone)
  if (catalog.count !== header.files || catalog.bytes !== header.bytes) {
    throw new RangeError(`catalog: the header says ${header.files} files, ${catalog.count} are there`)
  }
  return catalog
}

function parse<T>(text: string, number: number, read: (text: string) => T): T {
  try {
    return read(text)
  } catch {
    throw new RangeError(`line ${number} is not JSON`)
  }
}
