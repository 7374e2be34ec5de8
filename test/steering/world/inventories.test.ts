import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { catalogOf, encodeCatalog } from '../../../reconcilers/blobs/catalog.ts'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { encodeFileSet } from '../../../reconcilers/blobs/file-set-blob.ts'
import { type BlobStore, openBlobStore } from '../../../runtime/blob-store.ts'
import { FakeClock, systemClock } from '../../../runtime/clock.ts'
import { silentLog } from '../../../runtime/log.ts'
import { Blobs } from '../../../steering/world/blobs.ts'
import { CatalogReader } from '../../../steering/world/catalog-reader.ts'
import { BACKLOG_MS, Inventories, UNREAD_MS } from '../../../steering/world/inventories.ts'
import { eventually } from '../../gateway/harness.ts'

const BOXES = 20

/** Counts what it is asked. */
class CountingReader extends CatalogReader {
  asked = 0

  override alike(older: string, newer: string): Promise<boolean> {
    this.asked++
    return super.alike(older, newer)
  }
}

test('two versions of a catalog are compared once, however many appliances hold files of the older', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-inventories-'))
  const reader = new CountingReader()
  const store = await openBlobStore(folder)
  const file = (path: string) => ({ path, size: 10, sha256: path.repeat(64) })
  const older = await store.put(encodeCatalog(catalogOf([file('a'), file('b')])))
  const newer = await store.put(encodeCatalog(catalogOf([file('a'), file('b'), file('c')])))
  const held = new Set<string>()
  const inventories = new Inventories({
    ...{ blobs: new Blobs(store, undefined, () => {}), reader, clock: systemClock, log: silentLog },
    onInventory: (appliance, _, files) => files && held.add(appliance),
    onCatalog: () => {},
    onCatalogGone: () => {},
  })
  try {
    const set = FileSet.of([1])
    const digest = await store.put(encodeFileSet({ catalog: older, files: 1, bytes: 10, set }))
    const ref = { catalog: { namespace: 'isp', name: 'films' }, catalogDigest: older, digest, files: 1, bytes: 10 }
    for (let i = 0; i < BOXES; i++) inventories.setAppliance(`isp/box-${i}`, [ref])
    inventories.setCatalog('isp/films', { uid: 'one', digest: newer })
    await eventually(() => held.size === BOXES, 'all are known to hold the file')
    expect(reader.asked).toBe(1)
  } finally {
    inventories.close()
    await reader.close()
    await rm(folder, { recursive: true, force: true })
  }
})

