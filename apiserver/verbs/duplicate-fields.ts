import type { JsonValue } from '../../crds/metadata.ts'

/**
 * The fields that a JSON text gives more than once, which JSON.parse silently merges: `duplicate field "spec.x"`. `value` is the parsed
 * text: as long as it has as many keys as the text has colons outside of strings, there are none, and nothing more is done.
 */
export function duplicateFields(text: string, value: JsonValue): string[] {
  return countColons(text) === countKeys(value) ? [] : findDuplicates(text)
}

function countKeys(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item)
    return count
  }
  for (const item of Object.values(value)) count += 1 + countKeys(item as JsonValue)
  return count
}

const quote = 34
const backslash = 92
const colon = 58

function countColons(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === quote) i = endOfString(text, i)
    else if (c === colon) count++
  }
  return count
}

/** Index of the quote that closes the string which opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = text.indexOf('"', start + 1); i >= 0; i = text.indexOf('"', i + 1)) {
    let slashes = 0
    while (text.charCodeAt(i - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return i
  }
  return text.length
}

interface Level {
  readonly path: string
  /** Keys seen; undefined inside an array. */
  readonly keys: Set<string> | undefined
  key: string
  index: number
}

/** Walks valid JSON text and reports every repeated key with its path, in order. */
function findDuplicates(text: string): string[] {
  const found: string[] = []
  const stack: Level[] = []
  const here = (): string => {
    const top = stack.at(-1)
    if (!top) return ''
    if (!top.keys) return `${top.path}[${top.index}]`
    return top.path === '' ? top.key : `${top.path}.${top.key}`
  }
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '{' || c === '[') stack.push({ path: here(), keys: c === '{' ? new Set() : undefined, key: '', index: 0 })
    else if (c === '}' || c === ']') stack.pop()
    else if (c === ',') {
      const top = stack.at(-1)
      if (top) top.index++
    } else if (c === '"') {
      const end = endOfString(text, i)
      const top = stack.at(-1)
      if (top?.keys && /^\s*:/.test(text.slice(end + 1, end + 50))) {
        top.key = JSON.parse(text.slice(i, end + 1)) as string
        if (top.keys.has(top.key)) found.push(`duplicate field "${here()}"`)
        top.keys.add(top.key)
      }
      i = end
    }
  }
  return [...new Set(found)]
}
