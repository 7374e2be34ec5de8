import { describe, expect, test } from '@jest/globals'
import type { Catalog, PlacementPolicy } from '../../../crds/types.gen.ts'
import { catalogOf, encodeCatalog } from '../../../reconcilers/blobs/catalog.ts'
import { decodeDemand, encodeDemand } from '../../../reconcilers/blobs/demand.ts'
import { type CountedRow, CountsBuilder, dayOfText, dayText, WINDOW_DAYS } from '../../../reconcilers/demand/counts.ts'
import { forecastDemand, observedDemand } from '../../../reconcilers/demand/popularity.ts'
import {
  isDue,
  isWanted,
  makePublication,
  nextPublicationInMs,
  publicationDay,
  publish,
  withdraw,
} from '../../../reconcilers/demand/publication.ts'
import { demandSource, withNewFiles } from '../../../reconcilers/placement/demand-source.ts'

const TODAY = dayOfText('2026-01-08')
const sha = (of: string) => `sha256:${of.repeat(64)}`
const at = (text: string) => new Date(text)

const file = (path: string, more: object = {}) => ({ path, size: 100, sha256: 'a'.repeat(64), ...more })
const row = (of: Partial<CountedRow> = {}): CountedRow => ({
  ...{ demandClass: 'de', day: TODAY - 1, file: 0, requests: 1, bytes: 100 },
  ...of,
})
const noHints = (size: number) => ({ classes: [], popularity: [new Float64Array(size)] })

function countsOf(rows: readonly CountedRow[], sizes = [100, 100, 0, Number.NaN]) {
  const builder = new CountsBuilder(Float64Array.from(sizes), TODAY)
  for (const each of rows) builder.add(each)
  return builder.finish()
}

describe('counts', () => {
  test('are whole copies, however many requests these came in; of files without bytes, requests', () => {
    const counts = countsOf([row({ requests: 50, bytes: 250 }), row({ file: 2, requests: 7, bytes: 0 })])
    expect([...counts.byFile].map(([f, copies]) => [f, ...copies])).toEqual([
      [0, 2.5],
      [2, 7],
    ])
  })

  const passedOver: [reason: string, row: Partial<CountedRow>][] = [
    ['of today, which is not over', { day: TODAY }],
    ['of days to come: a clock was ahead', { day: TODAY + 3 }],
    ['of long ago', { day: TODAY - WINDOW_DAYS - 1 }],
    ['of a day that is none', { day: 0.5 }],
    ['of a file that is gone', { file: 3 }],
    ['of a file that the catalog does not have', { file: 4 }],
    ['of files that were not told one by one', { file: -1 }],
    ['of nothing', { bytes: 0, requests: 0 }],
  ]
  test.each(passedOver)('%s are left out, without a word', (_reason, of) => {
    const { byFile, refused } = countsOf([row(of)])
    expect([byFile.size, refused]).toEqual([0, 0])
  })

  const refused: [reason: string, row: Partial<CountedRow>, message: string][] = [
    ['NaN', { bytes: Number.NaN }, 'class "de", 2026-01-07, file 0: NaN bytes'],
    ['negative', { bytes: -5 }, 'class "de", 2026-01-07, file 0: -5 bytes'],
    ['infinite', { requests: Infinity }, 'class "de", 2026-01-07, file 0: Infinity requests'],
  ]
  test.each(refused)('%s are refused with their place, and the others count', (_reason, of, message) => {
    const counts = countsOf([row(of), row({ file: 1 }), row({ ...of, file: 1 })])
    expect(counts).toMatchObject({ refused: 2, firstRefused: message })
    expect([...counts.byFile.keys()]).toEqual([1])
  })

  test('of days on which nobody counted say nothing: a title does not fade in a gap', () => {
    const steady = Array.from({ length: 40 }, (_, i) => row({ day: TODAY - 40 + i, bytes: 1000 }))
    const gap = steady.filter(({ day }) => day < TODAY - 20 || day >= TODAY - 12)
    const catalog = catalogOf([file('a'), file('b')])
    const [whole, holed] = [steady, gap].map(
      (rows) => forecastDemand(countsOf(rows, [100, 100]), catalog, noHints(2)).popularity[0]![0]!,
    )
    expect(Math.abs(holed! / whole! - 1)).toBeLessThan(0.05)
    expect(
      Math.abs(observedDemand(countsOf(gap, [100, 100]), catalog, noHints(2)).popularity[0]![0]! / 70 - 1),
    ).toBeLessThan(0.05)
  })
})

