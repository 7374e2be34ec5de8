import { readingOf, readSource, SourceError, type SourceOptions } from '../../controllers/catalog/read-source.ts'
import type { BlobReader } from '../../controllers/placement/blob-reader.ts'
import type { Catalog } from '../../crds/types.gen.ts'
import { CatalogBuilder } from '../../reconcilers/catalog/builder.ts'
import { type SourceReading, sayRefusal } from '../../reconcilers/catalog/plan-catalog.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { systemClock } from '../../runtime/clock.ts'
import { ReconcileError } from '../../runtime/errors.ts'

export interface ReadSources {
  readonly readings: ReadonlyMap<string, SourceReading>
  /** Catalogs whose files stay unknown, by key, and why. */
  readonly unread: ReadonlyMap<string, string>
  readonly notes: readonly string[]
}

/** A catalog whose source says something else than what is published. */
export interface ChangedSource {
  readonly catalog: Catalog
  /** As it is now; undefined where it is new. */
  readonly before: Catalog | undefined
}

/**
 * Reads the sources of catalogs that are new or point elsewhere, from here, where that was asked for. They are the sources that controllers would
 * read; whether these reach them is not known here.
 */
export async function readSources(
  changed: readonly ChangedSource[],
  options: { readonly readSources: boolean; readonly reader: BlobReader; readonly signal: AbortSignal },
): Promise<ReadSources> {
  const readings = new Map<string, SourceReading>()
  const unread = new Map<string, string>()
  const notes: string[] = []
  for (const source of changed) {
    const key = keyOf(source.catalog)
    const what = source.before ? `what is read for Catalog ${key} changes` : `Catalog ${key} is new`
    if (!options.readSources) {
      unread.set(key, `${what}: its files are known once its source is read (--read-sources does, from here)`)
      continue
    }
    const reading = await readOne(source, options.reader, options.signal)
    if (reading.type === 'read') {
      readings.set(key, reading)
      notes.push(`the source of Catalog ${key} was read from here: the controllers must reach it, too`)
    } else unread.set(key, `${what}, and its source cannot be read from here: ${sayFailure(reading)}`)
  }
  return { readings, unread, notes }
}

async function readOne(
  { catalog, before }: ChangedSource,
  reader: BlobReader,
  signal: AbortSignal,
): Promise<SourceReading> {
  // A file is one of this machine: whoever runs this could read it anyhow.
  const options: SourceOptions = { clock: systemClock, fileRoots: ['/'] }
  try {
    const digest = before?.status?.digest
    const builder = new CatalogBuilder(digest === undefined ? undefined : await reader.catalog(digest))
    return readingOf(await readSource(catalog.spec.source.url, builder, {}, options, signal), builder)
  } catch (error) {
    if (error instanceof SourceError || error instanceof ReconcileError)
      return { type: 'failed', message: error.message }
    throw error
  }
}

function sayFailure(reading: SourceReading): string {
  if (reading.type === 'failed') return reading.message
  return reading.type === 'refused' ? sayRefusal(reading.errors, reading.errorCount) : 'it says nothing'
}
