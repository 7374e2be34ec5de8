/** How long ago something was, as Kubernetes prints ages: `5m30s`, `26h`, `3d4h`, `2y11d`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
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
  if (days < 8) return withRest(days, 'd', hours % 24, 'h')
  if (days < 730) return `${days}d`
  const years = Math.trunc(days / 365)
  if (years < 8) return withRest(years, 'y', days % 365, 'd')
  return `${years}y`
}

function withRest(count: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${count}${unit}` : `${count}${unit}${rest}${restUnit}`
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/

/** The age of a time; `<unknown>` where there is none, `<invalid>` where it is none. */
export function age(time: string | undefined, now: Date): string {
  if (time === undefined || time === '' || time === 'null') return '<unknown>'
  const at = RFC_3339.test(time) ? Date.parse(time) : Number.NaN
  return Number.isNaN(at) ? '<invalid>' : humanDuration(now.getTime() - at)
}
