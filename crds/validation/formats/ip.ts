import { goQuote } from '../go-format.ts'

/** An IP address as bytes: 4 for IPv4, 16 for IPv6. */
export interface IpAddress {
  readonly bytes: readonly number[]
  /** RFC 4007 zone (`eth0` of `fe80::1%eth0`); '' where there is none. */
  readonly zone: string
}

export interface Cidr {
  readonly ip: IpAddress
  readonly prefix: number
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string }

const good = <T>(value: T): Parsed<T> => ({ ok: true, value })
const bad = <T>(error: string): Parsed<T> => ({ ok: false, error })

/** `a.b.c.d`. `sloppy` allows leading zeros, as Kubernetes' formats still do. */
export function parseIpv4(text: string, sloppy = false): IpAddress | undefined {
  if (sloppy) {
    const parts = text.split('.')
    const bytes = parts.map(Number)
    const fits =
      parts.length === 4 && parts.every((part) => /^\d{1,8}$/.test(part)) && bytes.every((byte) => byte < 256)
    return fits ? { bytes, zone: '' } : undefined
  }
  const fields = ipv4Fields(text)
  return typeof fields === 'string' ? undefined : { bytes: fields, zone: '' }
}

/** RFC 4291 text, with `::` and an IPv4 tail. A zone must be asked for. */
export function parseIpv6(text: string, options: { readonly zone?: boolean } = {}): IpAddress | undefined {
  const ip = ipv6Address(text)
  return typeof ip === 'string' || (ip.zone !== '' && !options.zone) ? undefined : ip
}

/** Either family, zones allowed; errors are those of Go's netip.ParseAddr. */
export function parseIp(text: string): Parsed<IpAddress> {
  const fail = (why: string): Parsed<IpAddress> => bad(`ParseAddr(${goQuote(text)}): ${why}`)
  switch (/[.:%]/.exec(text)?.[0]) {
    case '.': {
      const fields = ipv4Fields(text)
      return typeof fields === 'string' ? fail(fields) : good({ bytes: fields, zone: '' })
    }
    case ':': {
      const ip = ipv6Address(text)
      return typeof ip === 'string' ? fail(ip) : good(ip)
    }
    case '%':
      return fail('missing IPv6 address')
    default:
      return fail('unable to parse IP')
  }
}

const at = (problem: string, rest: string): string => `${problem} (at ${goQuote(rest)})`

/** Four bytes, or what is wrong first. */
function ipv4Fields(text: string): number[] | string {
  const fields: number[] = []
  let value = 0
  let digits = 0
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string
    if (char >= '0' && char <= '9') {
      if (digits === 1 && value === 0) return 'IPv4 field has octet with leading zero'
      value = value * 10 + Number(char)
      digits++
      if (value > 255) return 'IPv4 field has value >255'
    } else if (char === '.') {
      if (i === 0 || i === text.length - 1 || text[i - 1] === '.') {
        return at('IPv4 field must have at least one digit', text.slice(i))
      }
      if (fields.length === 3) return 'IPv4 address too long'
      fields.push(value)
      value = 0
      digits = 0
    } else return at('unexpected character', text.slice(i))
  }
  return fields.length < 3 ? 'IPv4 address too short' : [...fields, value]
}

