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
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const bytes: number[] = []
  for (const part of parts) {
    if (!/^\d+$/.test(part) || part.length > (sloppy ? 8 : 3)) return undefined
    if (!sloppy && part.length > 1 && part.startsWith('0')) return undefined
    const byte = Number(part)
    if (byte > 255) return undefined
    bytes.push(byte)
  }
  return { bytes, zone: '' }
}

/** RFC 4291 text, with `::` and an IPv4 tail. A zone must be asked for. */
export function parseIpv6(text: string, options: { zone?: boolean; sloppy?: boolean } = {}): IpAddress | undefined {
  const percent = text.indexOf('%')
  if (percent !== -1 && (!options.zone || percent === text.length - 1)) return undefined
  const zone = percent === -1 ? '' : text.slice(percent + 1)
  const address = percent === -1 ? text : text.slice(0, percent)
  const halves = address.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0] ?? '', halves.length === 1, options.sloppy ?? false)
  const tail = halves.length === 2 ? groups(halves[1] ?? '', true, options.sloppy ?? false) : []
  if (!head || !tail) return undefined
  const missing = 16 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined
  return { bytes: [...head, ...new Array<number>(missing).fill(0), ...tail], zone }
}

/** The bytes of `a:b:c`; only the end of an address may be IPv4. */
function groups(text: string, end: boolean, sloppy: boolean): number[] | undefined {
  if (text === '') return end && !sloppy ? [] : []
  const bytes: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = end && i === parts.length - 1 ? parseIpv4(part, sloppy) : undefined
      if (!v4) return undefined
      bytes.push(...v4.bytes)
    } else {
      if (!/^[0-9A-Fa-f]{1,4}$/.test(part)) return undefined
      const value = Number.parseInt(part, 16)
      bytes.push(value >> 8, value & 255)
    }
  }
  return bytes
}

/** Either family, zones allowed; errors as Go's netip.ParseAddr starts them. */
export function parseIp(text: string): Parsed<IpAddress> {
  const fail = (why: string): Parsed<IpAddress> => bad(`ParseAddr(${JSON.stringify(text)}): ${why}`)
  const mark = /[.:%]/.exec(text)?.[0]
  if (mark === '.') {
    const ip = parseIpv4(text)
    return ip ? good(ip) : fail(ipv4Problem(text))
  }
  if (mark === ':') {
    const ip = parseIpv6(text, { zone: true })
    return ip ? good(ip) : fail(ipv6Problem(text))
  }
  return fail(mark === '%' ? 'missing IPv6 address' : 'unable to parse IP')
}

function ipv4Problem(text: string): string {
  const parts = text.split('.')
  if (parts.some((part) => /^\d+$/.test(part) && part.length > 1 && part.startsWith('0'))) {
    return 'IPv4 field has octet with leading zero'
  }
  if (parts.some((part) => /^\d+$/.test(part) && Number(part) > 255)) return 'IPv4 field has value >255'
  if (parts.some((part) => !/^\d*$/.test(part)))
    return `unexpected character (at ${JSON.stringify(text.replace(/^[\d.]*/, ''))})`
  if (parts.length > 4) return 'IPv4 address too long'
  return parts.some((part) => part === '') ? 'IPv4 field must have at least one digit' : 'IPv4 address too short'
}

function ipv6Problem(text: string): string {
  if (text.endsWith('%')) return 'zone must be a non-empty string'
  const part = text.split(':').find((group) => group.length > 4 && /^[0-9A-Fa-f]+$/.test(group))
  if (part) return `each group must have 4 or fewer digits (at ${JSON.stringify(text.slice(text.indexOf(part)))})`
  const odd = /[^0-9A-Fa-f:.]/.exec(text)
  if (odd) return `unexpected character, want colon (at ${JSON.stringify(text.slice(odd.index))})`
  return text.endsWith(':') ? `colon must be followed by more characters (at ":")` : 'address string too short'
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
  const ip = parseIpv4(address, sloppy) ?? parseIpv6(address, { sloppy })
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
