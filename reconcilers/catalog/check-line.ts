import type { CatalogFile } from '../blobs/catalog.ts'

/** Relative requests: in every class of demand, or by class, where `*` stands for all that are not named. */
export type Popularity = number | Readonly<Record<string, number>>

/** A line of a catalog source, checked. */
export interface SourceLine extends CatalogFile {
  readonly popularity?: Popularity
}

/** Something wrong with a line of a catalog source. Lines are counted from 1. */
export interface LineError {
  readonly line: number
  readonly message: string
}

/** The longest line a source may have, in bytes; longer ones are refused without being read into memory. */
export const MAX_LINE_BYTES = 64 * 1024
/** The longest path, in UTF-8 bytes: what file systems and URLs bear. */
const MAX_PATH_BYTES = 4096
/** As the schema of Site has it. */
const CLASS_NAME = /^[a-z0-9]([-a-z0-9._]{0,61}[a-z0-9])?$/
const FIELDS = new Set(['path', 'size', 'sha256', 'title', 'released', 'cohort', 'licensedIn', 'popularity'])
const MAX_COHORT = 63
/** A country, or the value of the label that names a region. */
const REGION_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
/** More than there are countries. */
const MAX_REGIONS = 300

/** Checks one line of NDJSON. Returns the file, or the reason why the line is refused. Never throws. */
export function checkLine(text: string): SourceLine | { readonly refused: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { refused: `not JSON: ${(error as Error).message}` }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { refused: 'not a JSON object' }
  const line = value as Record<string, unknown>
  for (const field of Object.keys(line)) {
    if (!FIELDS.has(field)) return { refused: `unknown field ${quote(field)} (known: ${[...FIELDS].join(', ')})` }
  }
  const { path, size, sha256, title, released, cohort, licensedIn, popularity } = line
  if (typeof path !== 'string') return { refused: 'path: required, a string' }
  const badPath = checkPath(path)
  if (badPath) return { refused: `path ${quote(path)}: ${badPath}` }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    return { refused: `size ${quote(size)}: must be a whole number of bytes, 0 or more` }
  }
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    return { refused: `sha256 ${quote(sha256)}: must be 64 lower-case hexadecimal digits` }
  }
  if (title !== undefined && typeof title !== 'string') return { refused: 'title: must be a string' }
  if (released !== undefined && !isDay(released))
    return { refused: `released ${quote(released)}: must be a day, such as "2026-01-08"` }
  if (cohort !== undefined && (typeof cohort !== 'string' || cohort === '' || cohort.length > MAX_COHORT))
    return { refused: `cohort ${quote(cohort)}: must be a string of 1 to ${MAX_COHORT} characters` }
  const badLicence = licensedIn === undefined ? undefined : checkLicence(licensedIn)
  if (badLicence) return { refused: badLicence }
  const badPopularity = popularity === undefined ? undefined : checkPopularity(popularity)
  if (badPopularity) return { refused: badPopularity }
  return {
    path,
    size,
    sha256,
    ...(title !== undefined && { title }),
    ...(released !== undefined && { released }),
    ...(cohort !== undefined && { cohort }),
    // In one order, so that a list in another is no other version.
    ...(licensedIn !== undefined && { licensedIn: [...new Set(licensedIn as readonly string[])].sort() }),
    ...(popularity !== undefined && { popularity: popularity as Popularity }),
  }
}

/** Whether it is a day that there is, as ISO 8601 writes it. */
function isDay(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false
  const time = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(value)
}

/** Why something is no list of countries and regions, or undefined where it is one. */
function checkLicence(licensedIn: unknown): string | undefined {
  // An empty list would be a file that nobody may have: `exclude` of a policy says so, and a list that lost its entries does not.
  if (!Array.isArray(licensedIn) || licensedIn.length === 0 || licensedIn.length > MAX_REGIONS)
    return `licensedIn ${quote(licensedIn)}: must be a list of 1 to ${MAX_REGIONS} countries or regions`
  const bad = licensedIn.find((name) => typeof name !== 'string' || !REGION_NAME.test(name))
  if (bad === undefined) return undefined
  return `licensedIn ${quote(bad)}: must be a country, such as "DE", or a region as sites are labelled, such as "eu-central"`
}

/** Why something is no `Popularity`, or undefined where it is one. */
function checkPopularity(popularity: unknown): string | undefined {
  if (typeof popularity !== 'object' || popularity === null || Array.isArray(popularity))
    return isRate(popularity) ? undefined : `popularity ${quote(popularity)}: must be a number, 0 or more`
  for (const [name, value] of Object.entries(popularity)) {
    if (name !== '*' && !CLASS_NAME.test(name))
      return `popularity: ${quote(name)} is no class of demand: lower-case letters, digits, "-", "." and "_", at most 63, or "*"`
    if (!isRate(value)) return `popularity ${quote(value)} of class ${quote(name)}: must be a number, 0 or more`
  }
  return undefined
}

const isRate = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0

/** Why a path cannot be a file's name below a folder, or undefined where it can. */
function checkPath(path: string): string | undefined {
  if (path === '') return 'must not be empty'
  if (path.startsWith('/')) return 'must be relative'
  if (path.includes('\0')) return 'must not contain NUL'
  if (!path.isWellFormed()) return 'must be well-formed Unicode'
  if (new TextEncoder().encode(path).length > MAX_PATH_BYTES) return `must have at most ${MAX_PATH_BYTES} bytes`
  for (const segment of path.split('/')) {
    if (segment === '') return 'must not contain an empty segment'
    if (segment === '.' || segment === '..') return `must not contain the segment ${quote(segment)}`
  }
  return undefined
}

/** A value as JSON, shortened so that a message stays a sentence. */
function quote(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'missing')
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
