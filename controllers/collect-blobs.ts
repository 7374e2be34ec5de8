import { type BlobStore, collectBlobs } from '../runtime/blob-store.ts'
import { Controller } from '../runtime/controller/controller.ts'
import type { Caches } from './caches.ts'
import { type ControllerDeps, watching } from './deps.ts'
import type { BlobReader } from './placement/blob-reader.ts'

export interface CollectOptions {
  /** How often. 1 hour unless told. */
  readonly everyMs?: number
  /** What was put later is kept: its object may be on its way. 1 hour unless told. */
  readonly graceMs?: number
}

const HOUR_MS = 3_600_000
/** The only key of the queue. */
const KEY = 'blobs'

/** Deletes blobs that nothing names any more: no Catalog, PlacementPlan, Assignment or inventory. */
export function blobCollector(
  deps: ControllerDeps,
  caches: Caches,
  reader: BlobReader,
  { everyMs = HOUR_MS, graceMs = HOUR_MS }: CollectOptions = {},
): Controller {
  const { clock, log, blobs } = deps
  const controller = new Controller({
    name: 'blobs',
    clock,
    log,
    ...watching(deps),
    async reconcile(_, context) {
      const olderThan = new Date(clock.now().getTime() - graceMs)
      const needed = await neededBlobs(caches, reader, blobs)
      const fenced: Pick<BlobStore, 'list' | 'delete'> = {
        list: () => blobs.list(),
        async delete(digest) {
          // A leader that was frozen half-way does not know what its successor needs.
          deps.assertLead?.()
          await blobs.delete(digest)
        },
      }
      const deleted = await collectBlobs(fenced, needed, olderThan)
      if (deleted.length > 0) context.log.info({ deleted: deleted.length }, 'deleted blobs that nothing names any more')
      return { type: 'requeue', afterMs: everyMs }
    },
  })
  controller.enqueue(KEY)
  // What is not seen would look as if nothing named its blobs.
  return controller.needsCaches(caches.catalogs, caches.plans, caches.assignments, caches.appliances)
}

/** Digests of everything that an object names, or a blob that an object names. */
export async function neededBlobs(caches: Caches, reader: BlobReader, blobs: BlobStore): Promise<Set<string>> {
  const needed = new Set<string>()
  const need = (digest: string | undefined) => digest !== undefined && needed.add(digest)
  for (const { status } of caches.catalogs.list()) {
    need(status?.digest)
    need(status?.demandDigest)
    need(status?.counted?.observedDigest)
    need(status?.counted?.forecastDigest)
  }
  for (const { spec } of caches.plans.list()) {
    need(spec.catalog.digest)
    need(spec.demandDigest)
    need(spec.index.digest)
    if (!(await blobs.has(spec.index.digest))) continue
    for (const { manifest } of (await reader.index(spec.index.digest)).rows) need(manifest)
  }
  for (const { spec } of caches.assignments.list()) {
    for (const entry of spec.content?.entries ?? []) {
      need(entry.catalogDigest)
      need(entry.manifestDigest)
    }
  }
  for (const { status } of caches.appliances.list()) {
    for (const inventory of status?.content?.inventories ?? []) {
      need(inventory.digest)
      need(inventory.catalogDigest)
    }
  }
  return needed
}
