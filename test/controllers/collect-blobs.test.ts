import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import type { Caches } from '../../controllers/caches.ts'
import { neededBlobs } from '../../controllers/collect-blobs.ts'
import { BlobReader } from '../../controllers/placement/blob-reader.ts'
import type { Appliance, Assignment, Catalog, PlacementPlan } from '../../crds/types.gen.ts'
import { encodePlanIndex } from '../../reconcilers/blobs/plan-index.ts'
import { collectBlobs, openBlobStore } from '../../runtime/blob-store.ts'

test('what any object names, or an index that an object names, is kept; the rest goes', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'weir-collect-'))
  try {
    const store = await openBlobStore(dir)
    const put = (text: string) => store.put(new TextEncoder().encode(text))
    const names = [
      'catalog',
      'demand',
      'old catalog',
      'old demand',
      'manifest',
      'held manifest',
      'held catalog',
      'inventory',
    ]
    const digests = new Map(await Promise.all(names.map(async (name) => [name, await put(name)] as const)))
    const of = (name: string) => digests.get(name)!
    const rows = [{ namespace: 'n', name: 'a', manifest: of('manifest'), files: 1, bytes: 1 }]
    const index = await store.put(encodePlanIndex({ catalog: of('old catalog'), rows }))
    const stray = await put('stray')

    const list = <T>(items: object[]) => ({ list: () => items as T[] })
    const content = { entries: [{ catalogDigest: of('held catalog'), manifestDigest: of('held manifest') }] }
    const inventories = [{ digest: of('inventory'), catalogDigest: of('held catalog') }]
    const caches = {
      catalogs: list<Catalog>([{ status: { digest: of('catalog'), demandDigest: of('demand') } }, {}]),
      plans: list<PlacementPlan>([
        { spec: { catalog: { digest: of('old catalog') }, demandDigest: of('old demand'), index: { digest: index } } },
        { spec: { catalog: { digest: 'x' }, demandDigest: 'x', index: { digest: `sha256:${'0'.repeat(64)}` } } },
      ]),
      assignments: list<Assignment>([{ spec: { content } }, { spec: {} }]),
      appliances: list<Appliance>([{ status: { content: { inventories } } }, {}]),
    } as unknown as Caches

    const needed = await neededBlobs(caches, new BlobReader(store), store)
    expect([...digests.values(), index].filter((digest) => !needed.has(digest))).toEqual([])
    expect(needed.has(stray)).toBe(false)
    const longAgo = new Date(0)
    for await (const { digest } of store.list()) utimesSync(store.path(digest), longAgo, longAgo)
    expect(await collectBlobs(store, needed, new Date())).toEqual([stray])
  } finally {
    rmSync(dir, { recursive: true })
  }
})
