import { usageError } from './exit.ts'

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Milliseconds of a Go duration (`90s`, `1h30m`, `-1s`), or of a bare number of seconds. Throws a usage error. */
export function parseDuration(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const match = /^([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/.exec(text)
  if (!match) throw usageError(`invalid duration "${text}": write it like 90s, 5m or 1h30m`)
  let total = 0
  for (const [, number, unit] of match[2]!.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g))
    total += Number(number) * UNIT_MS[unit!]!
  return match[1] === '-' ? -total : total
}

/** A span of time in the two largest units that matter, as kubectl's AGE columns: `45s`, `3m12s`, `5h2m`, `2d4h`, `3y12d`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (hours < 192) return withRest(days, 'd', hours % 24, 'h')
  if (hours < 24 * 365 * 2) return `${days}d`
  const years = Math.trunc(days / 365)
  return hours < 24 * 365 * 8 ? withRest(years, 'y', days % 365, 'd') : `${years}y`
}

const withRest = (large: number, unit: string, rest: number, small: string) =>
  `${large}${unit}${rest === 0 ? '' : `${rest}${small}`}`