describe('titles that nothing was counted of', () => {
  const released = (days: number) => ({ released: dayText(TODAY + days) })
  const catalog = catalogOf([
    file('old', { title: 'old' }),
    file('out today', { title: 'today', ...released(0) }),
    file('out in ten days', { title: 'later', ...released(10) }),
    file('seen'),
    file('out today, big', { title: 'big', ...released(0) }),
  ])
  const hints = { classes: [], popularity: [Float64Array.of(10, 10, 10, 10, 40)] }
  const seen = Array.from({ length: 30 }, (_, i) => row({ file: 3, day: TODAY - 30 + i, bytes: 10_000 }))
  const made = { observedDemand, forecastDemand }
  test.each(['observedDemand', 'forecastDemand'] as const)(
    '%s: what comes out is placed before it is asked for, by the catalog’s hint',
    (how) => {
      const [[old, today, later, , big]] = made[how](
        countsOf(seen, [100, 100, 100, 100, 100]),
        catalog,
        hints,
      ).popularity.map((column) => [...column]) as [number[]]
      expect(later).toBe(0)
      expect(today).toBeGreaterThan(5 * old!)
      expect(big).toBeGreaterThanOrEqual(today!)
      expect(today).toBeGreaterThan(0)
    },
  )

  test('hints count by as much as they have been right', () => {
    const many = Array.from({ length: 60 }, (_, f) => file(`f${f}`, { title: `f${f}`, released: dayText(TODAY - 30) }))
    const all = catalogOf([...many, file('new', { title: 'new', ...released(0) })])
    const rows = (of: (f: number) => number) =>
      many.flatMap((_, f) =>
        Array.from({ length: 10 }, (_, d) => row({ file: f, day: TODAY - 10 + d, bytes: Math.round(of(f)) * 100 })),
      )
    const sizes = all.files.map(() => 100)
    const high = { classes: [], popularity: [Float64Array.from(sizes, (_, f) => (f === 60 ? 500 : 1 + (f % 20)))] }
    const of = (demand: (f: number) => number) =>
      forecastDemand(countsOf(rows(demand), sizes), all, high).popularity[0]![60]!
    const right = of((f) => 30 * (1 + (f % 20)))
    const wrong = of((f) => 30 * (1 + ((f * 7) % 13)))
    expect(right).toBeGreaterThan(4 * wrong)
  })
})

test('classes differ as far as there is evidence', () => {
  const catalog = catalogOf([file('a'), file('b')])
  const rows = [
    row({ bytes: 100_000 }),
    row({ file: 1, bytes: 100 }),
    row({ demandClass: 'fr', file: 1, bytes: 100_000 }),
  ]
  const { classes, popularity } = observedDemand(countsOf(rows, [100, 100]), catalog, noHints(2))
  expect(classes).toEqual(['de', 'fr'])
  const [, de, fr] = popularity as [Float64Array, Float64Array, Float64Array]
  expect(de[0]).toBeGreaterThan(50 * de[1]!)
  expect(fr[1]).toBeGreaterThan(50 * fr[0]!)
  const few = observedDemand(countsOf([row(), row({ demandClass: 'fr', file: 1 })], [100, 100]), catalog, noHints(2))
  expect(few.popularity[1]![0]).toBeLessThan(2 * few.popularity[1]![1]!)
})

