import type { KubeObject } from '../../crds/metadata.ts'
import type { Reason } from '../../crds/reasons.ts'
import type { Catalog } from '../../crds/types.gen.ts'
import { encodeCatalog } from '../blobs/catalog.ts'
import { encodeDemand } from '../blobs/demand.ts'
import { count, sayBytes } from '../bytes.ts'
import { type Cause, summarize, timestamp, upsertConditions } from '../conditions.ts'
import { parseDuration } from '../duration.ts'
import { identify } from '../identity.ts'
import { type Plan, type PlanBuilder, plan } from '../plan.ts'
import type { BuiltCatalog } from './builder.ts'
import type { LineError } from './check-line.ts'

/** Keeps a Catalog until no policy uses it any more. */
export const CATALOG_FINALIZER = 'content.weir.dev/in-use'
const MAX_USERS_TOLD = 10
/** As many as the schema allows; one is enough to refuse a deletion. */
const MAX_USERS_KEPT = 128

/** What came of looking at the source. */
export type SourceReading =
  | { readonly type: 'notDue'; readonly dueInMs: number | undefined }
  /** The source says it is as it was (HTTP 304). */
  | { readonly type: 'unchanged' }
  | { readonly type: 'read'; readonly built: BuiltCatalog }
  | { readonly type: 'refused'; readonly errors: readonly LineError[]; readonly errorCount: number }
  | { readonly type: 'failed'; readonly message: string }

export interface CatalogInput {
  readonly catalog: Catalog
  readonly reading: SourceReading
  /** `namespace/name` of the PlacementPolicies that use the catalog, sorted. */
  readonly usedBy: readonly string[]
  /** The blobs of the published version are not in the store: they must be put again. */
  readonly lost?: boolean
  /** Names bytes: `sha256:<hex>`. */
  readonly digest: (bytes: Uint8Array) => string
}

/** When the source was last looked at by this process, and for which generation of the spec. */
export interface LastReading {
  readonly at: Date
  readonly generation: number | undefined
  readonly failed: boolean
}

/** How long until the source must be looked at again: 0 when now, undefined when never. */
export function refreshDueInMs(catalog: Catalog, last: LastReading | undefined, now: Date): number | undefined {
  if (catalog.spec.suspend || catalog.metadata.deletionTimestamp) return undefined
  if (!last || last.failed || last.generation !== catalog.metadata.generation) return 0
  return Math.max(0, last.at.getTime() + parseDuration(catalog.spec.refreshInterval) - now.getTime())
}

/**
 * Decides what becomes of a Catalog after its source was looked at. A source that cannot be read, that has one bad line, or that has lost (nearly)
 * everything leaves the last good version in force. Pure.
 */
export function planCatalog(input: CatalogInput, now: Date): Plan {
  const { catalog, reading } = input
  if (catalog.metadata.deletionTimestamp) return planDeletion(input)
  const p = plan(catalog).apply(identify(catalog, [CATALOG_FINALIZER]))
  const interval = parseDuration(catalog.spec.refreshInterval)
  const before = catalog.status

  switch (reading.type) {
    case 'notDue': {
      const failure = lastFailure(catalog)
      status(p, input, now, failure ? { failure } : {})
      return reading.dueInMs === undefined ? p.done() : p.requeueAfter(reading.dueInMs)
    }
    case 'unchanged': {
      const failure = lastFailure(catalog)
      // As it was when it was held back: it still is.
      status(p, input, now, failure?.reason === 'SourceShrunk' ? { failure } : {})
      return p.requeueAfter(interval)
    }
    case 'failed':
      status(p, input, now, { failure: { reason: 'SourceUnreadable', message: reading.message } })
      return p.retry('SourceUnreadable', reading.message)
    case 'refused': {
      const message = sayRefusal(reading.errors, reading.errorCount)
      if (lastFailure(catalog)?.message !== message) p.event('Warning', 'SourceRefused', message)
      status(p, input, now, { failure: { reason: 'SourceRefused', message } })
      return p.requeueAfter(interval)
    }
    case 'read': {
      const bytes = encodeCatalog(reading.built.catalog)
      const digest = input.digest(bytes)
      const held = heldBack(catalog, { ...reading.built.catalog, digest })
      if (held !== undefined) {
        if (lastFailure(catalog)?.message !== held) p.event('Warning', 'SourceShrunk', held)
        status(p, input, now, { failure: { reason: 'SourceShrunk', message: held } })
        return p.requeueAfter(interval)
      }
      const demand = encodeDemand(digest, reading.built.demand)
      const demandDigest = input.digest(demand)
      if (input.lost || digest !== before?.digest || demandDigest !== before?.demandDigest) {
        p.blob([
          { digest, bytes },
          { digest: demandDigest, bytes: demand },
        ])
      }
      const { count: files, bytes: total } = reading.built.catalog
      if (digest !== before?.digest) {
        p.event('Normal', 'CatalogPublished', `Published ${count(files, 'file')}, ${sayBytes(total)}`)
      }
      status(p, input, now, { published: { digest, demandDigest, files, bytes: total } })
      return p.requeueAfter(interval)
    }
  }
}

