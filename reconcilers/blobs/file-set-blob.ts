import { FileSet } from './file-set.ts'

/** A manifest (what an appliance should hold of a catalog) or an inventory (what it verifiably holds and advertises). */
export interface FileSetBlob {
  /** Digest of the catalog blob whose file indices the set speaks of: `sha256:<hex>`. */
  readonly catalog: string
  /** How many files are in the set, and how many bytes they have. */
  readonly files: number
  readonly bytes: number
  readonly set: FileSet
}

interface Header {
  readonly weirSet: 1
  readonly catalog: string
  readonly files: number
  readonly bytes: number
}

const HEADER_MAX_BYTES = 1024
/**
 * Far more than a catalog has. Sets are dense in memory, and there is more by index than a bit: an appliance that claims to hold a file of index 2^32 must
 * not take gigabytes from whoever reads that.
 */
const MOST_FILES = 2 ** 25

/** One JSON header line, then a portable Roaring bitmap. The same set over the same catalog always gives the same bytes. */
export function encodeFileSet(blob: FileSetBlob): Uint8Array {
  const header: Header = { weirSet: 1, catalog: blob.catalog, files: blob.files, bytes: blob.bytes }
  const head = new TextEncoder().encode(`${JSON.stringify(header)}\n`)
  const bitmap = blob.set.toRoaring()
  const out = new Uint8Array(head.length + bitmap.length)
  out.set(head)
  out.set(bitmap, head.length)
  return out
}

/** Reads what `encodeFileSet` wrote. Throws a RangeError that says what is wrong: a bad header, a bad bitmap, a wrong count. */
export function decodeFileSet(bytes: Uint8Array): FileSetBlob {
  const end = bytes.subarray(0, HEADER_MAX_BYTES).indexOf(0x0a)
  if (end < 0) throw new RangeError('file set: no header line')
  const header = parseHeader(new TextDecoder().decode(bytes.subarray(0, end)))
  const set = FileSet.fromRoaring(bytes.subarray(end + 1), MOST_FILES)
  if (set.size !== header.files) {
    throw new RangeError(`file set: the header says ${header.files} files, the bitmap has ${set.size}`)
  }
  return { catalog: header.catalog, files: header.files, bytes: header.bytes, set }
}

function parseHeader(line: string): Header {
  let header: Partial<Header>
  try {
    header = JSON.parse(line) as Partial<Header>
  } catch {
    throw new RangeError('file set: the header line is not JSON')
  }
  if (header?.weirSet !== 1) throw new RangeError('file set: not a file set of version 1')
  if (typeof header.catalog !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(header.catalog)) {
    throw new RangeError('file set: the header names no catalog digest')
  }
  if (!Number.isSafeInteger(header.files) || !Number.isSafeInteger(header.bytes)) {
    throw new RangeError('file set: the header has no counts')
  }
  return header as Header
}
