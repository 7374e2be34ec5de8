import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { wape } from '../../reconcilers/demand/forecast.ts'
import type { Report } from '../benchmark.ts'
import { allButNew, byForecast, byObserved, lastWeekAgain, likeness, regrets } from './regret.ts'
import { walkForward } from './walk-forward.ts'
import { readWeeklyHours } from './weekly-hours.ts'
import { makeWorld } from './world.ts'

/** Netflix' published weekly hours, beside the checkout; another with WEIR_WEEKLY_HOURS. They are not ours to pass on. */
const WEEKLY_HOURS =
  process.env.WEIR_WEEKLY_HOURS ?? join(import.meta.dirname, '../../../shared/data/netflix-weekly-hours.tsv')
const SEEDS = [1, 2, 3]
const WEEKS = 3

/** How far off forecasts are on real hours, and what that costs in made-up weeks. */
export async function measureForecast(report: Report): Promise<void> {
  if (existsSync(WEEKLY_HOURS)) measureErrors(report)
  else report.note(`Skipped: errors on real hours, as there is no ${WEEKLY_HOURS} (WEIR_WEEKLY_HOURS names another)`)
  measureRegret(report)
}

function measureErrors(report: Report): void {
  const titles = readWeeklyHours(WEEKLY_HOURS)
  const { weeks, truth, forecast, lastWeek, smoothed, newPart } = walkForward(titles)
  report.note(
    `${titles.length} titles, ${weeks} weeks foretold from those before each: ${truth.length} values of titles on the lists of two weeks running. Titles on no list before, of which nobody can say anything, had ${percent(newPart)} of all hours`,
  )
  const errors = { forecast: wape(forecast, truth), lastWeek: wape(lastWeek, truth), smoothed: wape(smoothed, truth) }
  report.table([
    ['way', 'WAPE'],
    ['forecast', errors.forecast.toFixed(3)],
    ['last week again', errors.lastWeek.toFixed(3)],
    ['exponential smoothing, 0.5', errors.smoothed.toFixed(3)],
  ])
  report.figure({
    name: 'WAPE of the forecast, to last week again',
    value: errors.forecast / errors.lastWeek,
    unit: '×',
    target: { atMost: 0.6 },
  })
}

const WAYS = {
  forecast: byForecast,
  observed: byObserved,
  'last week again': lastWeekAgain,
  'all known but new titles': allButNew,
}

function measureRegret(report: Report): void {
  report.note(
    `${SEEDS.length} made-up worlds of ${WEEKS} weeks each; offload missed, in percentage points, against placing by what is truly asked for with the same solver and storage, as often. Two sites and their parent; "hints": the catalog's popularity of each title, off by a factor of e^±0.5`,
  )
  const like = SEEDS.map((seed) => likeness(makeWorld({ seed, weeks: WEEKS, hintNoise: Infinity })))
  report.note(
    `Lists of their 40 top titles: new ones have ${percent(mean(like.map(({ newPart }) => newPart)))} of the hours, last week again is off by ${mean(like.map(({ lastWeek }) => lastWeek)).toFixed(2)} (those published: 35%, 0.52)`,
  )
  const rows: string[][] = [['storage, placed, hints', ...Object.keys(WAYS)]]
  const worst: number[] = []
  for (const [share, refreshed, hintNoise] of [
    [1 / 8, 7, Infinity],
    [1 / 8, 7, 0.5],
    [1 / 8, 1, Infinity],
    [1 / 3, 7, Infinity],
  ] as const) {
    const missed = new Map(Object.keys(WAYS).map((name) => [name, [] as number[]]))
    for (const seed of refreshed === 1 ? SEEDS.slice(0, 1) : SEEDS)
      for (const [name, weeks] of regrets(
        makeWorld({ seed, weeks: refreshed === 1 ? 1 : WEEKS, hintNoise }),
        WAYS,
        share,
        refreshed,
      ))
        missed.get(name)!.push(...weeks)
    const name = `${percent(share)} of all titles, ${refreshed === 1 ? 'daily' : 'weekly'}, ${hintNoise < 1 ? 'hints' : 'none'}`
    rows.push([name, ...[...missed.values()].map((values) => (100 * mean(values)).toFixed(2))])
    worst.push(100 * mean(missed.get('forecast')!))
  }
  report.table(rows)
  report.figure({
    name: 'offload regret of the forecast, at worst of these',
    value: Math.max(...worst),
    unit: 'percentage points',
    target: { atMost: 0.5 },
  })
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const percent = (part: number) => `${Math.round(100 * part)}%`
