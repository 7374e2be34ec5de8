import { isDate } from '../../validation/formats/string-formats.ts'
import { member, type Overload } from '../types/declarations.ts'
import { DURATION, INT, STRING, TIMESTAMP } from '../types/type.ts'
import { type CelDuration, CelError, CelTimestamp, type Result, type Value } from '../values/value.ts'

const NANOSECONDS = 1_000_000_000n
const RFC3339 = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|([+-])(\d\d):(\d\d))$/

/** RFC 3339 as Go's time.Parse reads it; undefined for anything else. */
export function parseTimestamp(text: string): CelTimestamp | undefined {
  const match = RFC3339.exec(text)
  if (!match || !isDate(match[1] ?? '')) return undefined
  const [hour, minute, second] = [Number(match[2]), Number(match[3]), Number(match[4])]
  const [zoneHour, zoneMinute] = [Number(match[8] ?? 0), Number(match[9] ?? 0)]
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 24 || zoneMinute >= 60) return undefined
  const midnight = Date.parse(`${match[1]}T00:00:00Z`)
  const zone = (match[7] === '-' ? -1 : 1) * (zoneHour * 60 + zoneMinute)
  const seconds = BigInt(midnight / 1000 + hour * 3600 + (minute - zone) * 60 + second)
  return new CelTimestamp(seconds * NANOSECONDS + BigInt((match[5] ?? '').padEnd(9, '0').slice(0, 9)), zone)
}

/** RFC 3339 in the time's own zone, with as many digits of a second as needed. */
export function formatTimestamp(time: CelTimestamp): string {
  const { date, nanosecond } = split(time)
  const local = new Date(date.getTime() + time.zone * 60_000)
  const fraction = nanosecond === 0 ? '' : `.${String(nanosecond).padStart(9, '0').replace(/0+$/, '')}`
  return `${local.toISOString().slice(0, 19)}${fraction}${time.zone === 0 ? 'Z' : zoneText(time.zone)}`
}

function zoneText(minutes: number): string {
  const size = Math.abs(minutes)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}:${two(size % 60)}`
}

/** Whole seconds as a date, and the rest. */
function split(time: CelTimestamp): { date: Date; nanosecond: number } {
  const rest = ((time.nanoseconds % NANOSECONDS) + NANOSECONDS) % NANOSECONDS
  return { date: new Date(Number((time.nanoseconds - rest) / 1_000_000n)), nanosecond: Number(rest) }
}

/** The time a zone's clocks show, as a date that says so in UTC; the zone is a name or `+hh:mm`. */
function inZone(date: Date, zone: string): Date | CelError {
  const colon = zone.indexOf(':')
  if (colon === -1) return named(date, zone)
  const hours = Number(zone.slice(0, colon))
  const minutes = Number(zone.slice(colon + 1))
  if (!/^[+-]?\d+$/.test(zone.slice(0, colon)) || !/^[+-]?\d+$/.test(zone.slice(colon + 1))) {
    const bad = /^[+-]?\d+$/.test(zone.slice(0, colon)) ? zone.slice(colon + 1) : zone.slice(0, colon)
    return new CelError(`strconv.Atoi: parsing ${JSON.stringify(bad)}: invalid syntax`)
  }
  const offset = zone.startsWith('-') ? hours * 60 - minutes : hours * 60 + minutes
  return new Date(date.getTime() + offset * 60_000)
}

function named(date: Date, zone: string): Date | CelError {
  if (zone === '' || zone === 'UTC') return date
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    }).formatToParts(date)
    const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value)
    const local = new Date(0)
    local.setUTCFullYear(part('year'), part('month') - 1, part('day'))
    local.setUTCHours(part('hour'), part('minute'), part('second'))
    return local
  } catch {
    return new CelError(`unknown time zone ${zone}`)
  }
}

type Part = (date: Date, nanosecond: number) => number

const PARTS: readonly (readonly [string, string, Part])[] = [
  ['getFullYear', 'timestamp_to_year', (date) => date.getUTCFullYear()],
  ['getMonth', 'timestamp_to_month', (date) => date.getUTCMonth()],
  ['getDayOfYear', 'timestamp_to_day_of_year', dayOfYear],
  ['getDayOfMonth', 'timestamp_to_day_of_month', (date) => date.getUTCDate() - 1],
  ['getDate', 'timestamp_to_day_of_month_1_based', (date) => date.getUTCDate()],
  ['getDayOfWeek', 'timestamp_to_day_of_week', (date) => date.getUTCDay()],
  ['getHours', 'timestamp_to_hours', (date) => date.getUTCHours()],
  ['getMinutes', 'timestamp_to_minutes', (date) => date.getUTCMinutes()],
  ['getSeconds', 'timestamp_to_seconds', (date) => date.getUTCSeconds()],
  ['getMilliseconds', 'timestamp_to_milliseconds', (_, nanosecond) => Math.trunc(nanosecond / 1_000_000)],
]

/** What durations answer, in the unit of the question, cut off towards zero. */
const UNITS: Readonly<Record<string, readonly [string, bigint]>> = {
  getHours: ['duration_to_hours', 3600n * NANOSECONDS],
  getMinutes: ['duration_to_minutes', 60n * NANOSECONDS],
  getSeconds: ['duration_to_seconds', NANOSECONDS],
  getMilliseconds: ['duration_to_milliseconds', 1_000_000n],
}

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getUTCFullYear(), 0, 1)
  return Math.floor((date.getTime() - start) / 86_400_000)
}

function overloads(name: string, id: string, part: Part): Overload[] {
  const get = (time: Value, zone: string): Result => {
    const { date, nanosecond } = split(time as CelTimestamp)
    const local = inZone(date, zone)
    return local instanceof CelError ? local : BigInt(part(local, nanosecond))
  }
  const unit = UNITS[name]
  return [
    member(id, [TIMESTAMP], INT, ([time]) => get(time as Value, 'UTC')),
    member(`${id}_with_tz`, [TIMESTAMP, STRING], INT, ([time, zone]) => get(time as Value, zone as string)),
    ...(unit
      ? [member(unit[0], [DURATION], INT, ([duration]) => (duration as CelDuration).nanoseconds / unit[1])]
      : []),
  ]
}

/** `t.getHours()` and the like, in UTC or a zone. */
export const TIME: Readonly<Record<string, readonly Overload[]>> = Object.fromEntries(
  PARTS.map(([name, id, part]) => [name, overloads(name, id, part)]),
)
