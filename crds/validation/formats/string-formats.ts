import { compileRe2 } from '../re2.ts'
import { parseFormatDuration } from './duration.ts'
import { parseCidr, parseIpv4, parseIpv6 } from './ip.ts'
import { parseRequestUri } from './url.ts'

/** Whether a text has a format. Exactly the formats that kube-openapi's strfmt knows; others are not checked at all. */
export type FormatCheck = (text: string) => boolean

const matches =
  (regexp: RegExp): FormatCheck =>
  (text) =>
    regexp.test(text)

/** A real day of the calendar, `2006-01-02`. */
export function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (!match) return false
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** RFC 3339 loosely, as strfmt has it: `t` and `z` in any case, seconds up to 59. */
export function isDateTime(text: string): boolean {
  const parts = text.toLowerCase().split('t')
  if (parts.length < 2 || !isDate(parts[0] ?? '')) return false
  const match = /^(\d\d):(\d\d):(\d\d)(.\d+)?(z|([+-]\d\d:\d\d))$/.exec(parts[1] ?? '')
  return match !== null && (match[1] ?? '') <= '23' && (match[2] ?? '') <= '59' && (match[3] ?? '') <= '59'
}

const HOSTNAME = compileRe2(
  '^([a-zA-Z0-9\\p{S}\\p{L}]((-?[a-zA-Z0-9\\p{S}\\p{L}]{0,62})?)|([a-zA-Z0-9\\p{S}\\p{L}](([a-zA-Z0-9-\\p{S}\\p{L}]{0,61}[a-zA-Z0-9\\p{S}\\p{L}])?)(\\.)){1,}([a-zA-Z\\p{L}]){2,63})$',
)

function isHostname(text: string): boolean {
  if (!HOSTNAME.ok || !HOSTNAME.regexp.test(text) || Buffer.byteLength(text) > 255) return false
  return text.split('.').every((label) => Buffer.byteLength(label) <= 63)
}

const ATEXT = "A-Za-z0-9!#$%&'*+/=?^_`{|}~\\-\\u0080-\\u{10ffff}"
const ATOM = `[${ATEXT}]+`
const ADDRESS = new RegExp(
  `^(?:${ATOM}(?:\\.${ATOM})*|"(?:[^"\\\\\\r\\n]|\\\\.)*")@(?:${ATOM}(?:\\.${ATOM})*|\\[[^[\\]\\\\]*\\])$`,
  'u',
)

/** Words and quoted texts, then the address in angles. */
const NAMED = new RegExp(`^(?:[${ATEXT}. \\t]|"(?:[^"\\\\\\r\\n]|\\\\.)*")*<([^<>]*)>$`, 'u')

/** RFC 5322, one address: `a@b`, `Name <a@b>`. */
function isEmail(text: string): boolean {
  const trimmed = text.replace(/^[ \t]+|[ \t]+$/g, '')
  return ADDRESS.test(NAMED.exec(trimmed)?.[1] ?? trimmed)
}

const BYTE = '[0-9A-Fa-f]{2}'
const TWO = '[0-9A-Fa-f]{4}'
/** 6, 8, or 20 bytes, between colons or dashes, in pairs between dots, or bare. */
const MAC = new RegExp(
  `^(?:(?:${BYTE}:){5}(?:(?:${BYTE}:){2}|(?:${BYTE}:){14})?${BYTE}|(?:${BYTE}-){5}(?:(?:${BYTE}-){2}|(?:${BYTE}-){14})?${BYTE}|(?:${TWO}\\.){2}(?:${TWO}\\.|(?:${TWO}\\.){7})?${TWO}|(?:${BYTE}){6}(?:(?:${BYTE}){2}|(?:${BYTE}){14})?)$`,
)

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '')
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false
  const sum = [...digits].reduce((total, digit, i) => total + (i + 1) * (digit === 'X' ? 10 : Number(digit)), 0)
  return sum % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '')
  if (!/^[0-9]{13}$/.test(digits)) return false
  const sum = [...digits.slice(0, 12)].reduce((total, digit, i) => total + (i % 2 === 0 ? 1 : 3) * Number(digit), 0)
  return (10 - (sum % 10)) % 10 === Number(digits[12])
}

const CARD =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '')
  if (!CARD.test(digits)) return false
  const sum = [...digits].reverse().reduce((total, digit, i) => {
    const value = i % 2 === 0 ? Number(digit) : Number(digit) * 2
    return total + (value >= 10 ? (value % 10) + 1 : value)
  }, 0)
  return sum % 10 === 0
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const UUID3 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const UUID4 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i
const UUID5 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/
const CHANNEL = '(?:0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])'
const RGB = new RegExp(`^rgb\\(\\s*${CHANNEL}\\s*,\\s*${CHANNEL}\\s*,\\s*${CHANNEL}\\s*\\)$`)
const SHORT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const LONG_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** By name without dashes: `date-time` and `datetime` are one. */
const FORMATS: Readonly<Record<string, FormatCheck>> = {
  bsonobjectid: matches(/^[0-9a-fA-F]{24}$/),
  byte: matches(BASE64),
  cidr: (text) => parseCidr(text, true) !== undefined,
  creditcard: isCreditCard,
  date: isDate,
  datetime: isDateTime,
  duration: (text) => parseFormatDuration(text) !== undefined,
  email: isEmail,
  hexcolor: matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  hostname: isHostname,
  ipv4: (text) => text.includes('.') && (parseIpv4(text, true) ?? parseIpv6(text)) !== undefined,
  ipv6: (text) => text.includes(':') && parseIpv6(text) !== undefined,
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  k8slongname: (text) => text.length <= 253 && LONG_NAME.test(text),
  k8sshortname: (text) => text.length <= 63 && SHORT_NAME.test(text),
  mac: matches(MAC),
  password: () => true,
  rgbcolor: matches(RGB),
  ssn: (text) => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  uri: (text) => parseRequestUri(text).ok,
  uuid: matches(UUID),
  uuid3: matches(UUID3),
  uuid4: matches(UUID4),
  uuid5: matches(UUID5),
}

/** The check of a string format; undefined where the format is unknown and therefore ignored. */
export function stringFormat(name: string): FormatCheck | undefined {
  return FORMATS[name.replaceAll('-', '')]
}
