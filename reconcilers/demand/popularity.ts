import type { CatalogContent } from '../blobs/catalog.ts'
import { columnOf, type Demand } from '../blobs/demand.ts'
import { type Counts, dayOfText, WINDOW_DAYS, weightSince } from './counts.ts'
import { median } from './decay.ts'
import { amongFiles } from './files.ts'
import { fitDemand, forecast } from './forecast.ts'
import type { TitleHistory } from './history.ts'

/** How many days, from that of the counts on, demand is told for. */
export const HORIZON_DAYS = 7
/** Titles are new for so long: what was not counted of them yet may still come. */
const NEW_DAYS = 7
/** Of what a title would be taken to be asked for, what is left where it could have been counted for long and never was: it may have been nowhere to be counted. */
const UNSEEN = 0.1
/** What a class of demand asks for of a file is drawn to what all do, as if it had asked for so many copies like all. */
const EVEN_COPIES = 5
/** Titles first counted within so many days of the first day counted at all may be of any age. */
const SETTLED_DAYS = 7

/** The files of one title. Files without a title are each one of their own. */
interface Title {
  readonly id: string
  readonly cohort: string
  /** Undefined: the catalog does not say. */
  readonly released: number | undefined
  readonly files: number[]
  /** By the catalog's own popularity, of all its files. */
  hint: number
}

/** What viewers asked for lately, per file and class: copies in a week. Files that nothing was counted of have what the catalog says, at the scale of those that something was. */
export function observedDemand(counts: Counts, catalog: CatalogContent, hints: Demand): Demand {
  const rates = new Float64Array(catalog.files.length)
  const oldest = counts.today - WINDOW_DAYS
  const weights = new Map<number, number>()
  const weight = (from: number) => {
    const known = weights.get(from) ?? weightSince(counts, from)
    weights.set(from, known)
    return known
  }
  for (const file of counts.byFile.keys()) {
    const since = weight(Math.max(oldest, releasedOn(catalog.files[file]) ?? oldest))
    // What was counted before its release only: as if on one day.
    rates[file] = (HORIZON_DAYS * counts.recentOfAll[file]!) / Math.max(since, since > 0 ? 0 : 1)
  }
  const hint = hints.popularity[0]!
  const known = [...counts.byFile.keys()]
  const scale = median(known.filter((f) => hint[f]! > 0).map((f) => rates[f]! / hint[f]!)) ?? 0
  // However much the catalog makes of them: files that were never counted are not like the best of those that were.
  const middle = median(known.map((f) => rates[f]!)) ?? 0
  for (const [f, file] of catalog.files.entries()) {
    if (!file || counts.byFile.has(f)) continue
    const believable = believed(releasedOn(file), counts.today)
    const hinted = (hint[f] ?? 0) * scale
    rates[f] = believable * (believable === UNSEEN ? Math.min(hinted, middle) : hinted)
  }
  return byClass(rates, counts, hints)
}

/**
 * What viewers are expected to ask for in the days from that of the counts on, per file and class: copies in a week. Titles fade by their age, the days of the week differ,
 * and what little was counted is drawn to what is usual in the title's cohort. The files of a title divide what it is asked for by what each was.
 */
export function forecastDemand(counts: Counts, catalog: CatalogContent, hints: Demand): Demand {
  const titles = titlesOf(catalog, hints)
  const model = fitDemand({ stepDays: 1, titles: titles.flatMap((title) => historyOf(title, counts)) })
  const rates = new Float64Array(catalog.files.length)
  for (const { files, released, ...title } of titles) {
    const known = model.levels.has(title.id)
    const said = forecast(
      model,
      { ...title, releasedOn: known ? firstDay(files, released, counts) : (released ?? unknownAge(counts)) },
      counts.today,
      HORIZON_DAYS,
    )
    const expected = known ? said.expected : said.expected * believed(released, counts.today)
    const parts = amongFiles(
      expected,
      files.map((f) => counts.recentOfAll[f]!),
    )
    for (const [i, f] of files.entries()) rates[f] = parts[i]!
  }
  return byClass(rates, counts, hints)
}

