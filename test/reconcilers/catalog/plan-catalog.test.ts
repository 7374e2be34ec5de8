import { describe, expect, test } from '@jest/globals'
import type { Catalog } from '../../../crds/types.gen.ts'
import { CatalogBuilder } from '../../../reconcilers/catalog/builder.ts'
import {
  CATALOG_FINALIZER,
  type CatalogInput,
  planCatalog,
  refreshDueInMs,
  type SourceReading,
} from '../../../reconcilers/catalog/plan-catalog.ts'
import { catalog, conditions, digest, NOW, written } from '../fleet.ts'

const HOUR = 3_600_000

function reading(...paths: string[]): SourceReading {
  const builder = new CatalogBuilder()
  for (const path of paths) builder.addLine(JSON.stringify({ path, size: 1000, sha256: 'a'.repeat(64) }))
  const built = builder.finish()
  if ('errors' in built) return { type: 'refused', ...built }
  return { type: 'read', built }
}

const decide = (from: Partial<CatalogInput> = {}, now = NOW) =>
  planCatalog({ catalog: catalog('films'), reading: reading('a', 'b'), usedBy: [], digest, ...from }, now)

const statusOf = (plan: ReturnType<typeof planCatalog>) => written<Catalog>(plan, 'applyStatus', 'Catalog')[0]?.status

const published = catalog('films', { status: statusOf(decide()) as Catalog['status'] })

test('a good source is published: blobs by digest, then the status that names them', () => {
  const plan = decide()
  const status = statusOf(plan)
  expect(plan.blobs.map((b) => b.digest)).toEqual([status?.digest, status?.demandDigest])
  expect(status).toMatchObject({
    files: 2,
    bytes: 2000,
    version: 1,
    lastRefreshTime: '2030-01-01T12:00:00Z',
    usedBy: [],
  })
  expect(conditions(plan, 'Catalog')).toEqual(['Ready=True Published', 'SourceReady=True SourceRead'])
  expect(plan.events.map((e) => e.reason)).toEqual(['CatalogPublished'])
  expect(plan.outcome).toEqual({ type: 'requeue', afterMs: HOUR })
  expect(written<Catalog>(plan, 'apply', 'Catalog')[0]?.metadata.finalizers).toEqual([CATALOG_FINALIZER])
})

test('the same content read again changes nothing, whenever it is read', () => {
  const later = new Date(NOW.getTime() + HOUR)
  const plan = decide({ catalog: published, reading: reading('b', 'a') }, later)
  expect(statusOf(plan)).toEqual(published.status)
  expect(plan.blobs).toEqual([])
  expect(plan.events).toEqual([])
  expect(statusOf(decide({ catalog: published, reading: { type: 'unchanged' } }, later))).toEqual(published.status)
})

test('popularity alone makes new demand, not a new version of the catalog', () => {
  const builder = new CatalogBuilder()
  for (const path of ['a', 'b']) {
    builder.addLine(JSON.stringify({ path, size: 1000, sha256: 'a'.repeat(64), popularity: 3 }))
  }
  const built = builder.finish()
  if ('errors' in built) throw new Error('unexpected')
  const status = statusOf(decide({ catalog: published, reading: { type: 'read', built } }))
  expect(status).toMatchObject({ digest: published.status?.digest, version: 1 })
  expect(status?.demandDigest).not.toBe(published.status?.demandDigest)
})

