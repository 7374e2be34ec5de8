import { type Decay, fitDecay, fitWeekdays, median } from './decay.ts'
import { checkedTitles, type History, type TitleHistory } from './history.ts'
import {
  fitLevels,
  type Level,
  type Priors,
  priorFor,
  type Shape,
  type Shapes,
  shapeAt,
  shapesOf,
  stepsBefore,
} from './levels.ts'
import { normalQuantile } from './normal.ts'

/** A title as a forecast needs to know it. */
export type ForecastTitle = Pick<TitleHistory, 'id' | 'cohort' | 'releasedOn' | 'hint'>

/** What a title will be asked for over some days: log-normal. */
export interface Forecast {
  /** As likely to be more as to be less. */
  readonly median: number
  /** The mean: what placement goes by. */
  readonly expected: number
  /** Standard deviation of the logarithm. */
  readonly logDeviation: number
}

/** `Priors`: of titles that were never seen. */
export interface DemandModel extends Priors {
  readonly shape: Shape
  readonly levels: ReadonlyMap<string, Level>
  /** Variance of the logarithm of one step around what the model says. */
  readonly noise: number
  /** Variance of the logarithm of a week that weeks foretold in hindsight had beyond that: what levels move, and what the shape does not know. */
  readonly drift: number
}

/** What a step may count half after, in days: how fast titles change differs with who watches and how they are counted, so the history itself decides. */
const HALF_LIVES = [1, 2, 4, 8, 16]
/** Weeks at the end of a history that half-lives are tried on. */
const TRIED_WEEKS = 4

/**
 * Learns from what was asked for: how demand fades with age in each cohort, what each day of the week is, and how high each title stands, drawn to its cohort. Takes time
 * linear in steps. Deterministic; the order of titles does not matter. Throws RangeError: see `checkedTitles`.
 */
export function fitDemand(history: History): DemandModel {
  const titles = checkedTitles(history)
  const shape = shapeOf(titles, history.stepDays)
  const shapes = shapesOf(titles, shape)
  const { halfLife, drift } = inHindsight(titles, shape, shapes)
  return { shape, drift, ...fitLevels(titles, shapes, halfLife) }
}

function shapeOf(titles: readonly TitleHistory[], stepDays: 1 | 7): Shape {
  const { all, of } = fitDecay(titles, stepDays)
  const decayOf = (cohort: string): Decay => of.get(cohort) ?? all
  return { stepDays, decayOf, weekdays: fitWeekdays({ stepDays }, titles, decayOf) }
}

/** The half-life that would have foretold the last weeks best, each from what was known before it, and how much further off that was than the model takes itself to be. */
function inHindsight(
  titles: readonly TitleHistory[],
  { stepDays }: Shape,
  shapes: Shapes,
): { readonly halfLife: number; readonly drift: number } {
  const end = titles.reduce((latest, { days }) => Math.max(latest, days.at(-1) ?? -Infinity), -Infinity) + stepDays
  const tried = HALF_LIVES.map((halfLife) => ({ halfLife, off: 0, squares: [] as number[], variances: 0 }))
  for (let week = 1; week <= TRIED_WEEKS; week++) {
    const from = end - 7 * week
    const known = titles.filter(({ days }) => days.length > 0 && days[0]! < from)
    if (known.length === 0) break
    for (const each of tried) {
      const { levels, noise } = fitLevels(known, shapes, each.halfLife, from)
      for (const title of known) {
        const level = levels.get(title.id)
        if (!level) continue
        const { shaped, seen, steps } = weekOf(title, shapes.get(title)!, from)
        const said = shaped * Math.exp(level.mean)
        each.off += Math.abs(said - seen)
        if (said < 10 || seen === 0) continue
        each.squares.push(Math.log(seen / said) ** 2)
        each.variances += level.variance + noise / steps + 1 / said
      }
    }
  }
  const best = tried.reduce((least, each) => (each.off < least.off ? each : least))
  // The median of squares of a normal distribution, times this, is its variance: the odd title that comes back does not count.
  const variance = (median(best.squares) ?? 0) * 2.198
  const told = best.squares.length > 0 ? best.variances / best.squares.length : 0
  return { halfLife: best.halfLife, drift: Math.max(0, variance - told) }
}

/** What was seen in the steps of a title in the week from a day on, and what they would have been were its level 1. */
function weekOf(title: TitleHistory, shapes: Float64Array, from: number) {
  let [shaped, seen, steps] = [0, 0, 0]
  for (let i = stepsBefore(title, from); i < title.days.length && title.days[i]! < from + 7; i++) {
    steps++
    shaped += shapes[i]!
    seen += title.counts[i]!
  }
  return { shaped, seen, steps }
}

/**
 * What a title will be asked for in `steps` steps from `fromDay` on, in the unit of the history: by its own level, or, never seen, by what its cohort's titles, and its hint, let expect.
 * Steps before its release count nothing.
 */
export function forecast(model: DemandModel, title: ForecastTitle, fromDay: number, steps: number): Forecast {
  const { shape, noise, drift } = model
  const own = model.levels.get(title.id)
  const level = own ?? priorFor(model, title)
  let shapes = 0
  for (let step = 0; step < steps; step++) {
    const day = fromDay + step * shape.stepDays
    if (day + shape.stepDays > title.releasedOn) shapes += shapeAt(shape, title, day)
  }
  const variance = level.variance + noise / Math.max(1, steps) + (own ? drift : 0)
  const middle = shapes * Math.exp(level.mean)
  return { median: middle, expected: middle * Math.exp(variance / 2), logDeviation: Math.sqrt(variance) }
}

/** What will not be exceeded with probability `p`, above 0 and below 1. */
export function quantileOf({ median, logDeviation }: Forecast, p: number): number {
  return median * Math.exp(logDeviation * normalQuantile(p))
}

/** Weighted absolute percentage error: Σ |forecast − truth| / Σ truth. Throws a RangeError where one is NaN or negative, or the columns differ in length. */
export function wape(forecasts: ArrayLike<number>, truth: ArrayLike<number>): number {
  if (forecasts.length !== truth.length) throw new RangeError(`${forecasts.length} forecasts of ${truth.length} values`)
  let [off, all] = [0, 0]
  for (let i = 0; i < truth.length; i++) {
    if (!(forecasts[i]! >= 0 && truth[i]! >= 0)) throw new RangeError(`row ${i}: ${forecasts[i]} of ${truth[i]}`)
    off += Math.abs(forecasts[i]! - truth[i]!)
    all += truth[i]!
  }
  return all > 0 ? off / all : off > 0 ? Infinity : 0
}
