import type { Weekday, Window } from '../../../crds/types.gen.ts'

/** A stretch of the week in minutes since Monday, 00:00; `end` is not part of it. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

const DAYS: readonly Weekday[] = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const DAY = 24 * 60
const WEEK = 7 * DAY

/** When a window is open in a week without clock changes: ascending stretches that do not touch. Times must be `HH:MM`. */
export function stretchesOf({ days = DAYS, start, end }: Window): Stretch[] {
  const [from, to] = [minutes(start), minutes(end)]
  const length = to > from ? to - from : to - from + DAY
  const stretches = days.flatMap((day) => {
    const opens = DAYS.indexOf(day) * DAY + from
    const closes = opens + length
    return closes <= WEEK
      ? [{ start: opens, end: closes }]
      : [
          { start: opens, end: WEEK },
          { start: 0, end: closes - WEEK },
        ]
  })
  return united(stretches)
}

function minutes(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))
}

/** The same time as ascending stretches that do not touch. */
export function united(stretches: readonly Stretch[]): Stretch[] {
  const out: Stretch[] = []
  for (const stretch of [...stretches].sort((a, b) => a.start - b.start)) {
    const last = out.at(-1)
    if (last && stretch.start <= last.end)
      out[out.length - 1] = { start: last.start, end: Math.max(last.end, stretch.end) }
    else out.push(stretch)
  }
  return out
}

/** Whether all of one time lies in the other; both united. */
export function covers(outer: readonly Stretch[], inner: readonly Stretch[]): boolean {
  return inner.every(({ start, end }) => outer.some((other) => other.start <= start && end <= other.end))
}

/** Whether two times share a minute. */
export function overlap(a: readonly Stretch[], b: readonly Stretch[]): boolean {
  return a.some((one) => b.some((other) => one.start < other.end && other.start < one.end))
}

/** Minutes in all. */
export function lengthOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { start, end }) => sum + end - start, 0)
}
