import { fitDemand, forecast } from '../../reconcilers/demand/forecast.ts'
import type { TitleHistory } from '../../reconcilers/demand/history.ts'
import type { ListedTitle } from './weekly-hours.ts'

/** Weeks that are known before the first that is foretold. */
const WARM_UP_WEEKS = 60
/** How much of the newest week exponential smoothing takes. */
const SMOOTHING = 0.5

/** What was said of a week's titles, and what was so: in the same order. */
export interface WalkedWeeks {
  readonly weeks: number
  /** Titles on the lists of a week and of the week before: of those all ways say something. */
  readonly truth: readonly number[]
  readonly forecast: readonly number[]
  readonly lastWeek: readonly number[]
  readonly smoothed: readonly number[]
  /** Part of all hours that titles had which were on no list before. */
  readonly newPart: number
}

/** Foretells each week from those before it, which is all that is known: what comes later is not in the history that is learnt from. */
export function walkForward(titles: readonly ListedTitle[]): WalkedWeeks {
  const weeks = [...new Set(titles.flatMap((title) => [...title.weeks.keys()]))].sort((a, b) => a - b)
  const [truth, said, lastWeek, smoothed]: [number[], number[], number[], number[]] = [[], [], [], []]
  let [all, fresh] = [0, 0]
  for (const week of weeks.slice(WARM_UP_WEEKS)) {
    const known = titles.filter(({ firstWeek }) => firstWeek < week)
    const model = fitDemand({ stepDays: 7, titles: known.map((title) => knownOf(title, week)) })
    for (const title of titles) {
      const hours = title.weeks.get(week)
      if (hours === undefined) continue
      all += hours
      if (title.firstWeek === week) fresh += hours
      const before = title.weeks.get(week - 7)
      if (before === undefined) continue
      truth.push(hours)
      lastWeek.push(before)
      smoothed.push(smooth(knownOf(title, week)))
      const { id, category, firstWeek } = title
      said.push(forecast(model, { id, cohort: category, releasedOn: firstWeek }, week, 1).median)
    }
  }
  return { weeks: weeks.length - WARM_UP_WEEKS, truth, forecast: said, lastWeek, smoothed, newPart: fresh / all }
}

function knownOf({ id, category, firstWeek, weeks }: ListedTitle, until: number): TitleHistory {
  const known = [...weeks].filter(([week]) => week < until).sort((a, b) => a[0] - b[0])
  return {
    ...{ id, cohort: category, releasedOn: firstWeek },
    days: Int32Array.from(known, ([week]) => week),
    counts: Float64Array.from(known, ([, hours]) => hours),
  }
}

function smooth({ counts }: TitleHistory): number {
  return counts.reduce((level, count) => SMOOTHING * count + (1 - SMOOTHING) * level, counts[0]!)
}
