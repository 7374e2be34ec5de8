import { type IpAddress, ipString, isMapped, maskIp, type Parsed, parseIp } from '../../validation/formats/ip.ts'
import { goQuote } from '../../validation/go-format.ts'
import { member, type Overload, overload } from '../types/declarations.ts'
import { BOOL, type CelType, CIDR, INT, IP, STRING } from '../types/type.ts'
import { CelError, CelOpaque, noSuchOverload, type Result, type Value } from '../values/value.ts'

export class CelIp extends CelOpaque {
  readonly type: CelType = IP
  readonly ip: IpAddress

  constructor(ip: IpAddress) {
    super()
    this.ip = ip
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelIp && ipString(this.ip) === ipString(other.ip)
  }
  override toText(): string {
    return ipString(this.ip)
  }
  override get size(): number {
    return this.ip.bytes.length
  }
}

export class CelCidr extends CelOpaque {
  readonly type: CelType = CIDR
  readonly ip: IpAddress
  readonly prefix: number

  constructor(ip: IpAddress, prefix: number) {
    super()
    this.ip = ip
    this.prefix = prefix
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelCidr && this.toText() === other.toText()
  }
  override toText(): string {
    return `${ipString(this.ip)}/${this.prefix}`
  }
  override get size(): number {
    return Math.ceil(this.prefix / 8)
  }
}

/** Addresses as CEL takes them: no zones, no IPv4 written as IPv6. */
function parseAddress(text: string): Parsed<IpAddress> {
  const parsed = parseIp(text)
  if (!parsed.ok) {
    return {
      ok: false,
      error: `IP Address ${goQuote(text)} parse error during conversion from string: ${parsed.error}`,
    }
  }
  if (parsed.value.zone) return { ok: false, error: `IP address ${goQuote(text)} with zone value is not allowed` }
  if (isMapped(parsed.value)) return { ok: false, error: `IPv4-mapped IPv6 address ${goQuote(text)} is not allowed` }
  return parsed
}

function ip(text: string): Result {
  const parsed = parseAddress(text)
  return parsed.ok ? new CelIp(parsed.value) : new CelError(parsed.error)
}

/** Go's netip.ParsePrefix. */
function parsePrefix(text: string): Parsed<{ ip: IpAddress; prefix: number }> {
  const during = 'network address parse error during conversion from string: '
  const fail = (why: string): Parsed<never> => ({
    ok: false,
    error: `${during}netip.ParsePrefix(${goQuote(text)}): ${why}`,
  })
  const slash = text.lastIndexOf('/')
  if (slash === -1) return fail("no '/'")
  const address = parseIp(text.slice(0, slash))
  if (!address.ok) return fail(address.error)
  if (address.value.zone) return fail('IPv6 zones cannot be present in a prefix')
  const bits = text.slice(slash + 1)
  const width = address.value.bytes.length * 8
  if (bits.length > 1 && !/^[1-9]/.test(bits)) return fail(`bad bits after slash: ${goQuote(bits)}`)
  if (!/^[+-]?\d+$/.test(bits)) return fail(`bad bits after slash: ${goQuote(bits)}`)
  if (Number(bits) < 0 || Number(bits) > width) return fail('prefix length out of range')
  if (isMapped(address.value)) {
    return { ok: false, error: `IPv4-mapped IPv6 address ${goQuote(text)} is not allowed` }
  }
  return { ok: true, value: { ip: address.value, prefix: Number(bits) } }
}

function cidr(text: string): Result {
  const parsed = parsePrefix(text)
  if (parsed.ok) return new CelCidr(parsed.value.ip, parsed.value.prefix)
  return new CelError(`network address parse error during conversion from string: ${parsed.error}`)
}

function holds(network: CelCidr, address: IpAddress): boolean {
  if (network.ip.bytes.length !== address.bytes.length) return false
  return ipString(maskIp(address, network.prefix)) === ipString(maskIp(network.ip, network.prefix))
}

function containsIp(network: Value, other: Result): Result {
  if (other instanceof CelError) return noSuchOverload()
  return holds(network as CelCidr, (other as CelIp).ip)
}

function containsCidr(network: Value, other: Result): Result {
  if (other instanceof CelError) return other
  const inner = other as CelCidr
  return (network as CelCidr).prefix <= inner.prefix && holds(network as CelCidr, inner.ip)
}

