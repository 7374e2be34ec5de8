import type { Weekday, Window } from '../../crds/types.gen.ts'
import { clockJumps, instantsOf, offsetMs, wallClockMs } from './local-time.ts'

/** Whether to fill now, how fast, and until when that holds. */
export interface FillAllowance {
  readonly open: boolean
  /** The most to fill at; absent means no cap. 0 while closed. */
  readonly maxBytesPerSecond?: number
  /** When `open` or the rate will next be another; absent when nothing will change within two weeks. */
  readonly changesAt?: Date
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** A window comes back every week, unless its hour is skipped once when the clocks go forward. */
const HORIZON_MS = 15 * DAY_MS
const DAYS: readonly Weekday[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const BYTES_PER_GIGABIT = 125_000_000

/**
 * Reads a site's windows at one instant. A window is open while the clock on the wall of `timeZone` is in it: an hour that is skipped when
 * clocks go forward opens nothing, one that is lived twice opens twice. Of several open windows the most generous counts; no windows at all
 * means always, without a cap. Throws a RangeError when the time zone is not known or a time is not `HH:MM`.
 */
export function fillAllowance(windows: readonly Window[], timeZone: string, now: Date): FillAllowance {
  if (windows.length === 0) return { open: true }
  const parsed = windows.map(parseWindow)
  const current = rateAt(parsed, wallClockMs(timeZone, now.getTime()))
  for (const instant of boundaries(parsed, timeZone, now.getTime())) {
    if (rateAt(parsed, wallClockMs(timeZone, instant)) !== current) {
      return { ...describe(current), changesAt: new Date(instant) }
    }
  }
  return describe(current)
}

interface ParsedWindow {
  readonly days: ReadonlySet<Weekday>
  readonly startMs: number
  readonly lengthMs: number
  /** Bytes per second; Infinity without a cap. */
  readonly rate: number
}

function parseWindow(window: Window): ParsedWindow {
  const startMs = timeOfDay(window.start)
  const endMs = timeOfDay(window.end)
  return {
    days: new Set(window.days ?? DAYS),
    startMs,
    lengthMs: endMs > startMs ? endMs - startMs : endMs - startMs + DAY_MS,
    rate: window.maxGbps === undefined ? Number.POSITIVE_INFINITY : window.maxGbps * BYTES_PER_GIGABIT,
  }
}

function timeOfDay(text: string): number {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text)
  if (!match) throw new RangeError(`not a time of day: ${JSON.stringify(text)}`)
  return (Number(match[1]) * 60 + Number(match[2])) * MINUTE_MS
}

/** The rate that the open windows allow when the wall clock shows `wallMs`; 0 when none is open. */
function rateAt(windows: readonly ParsedWindow[], wallMs: number): number {
  const midnight = Math.floor(wallMs / DAY_MS) * DAY_MS
  let rate = 0
  for (const { days, startMs, lengthMs, rate: ownRate } of windows) {
    // It may have started today or, when it passes midnight, yesterday.
    for (const day of [midnight, midnight - DAY_MS]) {
      const since = wallMs - day - startMs
      if (since >= 0 && since < lengthMs && days.has(weekday(day))) rate = Math.max(rate, ownRate)
    }
  }
  return rate
}

function weekday(midnightMs: number): Weekday {
  return DAYS[new Date(midnightMs).getUTCDay()]!
}

/** Every instant within the horizon at which a window could open or close, ascending. */
function boundaries(windows: readonly ParsedWindow[], timeZone: string, nowMs: number): number[] {
  const jumps = clockJumps(timeZone, nowMs, nowMs + HORIZON_MS)
  const offsets = [...new Set([nowMs, ...jumps].map((instant) => offsetMs(timeZone, instant)))]
  const today = Math.floor(wallClockMs(timeZone, nowMs) / DAY_MS) * DAY_MS
  const instants = new Set(jumps)
  const times = new Set(windows.flatMap(({ startMs, lengthMs }) => [startMs, (startMs + lengthMs) % DAY_MS]))
  for (let day = today - DAY_MS; day <= today + HORIZON_MS; day += DAY_MS) {
    for (const time of times) {
      for (const instant of instantsOf(timeZone, day + time, offsets)) if (instant > nowMs) instants.add(instant)
    }
  }
  return [...instants].sort((a, b) => a - b)
}

function describe(rate: number): FillAllowance {
  if (rate === 0) return { open: false, maxBytesPerSecond: 0 }
  return rate === Number.POSITIVE_INFINITY ? { open: true } : { open: true, maxBytesPerSecond: rate }
}
