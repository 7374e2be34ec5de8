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
/** What hints must differ by, in squares of their logarithms, for half of what they say to be believed. */
const HINT_EVIDENCE = 5
/** Hints are not taken to understate by more than this. */
const MAX_SLOPE = 1.5

/** What each step of each title would be, were its level 1: the same for every half-life, and for what was known before. */
export type Shapes = ReadonlyMap<TitleHistory, Float64Array>

export function shapesOf(titles: readonly TitleHistory[], shape: Shape): Shapes {
  const faded = new Map<string, Map<number, number>>()
  return new Map(
    titles.map((title) => {
      const known = faded.get(title.cohort) ?? new Map<number, number>()
      faded.set(title.cohort, known)
      const at = (day: number) => {
        const age = ageOf(day, title.releasedOn, shape.stepDays)
        let value = known.get(age)
        if (value === undefined) {
          value = Math.exp(logDecay(shape.decayOf(title.cohort), age))
          known.set(age, value)
        }
        return shape.stepDays === 1 ? value * shape.weekdays[weekdayOf(day)]! : 7 * value
      }
      return [title, Float64Array.from(title.days, at)]
    }),
  )
}

/**
 * Levels by title, each drawn to the mean of its cohort as far as its own evidence is thin (empirical Bayes, normal in the logarithm), and what is to be expected of a
 * title of each cohort that has never been seen. `halfLifeDays`: a step so much older counts half. `until`: what came on that day or later is not known.
 */
export function fitLevels(
  titles: readonly TitleHistory[],
  shapes: Shapes,
  halfLifeDays: number,
  until = Number.POSITIVE_INFINITY,
) {
  const steps = titles.map((title) => stepsBefore(title, until))
  const last = titles.reduce((latest, { days }, i) => Math.max(latest, days[steps[i]! - 1] ?? -Infinity), -Infinity)
  const first = titles.reduce((earliest, { days }) => Math.min(earliest, days[0] ?? Infinity), Infinity)
  // By how many days a step is older than the newest.
  const weights = Float64Array.from(
    { length: last >= first ? last - first + 1 : 0 },
    (_, older) => 2 ** (-older / halfLifeDays),
  )
  const own = new Map<TitleHistory, OwnLevel>()
  for (const [i, title] of titles.entries()) {
    const level = ownLevel(title, shapes.get(title)!, weights, last, steps[i]!)
    if (level) own.set(title, level)
  }
  let [squares, residuals] = [0, 0]
  for (const level of own.values()) {
    squares += level.squares
    residuals += level.residuals
  }
  const noise = residuals > 0 ? Math.max(1e-4, squares / residuals) : 0.25
  const sampling = ({ steps, counted }: OwnLevel) => noise / steps + 1 / (counted + TRACE)

  const slope = hintSlope(own)
  const all = priorOf([...own], slope, sampling)
  const cohorts = new Map<string, Prior>()
  for (const [cohort, members] of Map.groupBy(own, ([title]) => title.cohort)) {
    const mine = priorOf(members, slope, sampling)
    const part = members.length / (members.length + COHORT_TITLES)
    const drawn = (field: keyof Prior) => part * mine[field] + (1 - part) * all[field]
    cohorts.set(cohort, {
      mean: drawn('mean'),
      variance: drawn('variance'),
      hintMean: drawn('hintMean'),
      hintVariance: drawn('hintVariance'),
    })
  }
  const levels = new Map<string, Level>()
  for (const [title, level] of own) {
    const prior = priorFor({ slope, cohorts, all }, title)
    const [byPrior, byOwn] = [1 / prior.variance, 1 / sampling(level)]
    levels.set(title.id, {
      mean: (byPrior * prior.mean + byOwn * level.log) / (byPrior + byOwn),
      variance: 1 / (byPrior + byOwn),
    })
  }
  return { levels, slope, cohorts, all, noise }
}

/** What is to be expected of a title by its cohort alone, and what the cohort's hints are like. */
export interface Prior extends Level {
  readonly hintMean: number
  readonly hintVariance: number
}

