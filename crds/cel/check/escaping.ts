/**
 * Names of fields as expressions write them: what is no CEL identifier is spelled out (`a-b` is `a__dash__b`), and reserved
 * words are wrapped (`namespace` is `__namespace__`).
 */

const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

const SPELLED: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

/** The name for expressions; undefined for one that cannot be written in them. */
export function escapeName(name: string): string | undefined {
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(name)) return undefined
  if (RESERVED.has(name)) return `__${name}__`
  return name.replace(/__|[.\-/]/g, (part) => SPELLED[part] ?? part)
}

const MEANINGS: Readonly<Record<string, string>> = { underscores: '__', dot: '.', dash: '-', slash: '/' }

/** The field that a name in an expression means; undefined for one that no field escapes to. */
export function unescapeName(escaped: string): string | undefined {
  if (!escaped.includes('__')) return escaped
  let ok = true
  const name = escaped.replace(/__([^_]+)__/g, (whole, inner: string) => {
    const meaning = MEANINGS[inner]
    if (meaning !== undefined) return meaning
    if (RESERVED.has(inner) && whole.length === escaped.length) return inner
    ok = false
    return ''
  })
  return ok ? name : undefined
}
