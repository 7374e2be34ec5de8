/** Files told one by one in a batch; an agent sums up the rest. */
export const MAX_FILES_COUNTED = 4096
const MAX_CATALOGS = 64
/** As file indices are stored. */
const MAX_INDEX = 2 ** 31 - 1
/** An agent that was cut off tells of so long ago; and its clock may be off a little. */
export const MAX_AGE_HOURS = 8 * 24
const MAX_AHEAD_HOURS = 1

/** Requests of clients and the bytes that they got, of one file (by its index) or of all others. */
export interface Counted {
  readonly requests: number
  readonly bytes: number
}

export interface CatalogCounts {
  /** `namespace/name`. */
  readonly catalog: string
  readonly files: readonly (readonly [index: number, requests: number, bytes: number])[]
  readonly others: Counted
}

/** What clients asked of an appliance in an hour or a part of one. Sent until it is acknowledged, and counted once. */
export interface RequestCounts {
  /** Of this batch: no other of the same appliance has it. */
  readonly id: string
  /** Hours since 1970-01-01T00:00Z. */
  readonly hour: number
  readonly catalogs: readonly CatalogCounts[]
}

export const hourOf = (time: Date) => Math.floor(time.getTime() / 3_600_000)

/** Checks what an agent sent. Throws a RangeError that says what is wrong. */
export function readRequestCounts(body: Readonly<Record<string, unknown>>, now: Date): RequestCounts {
  const { id, hour, catalogs } = body
  if (typeof id !== 'string' || !/^[-A-Za-z0-9_.]{1,100}$/.test(id))
    throw new RangeError('id: must be 1 to 100 letters, digits, "-", "_" and "."')
  const age = hourOf(now) - Number(hour)
  if (!Number.isSafeInteger(hour) || age > MAX_AGE_HOURS || age < -MAX_AHEAD_HOURS)
    throw new RangeError(`hour ${JSON.stringify(hour)}: must be within the last ${MAX_AGE_HOURS} hours`)
  if (!Array.isArray(catalogs) || catalogs.length > MAX_CATALOGS)
    throw new RangeError(`catalogs: must be a list of at most ${MAX_CATALOGS}`)
  const read = catalogs.map(readCatalog)
  if (new Set(read.map(({ catalog }) => catalog)).size < read.length)
    throw new RangeError('catalogs: one is there twice')
  if (read.reduce((sum, { files }) => sum + files.length, 0) > MAX_FILES_COUNTED)
    throw new RangeError(`files: more than ${MAX_FILES_COUNTED}`)
  return { id, hour: hour as number, catalogs: read }
}

function readCatalog(value: unknown): CatalogCounts {
  const { catalog, files, others } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (typeof catalog !== 'string' || catalog.length > 320 || !/^[-a-z0-9]+\/[-a-z0-9.]+$/.test(catalog))
    throw new RangeError('catalog: must be namespace/name')
  if (!Array.isArray(files)) throw new RangeError(`files of ${catalog}: must be a list`)
  const seen = new Set<number>()
  const rows = files.map((row: unknown, i) => {
    const [index = NaN, ...rest] = Array.isArray(row) && row.every(isCount) ? row : []
    if (rest.length !== 2 || !(index <= MAX_INDEX) || seen.has(index))
      throw new RangeError(`files of ${catalog}, row ${i}: must be [index, requests, bytes], each index once`)
    seen.add(index)
    return [index, rest[0]!, rest[1]!] as const
  })
  const { requests, bytes } = (others ?? {}) as Readonly<Record<string, unknown>>
  if (!isCount(requests) || !isCount(bytes)) throw new RangeError(`others of ${catalog}: must have requests and bytes`)
  return { catalog, files: rows, others: { requests, bytes } }
}

/** A whole number, 0 or more, small enough that a year of it is still exact. */
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 2 ** 50