const first = (ip: IpAddress): number => ip.bytes[0] ?? 0
const second = (ip: IpAddress): number => ip.bytes[1] ?? 0
const is4 = (ip: IpAddress): boolean => ip.bytes.length === 4
const isUnspecified = (ip: IpAddress): boolean => ip.bytes.every((byte) => byte === 0)

function isLoopback(ip: IpAddress): boolean {
  if (is4(ip)) return first(ip) === 127
  return ip.bytes.every((byte, i) => byte === (i === 15 ? 1 : 0))
}

function isMulticast(ip: IpAddress): boolean {
  return is4(ip) ? (first(ip) & 0xf0) === 0xe0 : first(ip) === 0xff
}

function isLinkLocalMulticast(ip: IpAddress): boolean {
  if (is4(ip)) return first(ip) === 224 && second(ip) === 0 && ip.bytes[2] === 0
  return first(ip) === 0xff && (second(ip) & 0x0f) === 0x02
}

function isLinkLocalUnicast(ip: IpAddress): boolean {
  return is4(ip) ? first(ip) === 169 && second(ip) === 254 : first(ip) === 0xfe && (second(ip) & 0xc0) === 0x80
}

function isGlobalUnicast(ip: IpAddress): boolean {
  const broadcast = is4(ip) && ip.bytes.every((byte) => byte === 255)
  return !broadcast && !isUnspecified(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip)
}

function question(id: string, ask: (ip: IpAddress) => boolean): Overload[] {
  return [member(id, [IP], BOOL, ([value]) => ask((value as CelIp).ip))]
}

/** Kubernetes' IP address and CIDR functions. */
export const IPS: Readonly<Record<string, readonly Overload[]>> = {
  ip: [
    overload('string_to_ip', [STRING], IP, ([text]) => ip(text as string)),
    member('cidr_ip', [CIDR], IP, ([value]) => new CelIp((value as CelCidr).ip)),
  ],
  family: [member('ip_family', [IP], INT, ([value]) => (is4((value as CelIp).ip) ? 4n : 6n))],
  'ip.isCanonical': [
    overload('ip_is_canonical', [STRING], BOOL, ([text]) => {
      const parsed = parseAddress(text as string)
      return parsed.ok ? ipString(parsed.value) === text : new CelError(parsed.error)
    }),
  ],
  isUnspecified: question('ip_is_unspecified', isUnspecified),
  isLoopback: question('ip_is_loopback', isLoopback),
  isLinkLocalMulticast: question('ip_is_link_local_multicast', isLinkLocalMulticast),
  isLinkLocalUnicast: question('ip_is_link_local_unicast', isLinkLocalUnicast),
  isGlobalUnicast: question('ip_is_global_unicast', isGlobalUnicast),
  isIP: [overload('is_ip', [STRING], BOOL, ([text]) => parseAddress(text as string).ok)],
  cidr: [overload('string_to_cidr', [STRING], CIDR, ([text]) => cidr(text as string))],
  containsIP: [
    member('cidr_contains_ip_string', [CIDR, STRING], BOOL, ([network, text]) =>
      containsIp(network as Value, ip(text as string)),
    ),
    member('cidr_contains_ip_ip', [CIDR, IP], BOOL, ([network, other]) => containsIp(network as Value, other as Value)),
  ],
  containsCIDR: [
    member('cidr_contains_cidr_string', [CIDR, STRING], BOOL, ([network, text]) =>
      containsCidr(network as Value, cidr(text as string)),
    ),
    member('cidr_contains_cidr', [CIDR, CIDR], BOOL, ([network, other]) =>
      containsCidr(network as Value, other as Value),
    ),
  ],
  prefixLength: [member('cidr_prefix_length', [CIDR], INT, ([value]) => BigInt((value as CelCidr).prefix))],
  masked: [
    member('cidr_masked', [CIDR], CIDR, ([value]) => {
      const { ip: address, prefix } = value as CelCidr
      return new CelCidr(maskIp(address, prefix), prefix)
    }),
  ],
  isCIDR: [overload('is_cidr', [STRING], BOOL, ([text]) => parsePrefix(text as string).ok)],
  string: [
    overload('ip_to_string', [IP], STRING, ([value]) => (value as CelIp).toText()),
    overload('cidr_to_string', [CIDR], STRING, ([value]) => (value as CelCidr).toText()),
  ],
}