/** What is left of what the catalog, or its cohort, lets expect of a title that was never counted; nothing of one that is not out within the days told. */
function believed(released: number | undefined, today: number): number {
  if (released === undefined || released < today - NEW_DAYS) return UNSEEN
  return released >= today + HORIZON_DAYS ? 0 : 1
}

/** In columns: where a class was counted to ask for more of a file than all do, it is expected to again, as far as what was counted is evidence. */
function byClass(rates: Float64Array, counts: Counts, hints: Demand): Demand {
  const { classes, recent, recentOfAll, byFile } = counts
  const all = sumOf(recentOfAll)
  const others = rates.map(rounded)
  const columns = classes.map((name, k) => {
    const own = recent[k]!
    const part = all > 0 ? sumOf(own) / all : 0
    const hinted = hints.popularity[columnOf(hints, name)]!
    return others.map((rate, f) => {
      if (!byFile.has(f)) {
        const usual = hints.popularity[0]![f] ?? 0
        return usual > 0 && hinted !== hints.popularity[0] ? rounded((rate * hinted[f]!) / usual) : rate
      }
      return rounded((rate * (own[f]! + EVEN_COPIES)) / (recentOfAll[f]! * part + EVEN_COPIES))
    })
  })
  return { classes, popularity: [others, ...columns] }
}

/** To four digits: nothing that is foretold is known better, and a blob is a third as long. */
const rounded = (value: number) => Number(value.toPrecision(4))

const sumOf = (column: Float64Array) => column.reduce((sum, each) => sum + each, 0)

function releasedOn(file: CatalogContent['files'][number] | undefined): number | undefined {
  return file?.released === undefined ? undefined : dayOfText(file.released)
}

/** By title; each is as its first file says. */
function titlesOf({ files }: CatalogContent, hints: Demand): Title[] {
  const titles = new Map<string, Title>()
  for (const [f, file] of files.entries()) {
    if (!file) continue
    // A path has no NUL in it, so that no title is taken for a path.
    const id = file.title === undefined ? `\0${file.path}` : file.title
    let title = titles.get(id)
    if (!title) {
      title = { id, cohort: file.cohort ?? '', released: releasedOn(file), files: [], hint: 0 }
      titles.set(id, title)
    }
    title.files.push(f)
    title.hint += hints.popularity[0]![f] ?? 0
  }
  return [...titles.values()]
}

/** What was counted of a title: from its release on, or from the first day on which it was counted. None where it never was. */
function historyOf({ files, released, ...title }: Title, counts: Counts): TitleHistory[] {
  const columns = files.map((f) => counts.byFile.get(f)).filter((column) => column !== undefined)
  if (columns.length === 0) return []
  const first = firstDay(files, released, counts)
  const from = counts.days.findIndex((day) => day >= first)
  if (from < 0) return []
  const totals = Float64Array.from({ length: counts.days.length - from }, (_, i) =>
    columns.reduce((sum, column) => sum + column[from + i]!, 0),
  )
  // All titles share the days.
  return [{ ...title, releasedOn: first, days: counts.days.subarray(from), counts: totals }]
}

/** The day of release as the catalog says, or else as counts let guess: the first day counted, unless that is about as far back as anything was. */
function firstDay(files: readonly number[], released: number | undefined, counts: Counts): number {
  if (released !== undefined) return released
  const { days, byFile } = counts
  let first = days.length
  for (const f of files) {
    const column = byFile.get(f)
    const at = column ? column.findIndex((copies) => copies > 0) : -1
    if (at >= 0) first = Math.min(first, at)
  }
  const day = days[first]
  return day === undefined || day < days[0]! + SETTLED_DAYS ? unknownAge(counts) : day
}

/** A release so long ago that a title fades as old ones do. */
const unknownAge = ({ today }: Counts) => today - 2 * WINDOW_DAYS
