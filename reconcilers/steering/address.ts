/**
 * An IP address as four words of 32 bits, the most significant first. IPv4 uses the first word only: families are told apart by `v6`, so that
 * maps of the two never meet. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) is the IPv4 address.
 */
export interface Address {
  v6: boolean
  readonly words: Uint32Array
}

export const newAddress = (): Address => ({ v6: false, words: new Uint32Array(4) })

/** Reads the text of an address into `into`. False, with `into` in no particular state, when it is none. Zones (`%eth0`) are refused. Source: RFC 4291 section 2.2. */
export function parseAddress(text: string, into: Address): boolean {
  return text.includes(':') ? parseV6(text, into) : parseV4(text, 0, into, 0)
}

const DOT = 46
const COLON = 58

/** Dotted decimal from `from` to the end into words[word]. No leading zeros: `010` is eight to some and ten to others. */
function parseV4(text: string, from: number, into: Address, word: number): boolean {
  let value = 0
  let octet = 0
  let digits = 0
  let octets = 0
  for (let i = from; i <= text.length; i++) {
    const code = i === text.length ? DOT : text.charCodeAt(i)
    if (code === DOT) {
      if (digits === 0 || octet > 255) return false
      value = ((value << 8) | octet) >>> 0
      octets++
      octet = 0
      digits = 0
    } else if (code >= 48 && code <= 57) {
      if ((digits > 0 && octet === 0) || digits === 3) return false
      octet = octet * 10 + code - 48
      digits++
    } else return false
  }
  if (octets !== 4) return false
  if (word === 0) {
    into.v6 = false
    into.words.fill(0)
  }
  into.words[word] = value
  return true
}

function parseV6(text: string, into: Address): boolean {
  if (text.length > 45) return false
  const groups = new Uint16Array(8)
  let count = 0
  let gap = -1
  let i = 0
  if (text.startsWith('::')) {
    gap = 0
    i = 2
  } else if (text.charCodeAt(0) === COLON) return false
  while (i < text.length) {
    let value = 0
    const start = i
    let code = 0
    for (; i < text.length; i++) {
      code = text.charCodeAt(i)
      const digit = hex(code)
      if (digit < 0) break
      if (i - start === 4) return false
      value = value * 16 + digit
    }
    if (i < text.length && code === DOT) {
      if (count > 6 || !parseV4(text, start, into, 3)) return false
      groups[count++] = into.words[3]! >>> 16
      groups[count++] = into.words[3]! & 0xffff
      i = text.length
      break
    }
    if (i === start || count === 8) return false
    groups[count++] = value
    if (i === text.length) break
    if (code !== COLON) return false
    i++
    if (i === text.length) return false
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return false
      gap = count
      i++
    }
  }
  if (gap < 0 ? count !== 8 : count > 7) return false
  if (gap >= 0) {
    groups.copyWithin(8 - (count - gap), gap, count)
    groups.fill(0, gap, 8 - (count - gap))
  }
  into.v6 = true
  for (let w = 0; w < 4; w++) into.words[w] = ((groups[2 * w]! << 16) | groups[2 * w + 1]!) >>> 0
  const { words } = into
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) {
    into.v6 = false
    words[0] = words[3]!
    words[2] = 0
    words[3] = 0
  }
  return true
}

function hex(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** A CIDR prefix: an address whose bits beyond `length` are zero. */
export interface Prefix extends Address {
  length: number
}

export const newPrefix = (): Prefix => ({ ...newAddress(), length: 0 })

/**
 * Reads `192.0.2.0/24` or `2001:db8::/32` into `into`; an address alone is a prefix of all its bits. Undefined when it is one, otherwise what is wrong with it.
 * Bits set beyond the length are refused: the writer meant another prefix.
 */
export function parsePrefix(text: string, into: Prefix): string | undefined {
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  if (!parseAddress(address, into)) return `"${address}" is no IP address`
  const bits = into.v6 ? 128 : 32
  const length = slash < 0 ? bits : readLength(text, slash + 1)
  const mapped = !into.v6 && address.includes(':')
  into.length = mapped && slash >= 0 ? length - 96 : length
  if (into.length < 0 || into.length > bits) return `"${text.slice(slash + 1)}" is no prefix length from 0 to ${bits}`
  for (let w = 0; w < 4; w++) {
    if ((into.words[w]! & ~maskWord(into.length, w)) !== 0) return `"${text}" has bits set beyond its length`
  }
  return undefined
}

function readLength(text: string, from: number): number {
  const digits = text.slice(from)
  return /^(0|[1-9]\d{0,2})$/.test(digits) ? Number(digits) : -1
}

/** The bits of word `word` that a prefix of `length` bits fixes. */
export function maskWord(length: number, word: number): number {
  const bits = length - 32 * word
  return bits <= 0 ? 0 : bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0
}

/** The text of an address, IPv6 as RFC 5952 writes it. */
export function formatAddress({ v6, words }: Readonly<Address>): string {
  if (!v6) {
    const w = words[0]!
    return `${w >>> 24}.${(w >>> 16) & 255}.${(w >>> 8) & 255}.${w & 255}`
  }
  const groups = Array.from({ length: 8 }, (_, i) => (words[i >> 1]! >>> (i % 2 === 0 ? 16 : 0)) & 0xffff)
  let best = { at: 0, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (at + length < 8 && groups[at + length] === 0) length++
    if (length > best.length) best = { at, length }
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':')
  if (best.length === 1) return text(groups)
  return `${text(groups.slice(0, best.at))}::${text(groups.slice(best.at + best.length))}`
}

export const formatPrefix = (prefix: Readonly<Prefix>) => `${formatAddress(prefix)}/${prefix.length}`
