import { catalogOf } from '../../reconcilers/blobs/catalog.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { type Counts, CountsBuilder, WINDOW_DAYS } from '../../reconcilers/demand/counts.ts'
import { forecastDemand, observedDemand } from '../../reconcilers/demand/popularity.ts'
import { offloadRegret } from '../../reconcilers/demand/regret.ts'
import { priced } from '../../reconcilers/placement/priced.ts'
import type { PlacementProblem } from '../../reconcilers/placement/problem.ts'
import { truthOf, type World } from './world.ts'

/** What a parent serves counts half, as in the plans. */
const PARENT_VALUE = 0.5

/** Says what each file will be asked for, from what is known on the morning of a day. */
export type Way = (world: World, counts: Counts) => Float64Array

const hintsOf = ({ titles, titleOf, partOf }: World) => ({
  classes: [],
  popularity: [Float64Array.from(titleOf, (t, f) => titles[t]!.hint * partOf[f]!)],
})

/** As the gateway publishes it: the same code. */
export const byForecast: Way = (world, counts) =>
  forecastDemand(counts, catalogOf(world.files), hintsOf(world)).popularity[0]!
export const byObserved: Way = (world, counts) =>
  observedDemand(counts, catalogOf(world.files), hintsOf(world)).popularity[0]!
export const lastWeekAgain: Way = (world, { today }) => truthOf(world, today - 7, today)
/** Knows all of the week but titles that come out in it. */
export const allButNew: Way = (world, { today }) =>
  truthOf(world, today, today + 7).map((asked, f) => (world.titles[world.titleOf[f]!]!.releasedOn >= today ? 0 : asked))

/** What was counted before a day. */
export function countsBefore({ files, titles, titleOf, partOf, knownFrom }: World, today: number): Counts {
  const builder = new CountsBuilder(
    Float64Array.from(files, ({ size }) => size),
    today,
  )
  for (let day = Math.max(knownFrom, today - WINDOW_DAYS); day < today; day++)
    for (const [f, { size }] of files.entries()) {
      const requests = titles[titleOf[f]!]!.viewings[day - knownFrom]! * partOf[f]!
      if (requests > 0) builder.add({ demandClass: 'all', day, file: f, requests, bytes: requests * size })
    }
  return builder.finish()
}

/**
 * What is missed, as a part of all demand, week by week: offload of a placement by what is truly asked for, less that of the placement by what a way says, both under
 * the truth, with the same solver and capacities; moving costs neither of them anything. `refreshed`: days after which both are placed anew; each time the rest of the
 * week, day by day, is what is to be served.
 */
export function regrets(
  world: World,
  ways: Readonly<Record<string, Way>>,
  storageShare: number,
  refreshed: 1 | 7,
): Map<string, number[]> {
  const missed = new Map(Object.keys(ways).map((name) => [name, [] as number[]]))
  for (let day = world.playedFrom; day < world.playedUntil; day += refreshed) {
    const counts = countsBefore(world, day)
    const problem = problemOf(world, storageShare, truthOf(world, day, day + refreshed), day + refreshed)
    for (const [name, way] of Object.entries(ways))
      missed.get(name)!.push(offloadRegret(problem, [way(world, counts)], priced, PARENT_VALUE))
  }
  return missed
}

/** Two sites below a parent; each has room for `storageShare` of the bytes of all titles that are out by `until`. */
function problemOf(world: World, storageShare: number, truth: Float64Array, until: number): PlacementProblem {
  const { files, titles, titleOf } = world
  const sizes = Float64Array.from(files, ({ size }) => size)
  let bytes = 0
  for (const [f, size] of sizes.entries()) if (titles[titleOf[f]!]!.releasedOn < until) bytes += size
  const site = (key: string, parents: string[]) => ({
    ...{ key, region: 'r', parents },
    appliances: [{ key: `${key}-a`, storageBytes: storageShare * bytes, throughputGbps: 100 }],
  })
  return {
    sizes,
    popularity: [truth],
    fileHashes: Uint32Array.from(files, ({ sha256 }) => Number.parseInt(sha256.slice(0, 8), 16)),
    sites: [site('a', ['p']), site('b', ['p']), site('p', [])],
    copies: { perSite: 1, perRegion: 0 },
    pins: [],
    excluded: new FileSet(),
  }
}

/** Titles with the most viewings in a week: those on its list. */
function listOf(world: World, week: number): Map<number, number> {
  const { titles, knownFrom } = world
  const sums = titles.map(({ viewings }, t) => ({
    t,
    sum: viewings.subarray(week - knownFrom, week - knownFrom + 7).reduce((a, b) => a + b, 0),
  }))
  return new Map(
    sums
      .sort((a, b) => b.sum - a.sum)
      .slice(0, 40)
      .map(({ t, sum }) => [t, sum]),
  )
}

/** How like the published lists of forty titles those of a world are: the part of their hours that titles have which came out that week, and what last week again is off by. */
export function likeness(world: World): { readonly newPart: number; readonly lastWeek: number } {
  let [all, fresh, off, both] = [0, 0, 0, 0]
  for (let week = world.knownFrom + 7; week < world.playedUntil; week += 7) {
    const [before, now] = [listOf(world, week - 7), listOf(world, week)]
    for (const [t, sum] of now) {
      all += sum
      if (!before.has(t) && world.titles[t]!.releasedOn >= week - 7) fresh += sum
      if (!before.has(t)) continue
      both += sum
      off += Math.abs(before.get(t)! - sum)
    }
  }
  return { newPart: fresh / all, lastWeek: off / both }
}