describe('a bad source leaves the last good version in force, and is said', () => {
  test('lines are refused with their numbers', () => {
    const plan = decide({ catalog: published, reading: reading('ok', '../up', '/abs') })
    const ready = statusOf(plan)?.conditions?.[0]
    expect(ready).toMatchObject({ type: 'Ready', status: 'False', reason: 'SourceRefused' })
    expect(ready?.message).toMatch(/^line 2: path "\.\.\/up": .*; line 3: path "\/abs": must be relative$/)
    expect(statusOf(plan)).toMatchObject({ digest: published.status?.digest, files: 2, version: 1 })
    expect(plan.events.map((e) => `${e.type} ${e.reason}`)).toEqual(['Warning SourceRefused'])
    expect(plan.blobs).toEqual([])
  })

  test('the same refusal is an event once', () => {
    const refused = catalog('films', {
      status: statusOf(decide({ reading: reading('../up') })) as Catalog['status'],
    })
    expect(decide({ catalog: refused, reading: reading('../up') }).events).toEqual([])
  })

  test('many lines are summed up', () => {
    const plan = decide({ reading: reading(...Array.from({ length: 9 }, () => '/abs')) })
    expect(statusOf(plan)?.conditions?.[0]?.message).toMatch(/; and 4 more$/)
  })

  test('a source that cannot be read is retried by the loop', () => {
    const plan = decide({ catalog: published, reading: { type: 'failed', message: 'HTTP 503' } })
    expect(plan.outcome).toMatchObject({ type: 'retry', reason: 'SourceUnreadable', message: 'HTTP 503' })
    expect(statusOf(plan)).toMatchObject({ digest: published.status?.digest })
  })

  test('a failure is not forgotten by a resync in between', () => {
    const broken = catalog('films', {
      status: statusOf(decide({ reading: { type: 'failed', message: 'HTTP 503' } })) as Catalog['status'],
    })
    const plan = decide({ catalog: broken, reading: { type: 'notDue', dueInMs: 5 } })
    expect(conditions(plan, 'Catalog')).toContain('SourceReady=False SourceUnreadable')
    expect(plan.outcome).toEqual({ type: 'requeue', afterMs: 5 })
  })

  test('nothing was ever published', () => {
    expect(conditions(decide({ reading: { type: 'notDue', dueInMs: undefined } }), 'Catalog')[0]).toMatch(
      /^Ready=False/,
    )
  })
})

