import { type Address, newPrefix, type Prefix, parsePrefix } from '../address.ts'
import { newMemo, type Place } from '../locate.ts'
import { jsonElements } from './json-elements.ts'
import { type PackedPrefixes, PrefixPacker, unpacked } from './packed-prefixes.ts'
import { PrefixMap } from './prefix-map.ts'
import { PrefixTable } from './prefix-table.ts'
import { linesOf, peek } from './text-lines.ts'

/** A row that was refused: where it is, and why. */
export interface RefusedRow {
  /** `line 7` of CSV, `/3/prefix` of JSON. */
  readonly place: string
  readonly problem: string
}

/** What a coverage file says, as it can be handed from one thread to another. */
export interface CoverageTables {
  /** Each once, with the index of its place. */
  readonly prefixes: PackedPrefixes
  /** A site (`namespace/name`) or a region. */
  readonly places: readonly { readonly site: string | undefined; readonly region: string | undefined }[]
  /** Rows that are not taken in: how many, and the first of them. */
  readonly refused: { readonly count: number; readonly first: readonly RefusedRow[] }
}

/** Which site or region the clients of a prefix belong to. */
export interface Coverage {
  readonly size: number
  readonly find: (address: Readonly<Address>) => Place | undefined
}

/** Refused rows that are told of. */
const REFUSED_TOLD = 5

interface Row {
  readonly place: string
  readonly prefix?: unknown
  readonly site?: unknown
  readonly region?: unknown
  /** Why there is nothing of it. */
  readonly problem?: string
}

/**
 * Reads a coverage file, which comes in pieces: CSV with a header line of `prefix`, `site` and `region` in any order, or a JSON array of objects with these
 * fields. A row without site and region, with a prefix that is none or that was there before, is refused; the others hold.
 */
export function readCoverage(pieces: Iterable<string>): CoverageTables {
  const [first, all] = peek(pieces)
  const [v4, v6] = [new PrefixTable(false), new PrefixTable(true)]
  const isNew = (prefix: Readonly<Prefix>) => (prefix.v6 ? v6 : v4).set(prefix, 0)
  const packer = new PrefixPacker()
  const places: { site: string | undefined; region: string | undefined }[] = []
  const known = new Map<string, number>()
  const refused: RefusedRow[] = []
  let refusedCount = 0
  const prefix = newPrefix()
  try {
    for (const row of /^\s*\[/.test(first) ? jsonRows(all) : csvRows(all)) {
      const problem = row.problem ?? problemOf(row, prefix, isNew)
      if (problem !== undefined) {
        if (refusedCount++ < REFUSED_TOLD) refused.push({ place: row.place, problem })
        continue
      }
      const { site, region } = row as { readonly site?: string; readonly region?: string }
      const key = `${site ?? ''} ${region ?? ''}`
      let place = known.get(key)
      if (place === undefined) {
        place = places.length
        known.set(key, place)
        places.push({ site: site || undefined, region: region || undefined })
      }
      packer.add(prefix, place, 0)
    }
  } catch (error) {
    // Nothing of a file that is no JSON holds.
    if (!(error instanceof SyntaxError)) throw error
    const fault = { place: '/', problem: `is not JSON: ${error.message}` }
    return { prefixes: new PrefixPacker().packed(), places: [], refused: { count: 1, first: [fault] } }
  }
  return { prefixes: packer.packed(), places, refused: { count: refusedCount, first: refused } }
}

/** Prefixes taken in per slice of `compileCoverage`: well under a millisecond. */
const PER_SLICE = 512

/** What a coverage file says, for look-ups: the longest prefix counts. Slice by slice: whoever drives it may do something else in between. */
export function* compileCoverage({ prefixes, places }: CoverageTables): Generator<void, Coverage> {
  const map = new PrefixMap(prefixes.count)
  const found = places.map((place): Place => ({ ...place, source: 'coverage', memo: newMemo() }))
  for (const { prefix, a } of unpacked(prefixes)) {
    map.set(prefix, a)
    if (map.size % PER_SLICE === 0) yield
  }
  return { size: map.size, find: (address) => found[map.find(address)] }
}

function problemOf(
  { prefix: text, site, region }: Row,
  into: Prefix,
  isNew: (prefix: Readonly<Prefix>) => boolean,
): string | undefined {
  if (typeof text !== 'string') return 'has no prefix'
  const problem = parsePrefix(text.trim(), into)
  if (problem) return problem
  for (const value of [site, region]) {
    if (value !== undefined && typeof value !== 'string') return 'site and region must be texts'
  }
  if (!site && !region) return 'has neither site nor region'
  if (site && !/^[^/\s]+\/[^/\s]+$/.test(site as string)) return `"${site}" is no site: write namespace/name`
  return isNew(into) ? undefined : `${text.trim()} was there before`
}

function* jsonRows(pieces: Iterable<string>): Generator<Row> {
  let i = 0
  for (const row of jsonElements(pieces)) {
    const place = `/${i++}`
    if (typeof row !== 'object' || row === null || Array.isArray(row)) yield { place, problem: 'is no object' }
    else {
      const { prefix, site, region } = row as Omit<Row, 'place'>
      yield { place, prefix, site, region }
    }
  }
}

const COLUMNS = ['prefix', 'site', 'region']

function* csvRows(pieces: Iterable<string>): Generator<Row> {
  let columns: readonly string[] | undefined
  let last = 0
  for (const [row, line] of linesOf(pieces)) {
    last = line
    if (row.trim() === '' || row.startsWith('#')) continue
    const place = `line ${line}`
    if (columns === undefined) {
      columns = row.split(',').map((name) => name.trim().toLowerCase())
      if (columns.includes('prefix') && columns.every((name) => COLUMNS.includes(name))) continue
      yield { place, problem: NO_HEADER }
      return
    }
    const cells = row.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
    if (cells.length !== columns.length) {
      yield { place, problem: `has ${cells.length} fields, the header ${columns.length}` }
    } else
      yield { place, ...Object.fromEntries(columns.map((name, c) => [name, cells[c] === '' ? undefined : cells[c]])) }
  }
  if (columns === undefined) yield { place: `line ${last}`, problem: NO_HEADER }
}

const NO_HEADER = 'the header must name prefix, and site or region'
