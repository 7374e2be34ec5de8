import { readFileSync } from 'node:fs'
import { weekdayOf } from '../../reconcilers/demand/history.ts'

/** A title's hours in the weeks in which it was on a list of its category. */
export interface ListedTitle {
  readonly id: string
  /** Films or series, English or not. */
  readonly category: string
  /** The Monday of the first week on a list, in days since 1970-01-01. */
  readonly firstWeek: number
  /** Hours by the Monday of the week. */
  readonly weeks: ReadonlyMap<number, number>
}

/**
 * Reads Netflix' published weekly hours: a table with a heading, tabs between columns, a row per title and week (`week`: its Sunday). Throws a RangeError that names the
 * row where something is no number or no day.
 */
export function readWeeklyHours(file: string): ListedTitle[] {
  const [heading = '', ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n')
  const columns = heading.split('\t')
  const column = (name: string) => {
    const at = columns.indexOf(name)
    if (at < 0) throw new RangeError(`${file}: no column "${name}"`)
    return at
  }
  const [week, category, show, season, hours] = (
    ['week', 'category', 'show_title', 'season_title', 'weekly_hours_viewed'] as const
  ).map(column) as [number, number, number, number, number]
  const titles = new Map<string, { category: string; weeks: Map<number, number> }>()
  for (const [i, row] of rows.entries()) {
    const cells = row.split('\t')
    const monday = Date.parse(`${cells[week]}T00:00:00Z`) / 86_400_000 - 6
    const watched = Number(cells[hours])
    if (!(weekdayOf(monday) === 0 && watched >= 0 && watched < Infinity))
      throw new RangeError(`${file}, row ${i + 2}: ${cells[week]}, ${cells[hours]} hours`)
    const id = [cells[category], cells[show], cells[season]].join('\t')
    const title = titles.get(id) ?? { category: cells[category]!, weeks: new Map<number, number>() }
    titles.set(id, title)
    title.weeks.set(monday, (title.weeks.get(monday) ?? 0) + watched)
  }
  return [...titles].map(([id, { category: of, weeks }]) => ({
    id,
    category: of,
    firstWeek: Math.min(...weeks.keys()),
    weeks,
  }))
}
