import type { JsonValue } from '../metadata.ts'

/**
 * Values as Go prints them, because Kubernetes' error messages are made by Go's fmt and encoding/json:
 * `%q`, `%v` of a float64, and compact JSON with sorted keys and escaped HTML characters.
 */

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
}

const PLAIN = /^[ !#-[\]-~]*$/
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u

/** A string as Go's `%q` writes it. */
export function goQuote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  let out = '"'
  for (const char of text) {
    const short = SHORT_ESCAPES[char]
    if (short !== undefined) out += short
    else if (char === ' ' || PRINTABLE.test(char)) out += char
    else out += escapeCodePoint(char.codePointAt(0) ?? 0)
  }
  return `${out}"`
}

function escapeCodePoint(code: number): string {
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd'
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\U${code.toString(16).padStart(8, '0')}`
}

/** A JSON number as Kubernetes shows it: it reads whole numbers into int64 and all others into float64. */
export function goNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) <= 2 ** 63 ? BigInt(value).toString() : goFloat(value)
}

/** A float64 as Go's `%v` writes it: with the fewest digits, and an exponent from 1e+06 on and below 1e-04. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(value)
  const sign = power < 0 ? '-' : '+'
  return `${mantissa}e${sign}${String(Math.abs(power)).padStart(2, '0')}`
}

/** JSON as Go's encoding/json writes it: compact, keys sorted by code unit, `<`, `>`, `&` escaped. */
export function goJson(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return goJsonString(value)
  if (typeof value === 'number') return String(value)
  if (typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`
  const object = value as { readonly [key: string]: JsonValue | undefined }
  const fields = Object.keys(object).filter((key) => object[key] !== undefined)
  return `{${fields
    .sort()
    .map((key) => `${goJsonString(key)}:${goJson(object[key])}`)
    .join(',')}}`
}

const HTML = /[<>&\u2028\u2029]/g

function goJsonString(text: string): string {
  return JSON.stringify(text).replace(HTML, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
