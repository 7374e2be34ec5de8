/**
 * JSON as kubectl prints it: keys sorted, `<`, `>`, `&` escaped as Go does, and four spaces of indentation (or none, on one line).
 * A serializer of its own because JavaScript's puts keys that look like numbers first.
 */
export function printJson(value: unknown, indent: '' | '    ' = '    '): string {
  return write(value, indent, '')
}

function write(value: unknown, indent: string, at: string): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const inner = at + indent
  const [open, separator, close] = indent === '' ? ['', ',', ''] : [`\n${inner}`, `,\n${inner}`, `\n${at}`]
  if (Array.isArray(value)) {
    return value.length === 0
      ? '[]'
      : `[${open}${value.map((item) => write(item, indent, inner)).join(separator)}${close}]`
  }
  const map = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(map).filter((key) => map[key] !== undefined)
  if (keys.length === 0) return '{}'
  const colon = indent === '' ? ':' : ': '
  const entries = keys.sort(compareBytes).map((key) => quoted(key) + colon + write(map[key], indent, inner))
  return `{${open}${entries.join(separator)}${close}}`
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Go sorts strings by their UTF-8 bytes, which is the order of code points. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0
  return /[\ud800-\udfff]/.test(a + b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1
}
