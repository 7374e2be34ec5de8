const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** What stands between double quotes, JSON's escapes resolved; undefined where there are others. */
export function doubleQuoted(inner: string): string | undefined {
  if (!inner.includes('\\')) return inner
  let known = true
  const value = inner.replace(/\\(u[0-9a-fA-F]{4}|.|$)/gs, (_, code: string) => {
    if (code.length === 5) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    const one = ESCAPES[code]
    if (one === undefined) known = false
    return one ?? ''
  })
  return known ? value : undefined
}

/** What stands between single quotes. */
export function singleQuoted(inner: string): string {
  return inner.includes("'") ? inner.replaceAll("''", "'") : inner
}
