import { compare } from '../blobs/plan-index.ts'

/** What was asked for of one title. */
export interface TitleHistory {
  readonly id: string
  /** What it is like (films of one language, say): titles of a cohort rise and fall alike. */
  readonly cohort: string
  /** Days since 1970-01-01, UTC. */
  readonly releasedOn: number
  /** How much whoever offers it thinks that it will be asked for, beside others: any one unit. How much that is worth, the history tells. */
  readonly hint?: number
  /** Days on which steps begin, ascending; a day that is not here was not observed. */
  readonly days: Int32Array
  /** Requests, hours or bytes in each of those steps: any one unit. */
  readonly counts: Float64Array
}

export interface History {
  /** How long each step is. Days of the week are told apart where it is a day. */
  readonly stepDays: 1 | 7
  readonly titles: readonly TitleHistory[]
}

/** Titles by id, so that sums do not depend on who gave them in which order. Throws a RangeError that names the title and the step where something is no count. */
export function checkedTitles({ titles }: History): TitleHistory[] {
  const sorted = [...titles].sort((a, b) => compare(a.id, b.id))
  for (const [i, { id, releasedOn, hint = 0, days, counts }] of sorted.entries()) {
    const refuse = (message: string) => new RangeError(`title ${JSON.stringify(id)}${message}`)
    if (sorted[i + 1]?.id === id) throw refuse(' is there twice')
    if (!Number.isInteger(releasedOn)) throw refuse(`: released on day ${releasedOn}`)
    if (!(hint >= 0 && hint < Infinity)) throw refuse(`: ${hint} is no hint`)
    if (days.length !== counts.length) throw refuse(` has ${days.length} days and ${counts.length} counts`)
    for (const [at, count] of counts.entries()) {
      if (!(count >= 0 && count < Infinity)) throw refuse(`, step ${at}: ${count} is no count`)
      if (at > 0 && days[at]! <= days[at - 1]!) throw refuse(`, step ${at}: days do not ascend`)
    }
  }
  return sorted
}

/** Monday is 0. 1970-01-01 was a Thursday. */
export const weekdayOf = (day: number) => (((day + 3) % 7) + 7) % 7

/** Age of a step at its middle, in days since release; what was seen before release counts as just released. */
export function ageOf(day: number, releasedOn: number, stepDays: number): number {
  return Math.max(0, Math.floor((day - releasedOn) / stepDays)) * stepDays + stepDays / 2
}
