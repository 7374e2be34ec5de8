const HOUR_MS = 3_600_000

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(timeZone, format)
  }
  return format
}

/**
 * What the clock on the wall shows in a time zone, in ms, as if it were UTC: arithmetic on it is calendar arithmetic.
 * Throws a RangeError when the time zone is not known.
 */
export function wallClockMs(timeZone: string, atMs: number): number {
  const field: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of formatOf(timeZone).formatToParts(atMs)) field[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((atMs % 1000) + 1000) % 1000)
}

/** How far the wall clock is ahead of UTC, in ms. */
export function offsetMs(timeZone: string, atMs: number): number {
  return wallClockMs(timeZone, atMs) - atMs
}

/** The instants in (fromMs, toMs] at which the wall clock jumps, ascending. No zone jumps twice within six hours. */
export function clockJumps(timeZone: string, fromMs: number, toMs: number): number[] {
  const jumps: number[] = []
  for (let start = fromMs; start < toMs; start += 6 * HOUR_MS) {
    const end = Math.min(start + 6 * HOUR_MS, toMs)
    const before = offsetMs(timeZone, start)
    if (before === offsetMs(timeZone, end)) continue
    let low = start
    let high = end
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (offsetMs(timeZone, middle) === before) low = middle
      else high = middle
    }
    jumps.push(high)
  }
  return jumps
}

/**
 * The instants at which the wall clock shows `wallMs`: one as a rule, two where the clock goes back over it, none where it is skipped.
 * `offsets` are the zone's offsets around that time.
 */
export function instantsOf(timeZone: string, wallMs: number, offsets: readonly number[]): number[] {
  return offsets.map((offset) => wallMs - offset).filter((instant) => wallClockMs(timeZone, instant) === wallMs)
}

/** An instant as the clock on the wall shows it, to the minute, with its offset: `2030-01-01T02:00+01:00`. */
export function sayLocalTime(timeZone: string, at: Date): string {
  const offsetMinutes = Math.round(offsetMs(timeZone, at.getTime()) / 60_000)
  const wall = new Date(wallClockMs(timeZone, at.getTime())).toISOString().slice(0, 16)
  if (offsetMinutes === 0) return `${wall}Z`
  const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60]
  const twoDigits = (n: number) => String(n).padStart(2, '0')
  return `${wall}${offsetMinutes < 0 ? '-' : '+'}${twoDigits(hours)}:${twoDigits(minutes)}`
}
