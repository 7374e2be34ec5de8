import { goQuote } from '../../validation/go-format.ts'
import { CelError, CelList, CelMap, CelUint, items, type Result, typeName, type Value } from '../values/value.ts'
import { toText } from './conversions.ts'

/** One `%` clause of a format. */
export interface Clause {
  readonly verb: 's' | 'd' | 'f' | 'e' | 'b' | 'x' | 'X' | 'o'
  readonly precision: number | undefined
}

/** A format split into plain text and clauses, up to what cannot be read. */
export interface Format {
  readonly parts: readonly (string | Clause)[]
  /** Why the part after the last is no clause. */
  readonly error: string | undefined
}

const CLAUSE = /%(?:\.(\d*))?/y
const VERBS = new Set<string>(['s', 'd', 'f', 'e', 'b', 'x', 'X', 'o'])

/** Reads a format string as `'…'.format([…])` understands it. */
export function parseFormat(text: string): Format {
  const parts: (string | Clause)[] = []
  let at = 0
  while (at < text.length) {
    const percent = text.indexOf('%', at)
    if (percent === -1) {
      parts.push(text.slice(at))
      break
    }
    if (percent > at) parts.push(text.slice(at, percent))
    if (text[percent + 1] === '%') {
      parts.push('%')
      at = percent + 2
      continue
    }
    CLAUSE.lastIndex = percent
    const clause = CLAUSE.exec(text)
    const digits = clause?.[1]
    const end = percent + (clause?.[0].length ?? 1)
    const verb = [...text.slice(end, end + 2)][0]
    if (verb === undefined) return { parts, error: digits === undefined ? 'unexpected end of string' : PRECISION_END }
    if (digits === '') return { parts, error: NO_PRECISION }
    if (!VERBS.has(verb)) {
      return { parts, error: `could not parse formatting clause: unrecognized formatting clause "${verb}"` }
    }
    parts.push({ verb: verb as Clause['verb'], precision: digits === undefined ? undefined : Number(digits) })
    at = end + verb.length
  }
  return { parts, error: undefined }
}

const PRECISION_END =
  'could not parse formatting clause: error while parsing precision: could not find end of precision specifier'
const NO_PRECISION =
  'could not parse formatting clause: error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax'

/** Fills a format in. */
export function formatText(format: string, args: CelList): Result {
  const { parts, error } = parseFormat(format)
  let out = ''
  let used = 0
  for (const part of parts) {
    if (typeof part === 'string') {
      out += part
      continue
    }
    if (used >= args.size) return new CelError(`index ${used} out of range`)
    const value = args.at(used++)
    const text = value instanceof CelError ? value : formatClause(part, value)
    if (text instanceof CelError) return new CelError(`error during formatting: ${text.message}`)
    out += text
  }
  if (error === undefined) return out
  return new CelError(used >= args.size ? `index ${used} out of range` : error)
}

/** What each clause takes, as its error says. */
export const CLAUSE_RULES: Readonly<Record<Clause['verb'], string>> = {
  s: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  d: 'decimal clause can only be used on integers',
  f: 'fixed-point clause can only be used on doubles',
  e: 'scientific clause can only be used on doubles',
  b: 'only integers and bools can be formatted as binary',
  x: 'only integers, byte buffers, and strings can be formatted as hex',
  X: 'only integers, byte buffers, and strings can be formatted as hex',
  o: 'octal clause can only be used on integers',
}

