import { newPrefix, type Prefix, parsePrefix } from '../address.ts'
import { type PackedPrefixes, PrefixPacker } from './packed-prefixes.ts'
import type { Route } from './route-table.ts'
import { linesOf, peek } from './text-lines.ts'

/** A line that could not be used, and why. */
export interface BadRow {
  /** From 1. */
  readonly line: number
  readonly problem: string
}

/** What a line of a feed comes to. */
export type BgpRow =
  | ({ readonly type: 'announce' } & Route)
  | { readonly type: 'withdraw'; readonly prefix: Readonly<Prefix> }
  | ({ readonly type: 'bad' } & BadRow)

/**
 * Reads routes as BIRD 1 or 2 prints them (`birdc show route all`, or `show route`, which has no paths), or as `bgpdump -m` does. Of several routes for a
 * prefix in one BIRD table the one marked `*` counts; routes of other protocols than BGP do not. Lazily: rows come as the text does, in pieces of any
 * size of which the first tells the format.
 */
export function* readBgpFeed(pieces: Iterable<string>): Generator<BgpRow> {
  const [first, all] = peek(pieces)
  if (/^(TABLE_DUMP2?|BGP4MP)\|/m.test(first.slice(0, 4096))) yield* readBgpdump(all)
  else yield* readBird(all)
}

/** What a whole feed says. */
export interface BgpTables {
  /** Prefixes that are announced, with the length of the path and the MED. */
  readonly routes: PackedPrefixes
  readonly bad: { readonly count: number; readonly first: BadRow | undefined }
}

/** Reads a feed that has no end to wait for: a table, rather than updates of one. */
export function readBgpTables(pieces: Iterable<string>): BgpTables {
  const packer = new PrefixPacker()
  let count = 0
  let first: BadRow | undefined
  for (const row of readBgpFeed(pieces)) {
    if (row.type === 'announce') packer.add(row.prefix, row.pathLength, row.med)
    if (row.type !== 'bad') continue
    count++
    first ??= row
  }
  return { routes: packer.packed(), bad: { count, first } }
}

/** type|time|A, B or W|peer address|peer AS|prefix|AS path|origin|next hop|local preference|MED|… Source: bgpdump's README. */
function* readBgpdump(pieces: Iterable<string>): Generator<BgpRow> {
  for (const [row, line] of linesOf(pieces)) {
    if (row === '' || row.startsWith('#')) continue
    const fields = row.split('|')
    const bad = (problem: string): BgpRow => ({ type: 'bad', line, problem })
    const [kind, , action, , , prefixText, path = '', , , , med = ''] = fields
    if (!/^(TABLE_DUMP2?|BGP4MP(_ET)?)$/.test(kind ?? '') || fields.length < 6) {
      yield bad('is no line of bgpdump -m')
      continue
    }
    if (action === 'STATE') continue
    const prefix = newPrefix()
    const problem = parsePrefix(prefixText!, prefix)
    if (problem) yield bad(problem)
    else if (action === 'W') yield { type: 'withdraw', prefix }
    else if (action !== 'A' && action !== 'B') yield bad(`"${action}" is no action: A, B or W`)
    else {
      const pathLength = lengthOfPath(path)
      const value = med === '' ? 0 : number(med)
      if (pathLength === undefined) yield bad(`"${path}" is no AS path`)
      else if (value === undefined) yield bad(`"${med}" is no MED`)
      else yield { type: 'announce', prefix, pathLength, med: value }
    }
  }
}

interface Pending {
  readonly prefix: Readonly<Prefix>
  readonly best: boolean
  isBgp: boolean
  pathLength: number
  med: number
}

/** How the last system of a path, and where it is from, end the line of a route by BGP: `[AS64501i]`, or `[i]` where the path is empty. */
const BGP_TAG = /\[(AS\d+)?[ie?]\]\s*$/

/** A line at the margin begins a prefix; of those that are indented, one with a protocol in brackets is another route for it, and others say more of the route. */
function* readBird(pieces: Iterable<string>): Generator<BgpRow> {
  let prefix: Prefix | undefined
  let route: Pending | undefined
  let chosen: Pending | undefined
  const take = () => {
    if (route?.isBgp && (!chosen || route.best)) chosen = route
  }
  const settled = (): BgpRow[] => {
    take()
    const done = chosen
    route = undefined
    chosen = undefined
    return done ? [{ type: 'announce', prefix: done.prefix, pathLength: done.pathLength, med: done.med }] : []
  }
  for (const [row, line] of linesOf(pieces)) {
    if (row.trim() === '' || /^(BIRD |Table |Access restricted|\d{4}[- ])/.test(row)) continue
    const bad = (problem: string): BgpRow => ({ type: 'bad', line, problem })
    const isRoute = /\[[^\]]+\]/.test(row)
    if (/^\s/.test(row) && (!isRoute || /^\s+[\w.]+:/.test(row))) {
      if (route && /^\s+(Type:\s*BGP\b|BGP\.)/.test(row)) route.isBgp = true
      const said = /^\s+BGP\.(as_path|med):\s*(.*)$/.exec(row)
      if (!said || !route) continue
      const [, what, value = ''] = said
      const read = what === 'med' ? number(value.trim()) : lengthOfPath(value)
      if (read === undefined) {
        yield bad(`"${value}" is no ${what === 'med' ? 'MED' : 'AS path'}`)
        route = undefined
      } else if (what === 'med') route.med = read
      else route.pathLength = read
      continue
    }
    if (!row.startsWith(' ')) {
      yield* settled()
      const [word = ''] = row.split(/\s/, 1)
      const next = newPrefix()
      const problem = parsePrefix(word, next)
      prefix = problem ? undefined : next
      if (problem) {
        yield bad(problem)
        continue
      }
    } else take()
    route = undefined
    if (prefix && isRoute) {
      const pathLength = /\[AS\d+[ie?]?\]/.test(row) ? 1 : 0
      route = { prefix, best: /\]\s*\*/.test(row), isBgp: BGP_TAG.test(row), pathLength, med: 0 }
    }
  }
  yield* settled()
}

/** How many systems a path is long: a set in braces counts as one, a confederation in parentheses as none. Source: RFC 4271 9.1.2.2, RFC 5065 5.3. */
function lengthOfPath(text: string): number | undefined {
  const outside = text.replace(/\([^()]*\)/g, ' ').replace(/\{[\d,\s]*\}/g, ' 0 ')
  const systems = outside.split(/\s+/).filter((word) => word !== '')
  return systems.every((word) => /^\d+(\.\d+)?$/.test(word)) ? systems.length : undefined
}

function number(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= 0xffffffff ? Number(text) : undefined
}
