import { type Address, newPrefix, type Prefix, parsePrefix } from '../address.ts'
import { newMemo, type Place } from '../locate.ts'
import { PrefixMap } from './prefix-map.ts'

/** A row that was refused: where it is, and why. */
export interface RefusedRow {
  /** `line 7` of CSV, `/3/prefix` of JSON. */
  readonly place: string
  readonly problem: string
}

/** What a coverage file says: which site (`namespace/name`) or region the clients of a prefix belong to. */
export interface Coverage {
  readonly size: number
  /** Rows that are not taken in. */
  readonly refused: readonly RefusedRow[]
  readonly find: (address: Readonly<Address>) => Place | undefined
}

interface Row {
  readonly place: string
  readonly prefix?: unknown
  readonly site?: unknown
  readonly region?: unknown
}

/**
 * Reads a coverage file: CSV with a header line of `prefix`, `site` and `region` in any order, or a JSON array of objects with these fields. The longest
 * prefix counts. A row without site and region, with a prefix that is none or that was there before, is refused; the others hold.
 */
export function readCoverage(text: string): Coverage {
  const refused: RefusedRow[] = []
  const map = new PrefixMap(1024)
  const places: Place[] = []
  const known = new Map<string, number>()
  for (const row of /^\s*\[/.test(text) ? jsonRows(text, refused) : csvRows(text, refused)) {
    const prefix = newPrefix()
    const problem = problemOf(row, prefix, map)
    if (problem) {
      refused.push({ place: row.place, problem })
      continue
    }
    const { site, region } = row as { readonly site?: string; readonly region?: string }
    const key = `${site ?? ''} ${region ?? ''}`
    let place = known.get(key)
    if (place === undefined) {
      place = places.length
      known.set(key, place)
      places.push({ site: site || undefined, region: region || undefined, source: 'coverage', memo: newMemo() })
    }
    map.set(prefix, place)
  }
  return { size: map.size, refused, find: (address) => places[map.find(address)] }
}

function problemOf({ prefix: text, site, region }: Row, into: Prefix, map: PrefixMap): string | undefined {
  if (typeof text !== 'string') return 'has no prefix'
  const problem = parsePrefix(text.trim(), into)
  if (problem) return problem
  for (const value of [site, region]) {
    if (value !== undefined && typeof value !== 'string') return 'site and region must be texts'
  }
  if (!site && !region) return 'has neither site nor region'
  if (site && !/^[^/\s]+\/[^/\s]+$/.test(site as string)) return `"${site}" is no site: write namespace/name`
  return map.get(into) >= 0 ? `${text.trim()} was there before` : undefined
}

function* jsonRows(text: string, refused: RefusedRow[]): Generator<Row> {
  let rows: unknown
  try {
    rows = JSON.parse(text)
  } catch (error) {
    refused.push({ place: '/', problem: `is not JSON: ${(error as Error).message}` })
    return
  }
  for (const [i, row] of (rows as unknown[]).entries()) {
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) yield { ...row, place: `/${i}` }
    else refused.push({ place: `/${i}`, problem: 'is no object' })
  }
}

const COLUMNS = ['prefix', 'site', 'region']

function* csvRows(text: string, refused: RefusedRow[]): Generator<Row> {
  const rows = text.split(/\r?\n/)
  const header = rows.findIndex((row) => row.trim() !== '' && !row.startsWith('#'))
  const columns = header < 0 ? [] : rows[header]!.split(',').map((name) => name.trim().toLowerCase())
  if (!columns.includes('prefix') || columns.some((name) => !COLUMNS.includes(name))) {
    refused.push({ place: `line ${header + 1}`, problem: 'the header must name prefix, and site or region' })
    return
  }
  for (let i = header + 1; i < rows.length; i++) {
    const row = rows[i]!
    if (row.trim() === '' || row.startsWith('#')) continue
    const cells = row.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
    const place = `line ${i + 1}`
    if (cells.length !== columns.length) {
      refused.push({ place, problem: `has ${cells.length} fields, the header ${columns.length}` })
    } else
      yield { place, ...Object.fromEntries(columns.map((name, c) => [name, cells[c] === '' ? undefined : cells[c]])) }
  }
}