/** Sixteen bytes and a zone, or what is wrong first. */
function ipv6Address(text: string): IpAddress | string {
  const percent = text.indexOf('%')
  const zone = percent === -1 ? '' : text.slice(percent + 1)
  if (percent !== -1 && zone === '') return 'zone must be a non-empty string'
  let rest = percent === -1 ? text : text.slice(0, percent)
  let ellipsis = -1
  const bytes: number[] = []
  if (rest.startsWith('::')) {
    ellipsis = 0
    rest = rest.slice(2)
  }
  while (bytes.length < 16 && !(rest === '' && ellipsis === bytes.length)) {
    const digits = /^[0-9A-Fa-f]*/.exec(rest)?.[0] ?? ''
    if (digits.length > 4) return at('each group must have 4 or less digits', rest)
    if (digits === '') return at('each colon-separated field must have at least one digit', rest)
    if (rest[digits.length] === '.') {
      if (ellipsis < 0 && bytes.length !== 12) {
        return at('embedded IPv4 address must replace the final 2 fields of the address', rest)
      }
      if (bytes.length + 4 > 16) {
        return at('too many hex fields to fit an embedded IPv4 at the end of the address', rest)
      }
      const fields = ipv4Fields(rest)
      if (typeof fields === 'string') return fields
      bytes.push(...fields)
      rest = ''
      break
    }
    const group = Number.parseInt(digits, 16)
    bytes.push(group >> 8, group & 255)
    rest = rest.slice(digits.length)
    if (rest === '') break
    if (rest[0] !== ':') return at('unexpected character, want colon', rest)
    if (rest === ':') return at('colon must be followed by more characters', rest)
    rest = rest.slice(1)
    if (rest[0] === ':') {
      if (ellipsis >= 0) return at('multiple :: in address', rest)
      ellipsis = bytes.length
      rest = rest.slice(1)
    }
  }
  return filled(bytes, ellipsis, rest, zone)
}

function filled(bytes: readonly number[], ellipsis: number, rest: string, zone: string): IpAddress | string {
  if (rest !== '') return at('trailing garbage after address', rest)
  if (bytes.length === 16) {
    return ellipsis >= 0 ? 'the :: must expand to at least one field of zeros' : { bytes, zone }
  }
  if (ellipsis < 0) return 'address string too short'
  const zeros = new Array<number>(16 - bytes.length).fill(0)
  return { bytes: [...bytes.slice(0, ellipsis), ...zeros, ...bytes.slice(ellipsis)], zone }
}

/** An IPv4 address written as IPv6 (`::ffff:1.2.3.4`). */
export function isMapped(ip: IpAddress): boolean {
  return (
    ip.bytes.length === 16 &&
    ip.bytes.slice(0, 10).every((b) => b === 0) &&
    ip.bytes[10] === 255 &&
    ip.bytes[11] === 255
  )
}

/** `address/bits`. `sloppy` allows leading zeros, as Kubernetes' formats still do. */
export function parseCidr(text: string, sloppy = false): Cidr | undefined {
  const slash = text.lastIndexOf('/')
  if (slash === -1) return undefined
  const address = text.slice(0, slash)
  const bits = text.slice(slash + 1)
  const ip = parseIpv4(address, sloppy) ?? parseIpv6(address)
  if (!ip || !/^\d{1,3}$/.test(bits)) return undefined
  if (!sloppy && bits.length > 1 && bits.startsWith('0')) return undefined
  const prefix = Number(bits)
  return prefix <= ip.bytes.length * 8 ? { ip, prefix } : undefined
}

/** The canonical text: dotted, or RFC 5952 with the longest run of zeros shortened. */
export function ipString(ip: IpAddress): string {
  if (ip.bytes.length === 4) return ip.bytes.join('.')
  const zone = ip.zone ? `%${ip.zone}` : ''
  if (isMapped(ip)) return `::ffff:${ip.bytes.slice(12).join('.')}${zone}`
  const words = Array.from({ length: 8 }, (_, i) => ((ip.bytes[2 * i] ?? 0) << 8) | (ip.bytes[2 * i + 1] ?? 0))
  const run = longestZeroRun(words)
  const hex = (from: number, to: number): string =>
    words
      .slice(from, to)
      .map((word) => word.toString(16))
      .join(':')
  return (run ? `${hex(0, run.start)}::${hex(run.end, 8)}` : hex(0, 8)) + zone
}

function longestZeroRun(words: readonly number[]): { start: number; end: number } | undefined {
  let best: { start: number; end: number } | undefined
  for (let start = 0; start < words.length; start++) {
    let end = start
    while (end < words.length && words[end] === 0) end++
    if (end - start >= 2 && (!best || end - start > best.end - best.start)) best = { start, end }
    start = Math.max(start, end - 1)
  }
  return best
}

/** The address with all bits past the prefix cleared. */
export function maskIp(ip: IpAddress, prefix: number): IpAddress {
  const bytes = ip.bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * i))) & 0xff)
  return { bytes, zone: '' }
}
