import type { Site, Window } from '../../../crds/types.gen.ts'
import { closest } from '../../manifests/suggest.ts'
import type { FleetSet, Member } from './fleet-set.ts'
import type { Finding, Rule } from './rule.ts'
import { covers, lengthOf, overlap, type Stretch, stretchesOf, united } from './week.ts'

const FIELDS = ['fillWindows', 'maintenanceWindows'] as const

/** Without its zone nobody can tell when a window opens: agents do not fill, and nothing is disturbed. */
const unknownTimeZone: Rule = {
  id: 'unknown-time-zone',
  severity: 'error',
  about: 'The time zone of a Site is none, so that its windows never open.',
  *check(set: FleetSet): Generator<Finding> {
    const known = new Map<string, boolean>()
    for (const { object, manifest } of set.of<Site>('Site').all) {
      const zone = object.spec.timeZone
      if (!known.has(zone)) known.set(zone, isTimeZone(zone))
      if (known.get(zone)) continue
      const like = closest(zone, Intl.supportedValuesOf('timeZone'))
      const windows = FIELDS.some((field) => (object.spec[field] ?? []).length > 0)
      const so = windows ? ': the windows of this site never open' : ''
      yield {
        manifest,
        path: ['spec', 'timeZone'],
        message: `there is no time zone "${zone}"${so}${like === undefined ? '' : `; did you mean "${like}"?`}`,
        ...(like === undefined ? {} : { suggestion: like }),
      }
    }
  },
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

interface Opening {
  readonly index: number
  readonly open: readonly Stretch[]
  /** Gigabits per second; Infinity without a cap. */
  readonly rate: number
}

const openings = (windows: readonly Window[]): Opening[] =>
  windows.map((window, index) => ({
    index,
    open: stretchesOf(window),
    rate: window.maxGbps ?? Number.POSITIVE_INFINITY,
  }))

/** The windows that make a window needless: at any time of several open ones the most generous counts. */
function coveredBy(window: Opening, all: readonly Opening[]): Opening[] {
  const length = lengthOf(window.open)
  const stronger = all.filter(({ index, open, rate }) => {
    if (index === window.index || rate < window.rate) return false
    // Of two that are alike the first stays.
    return rate > window.rate || lengthOf(open) > length || (lengthOf(open) === length && index < window.index)
  })
  const needed = stronger.filter(({ open }) => overlap(open, window.open))
  return covers(united(needed.flatMap(({ open }) => open)), window.open) ? needed : []
}

function* windowsOf(set: FleetSet) {
  for (const site of set.of<Site>('Site').all) {
    for (const field of FIELDS) {
      const windows = site.object.spec[field] ?? []
      if (windows.length > 1) yield { site, field, all: openings(windows) }
    }
  }
}

const windowWithoutEffect: Rule = {
  id: 'window-without-effect',
  severity: 'warning',
  about: 'A window of a Site changes nothing: whenever it is open, others are that allow at least as much.',
  *check(set: FleetSet): Generator<Finding> {
    for (const { site, field, all } of windowsOf(set)) {
      for (const window of all) {
        const others = coveredBy(window, all)
        if (others.length === 0) continue
        const names = others.map(({ index }) => `${field}[${index}]`).join(' and ')
        const why = window.rate < others[0]!.rate ? 'at a higher rate, and the most generous counts' : 'anyway'
        yield {
          manifest: site.manifest,
          path: ['spec', field, window.index],
          message: `has no effect: whenever it is open, ${names} ${others.length > 1 ? 'are' : 'is'} open ${why}`,
          related: relatedTo(site, field, others[0]!, 'this window is open then'),
        }
      }
    }
  },
}

const windowOverlap: Rule = {
  id: 'window-overlap',
  severity: 'warning',
  about: 'Fill windows of a Site with different caps overlap in part; the most generous counts while both are open.',
  *check(set: FleetSet): Generator<Finding> {
    for (const { site, field, all } of windowsOf(set)) {
      // Windows without effect are told as such.
      const effective = all.filter((window) => coveredBy(window, all).length === 0)
      for (const [i, later] of effective.entries()) {
        for (const earlier of effective.slice(0, i)) {
          if (later.rate === earlier.rate || !overlap(later.open, earlier.open)) continue
          if (covers(later.open, earlier.open) || covers(earlier.open, later.open)) continue
          const most = Math.max(later.rate, earlier.rate)
          const counts = most === Number.POSITIVE_INFINITY ? 'there is no cap' : `the cap is ${most} Gbps`
          yield {
            manifest: site.manifest,
            path: ['spec', field, later.index],
            message: `overlaps with ${field}[${earlier.index}] in part; while both are open ${counts}`,
            related: relatedTo(site, field, earlier, 'the other window is here'),
          }
        }
      }
    }
  },
}

function relatedTo({ manifest }: Member<Site>, field: string, { index }: Opening, message: string) {
  return { message, place: manifest.placeOf(['spec', field, index], 'value') }
}

export const windows: readonly Rule[] = [unknownTimeZone, windowWithoutEffect, windowOverlap]