/** As the schema's default: a CustomResourceDefinition that is older than this program has none. */
const MAX_SHRINK_PERCENT = 90
/** A catalog of fewer files is cheap to fill again: only that it becomes empty is held back. */
const MIN_FILES_BRAKED = 10

/**
 * Why a version is not published although its source is without fault: it would have appliances evict (nearly) everything, and that is most often
 * an exporter that failed half-way. Undefined where it may be.
 */
function heldBack(
  { spec, status: before, metadata }: Catalog,
  next: { readonly count: number; readonly bytes: number; readonly digest: string },
): string | undefined {
  const { files = 0, bytes = 0, digest } = before ?? {}
  if (files === 0 || next.digest === digest || next.digest === spec.approvedDigest) return undefined
  const left = Math.min(next.count / files, bytes > 0 ? next.bytes / bytes : 1)
  const lostPercent = 100 * (1 - left)
  const isMuch = files >= MIN_FILES_BRAKED && lostPercent >= (spec.maxShrinkPercent ?? MAX_SHRINK_PERCENT)
  if (next.count > 0 && !isMuch) return undefined
  return (
    `The source lists ${sayFiles(next.count, next.bytes)}, the published version ${sayFiles(files, bytes)}: it stays. ` +
    `If the files are to go, set spec.approvedDigest of ${metadata.name} to ${next.digest}`
  )
}

const sayFiles = (files: number, bytes: number) => `${count(files, 'file')} (${sayBytes(bytes)})`

interface Published {
  readonly digest: string
  readonly demandDigest: string
  readonly files: number
  readonly bytes: number
}

/** Writes the status: what is published (now, or still), and whether the last look at the source went well. */
function status(
  p: PlanBuilder,
  { catalog, usedBy }: CatalogInput,
  now: Date,
  { published, failure }: { published?: Published; failure?: Cause<Reason<'Catalog'>> },
): void {
  const before = catalog.status
  const kept = published ?? publishedBefore(catalog)
  const changed = published !== undefined && published.digest !== before?.digest
  const lastRefreshTime = changed ? timestamp(now) : before?.lastRefreshTime
  const version = (before?.version ?? 0) + (changed ? 1 : 0)
  const bad = failure ?? (kept ? undefined : { reason: 'NotPublished', message: 'No version has been published' })
  const source = bad
    ? { status: 'False' as const, ...bad }
    : { status: 'True' as const, reason: 'SourceRead', message: 'The source was read without an error' }
  const ready = { reason: 'Published', message: kept ? `${count(kept.files, 'file')}, ${sayBytes(kept.bytes)}` : '' }
  const generation = catalog.metadata.generation
  p.applyStatus({
    ...identify(catalog),
    status: {
      ...(generation !== undefined && { observedGeneration: generation }),
      conditions: upsertConditions(
        before?.conditions,
        summarize({
          ready,
          // It may also recover by itself: the source is still read when it is due.
          ...(failure?.reason === 'SourceShrunk' ? { stalled: failure } : {}),
          conditions: [{ type: 'SourceReady', ...source }],
          required: ['SourceReady'],
        }),
        now,
        generation,
      ),
      ...kept,
      usedBy: usedBy.slice(0, MAX_USERS_KEPT),
      version,
      ...(lastRefreshTime && { lastRefreshTime }),
    },
  } as KubeObject)
}

function publishedBefore({ status: before }: Catalog): Published | undefined {
  if (!before?.digest || !before.demandDigest) return undefined
  const { digest, demandDigest, files = 0, bytes = 0 } = before
  return { digest, demandDigest, files, bytes }
}

/** The failure of the last look, when it was at this generation of the spec: nothing has been tried since. */
function lastFailure({ status: before, metadata }: Catalog): Cause<Reason<'Catalog'>> | undefined {
  const condition = before?.conditions?.find((c) => c.type === 'SourceReady')
  if (condition?.status !== 'False' || condition.observedGeneration !== metadata.generation) return undefined
  return { reason: condition.reason as Reason<'Catalog'>, message: condition.message }
}

function planDeletion({ catalog, usedBy }: CatalogInput): Plan {
  const p = plan(catalog)
  if (usedBy.length > 0) {
    return p.waiting('CatalogInUse', `Used by ${usedBy.slice(0, MAX_USERS_TOLD).join(', ')}`)
  }
  return p.apply(identify(catalog, [])).done()
}

/** `line 3: path "../x": …; line 9: …; and 4 more`. */
export function sayRefusal(errors: readonly LineError[], errorCount: number): string {
  const told = errors.slice(0, 5).map(({ line, message }) => `line ${line}: ${message}`)
  const more = errorCount - told.length
  return `${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}