describe('a source that has lost (nearly) everything', () => {
  const files = (count: number) => reading(...Array.from({ length: count }, (_, i) => `f/${i}`))
  const holding = (count: number, spec: Partial<Catalog['spec']> = {}) => {
    const status = statusOf(decide({ reading: files(count) })) as Catalog['status']
    const { spec: plain } = catalog('films')
    return catalog('films', { status, spec: { ...plain, ...spec } })
  }
  const digestIn = (plan: ReturnType<typeof planCatalog>) =>
    /sha256:[0-9a-f]{64}$/.exec(statusOf(plan)?.conditions?.[0]?.message ?? '')?.[0] ?? 'none'

  test.each<[why: string, before: number, after: number, spec: Partial<Catalog['spec']>, isHeld: boolean]>([
    ['empty is what a failed export looks like', 100, 0, {}, true],
    ['even where there were few', 1, 0, {}, true],
    ['and where everything else may go', 100, 0, { maxShrinkPercent: 100 }, true],
    ['nine in ten are gone', 100, 10, {}, true],
    ['nearly nine in ten are gone', 100, 11, {}, false],
    ['all but one of so few: cheap to fill again', 9, 1, {}, false],
    ['all but one of ten', 10, 1, {}, true],
    ['half, where that is too much', 100, 50, { maxShrinkPercent: 50 }, true],
    ['half', 100, 50, {}, false],
    ['it grows', 100, 200, { maxShrinkPercent: 1 }, false],
    ['there was nothing to lose', 0, 0, {}, false],
  ])('%s: from %d files to %d', (_, before, after, spec, isHeld) => {
    const plan = decide({ catalog: holding(before, spec), reading: files(after) })
    expect(plan.events.map((e) => e.reason).includes('SourceShrunk')).toBe(isHeld)
    expect(statusOf(plan)?.files).toBe(isHeld ? before : after)
    expect(conditions(plan, 'Catalog').includes('Stalled=True SourceShrunk')).toBe(isHeld)
    expect(plan.outcome).toEqual({ type: 'requeue', afterMs: HOUR })
  })

  test('as many files of hardly any bytes are held back too', () => {
    const builder = new CatalogBuilder()
    for (let i = 0; i < 100; i++) {
      builder.addLine(JSON.stringify({ path: `f/${i}`, size: 1, sha256: 'b'.repeat(64) }))
    }
    const built = builder.finish()
    if ('errors' in built) throw new Error('unexpected')
    const plan = decide({ catalog: holding(100), reading: { type: 'read', built } })
    expect(conditions(plan, 'Catalog')[0]).toBe('Ready=False SourceShrunk')
    expect(statusOf(plan)).toMatchObject({ files: 100, bytes: 100_000 })
    expect(plan.blobs).toEqual([])
  })

  test('says what is lost and how to approve of it, once', () => {
    const plan = decide({ catalog: holding(100), reading: files(0) })
    expect(plan.events.map((e) => `${e.type} ${e.reason}: ${e.message}`)).toEqual([
      expect.stringMatching(
        /^Warning SourceShrunk: The source lists 0 files \(0 B\), the published version 100 files \(97\.7 KiB\): it stays\. If the files are to go, set spec\.approvedDigest of films to sha256:[0-9a-f]{64}$/,
      ),
    ])
    const held = catalog('films', { status: statusOf(plan) as Catalog['status'] })
    expect(decide({ catalog: held, reading: files(0) }).events).toEqual([])
    // Neither a resync nor a source that has not changed since makes it forget.
    for (const later of [{ type: 'notDue', dueInMs: 5 }, { type: 'unchanged' }] as const) {
      expect(conditions(decide({ catalog: held, reading: later }), 'Catalog')).toContain('Stalled=True SourceShrunk')
    }
  })

  test('the version that was approved of is published, and no other', () => {
    const approvedDigest = digestIn(decide({ catalog: holding(100), reading: files(0) }))
    const approved = holding(100, { approvedDigest })
    expect(conditions(decide({ catalog: approved, reading: files(1) }), 'Catalog')[0]).toBe('Ready=False SourceShrunk')
    const plan = decide({ catalog: approved, reading: files(0) })
    expect(conditions(plan, 'Catalog')).toEqual(['Ready=True Published', 'SourceReady=True SourceRead'])
    expect(statusOf(plan)).toMatchObject({ files: 0, digest: approvedDigest })
  })

  test('a source that recovers is published by itself', () => {
    const held = catalog('films', {
      status: statusOf(decide({ catalog: holding(100), reading: files(0) })) as Catalog['status'],
    })
    const plan = decide({ catalog: held, reading: files(99) })
    expect(conditions(plan, 'Catalog')).toEqual(['Ready=True Published', 'SourceReady=True SourceRead'])
    expect(statusOf(plan)?.files).toBe(99)
  })
})

describe('deletion', () => {
  const deleting = { ...published, metadata: { ...published.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' } }
  test('waits for its users, by name', () => {
    const plan = decide({ catalog: deleting, usedBy: ['default/p1', 'default/p2'] })
    expect(plan.outcome).toMatchObject({ type: 'waiting', message: 'Used by default/p1, default/p2' })
    expect(written(plan, 'apply', 'Catalog')).toEqual([])
  })
  test('lets go when nobody uses it', () => {
    expect(written<Catalog>(decide({ catalog: deleting }), 'apply', 'Catalog')[0]?.metadata.finalizers).toEqual([])
  })
})

describe('when the source is looked at again', () => {
  const last = { at: new Date(NOW.getTime() - 600_000), generation: 1, failed: false }
  const spec = catalog('films').spec
  const cases: [reason: string, from: Partial<Catalog>, last: typeof last | undefined, due: number | undefined][] = [
    ['never looked at', {}, undefined, 0],
    ['looked at a while ago', {}, last, HOUR - 600_000],
    ['long ago', {}, { ...last, at: new Date(0) }, 0],
    ['the last look failed', {}, { ...last, failed: true }, 0],
    ['the spec has changed since', {}, { ...last, generation: 0 }, 0],
    ['suspended', { spec: { ...spec, suspend: true } }, undefined, undefined],
  ]
  test.each(cases)('%s', (_reason, from, lastReading, due) => {
    expect(refreshDueInMs(catalog('films', from), lastReading, NOW)).toBe(due)
  })
})