describe('when', () => {
  test.each([
    ['2026-01-08T01:59:59Z', '2026-01-07', 1000],
    ['2026-01-08T02:00:00Z', '2026-01-08', 86_400_000],
    ['2026-01-08T14:00:00Z', '2026-01-08', 43_200_000],
  ])('at %s the day is %s', (now, day, nextInMs) => {
    expect(dayText(publicationDay(at(now)))).toBe(day)
    expect(nextPublicationInMs(at(now))).toBe(nextInMs)
  })

  const now = at('2026-01-08T12:00:00Z')
  const catalog = (counted?: object): Catalog =>
    ({
      apiVersion: 'content.weir.dev/v1alpha1',
      kind: 'Catalog',
      metadata: { name: 'films', namespace: 'isp', uid: 'u', resourceVersion: '7' },
      status: {
        digest: sha('c'),
        demandDigest: sha('d'),
        ...(counted && {
          counted: {
            day: '2026-01-08',
            days: 3,
            files: 1,
            catalogDigest: sha('c'),
            catalogDemandDigest: sha('d'),
            ...counted,
          },
        }),
      },
    }) as unknown as Catalog

  const cases: [reason: string, counted: object | undefined, due: boolean][] = [
    ['nothing is published', undefined, true],
    ['today’s is', {}, false],
    ['yesterday’s is', { day: '2026-01-07' }, true],
    ['a gateway whose clock is ahead was first', { day: '2026-01-09' }, false],
    ['a clock was wrong by months', { day: '2026-05-01' }, true],
    ['the catalog is another now', { catalogDigest: sha('e') }, true],
    ['its popularity is another now', { catalogDemandDigest: sha('e') }, true],
  ]
  test.each(cases)('%s', (_reason, counted, due) => {
    expect(isDue(catalog(counted), now)).toBe(due)
  })

  const counted = { day: '2026-01-08', days: 3, files: 1, catalogDigest: sha('c') }
  const digests = { observedDigest: sha('1'), forecastDigest: sha('2') }
  test('it is published on the version that was read', () => {
    expect(publish(catalog(), { counted, digests }, sha('d'), now)).toMatchObject({
      metadata: { uid: 'u', resourceVersion: '7' },
      status: { counted: { day: '2026-01-08', catalogDemandDigest: sha('d'), ...digests } },
    })
  })
  test.each([
    ['another was faster', catalog({}), sha('d'), digests],
    ['the popularity changed meanwhile', catalog(), sha('e'), digests],
    [
      'nothing was counted, where something had been: a clock, or the database',
      catalog({ day: '2026-01-07', ...digests }),
      sha('d'),
      undefined,
    ],
  ])('%s: nothing is written', (_reason, before, hints, made) => {
    expect(publish(before, { counted, ...(made && { digests: made }) }, hints, now)).toBeUndefined()
  })

  test('it is taken back once, when no policy wants it', () => {
    const policy = (source?: string) => ({ metadata: {}, spec: { demand: { source } } }) as unknown as PlacementPolicy
    expect(isWanted([policy(), policy('catalog')])).toBe(false)
    expect(isWanted([policy('catalog'), policy('observed')])).toBe(true)
    expect(withdraw(catalog({}))).toMatchObject({ status: {} })
    expect(withdraw(catalog())).toBeUndefined()
  })

  const policyBy = (source: string) => ({ spec: { demand: { source } } }) as unknown as PlacementPolicy
  const chosen: [
    reason: string,
    source: string,
    counted: object | undefined,
    digest: string,
    told: string | undefined,
  ][] = [
    ['the catalog’s, where that is wanted', 'catalog', digests, sha('d'), undefined],
    ['the catalog’s, where nobody publishes', 'forecast', undefined, sha('d'), 'False NotPublished'],
    ['the catalog’s, while nothing is counted', 'observed', { days: 0 }, sha('d'), 'False NothingCounted'],
    ['the observed', 'observed', { ...digests, lastDay: '2026-01-07' }, sha('1'), 'True Counted'],
    ['the forecast', 'forecast', { ...digests, lastDay: '2026-01-07' }, sha('2'), 'True Counted'],
    [
      'an old one, which is better than none',
      'forecast',
      { ...digests, lastDay: '2026-01-01' },
      sha('2'),
      'False Outdated',
    ],
  ]
  test.each(chosen)('planned by %s', (_reason, source, of, digest, told) => {
    const { digest: by, condition } = demandSource(policyBy(source), catalog(of))
    const said = condition?.(now)
    expect([by, said && `${said.status} ${said.reason}`]).toEqual([digest, told])
  })
})

test('files that the catalog has got since have its popularity, at the scale of what was counted', () => {
  const counted = { classes: ['de'], popularity: [Float64Array.of(100, 300), Float64Array.of(50, 400)] }
  const own = { classes: ['fr'], popularity: [Float64Array.of(1, 3, 5), Float64Array.of(9, 9, 9)] }
  expect(withNewFiles(counted, own).popularity.map((column) => [...column])).toEqual([
    [100, 300, 500],
    [50, 400, 500],
  ])
  expect(withNewFiles(own, counted)).toBe(own)
})

test('a publication is the same whatever the rows’ parts, and says what was refused', async () => {
  const catalog = encodeCatalog(catalogOf([file('a'), null, file('c')]))
  const demand = encodeDemand(sha('c'), { classes: [], popularity: [Float64Array.of(1, 0, 2)] })
  const rows = [
    row(),
    row({ file: 2, bytes: 700 }),
    row({ file: 2, bytes: -1 }),
    row({ demandClass: 'fr', day: TODAY - 9 }),
  ]
  const make = (parts: readonly (readonly CountedRow[])[]) =>
    makePublication(
      { digest: sha('c'), bytes: catalog, demand },
      TODAY,
      (async function* () {
        yield* parts
      })(),
    )
  const made = await make([rows])
  expect(await make(rows.map((each) => [each]))).toEqual(made)
  expect(made.counted).toEqual({
    ...{ day: '2026-01-08', days: 2, lastDay: '2026-01-07', files: 2, catalogDigest: sha('c') },
    ...{ refused: 1, firstRefused: 'class "de", 2026-01-07, file 2: -1 bytes' },
  })
  for (const blob of [made.observed!, made.forecast!]) {
    const { catalog: digest, classes, popularity } = decodeDemand(blob)
    expect([digest, classes]).toEqual([sha('c'), ['de', 'fr']])
    expect(popularity[0]).toHaveLength(3)
  }
  const nothing = await make([])
  expect(nothing).toEqual({ counted: { day: '2026-01-08', days: 0, files: 0, catalogDigest: sha('c') } })
})
