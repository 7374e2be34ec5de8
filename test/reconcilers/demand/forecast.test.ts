import { describe, expect, test } from '@jest/globals'
import { randomFrom } from '../../../cli/bench/placement/instance.ts'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { amongFiles } from '../../../reconcilers/demand/files.ts'
import { fitDemand, forecast, quantileOf, wape } from '../../../reconcilers/demand/forecast.ts'
import { type TitleHistory, weekdayOf } from '../../../reconcilers/demand/history.ts'
import { normalQuantile } from '../../../reconcilers/demand/normal.ts'
import { offloadRegret } from '../../../reconcilers/demand/regret.ts'
import { mix } from '../../../reconcilers/placement/hash.ts'
import { priced } from '../../../reconcilers/placement/priced.ts'

/** Days of history; the week after is foretold. A Monday. */
const TODAY = 20_003
const WEEKDAYS = [0.8, 0.8, 0.85, 0.9, 1.15, 1.3, 1.2]
const FADE: Record<string, number> = { films: 0.55, series: 0.8 }
const NOISE = 0.25

interface TrueTitle extends TitleHistory {
  /** In the week from TODAY on. */
  readonly next: number
  readonly nextDays: readonly number[]
}

/** Titles that fade by a known ratio a week, on a known weekday pattern, with noise: as many are released each week as go out of fashion; some tomorrow. */
function world(seed: number, count = 400): TrueTitle[] {
  const next = randomFrom(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  return Array.from({ length: count }, (_, i) => {
    const cohort = i % 2 ? 'films' : 'series'
    const releasedOn = TODAY - 70 + Math.floor(next() * 75)
    const level = Math.exp(6 + (cohort === 'films' ? 1 : 0) + 0.9 * normal())
    const at = (day: number) =>
      Math.round(
        level * FADE[cohort]! ** ((day - releasedOn) / 7) * WEEKDAYS[weekdayOf(day)]! * Math.exp(NOISE * normal()),
      )
    const days = Int32Array.from({ length: Math.max(0, TODAY - releasedOn) }, (_, d) => releasedOn + d)
    const counts = Float64Array.from(days, at)
    const nextDays = Array.from({ length: 7 }, (_, d) => (TODAY + d < releasedOn ? 0 : at(TODAY + d)))
    return { id: `title-${i}`, cohort, releasedOn, days, counts, nextDays, next: nextDays.reduce((a, b) => a + b, 0) }
  })
}

const titles = world(1)
const model = fitDemand({ stepDays: 1, titles })
const seen = titles.filter(({ days }) => days.length >= 7)
const truth = seen.map((title) => title.next)
const medians = (of: readonly TrueTitle[]) => of.map((title) => forecast(model, title, TODAY, 7).median)
const lastWeek = ({ counts }: TrueTitle) => counts.subarray(-7).reduce((a, b) => a + b, 0)
const smoothed = (alpha: number) => (title: TrueTitle) =>
  7 * title.counts.reduce((level, count) => alpha * count + (1 - alpha) * level, title.counts[0]!)

describe('what was put in is found', () => {
  test('the weekdays, and that the week is their mean', () => {
    const mean = WEEKDAYS.reduce((a, b) => a + b, 0) / 7
    for (const [d, factor] of model.shape.weekdays.entries()) expect(factor).toBeCloseTo(WEEKDAYS[d]! / mean, 1)
    expect(model.shape.weekdays.reduce((a, b) => a + b, 0)).toBeCloseTo(7, 9)
  })

  test.each(['films', 'series'])('how %s fade', (cohort) => {
    for (const ratio of model.shape.decayOf(cohort).subarray(0, 6))
      expect(Math.abs(Math.exp(ratio) - FADE[cohort]!)).toBeLessThan(0.05)
  })
})

describe('a week ahead', () => {
  const ours = wape(medians(seen), truth)

  test('it is off by less than half of what last week again is', () => {
    expect(ours).toBeLessThan(0.15)
    expect(ours).toBeLessThan(0.5 * wape(seen.map(lastWeek), truth))
  })

  test('it is off by less than half of what exponential smoothing is, however quick', () => {
    for (const alpha of [0.1, 0.3, 0.5, 0.7, 0.9])
      expect(ours).toBeLessThan(0.5 * wape(seen.map(smoothed(alpha)), truth))
  })

  test('single days are told apart', () => {
    const days = seen.flatMap((title) => [0, 1, 2, 3, 4, 5, 6].map((d) => forecast(model, title, TODAY + d, 1).median))
    const all = wape(
      days,
      seen.flatMap(({ nextDays }) => nextDays),
    )
    expect(all).toBeLessThan(0.3)
    expect(all).toBeGreaterThan(ours)
  })

  test('four in five are below the quantile of four fifths, one in five below that of one fifth', () => {
    const told = [2, 3, 4].flatMap((seed) => {
      const others = world(seed)
      const fitted = fitDemand({ stepDays: 1, titles: others })
      return others
        .filter(({ days }) => days.length >= 7)
        .map(({ next, ...title }) => ({ next, said: forecast(fitted, title, TODAY, 7) }))
        .filter(({ said }) => said.median >= 20)
    })
    for (const p of [0.2, 0.5, 0.8]) {
      const below = told.filter(({ next, said }) => next <= quantileOf(said, p))
      expect(Math.abs(below.length / told.length - p)).toBeLessThan(0.1)
    }
  })

  test('a history of weeks tells the same tale', () => {
    const weekly = seen.map((title) => {
      const weeks = Math.floor(title.days.length / 7)
      const first = title.days.length - 7 * weeks
      return {
        ...title,
        days: Int32Array.from({ length: weeks }, (_, w) => title.days[first + 7 * w]!),
        counts: Float64Array.from({ length: weeks }, (_, w) =>
          title.counts.subarray(first + 7 * w, first + 7 * w + 7).reduce((a, b) => a + b, 0),
        ),
      }
    })
    const byWeeks = fitDemand({ stepDays: 7, titles: weekly })
    const said = seen.map((title) => forecast(byWeeks, title, TODAY, 1).median)
    expect(wape(said, truth)).toBeLessThan(0.5 * wape(seen.map(lastWeek), truth))
  })
})

describe('titles that were never seen', () => {
  test('are taken to be like their cohort at that age', () => {
    const of = (cohort: string, releasedOn = TODAY) => forecast(model, { id: 'new', cohort, releasedOn }, TODAY, 7)
    // Levels are log-normal around e^7 and e^6, in the first days of fading.
    for (const [cohort, level] of [['films', 7] as const, ['series', 6] as const]) {
      const week = [0, 1, 2, 3, 4, 5, 6].reduce((sum, d) => sum + FADE[cohort]! ** (d / 7) * WEEKDAYS[d]!, 0)
      expect(of(cohort).median / (Math.exp(level) * week)).toBeGreaterThan(0.7)
      expect(of(cohort).median / (Math.exp(level) * week)).toBeLessThan(1.4)
      expect(of(cohort).logDeviation).toBeGreaterThan(0.7)
    }
    expect(of('films', TODAY + 3).median).toBeLessThan(of('films').median)
    expect(of('films', TODAY + 7).median).toBe(0)
    expect(quantileOf(of('films'), 0.9)).toBeGreaterThan(2 * of('films').median)
    expect(of('films').expected).toBeGreaterThan(of('films').median)
  })

  test('of a cohort that was never seen are like all titles', () => {
    const odd = forecast(model, { id: 'new', cohort: 'opera', releasedOn: TODAY }, TODAY, 7)
    expect(odd.median).toBeGreaterThan(0)
    expect(Number.isFinite(quantileOf(odd, 0.99))).toBe(true)
  })
})

test('judged by what it costs: of the offload that a perfect forecast would have had, a quarter as much is missed as by the simple ways', () => {
  const missed = { ours: 0, naive: 0, smooth: 0 }
  const seeds = [1, 2, 3, 4]
  for (const seed of seeds) {
    const here = world(seed)
    const fitted = fitDemand({ stepDays: 1, titles: here })
    const regret = (say: (title: TrueTitle) => number) =>
      offloadRegret(placing(here), [Float64Array.from(here, say)], priced, 0.5)
    missed.ours += regret((title) => forecast(fitted, title, TODAY, 7).expected)
    missed.naive += regret(lastWeek)
    missed.smooth += regret((title) => (title.counts.length === 0 ? 0 : smoothed(0.5)(title)))
  }
  expect(missed.ours / seeds.length).toBeLessThan(0.03)
  expect(missed.ours).toBeLessThan(0.25 * missed.naive)
  expect(missed.ours).toBeLessThan(0.25 * missed.smooth)
  expect(offloadRegret(placing(titles), placing(titles).popularity, priced, 0.5)).toBe(0)
})

/** Two sites and their parent with room for an eighth of the titles each, under what will truly be asked for. */
function placing(of: readonly TrueTitle[]) {
  const sizes = Float64Array.from(of, (_, i) => 20 + (mix(i + 1) % 100))
  const storageBytes = sizes.reduce((a, b) => a + b, 0) / 8
  const site = (key: string, parents: string[]) => ({
    key,
    region: 'eu',
    parents,
    appliances: [{ key: `${key}-0`, storageBytes, throughputGbps: 10 }],
  })
  return {
    sizes,
    popularity: [Float64Array.from(of, (title) => title.next)],
    fileHashes: Uint32Array.from(sizes, (_, i) => mix(i + 7)),
    sites: [site('a', ['p']), site('b', ['p']), site('p', [])],
    copies: { perSite: 1, perRegion: 1 },
    pins: [],
    excluded: new FileSet(),
  }
}

describe('always the same', () => {
  test('whatever the order of the titles', () => {
    const shuffled = [...titles].sort((a, b) => mix(a.releasedOn) - mix(b.releasedOn))
    expect(fitDemand({ stepDays: 1, titles: shuffled }).levels).toEqual(model.levels)
  })
})

describe('odd histories', () => {
  const day = (count: number, more: Partial<TitleHistory> = {}): TitleHistory => ({
    id: 'a',
    cohort: 'films',
    releasedOn: 100,
    days: Int32Array.of(100, 101),
    counts: Float64Array.of(1, count),
    ...more,
  })
  const refused: [reason: string, titles: TitleHistory[], message: RegExp][] = [
    ['NaN', [day(Number.NaN)], /title "a", step 1: NaN is no count/],
    ['a negative count', [day(-1)], /title "a", step 1: -1 is no count/],
    ['an infinite count', [day(Infinity)], /step 1: Infinity is no count/],
    ['a day twice', [day(1, { days: Int32Array.of(100, 100) })], /step 1: days do not ascend/],
    ['a count without a day', [day(1, { days: Int32Array.of(100) })], /1 days and 2 counts/],
    ['a title twice', [day(1), day(2)], /title "a" is there twice/],
    ['no day of release', [day(1, { releasedOn: Number.NaN })], /released on day NaN/],
  ]
  test.each(refused)('%s is refused', (_reason, given, message) => {
    expect(() => fitDemand({ stepDays: 1, titles: given })).toThrow(message)
  })

  const taken: [reason: string, titles: TitleHistory[]][] = [
    ['none', []],
    ['a title without a step', [day(1, { days: new Int32Array(0), counts: new Float64Array(0) })]],
    ['nothing asked for', [day(0, { counts: Float64Array.of(0, 0) })]],
    ['one that was asked for before its release', [day(3, { releasedOn: 200 })]],
    ['a skew of ten millions', [day(1e7), day(1, { id: 'b' })]],
  ]
  test.each(taken)('%s gives finite forecasts', (_reason, given) => {
    const of = fitDemand({ stepDays: 1, titles: given })
    for (const id of ['a', 'b', 'new']) {
      const said = forecast(of, { id, cohort: 'films', releasedOn: 100 }, 102, 7)
      for (const value of [said.median, said.expected, quantileOf(said, 0.99)]) {
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThan(Infinity)
      }
    }
  })
})

describe('arithmetic', () => {
  test('quantiles of the normal distribution', () => {
    for (const [p, z] of [
      [0.5, 0],
      [0.975, 1.959963985],
      [0.001, -3.090232306],
      [0.8413447461, 1],
    ] as const)
      expect(normalQuantile(p)).toBeCloseTo(z, 7)
    for (const p of [0, 1, -1, Number.NaN]) expect(() => normalQuantile(p)).toThrow(RangeError)
  })

  test('errors are weighted by what there was', () => {
    expect(wape([1, 9], [2, 8])).toBeCloseTo(0.2)
    expect(wape([0, 0], [0, 0])).toBe(0)
    expect(() => wape([1], [Number.NaN])).toThrow(/row 0/)
    expect(() => wape([1], [1, 2])).toThrow(/1 forecasts of 2/)
  })

  test('a title is divided among its files by what each was asked for, evenly where nothing was', () => {
    expect([...amongFiles(12, [0, 0, 0])]).toEqual([4, 4, 4])
    expect([...amongFiles(100, [98, 0])]).toEqual([99, 1])
    expect([...amongFiles(5, [])]).toEqual([])
    expect(() => amongFiles(1, [1, Number.NaN])).toThrow(/file 1: NaN/)
    expect(() => amongFiles(-1, [1])).toThrow(/-1 is no demand/)
  })
})
