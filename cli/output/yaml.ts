import { goYamlNumber } from './go-number.ts'

/** Text is folded at the first space beyond this column. */
const WIDTH = 80

/**
 * YAML as kubectl prints it (Go's yaml.v2 over JSON): keys in natural order, lists as far in as their key, strings plain where they
 * would be read back as strings, long ones folded. `value` is JSON. Ends with a newline. `keys`: `given` leaves them in the order they have.
 */
export function printYaml(value: unknown, keys: 'sorted' | 'given' = 'sorted'): string {
  const writer = new YamlWriter(keys)
  writer.root(value)
  return writer.text
}

class YamlWriter {
  text = ''
  readonly #order: 'sorted' | 'given'

  constructor(order: 'sorted' | 'given') {
    this.#order = order
  }

  root(value: unknown): void {
    if (isFilledList(value)) this.#list(value, 0, false)
    else if (isFilledMap(value)) this.#map(value, 0, false)
    else this.#line(this.#scalar(value, 0, 0))
  }

  #line(rest: string): void {
    this.text += `${rest}\n`
  }

  #map(map: Record<string, unknown>, indent: number, inline: boolean): void {
    const keys = Object.keys(map).filter((key) => map[key] !== undefined)
    if (this.#order === 'sorted') keys.sort(naturalOrder)
    keys.forEach((key, index) => {
      const lead = inline && index === 0 ? '' : ' '.repeat(indent)
      const name = scalarText(key, { column: indent, indent, key: true })
      if (Buffer.byteLength(key) > 128 || key.includes('\n')) {
        this.text += `${lead}? `
        this.#line(scalarText(key, { column: indent + 2, indent: indent + 2, key: false }))
        this.text += `${' '.repeat(indent)}: `
        this.#compact(map[key], indent + 2)
      } else {
        this.text += `${lead}${name}:`
        this.#value(map[key], indent, indent + [...name].length + 1)
      }
    })
  }

  #value(value: unknown, indent: number, column: number): void {
    if (isFilledList(value)) {
      this.text += '\n'
      this.#list(value, indent, false)
    } else if (isFilledMap(value)) {
      this.text += '\n'
      this.#map(value, indent + 2, false)
    } else this.#line(` ${this.#scalar(value, indent + 2, column + 1)}`)
  }

  #list(list: readonly unknown[], indent: number, inline: boolean): void {
    list.forEach((item, index) => {
      this.text += `${inline && index === 0 ? '' : ' '.repeat(indent)}- `
      this.#compact(item, indent + 2)
    })
  }

  /** A value that begins on the line of its `- ` or `: `. */
  #compact(value: unknown, indent: number): void {
    if (isFilledList(value)) this.#list(value, indent, true)
    else if (isFilledMap(value)) this.#map(value, indent, true)
    else this.#line(this.#scalar(value, indent, indent))
  }

  #scalar(value: unknown, indent: number, column: number): string {
    if (value === null || value === undefined) return 'null'
    if (typeof value === 'string') return scalarText(value, { column, indent, key: false })
    if (typeof value === 'number') return goYamlNumber(value)
    if (typeof value === 'boolean') return String(value)
    return Array.isArray(value) ? '[]' : '{}'
  }
}

const isFilledList = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length > 0
const isFilledMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0

interface Position {
  /** Where the scalar's first character stands, from 0. */
  readonly column: number
  /** Where its further lines begin. */
  readonly indent: number
  readonly key: boolean
}

/** A string in the style that yaml.v2 chooses for it. */
function scalarText(value: string, at: Position): string {
  const allowed = analyze(value)
  if (value.includes('\n') && !at.key && allowed.block) return literal(value, at.indent)
  if (!value.includes('\n') && readsAsString(value) && allowed.plain) return fold(value, '', '', at)
  const wantsDouble = value.includes('\n') || !readsAsString(value)
  if (!wantsDouble && allowed.single) return fold(value.replaceAll("'", "''"), "'", "'", at)
  return doubleQuoted(value, at)
}

// Written as yaml.v2 reads it: YAML 1.1 booleans, numbers with underscores, octal and base 60, timestamps.
const WORDS = new Set([
  '',
  ...'~ null Null NULL y Y yes Yes YES n N no No NO on On ON off Off OFF true True TRUE false False FALSE'.split(' '),
  ...'.nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF'.split(' '),
])
const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/
const DATE = /^(\d{4})-(\d\d?)-(\d\d?)$/
const TIME =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?(?:Z|[-+]\d\d:\d\d)| (\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?)$/

function readsAsString(value: string): boolean {
  if (WORDS.has(value) || BASE_60.test(value)) return false
  if (value.startsWith('.')) return !FLOAT.test(value)
  if (!/^[-+0-9]/.test(value)) return true
  const plain = value.replaceAll('_', '')
  return !(isTimestamp(value) || INTEGER.test(plain) || FLOAT.test(plain))
}

function isTimestamp(value: string): boolean {
  const match = DATE.exec(value) ?? TIME.exec(value)
  if (!match) return false
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const [hour, minute, second] = [4, 5, 6].map((i) => Number(match[i] ?? match[i + 3] ?? 0)) as [number, number, number]
  const inMonth = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return month >= 1 && month <= 12 && day >= 1 && day <= inMonth && hour < 24 && minute < 60 && second < 60
}

const isBreak = (c: string | undefined) =>
  c === '\n' || c === '\r' || c === '\u0085' || c === '\u2028' || c === '\u2029'

function isPrintable(code: number): boolean {
  return (
    code === 0x0a ||
    (code >= 0x20 && code <= 0x7e) ||
    (code >= 0xa0 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff)
  )
}

