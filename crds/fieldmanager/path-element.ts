import type { JsonValue } from '../metadata.ts'
import { goPrint, goQuote } from './go-print.ts'
import { compareStrings, compareValues, isMap } from './value.ts'

/**
 * One step into an object, in the spelling of FieldsV1: `f:name` a field, `k:{"name":"a"}` a list item by its keys,
 * `v:"a"` an item of a set, `i:0` an item by index. Every element has one canonical spelling, so elements compare as strings.
 */
export type PathElement = string

export function fieldElement(name: string): PathElement {
  return `f:${name}`
}

export function valueElement(value: JsonValue): PathElement {
  return `v:${spell(value)}`
}

/** `keys` in any order. */
export function keyElement(keys: readonly (readonly [name: string, value: JsonValue])[]): PathElement {
  const sorted = keys.length < 2 ? keys : [...keys].sort((a, b) => compareStrings(a[0], b[0]))
  let text = 'k:{'
  for (const [name, value] of sorted) {
    if (text.length > 3) text += ','
    text += `${spellString(name, false)}:${spell(value)}`
  }
  return `${text}}`
}

/** Reads an element from the wire. Undefined: of a type that does not exist (yet), to be ignored. Throws on nonsense. */
export function readElement(wire: string): PathElement | undefined {
  if (wire.length < 2) throw new Error('key must be 2 characters long:')
  if (wire[1] !== ':') throw new Error(`missing colon: ${wire}`)
  switch (wire[0]) {
    case 'f':
      return wire
    case 'v':
      return valueElement(JSON.parse(wire.slice(2)) as JsonValue)
    case 'k': {
      const keys = JSON.parse(wire.slice(2)) as JsonValue
      if (!isMap(keys)) throw new Error(`not an object: ${wire}`)
      return keyElement(Object.entries(keys).map(([name, value]) => [name, value ?? null]))
    }
    case 'i':
      if (!/^[+-]?\d+$/.test(wire.slice(2))) throw new Error(`not an index: ${wire}`)
      return `i:${Number(wire.slice(2))}`
    default:
      return undefined
  }
}

const TYPE_ORDER = 'fkvi'

/** The order in which elements are written. */
export function compareElements(a: PathElement, b: PathElement): number {
  const type = TYPE_ORDER.indexOf(a.charAt(0)) - TYPE_ORDER.indexOf(b.charAt(0))
  if (type !== 0) return type
  const x = a.slice(2)
  const y = b.slice(2)
  switch (a[0]) {
    case 'f':
      return compareStrings(x, y)
    case 'i':
      return Number(x) - Number(y)
    case 'k':
      return compareKeys(JSON.parse(x), JSON.parse(y))
    default:
      return compareValues(JSON.parse(x), JSON.parse(y))
  }
}

function compareKeys(a: Readonly<Record<string, JsonValue>>, b: Readonly<Record<string, JsonValue>>): number {
  const x = Object.entries(a)
  const y = Object.entries(b)
  for (let i = 0; ; i++) {
    const left = x[i]
    const right = y[i]
    if (!left || !right) return (left ? 1 : 0) - (right ? 1 : 0)
    const order = compareStrings(left[0], right[0]) || compareValues(left[1], right[1])
    if (order !== 0) return order
  }
}

/** As Kubernetes prints it in messages: `.name`, `[name="a",port=80]`, `[="a"]`, `[0]`. */
export function printElement(element: PathElement): string {
  const rest = element.slice(2)
  switch (element[0]) {
    case 'f':
      return `.${rest}`
    case 'k': {
      const keys = Object.entries(JSON.parse(rest) as Record<string, JsonValue>)
      return `[${keys.map(([name, value]) => `${name}=${printValue(value)}`).join(',')}]`
    }
    case 'v':
      return `[=${printValue(JSON.parse(rest) as JsonValue)}]`
    default:
      return `[${rest}]`
  }
}

export function printPath(path: readonly PathElement[]): string {
  return path.map(printElement).join('')
}

function printValue(value: JsonValue): string {
  return value === null ? 'null' : typeof value === 'string' ? goQuote(value) : goPrint(value)
}

function spell(value: JsonValue): string {
  if (typeof value === 'string') return spellString(value, true)
  if (Array.isArray(value)) return `[${value.map(spell).join(',')}]`
  if (isMap(value)) {
    const keys = Object.keys(value).sort(compareStrings)
    return `{${keys.map((key) => `${spellString(key, true)}:${spell(value[key] ?? null)}`).join(',')}}`
  }
  return JSON.stringify(value)
}

/** Text that no JSON encoder escapes. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/

/** JSON as Go's encoder escapes it; `html`: also what could end a script in a page. */
function spellString(text: string, html: boolean): string {
  if (PLAIN.test(text)) return `"${text}"`
  const json = JSON.stringify(text)
  return json.replace(html ? /\\[\\"bf]|[<>&\u2028\u2029]/g : /\\[\\"bf]/g, (match) => {
    if (match === '\\b') return '\\u0008'
    if (match === '\\f') return '\\u000c'
    return match.length > 1 ? match : `\\u${match.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
