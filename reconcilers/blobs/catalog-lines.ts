import type { CatalogFile } from './catalog.ts'
import type { FileSet } from './file-set.ts'
import { countLines, linesOf } from './lines.ts'

const NEWLINE = 0x0a

/**
 * The files of a catalog blob at the indices of a set, ascending, without reading the others: of a million files an appliance may want a
 * few. `null` for an index whose file was removed; nothing for one past the end. Throws a RangeError where the blob is no catalog of version
 * 1, or a line that is wanted is not JSON.
 */
export function* catalogFilesAt(catalog: Uint8Array, wanted: FileSet): Generator<[index: number, CatalogFile | null]> {
  const decoder = new TextDecoder()
  const parse = (start: number, end: number, line: number): unknown => {
    try {
      return JSON.parse(decoder.decode(catalog.subarray(start, end)))
    } catch {
      throw new RangeError(`catalog: line ${line} is not JSON`)
    }
  }
  let start = catalog.indexOf(NEWLINE) + 1
  const header = start === 0 ? undefined : (parse(0, start - 1, 1) as { weirCatalog?: unknown } | null)
  if (header?.weirCatalog !== 1) throw new RangeError('catalog: not a catalog of version 1')
  for (let index = 0; start < catalog.length; index++) {
    const newline = catalog.indexOf(NEWLINE, start)
    const end = newline < 0 ? catalog.length : newline
    if (wanted.has(index)) yield [index, fileOf(parse(start, end, index + 2))]
    start = end + 1
  }
}

/** The files of a catalog, by index. What reads them one after the other need not have them all in memory. */
export interface CatalogFiles extends Iterable<CatalogFile | null> {
  readonly length: number
}

/**
 * The files of a catalog blob, parsed each time that they are gone through: of a million files only the blob's bytes are kept. Throws a RangeError where the blob
 * is no catalog of version 1; going through it does where a line is not JSON.
 */
export class StoredCatalogFiles implements CatalogFiles {
  readonly length: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    const [header = ''] = linesOf(bytes.subarray(0, bytes.indexOf(NEWLINE) + 1))
    if ((parsed(header, 1) as { weirCatalog?: unknown } | null)?.weirCatalog !== 1)
      throw new RangeError('catalog: not a catalog of version 1')
    this.#bytes = bytes
    this.length = countLines(bytes) - 1
  }

  *[Symbol.iterator](): Generator<CatalogFile | null> {
    let line = 0
    for (const text of linesOf(this.#bytes)) if (++line > 1) yield fileOf(parsed(text, line))
  }
}

/** Of an index whose file was removed it may be known what it was. */
function fileOf(line: unknown): CatalogFile | null {
  return (line as { readonly gone?: unknown } | null)?.gone === undefined ? (line as CatalogFile | null) : null
}

function parsed(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new RangeError(`catalog: line ${line} is not JSON`)
  }
}
