import type { JsonObject, JsonValue } from '../../crds/metadata.ts'

type Path = (string | number)[]

/**
 * The steps of a field that a message names (`spec.windows[0].start`, `.spec.ports[port=80].name`, `metadata.labels[a/b]`), read with the
 * object at hand: names may have dots in them, and list items may be named by their keys. Steps that the object does not have are
 * taken as they are written.
 */
export function fieldSteps(object: JsonValue, field: string): Path {
  const path: Path = []
  let value: JsonValue | undefined = object
  let rest = field.startsWith('.') ? field.slice(1) : field
  while (rest !== '') {
    const [step, length]: [string | number, number] = rest.startsWith('[') ? bracket(value, rest) : name(value, rest)
    path.push(step)
    value =
      value === null || typeof value !== 'object'
        ? undefined
        : (value as Record<string | number, JsonValue | undefined>)[step]
    rest = rest.slice(length)
    if (rest.startsWith('.')) rest = rest.slice(1)
  }
  return path
}

/** The longest of the object's own keys that the text begins with, or else what comes before a dot or bracket. */
function name(value: JsonValue | undefined, rest: string): [string, number] {
  const own = isMap(value)
    ? Object.keys(value).filter(
        (key) => key !== '' && rest.startsWith(key) && /^(?:$|[.[])/.test(rest.slice(key.length)),
      )
    : []
  const longest = own.sort((a, b) => b.length - a.length)[0]
  const written = longest ?? /^[^.[]*/.exec(rest)![0]
  return [written, Math.max(1, written.length)]
}

function bracket(value: JsonValue | undefined, rest: string): [string | number, number] {
  const end = closing(rest)
  const inner = rest.slice(1, end)
  if (/^\d+$/.test(inner)) return [Number(inner), end + 1]
  if (Array.isArray(value)) {
    const index = value.findIndex((item) => matches(item as JsonValue, inner))
    return [Math.max(index, 0), end + 1]
  }
  return [inner.replace(/^"(.*)"$/, '$1'), end + 1]
}

/** The bracket that closes the one at the start; quoted ones inside do not count. */
function closing(text: string): number {
  let quoted = false
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '"' && text[at - 1] !== '\\') quoted = !quoted
    else if (text[at] === ']' && !quoted) return at
  }
  return text.length
}

/** `name="a",port=80` or `="value"`, as server-side apply names list items. */
function matches(item: JsonValue, selector: string): boolean {
  if (selector.startsWith('=')) return JSON.stringify(item) === selector.slice(1)
  const pairs = [...selector.matchAll(/([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]*)/g)]
  return (
    pairs.length > 0 &&
    isMap(item) &&
    pairs.every(([, key, value]) => JSON.stringify(item[key!]) === value || item[key!] === value)
  )
}

const isMap = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
