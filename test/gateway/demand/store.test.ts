import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { countOnThread } from '../../../gateway/demand/count.ts'
import { openDemandStore } from '../../../gateway/demand/open.ts'
import { CannotHaveServed } from '../../../gateway/demand/served-hours.ts'
import type { DemandBatch } from '../../../gateway/demand/store.ts'
import { catalogOf, encodeCatalog } from '../../../reconcilers/blobs/catalog.ts'
import { decodeDemand, encodeDemand } from '../../../reconcilers/blobs/demand.ts'
import { storeKinds } from './stores.ts'

const HOUR = 480_000
const DAY = HOUR / 24

const batch = (id: string, more: Partial<DemandBatch> = {}): DemandBatch => ({
  appliance: 'isp/fra1-a',
  id,
  site: 'isp/fra1',
  demandClass: 'de',
  hour: HOUR,
  catalogs: [
    {
      catalog: 'isp/films',
      files: [
        [7, 2, 200],
        [3, 1, 50],
      ],
      others: { requests: 4, bytes: 40 },
    },
  ],
  ...more,
})

const folder = mkdtempSync(join(tmpdir(), 'weir-demand-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const kinds = storeKinds(() => folder)
if (kinds.length < 2) test.skip('PostgreSQL: its programs initdb and postgres are not on this machine', () => {})

describe.each(kinds)('demand in %s', (_name, start) => {
  const started = start()
  const opened = started.then(({ where }) => openDemandStore(where))
  afterAll(async () => {
    await (await opened).close()
    await (await started).stop()
  })

  test('may be more than is told apart exactly', async () => {
    const store = await opened
    const bytes = 2 ** 50
    const catalogs = [{ catalog: 'isp/much', files: [], others: { requests: 1, bytes } }]
    for (let i = 0; i < 10; i++) await store.add(batch(`much-${i}`, { site: 'isp/much', hour: HOUR - 48, catalogs }))
    expect(await store.files('isp/much', DAY - 2, DAY - 1)).toMatchObject([{ requests: 10, bytes: 10 * bytes }])
    expect(await store.sites(HOUR - 48, HOUR - 47)).toMatchObject([{ requests: 10, bytes: 10 * bytes }])
  })

  test('is counted by class, file and day, and by site and hour', async () => {
    const store = await opened
    expect(await store.add(batch('1'))).toBe(true)
    expect(await store.add(batch('2', { hour: HOUR + 1 }))).toBe(true)
    expect(await store.add(batch('1', { appliance: 'isp/cdg1-a', site: 'isp/cdg1', demandClass: 'fr' }))).toBe(true)
    expect(await store.add(batch('3', { hour: HOUR + 24, catalogs: [] }))).toBe(true)
    const of = (demandClass: string, file: number, requests: number, bytes: number) => ({
      demandClass,
      day: DAY,
      file,
      requests,
      bytes,
    })
    expect(await store.files('isp/films', DAY, DAY + 1)).toEqual([
      of('de', -1, 8, 80),
      of('de', 3, 2, 100),
      of('de', 7, 4, 400),
      of('fr', -1, 4, 40),
      of('fr', 3, 1, 50),
      of('fr', 7, 2, 200),
    ])
    expect(await store.sites(HOUR, HOUR + 25)).toEqual([
      { site: 'isp/cdg1', hour: HOUR, requests: 7, bytes: 290 },
      { site: 'isp/fra1', hour: HOUR, requests: 7, bytes: 290 },
      { site: 'isp/fra1', hour: HOUR + 1, requests: 7, bytes: 290 },
      { site: 'isp/fra1', hour: HOUR + 24, requests: 0, bytes: 0 },
    ])
    expect(await store.files('isp/films', DAY + 1, DAY + 9)).toEqual([])
    expect(await store.files('isp/other', DAY, DAY + 1)).toEqual([])
  })

  test('is counted once, however often a batch comes', async () => {
    const store = await opened
    const before = await store.files('isp/films', DAY, DAY + 1)
    expect(await store.add(batch('1'))).toBe(false)
    expect(await store.add(batch('2', { hour: HOUR + 1 }))).toBe(false)
    expect(await store.files('isp/films', DAY, DAY + 1)).toEqual(before)
  })

  test('of an hour no more than can have been, in whichever batches and however late', async () => {
    const [store, other] = [await opened, await openDemandStore((await started).where)]
    const most = { requests: 100, bytes: 1000 }
    const said = (id: string, hour: number, bytes: number, appliance = 'isp/most-a') =>
      batch(id, {
        ...{ appliance, site: 'isp/most', hour },
        catalogs: [{ catalog: 'isp/most', files: [[1, 1, bytes]], others: { requests: 0, bytes: 0 } }],
      })
    expect(await store.add(said('1', HOUR, 600), most)).toBe(true)
    // Of other hours first: these are bounded all the same.
    for (const [id, hour] of [
      ['2', HOUR - 1],
      ['3', HOUR + 1],
    ] as const)
      expect(await other.add(said(id, hour, 900), most)).toBe(true)
    expect(await other.add(said('1', HOUR, 600), most)).toBe(false)
    await expect(other.add(said('4', HOUR, 600), most)).rejects.toThrow('isp/most-a cannot have served 1200 bytes')
    await expect(store.add(said('5', HOUR - 1, 200), most)).rejects.toThrow(CannotHaveServed)
    // What was refused counts for nothing, and may come again as it was told when there is room.
    expect(await store.add(said('4', HOUR, 400), most)).toBe(true)
    expect(await store.add(said('6', HOUR, 900, 'isp/most-b'), most)).toBe(true)
    const told = Array.from({ length: 8 }, (_, i) =>
      (i % 2 ? store : other).add(said(`at-once-${i}`, HOUR - 2, 300), most),
    )
    const settled = await Promise.allSettled(told)
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect(await store.sites(HOUR - 2, HOUR + 2)).toEqual(
      expect.arrayContaining(
        [900, 900, 1900, 900].map((bytes, i) =>
          expect.objectContaining({ site: 'isp/most', hour: HOUR - 2 + i, bytes }),
        ),
      ),
    )
    await other.close()
  })

  test('of many who tell at the same time nothing is lost', async () => {
    const store = await opened
    const other = await openDemandStore((await started).where)
    const files = Array.from({ length: 500 }, (_, i) => [i, 1, 10] as const)
    const told = Array.from({ length: 40 }, (_, i) =>
      (i % 2 ? other : store).add(
        batch(`many-${i}`, {
          appliance: `isp/a-${i}`,
          site: 'isp/many',
          catalogs: ['isp/x', 'isp/y'].map((catalog) => ({
            catalog,
            // Each in another order.
            files: [...files.slice(i * 12), ...files.slice(0, i * 12)],
            others: { requests: 0, bytes: 0 },
          })),
        }),
      ),
    )
    expect(await Promise.all(told)).toEqual(told.map(() => true))
    const rows = await store.files('isp/y', DAY, DAY + 1)
    expect(rows).toHaveLength(500)
    expect(new Set(rows.map(({ requests, bytes }) => `${requests} ${bytes}`))).toEqual(new Set(['40 400']))
    expect((await other.sites(HOUR, HOUR + 1)).find(({ site }) => site === 'isp/many')?.requests).toBe(40_000)
    await other.close()
  })

  test('is exact where a site serves a petabyte an hour', async () => {
    const store = await opened
    const files = [[1, 1_000_000_001, 1_000_000_000_000_001]] as const
    for (const id of ['big-1', 'big-2'])
      await store.add(batch(id, { catalogs: [{ catalog: 'isp/big', files, others: { requests: 0, bytes: 0 } }] }))
    expect(await store.files('isp/big', DAY, DAY + 1)).toMatchObject([
      { requests: 2_000_000_002, bytes: 2_000_000_000_000_002 },
    ])
  })

  test('is summed up and foretold by a thread that reads it itself, class by class', async () => {
    const store = await opened
    const { where } = await started
    const catalog = encodeCatalog(
      catalogOf([0, 1, 2].map((f) => ({ path: `f${f}`, size: 100, sha256: String(f).repeat(64) }))),
    )
    const demand = encodeDemand('sha256:x', { classes: [], popularity: [Float64Array.of(1, 1, 1)] })
    for (const [id, demandClass, files] of [
      ['de', 'de', [[0, 9, 90_000] as const, [1, 1, 1000] as const]],
      ['fr', 'fr', [[1, 9, 90_000] as const, [0, 1, 1000] as const]],
    ] as const)
      await store.add(
        batch(`sum-${id}`, {
          demandClass,
          catalogs: [{ catalog: 'isp/sum', files, others: { requests: 0, bytes: 0 } }],
        }),
      )
    expect(await store.classes('isp/sum')).toEqual(['de', 'fr'])
    expect(await store.files('isp/sum', DAY, DAY + 1, 'fr')).toHaveLength(2)
    const job = { where, name: 'isp/sum', today: DAY + 1, catalog: { digest: 'sha256:x', bytes: catalog, demand } }
    const { counted, observed, forecast } = await countOnThread(job, new AbortController().signal)
    expect(counted).toMatchObject({ days: 1, files: 2, catalogDigest: 'sha256:x' })
    for (const blob of [observed, forecast]) {
      const { classes, popularity } = decodeDemand(blob!)
      expect(classes).toEqual(['de', 'fr'])
      const [all, de, fr] = popularity.map((column) => [...column]) as [number[], number[], number[]]
      expect(all[0]).toBeCloseTo(all[1]!, 6)
      expect(de[0]).toBeGreaterThan(5 * de[1]!)
      expect(fr[1]).toBeGreaterThan(5 * fr[0]!)
      expect(de[2]).toBeLessThan(0.2 * de[0]!)
    }
    const stop = new AbortController()
    const stopped = countOnThread(job, stop.signal)
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
  })

  test('a batch that cannot be added leaves nothing', async () => {
    const store = await opened
    const files = [
      [1, 1, 1],
      [2, Number.NaN, 1],
    ] as const
    const bad = batch('bad', { catalogs: [{ catalog: 'isp/bad', files, others: { requests: 0, bytes: 0 } }] })
    await expect(store.add(bad)).rejects.toThrow()
    expect(await store.files('isp/bad', DAY, DAY + 1)).toEqual([])
    expect(await store.add({ ...bad, catalogs: [] })).toBe(true)
  })

  test('outlives the program, and what is old is forgotten', async () => {
    const again = await openDemandStore((await started).where)
    expect(await again.files('isp/films', DAY, DAY + 1)).toHaveLength(6)
    // Counted still, while batches of that day cannot come again.
    expect(await again.add(batch('1'))).toBe(false)
    await again.forget(DAY, DAY + 1)
    expect(await again.files('isp/films', DAY, DAY + 1)).toHaveLength(6)
    await again.forget(DAY + 1, DAY + 1)
    expect(await again.files('isp/films', DAY, DAY + 1)).toEqual([])
    expect(await again.sites(0, HOUR + 24)).toEqual([])
    expect(await again.sites(0, HOUR + 25)).toHaveLength(1)
    await again.close()
  })
})

test('what cannot be opened is said', async () => {
  const file = join(folder, 'no-database')
  writeFileSync(file, 'x'.repeat(5000))
  await expect(openDemandStore(file)).rejects.toThrow(/not a database/)
  await expect(openDemandStore('postgres://weir@127.0.0.1:1/none')).rejects.toThrow(/ECONNREFUSED/)
})