function formatClause(clause: Clause, value: Value): string | CelError {
  const misfit = (): CelError => new CelError(`${CLAUSE_RULES[clause.verb]}, was given ${typeName(value)}`)
  const integer = typeof value === 'bigint' ? value : value instanceof CelUint ? value.value : undefined
  switch (clause.verb) {
    case 's':
      return plain(value) ?? misfit()
    case 'd':
      return integer === undefined ? misfit() : String(integer)
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0'
      return integer === undefined ? misfit() : integer.toString(2)
    case 'o':
      return integer === undefined ? misfit() : integer.toString(8)
    case 'x':
    case 'X': {
      const bytes =
        typeof value === 'string' ? Buffer.from(value) : value instanceof Uint8Array ? Buffer.from(value) : undefined
      const hex = bytes ? bytes.toString('hex') : integer?.toString(16)
      if (hex === undefined) return misfit()
      return clause.verb === 'X' ? hex.toUpperCase() : hex
    }
    case 'f':
    case 'e': {
      const special = value === 'NaN' || value === 'Infinity' || value === '-Infinity'
      if (typeof value !== 'number' && !special) return misfit()
      const number = typeof value === 'number' ? value : Number(value)
      return clause.verb === 'f' ? fixed(number, clause.precision ?? 6) : scientific(number, clause.precision ?? 6)
    }
  }
}

/** As American English writes it: thousands set apart by commas. */
function fixed(value: number, precision: number): string {
  if (!Number.isFinite(value)) return infinite(value)
  const [whole = '', fraction] = rounded(Math.abs(value), Math.min(precision, 100)).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  return `${sign}${grouped}${fraction === undefined ? '' : `.${fraction}`}`
}

/** To so many digits; what is exactly between two goes to the even one, where toFixed would go up. */
function rounded(value: number, precision: number): string {
  const text = value.toFixed(precision)
  const exact = value.toFixed(Math.min(100, precision + 55))
  const rest = precision === 0 ? exact.slice(exact.indexOf('.') + 1) : exact.slice(exact.indexOf('.') + 1 + precision)
  const isTie = value < 1e21 && /^50*$/.test(rest)
  const odd = /[13579]$/.test(text)
  return isTie && odd ? exact.slice(0, exact.length - rest.length).replace(/\.$/, '') : text
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** As American English writes it: `1.052033×10⁰³`. Six digits always: upstream takes the precision for a width. */
function scientific(value: number, width: number): string {
  if (!Number.isFinite(value)) return infinite(value).padStart(width)
  const [mantissa = '', exponent = ''] = value.toExponential(6).split('e')
  const digits = exponent.replace(/^[+-]/, '').padStart(2, '0')
  const raised = [...digits].map((digit) => SUPERSCRIPTS[Number(digit)]).join('')
  return `${mantissa}×10${exponent.startsWith('-') ? '⁻' : ''}${raised}`.padStart(width)
}

function infinite(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '∞' : '-∞'
}

/** `%s`; undefined for what it does not take. */
function plain(value: Value): string | CelError | undefined {
  if (value === null) return 'null'
  if (value instanceof CelList) return collected(items(value), '[', ']')
  if (value instanceof CelMap) return plainMap(value)
  return toText(value) as string | CelError | undefined
}

function collected(values: readonly Result[], open: string, close: string): string | CelError {
  const parts: string[] = []
  for (const value of values) {
    const text = embedded(value)
    if (text instanceof CelError) return text
    parts.push(text)
  }
  return `${open}${parts.join(', ')}${close}`
}

/** A map's entries, ordered by their keys' text. */
function plainMap(map: CelMap): string | CelError {
  const entries: [string, string][] = []
  for (const key of map.keys()) {
    const name = embedded(key)
    const value = embedded(map.find(key) ?? null)
    if (name instanceof CelError) return name
    if (value instanceof CelError) return value
    entries.push([name, value])
  }
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, value]) => `${name}:${value}`).join(', ')}}`
}

/** Inside of lists and maps texts are quoted, times and durations wrapped. */
function embedded(value: Result): string | CelError {
  if (value instanceof CelError) return value
  const text = plain(value)
  if (text === undefined) return new CelError(`${CLAUSE_RULES.s}, was given ${typeName(value)}`)
  if (text instanceof CelError) return text
  switch (typeName(value)) {
    case 'string':
      return goQuote(text)
    case 'bytes':
      return `b${goQuote(text)}`
    case 'google.protobuf.Timestamp':
      return `timestamp(${goQuote(text)})`
    case 'google.protobuf.Duration':
      return `duration(${goQuote(text)})`
    default:
      if (typeof value !== 'number') return text
      return Number.isFinite(value) ? value.toFixed(6) : goQuote(text)
  }
}
