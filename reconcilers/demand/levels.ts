import { type Decay, logDecay } from './decay.ts'
import { ageOf, type TitleHistory, weekdayOf } from './history.ts'

/** What a title's demand would be per day in its first week, as a distribution of its logarithm. */
export interface Level {
  readonly mean: number
  readonly variance: number
}

export interface Shape {
  readonly stepDays: 1 | 7
  readonly decayOf: (cohort: string) => Decay
  /** Monday first. */
  readonly weekdays: Float64Array
}

/** What a title of level 1 is asked for in the step that begins on `day`. */
export function shapeAt(
  { stepDays, decayOf, weekdays }: Shape,
  title: Pick<TitleHistory, 'cohort' | 'releasedOn'>,
  day: number,
): number {
  const faded = Math.exp(logDecay(decayOf(title.cohort), ageOf(day, title.releasedOn, stepDays)))
  return stepDays === 1 ? faded * weekdays[weekdayOf(day)]! : 7 * faded
}

/** What a title's own steps say: with how much evidence. */
interface OwnLevel {
  readonly log: number
  /** Steps, where an old one counts less than a new one. */
  readonly steps: number
  readonly counted: number
  /** Mean square of what a step's logarithm is off by, and of how many steps. */
  readonly squares: number
  readonly residuals: number
}

/** Half a request: what keeps the logarithm of nothing finite. */
const TRACE = 0.5
/** A cohort's own mean counts as much as all titles' once it has so many. */
const COHORT_TITLES = 5
/** Logarithms differ at least so much between titles: no cohort is of one kind. */
const MIN_SPREAD = 0.05

/**
 * Levels by title, each drawn to the mean of its cohort as far as its own evidence is thin (empirical Bayes, normal in the logarithm), and what is to be expected of a
 * title of each cohort that has never been seen. `halfLifeDays`: a step so much older counts half.
 */
export function fitLevels(titles: readonly TitleHistory[], shape: Shape, halfLifeDays: number) {
  const last = titles.reduce((latest, { days }) => Math.max(latest, days.at(-1) ?? -Infinity), -Infinity)
  const own = new Map<TitleHistory, OwnLevel>()
  for (const title of titles) {
    const level = ownLevel(title, shape, last, halfLifeDays)
    if (level) own.set(title, level)
  }
  let [squares, residuals] = [0, 0]
  for (const level of own.values()) {
    squares += level.squares
    residuals += level.residuals
  }
  const noise = residuals > 0 ? Math.max(1e-4, squares / residuals) : 0.25
  const sampling = ({ steps, counted }: OwnLevel) => noise / steps + 1 / (counted + TRACE)

  const all = priorOf([...own.values()], sampling)
  const cohorts = new Map<string, Level>()
  for (const [cohort, members] of Map.groupBy(own, ([title]) => title.cohort)) {
    const mine = priorOf(
      members.map(([, level]) => level),
      sampling,
    )
    const part = members.length / (members.length + COHORT_TITLES)
    cohorts.set(cohort, {
      mean: part * mine.mean + (1 - part) * all.mean,
      variance: part * mine.variance + (1 - part) * all.variance,
    })
  }
  const levels = new Map<string, Level>()
  for (const [title, level] of own) {
    const prior = cohorts.get(title.cohort)!
    const [byPrior, byOwn] = [1 / prior.variance, 1 / sampling(level)]
    levels.set(title.id, {
      mean: (byPrior * prior.mean + byOwn * level.log) / (byPrior + byOwn),
      variance: 1 / (byPrior + byOwn),
    })
  }
  return { levels, cohorts, all, noise }
}

function ownLevel(title: TitleHistory, shape: Shape, last: number, halfLifeDays: number): OwnLevel | undefined {
  const { days, counts } = title
  if (days.length === 0) return undefined
  let [counted, expected, steps] = [0, 0, 0]
  const shapes = Array.from(days, (day) => shapeAt(shape, title, day))
  const weights = Array.from(days, (day) => 2 ** ((day - last) / halfLifeDays))
  for (const [i, weight] of weights.entries()) {
    counted += weight * counts[i]!
    expected += weight * shapes[i]!
    steps += weight
  }
  if (!(expected > 0)) return undefined
  const log = Math.log((counted + TRACE * Math.min(1, steps)) / expected)
  let [squares, residuals] = [0, 0]
  for (const [i, weight] of weights.entries()) {
    const usual = Math.exp(log) * shapes[i]!
    // Of a handful of requests the logarithm says little but that they were few.
    if (usual < 10 || counts[i] === 0) continue
    squares += weight * Math.max(0, Math.log(counts[i]! / usual) ** 2 - 1 / usual)
    residuals += weight
  }
  return { log, steps, counted, squares, residuals }
}

/** Mean and spread between titles, less what is but sampling. */
function priorOf(levels: readonly OwnLevel[], sampling: (level: OwnLevel) => number): Level {
  if (levels.length === 0) return { mean: Math.log(TRACE), variance: 1 }
  const mean = levels.reduce((sum, { log }) => sum + log, 0) / levels.length
  const spread = levels.reduce((sum, level) => sum + (level.log - mean) ** 2 - sampling(level), 0)
  return { mean, variance: Math.max(MIN_SPREAD, spread / Math.max(1, levels.length - 1)) }
}
