import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { catalogOf, encodeCatalog } from '../../../reconcilers/blobs/catalog.ts'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { encodeFileSet } from '../../../reconcilers/blobs/file-set-blob.ts'
import { openBlobStore } from '../../../runtime/blob-store.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { silentLog } from '../../../runtime/log.ts'
import { Blobs } from '../../../steering/world/blobs.ts'
import { CatalogReader } from '../../../steering/world/catalog-reader.ts'
import { Inventories } from '../../../steering/world/inventories.ts'
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
