/** The text or bytes that a string literal means, or what is wrong with it. */
export type Unescaped =
  | { readonly ok: true; readonly text: string; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly error: string }

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
}

/** Reads a literal as the lexer found it: quotes, a raw prefix and escapes are undone. `isBytes`: `\x` and octal are bytes. */
export function unescapeLiteral(token: string, isBytes: boolean): Unescaped {
  const raw = /^[rR]/.test(token)
  const quoted = (raw ? token.slice(1) : token).replace(/\r\n?/g, '\n')
  const triple = quoted.length >= 6 && (quoted.startsWith('"""') || quoted.startsWith("'''"))
  const body = triple ? quoted.slice(3, -3) : quoted.slice(1, -1)
  if (raw || !body.includes('\\')) return { ok: true, text: body, bytes: Buffer.from(body) }
  const bytes: Uint8Array[] = []
  let at = 0
  while (at < body.length) {
    const slash = body.indexOf('\\', at)
    const plain = body.slice(at, slash === -1 ? undefined : slash)
    if (plain) bytes.push(Buffer.from(plain))
    if (slash === -1) break
    const piece = escapeAt(body, slash, isBytes)
    if (typeof piece === 'string') return { ok: false, error: piece }
    bytes.push(piece.bytes)
    at = slash + piece.length
  }
  const all = Buffer.concat(bytes)
  return { ok: true, text: all.toString('utf8'), bytes: new Uint8Array(all) }
}

function escapeAt(body: string, at: number, isBytes: boolean): { bytes: Uint8Array; length: number } | string {
  const char = body[at + 1] ?? ''
  const simple = SIMPLE[char]
  if (simple !== undefined) return { bytes: Buffer.from(simple), length: 2 }
  const octal = /^\\([0-3][0-7]{2})/.exec(body.slice(at, at + 4))
  if (octal) return character(Number.parseInt(octal[1] ?? '', 8), 4, isBytes)
  const digits = { x: 2, X: 2, u: 4, U: 8 }[char]
  if (digits === undefined || (isBytes && digits > 2)) return 'unable to unescape string'
  const hex = body.slice(at + 2, at + 2 + digits)
  if (hex.length < digits || !/^[0-9a-fA-F]+$/.test(hex)) return 'unable to unescape string'
  return character(Number.parseInt(hex, 16), digits + 2, isBytes)
}

function character(code: number, length: number, isByte: boolean): { bytes: Uint8Array; length: number } | string {
  if (isByte) return { bytes: Uint8Array.of(code), length }
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 'invalid unicode code point'
  return { bytes: Buffer.from(String.fromCodePoint(code)), length }
}