/** Which styles can carry a string in block context. */
function analyze(value: string): { readonly plain: boolean; readonly single: boolean; readonly block: boolean } {
  if (value === '') return { plain: true, single: true, block: false }
  const chars = [...value]
  let indicators = /^(?:---|\.\.\.)/.test(value)
  let special = false
  let breakSpace = false
  let spaceBreak = false
  chars.forEach((c, i) => {
    const previous = chars[i - 1]
    const next = chars[i + 1]
    const blankNext = next === undefined || next === ' ' || next === '\t'
    if (i === 0) {
      if (/[#,[\]{}&*!|>'"%@`]/.test(c) || (/[?:-]/.test(c) && blankNext)) indicators = true
    } else if (c === ':' && blankNext) indicators = true
    else if (c === '#' && (previous === ' ' || previous === '\t' || isBreak(previous))) indicators = true
    if (!isPrintable(c.codePointAt(0)!)) special = true
    if (c === ' ' && isBreak(previous)) breakSpace = true
    if (isBreak(c) && previous === ' ') spaceBreak = true
  })
  const first = chars[0]
  const last = chars.at(-1)
  const edges = first === ' ' || isBreak(first) || last === ' ' || isBreak(last)
  const breaks = chars.some(isBreak)
  const broken = spaceBreak || special
  return {
    plain: !(edges || breakSpace || broken || breaks || indicators),
    single: !(breakSpace || broken),
    block: !(last === ' ' || broken),
  }
}

function literal(value: string, indent: number): string {
  const hint = value[0] === ' ' || isBreak(value[0]) ? '2' : ''
  const chomp = !isBreak(value.at(-1)) ? '-' : value.length === 1 || isBreak(value.at(-2)) ? '+' : ''
  const lines = value.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const body = lines.map((line) => (line === '' ? '' : ' '.repeat(indent) + line)).join('\n')
  return `|${hint}${chomp}\n${body}`
}

/** Breaks at single spaces beyond WIDTH. `open` and `close` are quotes. */
function fold(value: string, open: string, close: string, { column, indent, key }: Position): string {
  if (key || column + value.length <= WIDTH) return open + value + close
  const chars = [...value]
  let out = open
  let at = column + open.length
  chars.forEach((c, i) => {
    const edge = open !== '' && (i === 0 || i >= chars.length - 1)
    if (c === ' ' && at > WIDTH && chars[i - 1] !== ' ' && chars[i + 1] !== ' ' && !edge) {
      out += `\n${' '.repeat(indent)}`
      at = indent
    } else {
      out += c
      at++
    }
  })
  return out + close
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'e',
  '"': '"',
  '\\': '\\',
  '\u0085': 'N',
  '\u00a0': '_',
  '\u2028': 'L',
  '\u2029': 'P',
}

function doubleQuoted(value: string, { column, indent, key }: Position): string {
  const chars = [...value]
  let out = '"'
  let at = column + 1
  let spaces = false
  const escapeAll = value.startsWith('\ufeff')
  chars.forEach((c, i) => {
    const code = c.codePointAt(0)!
    if (!isPrintable(code) || isBreak(c) || c === '"' || c === '\\' || escapeAll) {
      const text = escapeCharacter(c, code)
      out += text
      at += text.length
      spaces = false
    } else if (c === ' ') {
      if (!key && !spaces && at > WIDTH && i > 0 && i < chars.length - 1) {
        out += `\n${' '.repeat(indent)}${chars[i + 1] === ' ' ? '\\' : ''}`
        at = indent + (chars[i + 1] === ' ' ? 1 : 0)
      } else {
        out += c
        at++
      }
      spaces = true
    } else {
      out += c
      at++
      spaces = false
    }
  })
  return `${out}"`
}

/** A leading byte order mark makes yaml.v2 escape the whole string; so do we, to be the same. */
function escapeCharacter(c: string, code: number): string {
  const short = ESCAPES[c]
  if (short !== undefined) return `\\${short}`
  const hex = code.toString(16).toUpperCase()
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

const isLetter = (c: string) => /\p{L}/u.test(c)
const isDigit = (c: string | undefined) => c !== undefined && /[0-9]/.test(c)

/** yaml.v2's order of keys: letters after the rest, runs of digits by their value. */
export function naturalOrder(a: string, b: string): number {
  const left = [...a]
  const right = [...b]
  for (let i = 0; i < left.length && i < right.length; i++) {
    const l = left[i]!
    const r = right[i]!
    if (l === r) continue
    const letters = [isLetter(l), isLetter(r)]
    if (letters[0] && letters[1]) return l.codePointAt(0)! < r.codePointAt(0)! ? -1 : 1
    if (letters[0] || letters[1]) return letters[1] ? -1 : 1
    return compareDigits(left, right, i) || (l.codePointAt(0)! < r.codePointAt(0)! ? -1 : 1)
  }
  return left.length - right.length
}

function compareDigits(left: readonly string[], right: readonly string[], i: number): number {
  let lead = 0
  if (left[i] === '0' || right[i] === '0') {
    for (let j = i - 1; j >= 0 && isDigit(left[j]); j--) {
      if (left[j] !== '0') {
        lead = 1
        break
      }
    }
  }
  const run = (chars: readonly string[]) => {
    let value = lead
    let end = i
    for (; isDigit(chars[end]); end++) value = value * 10 + Number(chars[end])
    return { value, end }
  }
  const l = run(left)
  const r = run(right)
  return l.value - r.value || l.end - r.end
}