export interface Priors {
  /** By how much a level is higher where the logarithm of its hint is higher by 1: 0 where hints say nothing. */
  readonly slope: number
  readonly cohorts: ReadonlyMap<string, Prior>
  /** Of titles of other cohorts. */
  readonly all: Prior
}

/** What is to be expected of a title before anything was counted of it: by its cohort, and by its hint as far as hints have been right. */
export function priorFor({ slope, cohorts, all }: Priors, title: Pick<TitleHistory, 'cohort' | 'hint'>): Level {
  const { mean, variance, hintMean, hintVariance } = cohorts.get(title.cohort) ?? all
  const hint = hintOf(title)
  if (hint === undefined) return { mean, variance: variance + slope ** 2 * hintVariance }
  return { mean: mean + slope * (hint - hintMean), variance }
}

const hintOf = ({ hint = 0 }: Pick<TitleHistory, 'hint'>) => (hint > 0 ? Math.log(hint) : undefined)

/** Least squares of levels on hints, within cohorts; drawn to 0 as far as hints are few or alike. */
function hintSlope(own: ReadonlyMap<TitleHistory, OwnLevel>): number {
  let [both, squares] = [0, HINT_EVIDENCE]
  for (const members of Map.groupBy(own, ([title]) => title.cohort).values()) {
    const hinted = members.flatMap(([title, { log }]) => {
      const hint = hintOf(title)
      return hint === undefined ? [] : [{ hint, log }]
    })
    const mean = meanOf(hinted.map(({ hint }) => hint))
    const logs = meanOf(hinted.map(({ log }) => log))
    for (const { hint, log } of hinted) {
      both += (hint - mean) * (log - logs)
      squares += (hint - mean) ** 2
    }
  }
  return Math.min(MAX_SLOPE, Math.max(0, both / squares))
}

const meanOf = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

/** How many of a title's steps began before a day. */
export function stepsBefore({ days }: TitleHistory, until: number): number {
  let [low, high] = [0, days.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (days[middle]! < until) low = middle + 1
    else high = middle
  }
  return low
}

function ownLevel(
  { days, counts }: TitleHistory,
  shapes: Float64Array,
  weights: Float64Array,
  last: number,
  known: number,
): OwnLevel | undefined {
  let [counted, expected, steps] = [0, 0, 0]
  for (let i = 0; i < known; i++) {
    const weight = weights[last - days[i]!]!
    counted += weight * counts[i]!
    expected += weight * shapes[i]!
    steps += weight
  }
  if (!(expected > 0)) return undefined
  const level = (counted + TRACE * Math.min(1, steps)) / expected
  let [squares, residuals] = [0, 0]
  for (let i = 0; i < known; i++) {
    const usual = level * shapes[i]!
    // Of a handful of requests the logarithm says little but that they were few.
    if (usual < 10 || counts[i] === 0) continue
    const weight = weights[last - days[i]!]!
    squares += weight * Math.max(0, Math.log(counts[i]! / usual) ** 2 - 1 / usual)
    residuals += weight
  }
  return { log: Math.log(level), steps, counted, squares, residuals }
}

/** Mean and spread between titles, less what is but sampling and what their hints say. */
function priorOf(
  members: readonly (readonly [TitleHistory, OwnLevel])[],
  slope: number,
  sampling: (level: OwnLevel) => number,
): Prior {
  if (members.length === 0) return { mean: Math.log(TRACE), variance: 1, hintMean: 0, hintVariance: 0 }
  const hints = members.map(([title]) => hintOf(title)).filter((hint) => hint !== undefined)
  const hintMean = meanOf(hints)
  const others = Math.max(1, members.length - 1)
  const hintVariance = hints.reduce((sum, hint) => sum + (hint - hintMean) ** 2, 0) / Math.max(1, hints.length - 1)
  const mean = meanOf(members.map(([, { log }]) => log))
  const spread = members.reduce((sum, [title, level]) => {
    const said = slope * ((hintOf(title) ?? hintMean) - hintMean)
    return sum + (level.log - mean - said) ** 2 - sampling(level)
  }, 0)
  return { mean, variance: Math.max(MIN_SPREAD, spread / others), hintMean, hintVariance }
}
