import type { Catalog } from '../../crds/types.gen.ts'
import { type CatalogContent, decodeCatalog } from '../../reconcilers/blobs/catalog.ts'
import { CatalogBuilder } from '../../reconcilers/catalog/builder.ts'
import {
  type LastReading,
  planCatalog,
  refreshDueInMs,
  type SourceReading,
} from '../../reconcilers/catalog/plan-catalog.ts'
import { type BlobStore, digestOf } from '../../runtime/blob-store.ts'
import { Controller } from '../../runtime/controller/controller.ts'
import type { Caches } from '../caches.ts'
import { asked, type ControllerDeps, watching } from '../deps.ts'
import { createExecutor } from '../execute.ts'
import { usersOf } from '../gather/status.ts'
import { readingOf, readSource, SourceError, type SourceOptions, type Validators } from './read-source.ts'

/** What this process knows of its last look at a source; a restart looks again. */
interface Looked extends LastReading {
  /** For asking whether the source has changed; none after a look that did not lead to a published version. */
  readonly validators: Validators
}

/** Reads the source of every Catalog when it is due, checks it, stores the blobs and publishes their digests. */
export function catalogController(
  deps: ControllerDeps,
  caches: Caches,
  source: Omit<SourceOptions, 'clock'>,
): Controller {
  const { clock, log, blobs } = deps
  const executor = createExecutor({ ...deps, fieldManager: 'weir-catalog', caches: [caches.catalogs] })
  const looked = new Map<string, Looked>()
  const controller = new Controller({
    name: 'catalog',
    clock,
    log,
    // Sources are slow and elsewhere: one that hangs must not hold the others up.
    concurrency: 4,
    ...watching(deps),
    async reconcile(key, { signal }) {
      const catalog = caches.catalogs.get(key)
      if (!catalog) {
        looked.delete(key)
        return { type: 'done' }
      }
      const last = looked.get(key)
      const dueInMs = refreshDueInMs(catalog, last, clock.now())
      const { reading, validators, lost } =
        dueInMs === 0
          ? await look(catalog, last, blobs, { ...source, clock }, signal)
          : { reading: { type: 'notDue', dueInMs } as const, validators: last?.validators ?? {}, lost: false }

      const input = { catalog, reading, usedBy: usersOf(catalog, caches), lost, digest: digestOf }
      const result = await executor.execute(planCatalog(input, clock.now()), signal, [catalog])
      // Only now: what was read but could not be published must be read again.
      if (reading.type !== 'notDue') {
        const generation = catalog.metadata.generation
        looked.set(key, { at: clock.now(), generation, failed: reading.type === 'failed', validators })
      }
      return result
    },
  })
  return controller
    .reconciles(caches.catalogs, { when: asked })
    .watches(caches.policies, (policy) => [`${policy.metadata.namespace}/${policy.spec.catalogRef.name}`], {
      when: asked,
    })
}

interface Look {
  readonly reading: SourceReading
  readonly validators: Validators
  /** The published version's blobs are not in the store. */
  readonly lost: boolean
}

async function look(
  catalog: Catalog,
  last: Looked | undefined,
  blobs: BlobStore,
  options: SourceOptions,
  signal: AbortSignal,
): Promise<Look> {
  const previous = await publishedContent(catalog, blobs)
  const lost = previous === undefined && catalog.status?.digest !== undefined
  // A changed spec may point elsewhere, and a version that is not there must be made: then the source must say everything.
  const sameSpec = last !== undefined && last.generation === catalog.metadata.generation
  const known = previous !== undefined && sameSpec ? last.validators : {}
  const builder = new CatalogBuilder(previous)
  try {
    const content = await readSource(catalog.spec.source.url, builder, known, options, signal)
    const reading = readingOf(content, builder)
    if (content.type === 'unchanged') return { reading, validators: known, lost }
    // What did not lead to a published version must be said in full the next time, too.
    return { reading, validators: reading.type === 'read' ? content.validators : {}, lost }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    return { reading: { type: 'failed', message: error.message }, validators: {}, lost }
  }
}

/** The version in force, when both of its blobs are here. */
async function publishedContent({ status }: Catalog, blobs: BlobStore): Promise<CatalogContent | undefined> {
  if (!status?.digest || !status.demandDigest || !(await blobs.has(status.demandDigest))) return undefined
  const bytes = await blobs.get(status.digest)
  return bytes && decodeCatalog(bytes)
}
