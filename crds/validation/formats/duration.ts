/** Durations as Go writes them (`1h30m`, `-2.5s`), in nanoseconds. */

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

const MAX_INT64 = (1n << 63n) - 1n
const TERM = /(\d*)(?:\.(\d*))?([a-zµμ]+)/gy

/** Nanoseconds of what Go's time.ParseDuration accepts; undefined where it would not or where 64 bits overflow. */
export function parseGoDuration(text: string): bigint | undefined {
  const negative = text.startsWith('-')
  const body = negative || text.startsWith('+') ? text.slice(1) : text
  if (body === '0') return 0n
  if (body === '') return undefined
  let total = 0n
  TERM.lastIndex = 0
  while (TERM.lastIndex < body.length) {
    const match = TERM.exec(body)
    const unit = match ? UNITS[match[3] ?? ''] : undefined
    if (!match || unit === undefined || `${match[1]}${match[2] ?? ''}` === '') return undefined
    total += BigInt(match[1] || '0') * unit
    const fraction = match[2] ?? ''
    if (fraction) total += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length)
    if (total > MAX_INT64 + (negative ? 1n : 0n)) return undefined
  }
  return negative ? -total : total
}

const LONG_TERM = /(\d+)\s*([A-Za-zµ]+)/g
const LONG_UNITS: readonly (readonly [bigint, readonly string[]])[] = [
  [1n, ['ns', 'nano']],
  [1_000n, ['us', 'µs', 'micro']],
  [1_000_000n, ['ms', 'milli']],
  [1_000_000_000n, ['s', 'sec']],
  [60_000_000_000n, ['m', 'min']],
  [3_600_000_000_000n, ['h', 'hr', 'hour']],
  [86_400_000_000_000n, ['d', 'day']],
  [604_800_000_000_000n, ['w', 'wk', 'week']],
]

/** The `duration` format of OpenAPI schemas: Go's, or loosely `3 days 2 hours`. */
export function parseFormatDuration(text: string): bigint | undefined {
  const go = parseGoDuration(text)
  if (go !== undefined) return go
  let total: bigint | undefined
  for (const [, count = '', word = ''] of text.matchAll(LONG_TERM)) {
    const unit = word.toLowerCase()
    for (const [nanoseconds, names] of LONG_UNITS) {
      const last = names[names.length - 1] ?? ''
      const matches = names.filter((name) => name === unit).length + (unit !== last && unit.startsWith(last) ? 1 : 0)
      if (matches > 0) total = (total ?? 0n) + BigInt(count) * nanoseconds * BigInt(matches)
    }
  }
  return total
}

/** Nanoseconds as Go's Duration.String writes them: `1h0m0s`, `1.5s`, `2µs`. */
export function goDurationString(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s'
  const sign = nanoseconds < 0n ? '-' : ''
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  if (size < 1_000n) return `${sign}${size}ns`
  if (size < 1_000_000n) return `${sign}${decimal(size, 1_000n)}µs`
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 1_000_000n)}ms`
  const minutes = size / 60_000_000_000n
  const seconds = decimal(size % 60_000_000_000n, 1_000_000_000n)
  if (minutes === 0n) return `${sign}${seconds}s`
  if (minutes < 60n) return `${sign}${minutes}m${seconds}s`
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}s`
}

function decimal(value: bigint, unit: bigint): string {
  const digits = unit.toString().length - 1
  const fraction = (value % unit).toString().padStart(digits, '0').replace(/0+$/, '')
  return fraction ? `${value / unit}.${fraction}` : `${value / unit}`
}
