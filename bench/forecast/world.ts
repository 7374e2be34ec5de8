import { randomFrom } from '../../cli/bench/placement/instance.ts'
import type { CatalogFile } from '../../reconcilers/blobs/catalog.ts'
import { dayText } from '../../reconcilers/demand/counts.ts'
import { weekdayOf } from '../../reconcilers/demand/history.ts'

/** A Monday. */
const BEGIN = 20_003
const WEEKDAYS = [0.85, 0.82, 0.85, 0.92, 1.1, 1.26, 1.2]
/** How each week since release relates to the one before: as published for popular titles, where the first is most often a part of a week; old ones hardly fade. */
const FADING = [0.3, 0.45, 0.6, 0.68, 0.72, 0.77, 0.82, 0.88]
const FADING_TO_HALF_A_YEAR = 0.92
const FADING_LATER = 0.993

export interface WorldOptions {
  readonly seed: number
  /** Weeks that are played, after those of history. */
  readonly weeks: number
  /** Standard deviation of the logarithm of what whoever offers a title expects of it, beside what it will be. Infinity: nobody says anything. */
  readonly hintNoise: number
}

export interface WorldTitle {
  readonly cohort: string
  /** Days since 1970-01-01. */
  readonly releasedOn: number
  readonly hint: number
  /** Viewings by day of the world; what a forecast may know of them ends the day before. */
  readonly viewings: Float64Array
}

/** A catalog with years of titles, of which some come out every week, and what is truly asked for day by day. */
export interface World {
  readonly titles: readonly WorldTitle[]
  readonly files: readonly CatalogFile[]
  /** By file: its title, and which part of its title's viewings it has. */
  readonly titleOf: Int32Array
  readonly partOf: Float64Array
  /** Days since 1970-01-01 of the first day that is played, and of the first that anything is known of. */
  readonly playedFrom: number
  readonly knownFrom: number
  readonly playedUntil: number
}

const HISTORY_WEEKS = 12
/** Titles that came out before anything is known: two years of them. */
const OLD_WEEKS = 104
const COHORTS = [
  { name: 'films', releases: 6, level: 9, spread: 1.5 },
  { name: 'films-local', releases: 8, level: 8, spread: 1.5 },
  { name: 'series', releases: 5, level: 9.5, spread: 1.5 },
  { name: 'series-local', releases: 6, level: 8.3, spread: 1.5 },
] as const

export function makeWorld({ seed, weeks, hintNoise }: WorldOptions): World {
  const next = randomFrom(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  const days = 7 * (HISTORY_WEEKS + weeks)
  const titles: WorldTitle[] = []
  for (let week = -OLD_WEEKS; week < HISTORY_WEEKS + weeks; week++)
    for (const { name, releases, level, spread } of COHORTS)
      for (let i = 0; i < releases; i++) {
        const releasedOn = BEGIN + 7 * week + Math.floor(7 * next())
        const top = Math.exp(level + spread * normal())
        const hint = Number.isFinite(hintNoise) ? top * Math.exp(hintNoise * normal()) : 0
        // Titles do not fade alike, and what is talked of changes.
        const own = Math.exp(0.25 * normal())
        let drift = 0
        const viewings = Float64Array.from({ length: days }, (_, d) => {
          const age = BEGIN + d - releasedOn
          if (age < 0) return 0
          drift += 0.08 * normal()
          const usual = top * fade(age) ** own * WEEKDAYS[weekdayOf(BEGIN + d)]! * Math.exp(drift)
          // Counting: Poisson, as good as normal where there are many.
          return Math.max(0, Math.round(usual + Math.sqrt(usual) * normal()))
        })
        titles.push({ cohort: name, releasedOn, hint, viewings })
      }
  const files: CatalogFile[] = []
  const [titleOf, partOf]: [number[], number[]] = [[], []]
  for (const [t, { cohort, releasedOn }] of titles.entries()) {
    const size = Math.round(2e9 * Math.exp(0.5 * normal()))
    // Two encodes of each, the larger one asked for more often.
    for (const [e, part] of [0.7, 0.3].entries()) {
      const [path, title] = [`${t}/${e}`, String(t)]
      files.push({
        path,
        size: e === 0 ? size : Math.round(size / 3),
        sha256: hashText(files.length),
        title,
        cohort,
        released: dayText(releasedOn),
      })
      titleOf.push(t)
      partOf.push(part)
    }
  }
  const playedFrom = BEGIN + 7 * HISTORY_WEEKS
  return {
    ...{ titles, files, titleOf: Int32Array.from(titleOf), partOf: Float64Array.from(partOf) },
    ...{ playedFrom, knownFrom: BEGIN, playedUntil: BEGIN + days },
  }
}

/** Relative to the day of release, by days since. */
function fade(age: number): number {
  let log = 0
  for (let week = 0, left = age / 7; left > 0; week++, left--) {
    const ratio = FADING[week] ?? (week < 26 ? FADING_TO_HALF_A_YEAR : FADING_LATER)
    log += Math.min(1, left) * Math.log(ratio)
  }
  return Math.exp(log)
}

const hashText = (of: number) => (Math.imul(of + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0').repeat(8)

/** What is truly asked for of each file on the days from one up to but without another. */
export function truthOf(world: World, from: number, until: number): Float64Array {
  const { titles, titleOf, partOf, knownFrom } = world
  const sums = titles.map(({ viewings }) =>
    viewings.subarray(from - knownFrom, until - knownFrom).reduce((sum, each) => sum + each, 0),
  )
  return Float64Array.from(titleOf, (t, f) => sums[t]! * partOf[f]!)
}