describe('inventories and their catalog', () => {
  const file = (path: string) => ({ path, size: 10, sha256: path.repeat(64) })
  const twoFiles = encodeCatalog(catalogOf([file('a'), file('b')]))
  const threeFiles = encodeCatalog(catalogOf([file('a'), file('b'), file('c')]))
  let folder: string
  let store: BlobStore
  let clock: FakeClock
  let inventories: Inventories
  let reader: CatalogReader
  /** What the world was told, the last by appliance, and how many words that took. */
  const held = new Map<string, readonly number[] | undefined>()
  let words = 0
  let catalogFiles = 0
  let warnings = 0
  /** Reading these goes on for ever. */
  const endless = new Set<string>()
  /** Those that have been read, and wait for `gate`. */
  let read = 0
  let gate: Promise<void> | undefined
  class SlowBlobs extends Blobs {
    override async inventory(digest: string) {
      if (endless.has(digest)) return await new Promise<never>(() => {})
      const inventory = await super.inventory(digest)
      read++
      await gate
      return inventory
    }
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-inventories-'))
    store = await openBlobStore(folder)
    clock = new FakeClock(new Date())
    reader = new CatalogReader()
    held.clear()
    endless.clear()
    gate = undefined
    warnings = 0
    inventories = new Inventories({
      ...{ blobs: new SlowBlobs(store, undefined, () => {}), reader, clock },
      log: { ...silentLog, warn: () => warnings++ },
      onInventory(appliance, _, files) {
        held.set(appliance, files && [...files])
        words = files?.words.length ?? 0
      },
      onCatalog: (_, { files }) => {
        catalogFiles = files
      },
      onCatalogGone: () => {},
    })
  })
  afterEach(async () => {
    inventories.close()
    await reader.close()
    await rm(folder, { recursive: true, force: true })
  })
  async function putInventory(
    appliance: string,
    catalogDigest: string,
    indices: Iterable<number>,
    isEndless = false,
  ): Promise<string> {
    const set = FileSet.of(indices)
    const digest = await store.put(encodeFileSet({ catalog: catalogDigest, files: set.size, bytes: 10, set }))
    if (isEndless) endless.add(digest)
    const ref = { catalog: { namespace: 'isp', name: 'films' }, catalogDigest, digest, files: set.size, bytes: 10 }
    inventories.setAppliance(appliance, [ref])
    return digest
  }

  test.each([
    ['just beyond', [0, 1, 2]],
    ['as far as inventories go', [1, 2 ** 25 - 1]],
    ['in the last word of the catalog, and nothing else', [31]],
  ])('files beyond the last of the catalog take no room in the world: %s', async (_, claimed) => {
    const digest = await store.put(twoFiles)
    await putInventory('isp/liar', digest, claimed)
    inventories.setCatalog('isp/films', { uid: 'one', digest })
    await eventually(() => held.has('isp/liar'), 'it is known what it holds')
    expect(held.get('isp/liar')).toEqual(claimed.filter((file) => file < 2))
    expect(words).toBe(1)
  })

  test('files beyond the last are in force once a version of the catalog that has them has been read', async () => {
    const older = await store.put(twoFiles)
    const newer = await store.put(threeFiles)
    inventories.setCatalog('isp/films', { uid: 'one', digest: older })
    await putInventory('isp/ahead', newer, [1, 2])
    await eventually(() => held.has('isp/ahead'), 'it is known what it holds')
    expect(held.get('isp/ahead')).toEqual([1])
    inventories.setCatalog('isp/films', { uid: 'one', digest: newer })
    await eventually(() => held.get('isp/ahead')?.length === 2, 'what it holds of the new version is known')
    expect(held.get('isp/ahead')).toEqual([1, 2])
  })

  test('files beyond the last are waited for without what is in force being withdrawn', async () => {
    const older = await store.put(twoFiles)
    const newer = await store.put(threeFiles)
    inventories.setCatalog('isp/films', { uid: 'one', digest: older })
    const inventory = await putInventory('isp/ahead', newer, [1, 2])
    await eventually(() => held.has('isp/ahead'), 'it is known what it holds')
    await inventories.idle()
    await store.delete(inventory)
    inventories.setCatalog('isp/films', { uid: 'one', digest: newer })
    await eventually(() => catalogFiles === 3 && warnings > 0, 'its inventory cannot be read again')
    await clock.advance(UNREAD_MS + 100)
    expect(held.get('isp/ahead')).toEqual([1])
    expect(inventories.withheld).toBe(0)
  })

  test('those that come together are taken up one in each turn of the event loop', async () => {
    const digest = await store.put(twoFiles)
    inventories.setCatalog('isp/films', { uid: 'one', digest })
    await inventories.idle()
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    read = 0
    for (let i = 0; i < 5; i++) await putInventory(`isp/box-${i}`, digest, [0])
    await eventually(() => read === 5, 'all have been read')
    resolve()
    const seen: number[] = []
    for (; held.size < 5; await new Promise(setImmediate)) seen.push(held.size)
    expect(seen.filter((count) => count > 0)).toEqual([1, 2, 3, 4])
    expect([...held.keys()]).toEqual([0, 1, 2, 3, 4].map((i) => `isp/box-${i}`))
  })

  test.each([
    ['that is being read is withdrawn soon', 0, UNREAD_MS],
    [
      'that waits for thousands of others is withdrawn later, but before what it no longer has is evicted',
      32,
      BACKLOG_MS,
    ],
  ])('an inventory %s', async (_, others, leftMs) => {
    const digest = await store.put(twoFiles)
    inventories.setCatalog('isp/films', { uid: 'one', digest })
    await putInventory('isp/box', digest, [0, 1])
    await eventually(() => held.get('isp/box')?.length === 2, 'it is known what it holds')
    for (let i = 0; i < others; i++) await putInventory(`isp/other-${i}`, digest, [i + 2], true)
    await putInventory('isp/box', digest, [0], true)
    await clock.advance(leftMs - 100)
    // What comes after it does not put it off.
    if (others > 0) await putInventory('isp/box', digest, [1])
    await clock.advance(99)
    expect(held.get('isp/box')).toEqual([0, 1])
    await clock.advance(1)
    expect(held.get('isp/box')).toBeUndefined()
  })
})
