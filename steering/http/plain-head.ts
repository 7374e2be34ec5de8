/** The head of a request, of what concerns us. */
export interface PlainHead {
  readonly method: 'GET' | 'POST' | 'OPTIONS'
  /** Path and query as they came. */
  readonly target: string
  /** Where the body begins, and what the head says of its length. */
  readonly end: number
  readonly bodyBytes: number
  readonly origin: string | undefined
  readonly forwarded: string | undefined
}

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const SLASH = 47
const COLON = 58
const DELETE = 127

/** By character: 1 where a header's name may have it. Source: RFC 9110 section 5.6.2. */
const IN_NAME = new Uint8Array(256)
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  IN_NAME[char.charCodeAt(0)] = 1

/** Headers that change what a request is, or how it or its answer is to be read. */
const NOT_PLAIN: ReadonlySet<string> = new Set([
  ...['transfer-encoding', 'content-encoding', 'expect', 'upgrade', 'trailer', 'te', 'proxy-connection'],
])

/**
 * Reads the head of a request that is as plain as can be, byte by byte as latin1. Undefined for any other: no more of HTTP is understood here than
 * questions usually need, nothing that is doubtful is taken, and whoever reads all of it may say what is wrong with it. `forwarding`: the header by
 * which proxies tell for whom they ask, in small letters. Source: RFC 9112.
 */
export function readPlainHead(text: string, forwarding: string): PlainHead | undefined {
  const method = methodOf(text)
  if (method === undefined) return undefined
  const from = method.length + 1
  const to = text.indexOf(' ', from)
  if (text.charCodeAt(from) !== SLASH || !text.startsWith(' HTTP/1.1\r\n', to)) return undefined
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    if (code <= SPACE || code >= DELETE) return undefined
  }
  let hosts = 0
  let length: string | undefined
  let origin: string | undefined
  let forwarded: string | undefined
  let at = to + 11
  for (; text.charCodeAt(at) !== CR; ) {
    const colon = nameEnd(text, at)
    if (colon === at || text.charCodeAt(colon) !== COLON) return undefined
    const lineEnd = valueEnd(text, colon + 1)
    if (text.charCodeAt(lineEnd) !== CR || text.charCodeAt(lineEnd + 1) !== LF) return undefined
    const name = text.slice(at, colon).toLowerCase()
    at = lineEnd + 2
    if (name === 'host') hosts++
    else if (name === 'content-length') {
      if (length !== undefined) return undefined
      length = trimmed(text, colon + 1, lineEnd)
    } else if (name === 'connection') {
      if (trimmed(text, colon + 1, lineEnd).toLowerCase() !== 'keep-alive') return undefined
    } else if (name === 'origin') {
      if (origin !== undefined) return undefined
      origin = trimmed(text, colon + 1, lineEnd)
    } else if (name === forwarding) {
      const value = trimmed(text, colon + 1, lineEnd)
      forwarded = forwarded === undefined ? value : `${forwarded}, ${value}`
    } else if (NOT_PLAIN.has(name)) return undefined
  }
  if (text.charCodeAt(at + 1) !== LF || hosts !== 1) return undefined
  if ((method === 'POST') !== (length !== undefined)) return undefined
  if (length !== undefined && !/^\d{1,6}$/.test(length)) return undefined
  return { method, target: text.slice(from, to), end: at + 2, bodyBytes: Number(length ?? 0), origin, forwarded }
}

function methodOf(text: string): PlainHead['method'] | undefined {
  if (text.startsWith('GET ')) return 'GET'
  if (text.startsWith('POST ')) return 'POST'
  return text.startsWith('OPTIONS ') ? 'OPTIONS' : undefined
}

function nameEnd(text: string, from: number): number {
  let at = from
  while (IN_NAME[text.charCodeAt(at)] === 1) at++
  return at
}

/** The first character that no value may have: mostly the end of its line. */
function valueEnd(text: string, from: number): number {
  let at = from
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if ((code < SPACE && code !== TAB) || code === DELETE) return at
  }
  return at
}

/** A value without the space around it. */
function trimmed(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

const isBlank = (code: number) => code === SPACE || code === TAB
