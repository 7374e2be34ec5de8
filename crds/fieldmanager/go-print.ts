import { compareStrings, isList, isMap, type Value } from './value.ts'

/** A value as Go's `%v` prints it: `map[a:1 b:[x y]]`, `<nil>`. */
export function goPrint(value: Value): string {
  if (value === null || value === undefined) return '<nil>'
  if (isList(value)) return `[${value.map(goPrint).join(' ')}]`
  if (isMap(value)) {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined)
    return `map[${keys
      .sort(compareStrings)
      .map((key) => `${key}:${goPrint(value[key])}`)
      .join(' ')}]`
  }
  return typeof value === 'number' ? goNumber(value) : String(value)
}

/** Go's `%v` of an int64 or a float64 (shortest form, an exponent from 1e+21 and below 1e-04). */
function goNumber(value: number): string {
  if (Number.isInteger(value)) {
    return Math.abs(value) < 1e21 ? BigInt(value).toString() : value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  }
  if (Math.abs(value) >= 1e-4) return String(value)
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}

/** A string as Go's `%q` quotes it. */
export function goQuote(text: string): string {
  const short: Readonly<Record<string, string>> = {
    '\u0007': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
    '"': '\\"',
    '\\': '\\\\',
  }
  let quoted = '"'
  for (const char of text) {
    const escaped = short[char]
    if (escaped !== undefined) quoted += escaped
    else if (char === ' ' || !/[\p{C}\p{Z}]/u.test(char)) quoted += char
    else quoted += escapeCodePoint(char.codePointAt(0) ?? 0)
  }
  return `${quoted}"`
}

function escapeCodePoint(code: number): string {
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** The name of the Go type that an unstructured value has. */
export function goType(value: Value): string {
  if (value === null || value === undefined) return '<nil>'
  if (isList(value)) return '[]interface {}'
  if (isMap(value)) return 'map[string]interface {}'
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'float64'
    case 'boolean':
      return 'bool'
    default:
      return 'string'
  }
}

/** A value as Go's `%#v` prints it. */
export function goSyntax(value: Value): string {
  if (value === null || value === undefined) return 'interface {}(nil)'
  if (typeof value === 'string') return goQuote(value)
  if (isList(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (isMap(value)) {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined)
    const items = keys.sort(compareStrings).map((key) => `${goQuote(key)}:${goSyntax(value[key])}`)
    return `map[string]interface {}{${items.join(', ')}}`
  }
  return goPrint(value)
}
