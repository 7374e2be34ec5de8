import type { Issue } from './source.ts'

/** What kind of token: a punctuation mark or keyword as itself, or one of the classes. */
export type TokenKind = 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'ident' | 'quotedIdent' | 'eof' | 'mark'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  /** Where it starts, in UTF-16 units. */
  readonly offset: number
}

const SPACE = /[\t \r\n\f]+|\/\/[^\n]*/y
const MARK = /==|!=|<=|>=|&&|\|\||[<>[\]{}().,\-!?:+*/%]/y
const DOUBLE = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y
const UINT = /(?:0x[0-9a-fA-F]+|\d+)[uU]/y
const INT = /0x[0-9a-fA-F]+|\d+/y
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y
const QUOTED = /`[A-Za-z0-9_.\-/ ]+`/y
const ESCAPE = '\\\\(?:[abfnrtv"\'\\\\?`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})'
const STRING = new RegExp(
  [
    `"""(?:${ESCAPE}|[^\\\\])*?"""`,
    `'''(?:${ESCAPE}|[^\\\\])*?'''`,
    `"(?:${ESCAPE}|[^\\\\"\\n\\r])*"`,
    `'(?:${ESCAPE}|[^\\\\'\\n\\r])*'`,
    '[rR]"""[\\s\\S]*?"""',
    "[rR]'''[\\s\\S]*?'''",
    '[rR]"[^"\\n\\r]*"',
    "[rR]'[^'\\n\\r]*'",
  ].join('|'),
  'y',
)
const BYTES = new RegExp(`[bB](?:${STRING.source})`, 'y')

/** How far a text that starts a string gets before it goes wrong, for the error that quotes it. */
const BROKEN_STRING = new RegExp(
  `[bB]?(?:[rR]?"[^"\\n\\r\\\\]*|[rR]?'[^'\\n\\r\\\\]*)(?:${ESCAPE}[^"'\\n\\r\\\\]*)*`,
  'y',
)

const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ['bytes', BYTES],
  ['string', STRING],
  ['double', DOUBLE],
  ['uint', UINT],
  ['int', INT],
  ['ident', IDENT],
  ['quotedIdent', QUOTED],
  ['mark', MARK],
]

const KEYWORDS = new Set(['in', 'true', 'false', 'null'])

/** Splits an expression into tokens, ending with `eof`. What is no token is skipped and told in `issues`. */
export function tokenize(source: string, issues: Issue[]): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < source.length) {
    const space = match(SPACE, source, at)
    if (space !== undefined) {
      at += space.length
      continue
    }
    const token = next(source, at)
    if (token) {
      tokens.push(token)
      at += token.text.length
    } else {
      const text = unreadable(source, at)
      issues.push({ offset: at, message: `Syntax error: token recognition error at: '${text}'` })
      at += text.length
    }
  }
  tokens.push({ kind: 'eof', text: '<EOF>', offset: source.length })
  return tokens
}

function next(source: string, offset: number): Token | undefined {
  for (const [kind, rule] of RULES) {
    const text = match(rule, source, offset)
    if (text !== undefined) return { kind: kind === 'ident' && KEYWORDS.has(text) ? 'mark' : kind, text, offset }
  }
  return undefined
}

function match(rule: RegExp, source: string, offset: number): string | undefined {
  rule.lastIndex = offset
  return rule.exec(source)?.[0]
}

/** What the lexer read before it gave up, with the character it gave up at. */
function unreadable(source: string, offset: number): string {
  const started = match(BROKEN_STRING, source, offset) ?? /^[=&|`]/.exec(source.slice(offset))?.[0] ?? ''
  let end = offset + started.length
  if (started !== '' && source[end] === '\\') end++
  const failing = [...source.slice(end, end + 2)][0] ?? ''
  return source.slice(offset, end + failing.length)
}
