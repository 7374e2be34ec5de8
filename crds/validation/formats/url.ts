import { goQuote } from '../go-format.ts'
import { type IpAddress, parseIp } from './ip.ts'

/** A URL as Go's net/url holds it. */
export interface GoUrl {
  readonly scheme: string
  /** `host:port`, percent-escapes undone. */
  readonly host: string
  /** The path as it should be sent. */
  readonly escapedPath: string
  readonly rawQuery: string
  readonly opaque: string
  readonly user: string
  readonly fragment: string
}

export type ParsedUrl = { readonly ok: true; readonly url: GoUrl } | { readonly ok: false; readonly error: string }

class UrlError extends Error {}

/** What Go's url.ParseRequestURI accepts: an absolute URI or an absolute path. Errors in Go's words. */
export function parseRequestUri(text: string): ParsedUrl {
  return attempt(text, () => parse(text, true))
}

/** Go's url.Parse: as a request URI or relative, with a fragment. */
export function parseUrl(text: string): ParsedUrl {
  const hash = text.indexOf('#')
  const main = hash === -1 ? text : text.slice(0, hash)
  return attempt(main, () => ({ ...parse(main, false), fragment: hash === -1 ? '' : text.slice(hash + 1) }))
}

function attempt(text: string, run: () => GoUrl): ParsedUrl {
  try {
    return { ok: true, url: run() }
  } catch (error) {
    if (!(error instanceof UrlError)) throw error
    return { ok: false, error: `parse ${goQuote(text)}: ${error.message}` }
  }
}

function parse(text: string, viaRequest: boolean): GoUrl {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(text)) throw new UrlError('net/url: invalid control character in URL')
  if (text === '' && viaRequest) throw new UrlError('empty url')
  const empty: GoUrl = { scheme: '', host: '', escapedPath: '', rawQuery: '', opaque: '', user: '', fragment: '' }
  if (text === '*') return { ...empty, escapedPath: '*' }
  const { scheme, rest } = splitScheme(text)
  const question = rest.indexOf('?')
  const rawQuery = question === -1 ? '' : rest.slice(question + 1)
  const before = question === -1 ? rest : rest.slice(0, question)
  if (!before.startsWith('/')) {
    if (scheme !== '') return { ...empty, scheme, rawQuery, opaque: before }
    if (viaRequest) throw new UrlError('invalid URI for request')
    if ((before.split('/')[0] ?? '').includes(':')) {
      throw new UrlError('first path segment in URL cannot contain colon')
    }
  }
  const hasAuthority = (scheme !== '' || (!viaRequest && !before.startsWith('///'))) && before.startsWith('//')
  if (!hasAuthority) return { ...empty, scheme, rawQuery, escapedPath: escapePath(before) }
  const slash = before.indexOf('/', 2)
  const authority = slash === -1 ? before.slice(2) : before.slice(2, slash)
  const path = slash === -1 ? '' : before.slice(slash)
  const at = authority.lastIndexOf('@')
  const host = parseHost(scheme, authority.slice(at + 1))
  const user = at === -1 ? '' : parseUser(authority.slice(0, at))
  return { ...empty, scheme, rawQuery, user, host, escapedPath: escapePath(path) }
}

function splitScheme(text: string): { scheme: string; rest: string } {
  if (text.startsWith(':')) throw new UrlError('missing protocol scheme')
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)
  return match
    ? { scheme: (match[1] ?? '').toLowerCase(), rest: text.slice(match[0].length) }
    : { scheme: '', rest: text }
}

function parseUser(text: string): string {
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(text)) throw new UrlError('net/url: invalid userinfo')
  checkEscapes(text)
  return text
}

function parseHost(scheme: string, host: string): string {
  const open = host.lastIndexOf('[')
  if (open > 0) throw new UrlError('invalid IP-literal')
  if (open === 0) return parseBracketed(host)
  const first = host.indexOf(':')
  if (first !== -1) {
    const colon = scheme === 'http' || scheme === 'https' ? first : host.lastIndexOf(':')
    checkPort(host.slice(colon))
  }
  return unescapeHost(host)
}

function parseBracketed(host: string): string {
  const close = host.lastIndexOf(']')
  if (close === -1) throw new UrlError("missing ']' in host")
  const port = host.slice(close + 1)
  checkPort(port)
  const name = unescapeHost(host.slice(1, close))
  const ip = parseIp(name)
  if (!ip.ok) throw new UrlError(`invalid host: ${ip.error}`)
  if (isIpv4(ip.value)) throw new UrlError('invalid IP-literal')
  return `[${name}]${unescapeHost(port)}`
}

