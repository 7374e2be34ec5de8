import { type History, type TitleHistory, weekdayOf } from './history.ts'

/** Weeks since release that are told apart; older titles fade alike. */
export const AGE_WEEKS = 12
/** A cohort's own ratio counts as much as all titles' once it is the median of so many. */
const COHORT_EVIDENCE = 20

/** How demand fades with age: the logarithm of the ratio of each week since release to the week before it. */
export type Decay = Float64Array

/** A title's complete weeks since release: what was asked for in each, and where in its steps it begins. */
export interface AgeWeek {
  readonly age: number
  readonly total: number
  readonly start: number
}

/** Weeks of which every step was observed. */
export function completeWeeks({ releasedOn, days, counts }: TitleHistory, stepDays: 1 | 7): AgeWeek[] {
  const weeks: AgeWeek[] = []
  const steps = 7 / stepDays
  for (let start = 0; start + steps <= days.length; ) {
    const since = days[start]! - releasedOn
    const isBeginning = stepDays === 7 || (since >= 0 && since % 7 === 0)
    if (!isBeginning || days[start + steps - 1]! - days[start]! !== 7 - stepDays) {
      start++
      continue
    }
    let total = 0
    for (let i = start; i < start + steps; i++) total += counts[i]!
    weeks.push({ age: Math.max(0, Math.floor(since / 7)), total, start })
    start += steps
  }
  return weeks
}

/**
 * The median over titles of how a week relates to the one before it, by age: robust against the odd title that comes back. Per cohort, drawn to all titles' where the
 * cohort has few; an age that nothing is known of fades like the nearest younger one that something is known of.
 */
export function fitDecay(
  titles: readonly TitleHistory[],
  stepDays: 1 | 7,
): { readonly all: Decay; readonly of: ReadonlyMap<string, Decay> } {
  const ratios = new Map<string, number[][]>()
  const every = Array.from({ length: AGE_WEEKS }, (): number[] => [])
  for (const title of titles) {
    const own = ratios.get(title.cohort) ?? Array.from({ length: AGE_WEEKS }, (): number[] => [])
    ratios.set(title.cohort, own)
    const weeks = completeWeeks(title, stepDays)
    for (let i = 1; i < weeks.length; i++) {
      const [before, after] = [weeks[i - 1]!, weeks[i]!]
      // From nothing to something has no ratio; from something to nothing has none that a logarithm could tell.
      if (after.age !== before.age + 1 || before.total === 0 || after.total === 0) continue
      const ratio = Math.log(after.total / before.total)
      const bucket = Math.min(before.age, AGE_WEEKS - 1)
      own[bucket]!.push(ratio)
      every[bucket]!.push(ratio)
    }
  }
  const all = filled(every.map(median))
  const of = new Map<string, Decay>()
  for (const [cohort, own] of ratios)
    of.set(
      cohort,
      Float64Array.from(own, (values, age) => {
        const mine = median(values)
        if (mine === undefined) return all[age]!
        return (values.length * mine + COHORT_EVIDENCE * all[age]!) / (values.length + COHORT_EVIDENCE)
      }),
    )
  return { all, of }
}

function filled(values: readonly (number | undefined)[]): Decay {
  const decay = new Float64Array(values.length)
  let last = values.find((value) => value !== undefined) ?? 0
  for (const [age, value] of values.entries()) {
    last = value ?? last
    decay[age] = last
  }
  return decay
}

/** The logarithm of demand at an age, in days, relative to the middle of the first week: straight between the middles of weeks. */
export function logDecay(decay: Decay, ageDays: number): number {
  const weeks = ageDays / 7 - 0.5
  const whole = Math.max(0, Math.floor(weeks))
  let sum = 0
  for (let week = 0; week < Math.min(whole, AGE_WEEKS); week++) sum += decay[week]!
  sum += Math.max(0, whole - AGE_WEEKS) * decay[AGE_WEEKS - 1]!
  return sum + (weeks - whole) * decay[Math.min(whole, AGE_WEEKS - 1)]!
}

/** Complete weeks that a day of the week must be seen in for half of what it says to be believed. */
const WEEKDAY_EVIDENCE = 2

/** What each day of the week (Monday first) is to the mean of all, where age alone does not explain it. All 1 where steps are weeks. */
export function fitWeekdays(
  { stepDays }: Pick<History, 'stepDays'>,
  titles: readonly TitleHistory[],
  decayOf: (cohort: string) => Decay,
): Float64Array {
  const factors = new Float64Array(7).fill(1)
  if (stepDays === 7) return factors
  const seen = new Float64Array(7)
  const expected = new Float64Array(7)
  let weeks = 0
  for (const title of titles) {
    const decay = decayOf(title.cohort)
    for (const { total, start } of completeWeeks(title, stepDays)) {
      weeks++
      const fade = Array.from({ length: 7 }, (_, i) =>
        Math.exp(logDecay(decay, title.days[start + i]! - title.releasedOn + 0.5)),
      )
      const sum = fade.reduce((a, b) => a + b, 0)
      for (let i = 0; i < 7; i++) {
        const weekday = weekdayOf(title.days[start + i]!)
        seen[weekday]! += title.counts[start + i]!
        expected[weekday]! += (total * fade[i]!) / sum
      }
    }
  }
  for (let d = 0; d < 7; d++) {
    const said = expected[d]! > 0 ? seen[d]! / expected[d]! : 1
    factors[d] = (weeks * said + WEEKDAY_EVIDENCE) / (weeks + WEEKDAY_EVIDENCE)
  }
  const mean = factors.reduce((a, b) => a + b, 0) / 7
  return factors.map((factor) => factor / mean)
}

/** Undefined of nothing. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const high = sorted[sorted.length >> 1]
  return high === undefined ? undefined : (sorted[(sorted.length - 1) >> 1]! + high) / 2
}