const isIpv4 = (ip: IpAddress): boolean => ip.bytes.length === 4

function checkPort(port: string): void {
  if (!/^(:\d*)?$/.test(port)) throw new UrlError(`invalid port ${goQuote(port)} after host`)
}

const HOST_CHARACTER = /[A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"%\u0080-\u{10ffff}]/u

/** In a host only bytes past ASCII, and the percent sign itself, may be escaped. */
function unescapeHost(host: string): string {
  checkEscapes(host)
  for (const escaped of host.matchAll(/%([0-9A-Fa-f]{2})/g)) {
    if (Number.parseInt(escaped[1] ?? '', 16) < 0x80 && escaped[0] !== '%25') {
      throw new UrlError(`invalid URL escape ${goQuote(escaped[0])}`)
    }
  }
  for (const char of host) {
    if (!HOST_CHARACTER.test(char)) throw new UrlError(`invalid character ${goQuote(char)} in host name`)
  }
  return unescapeText(host)
}

function checkEscapes(text: string): void {
  const bad = /%(?![0-9A-Fa-f]{2})/.exec(text)
  if (bad) throw new UrlError(`invalid URL escape ${goQuote(text.slice(bad.index, bad.index + 3))}`)
}

/** Undoes percent-escapes; bytes that are no UTF-8 become U+FFFD. */
function unescapeText(text: string): string {
  if (!text.includes('%')) return text
  const bytes: number[] = []
  const source = Buffer.from(text)
  for (let i = 0; i < source.length; i++) {
    const byte = source[i] ?? 0
    if (byte === 0x25) {
      bytes.push(Number.parseInt(source.toString('latin1', i + 1, i + 3), 16))
      i += 2
    } else bytes.push(byte)
  }
  return Buffer.from(bytes).toString('utf8')
}

const PATH_CHARACTER = /[A-Za-z0-9\-._~!$&'()*+,;=:@/[\]%]/

function escapePath(path: string): string {
  checkEscapes(path)
  if ([...path].every((char) => PATH_CHARACTER.test(char))) return path
  return [...unescapeText(path)].map((char) => (/[A-Za-z0-9\-._~$&+,/:;=@]/.test(char) ? char : percent(char))).join('')
}

function percent(char: string): string {
  return [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/** The host without its port and brackets. */
export function hostname(url: GoUrl): string {
  return splitHostPort(url.host).hostname
}

/** The port, '' where there is none. */
export function port(url: GoUrl): string {
  return splitHostPort(url.host).port
}

function splitHostPort(host: string): { hostname: string; port: string } {
  const match = /^(.*?)(?::(\d*))?$/s.exec(host)
  const withPort = match?.[2] !== undefined && host.lastIndexOf(':') === host.length - match[2].length - 1
  const name = withPort ? host.slice(0, host.lastIndexOf(':')) : host
  const bare = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
  return { hostname: bare, port: withPort ? (match?.[2] ?? '') : '' }
}

/** The query's values by key, in order; pairs that are malformed are left out. */
export function queryValues(url: GoUrl): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (const pair of url.rawQuery.split('&')) {
    if (pair === '' || pair.includes(';')) continue
    const equals = pair.indexOf('=')
    const name = queryPart(equals === -1 ? pair : pair.slice(0, equals))
    const value = queryPart(equals === -1 ? '' : pair.slice(equals + 1))
    if (name === undefined || value === undefined) continue
    values.set(name, [...(values.get(name) ?? []), value])
  }
  return values
}

function queryPart(text: string): string | undefined {
  return /%(?![0-9A-Fa-f]{2})/.test(text) ? undefined : unescapeText(text.replaceAll('+', ' '))
}

/** The URL in one piece, as Go's URL.String writes it. */
export function urlString(url: GoUrl): string {
  const scheme = url.scheme ? `${url.scheme}:` : ''
  const query = url.rawQuery ? `?${url.rawQuery}` : ''
  const fragment = url.fragment ? `#${url.fragment}` : ''
  if (url.opaque) return `${scheme}${url.opaque}${query}${fragment}`
  const authority = url.host || url.user ? `//${url.user ? `${url.user}@` : ''}${url.host}` : ''
  return `${scheme}${authority}${url.escapedPath}${query}${fragment}`
}
