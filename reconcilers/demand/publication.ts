import type { KubeObject } from '../../crds/metadata.ts'
import type { Catalog, CountedDemand, PlacementPolicy } from '../../crds/types.gen.ts'
import { type CatalogContent, decodeCatalog } from '../blobs/catalog.ts'
import { decodeDemand, encodeDemand } from '../blobs/demand.ts'
import { identify } from '../identity.ts'
import { type CountedRow, CountsBuilder, dayOfText, dayText } from './counts.ts'
import { forecastDemand, observedDemand } from './popularity.ts'

const DAY_MS = 86_400_000
/** When a day's demand is published, after the day before it has ended (UTC): by then agents, which tell hour by hour, have told of all of it. */
const PUBLISHED_AFTER_MS = 2 * 3_600_000

/** The day (since 1970-01-01) whose demand is to be published by now, from what was counted on the days before it. */
export function publicationDay(now: Date): number {
  return Math.floor((now.getTime() - PUBLISHED_AFTER_MS) / DAY_MS)
}

/** How long until the next one is. */
export function nextPublicationInMs(now: Date): number {
  return (publicationDay(now) + 1) * DAY_MS + PUBLISHED_AFTER_MS - now.getTime()
}

/** Whether one of the policies over a catalog plans by what was counted. */
export function isWanted(policies: readonly PlacementPolicy[]): boolean {
  return policies.some(
    ({ metadata, spec }) => !metadata.deletionTimestamp && (spec.demand?.source ?? 'catalog') !== 'catalog',
  )
}

/**
 * Whether a catalog's demand must be published now: once a day, and when the catalog has changed. Whoever is a day ahead is let be; a day further ahead than that is
 * of a clock that was wrong.
 */
export function isDue({ metadata, status }: Catalog, now: Date): boolean {
  if (!status?.digest || !status.demandDigest || metadata.deletionTimestamp) return false
  const { counted } = status
  if (!counted || counted.catalogDigest !== status.digest || counted.catalogDemandDigest !== status.demandDigest)
    return true
  const day = dayOfText(counted.day)
  const today = publicationDay(now)
  return day < today || day > today + 1
}

/** What is published: what the status says, and the blobs that it names. */
export interface Publication {
  readonly counted: Omit<CountedDemand, 'observedDigest' | 'forecastDigest' | 'catalogDemandDigest'>
  /** Demand blobs; absent where nothing was counted. */
  readonly observed?: Uint8Array
  readonly forecast?: Uint8Array
}

/** Makes a day's demand of rows, in any order, and the blobs of the catalog. Throws a RangeError where a blob is not what it should be. */
export async function makePublication(
  catalog: { readonly digest: string; readonly bytes: Uint8Array; readonly demand: Uint8Array },
  today: number,
  rows: AsyncIterable<readonly CountedRow[]>,
): Promise<Publication> {
  const content = decodeCatalog(catalog.bytes)
  const builder = new CountsBuilder(sizesOf(content), today)
  for await (const some of rows) for (const row of some) builder.add(row)
  const counts = builder.finish()
  const { days, byFile, refused, firstRefused } = counts
  const last = days.at(-1)
  const hints = decodeDemand(catalog.demand)
  return {
    counted: {
      day: dayText(today),
      days: days.length,
      ...(last !== undefined && { lastDay: dayText(last) }),
      files: byFile.size,
      catalogDigest: catalog.digest,
      ...(refused > 0 && { refused, firstRefused: firstRefused! }),
    },
    ...(byFile.size > 0 && {
      observed: encodeDemand(catalog.digest, observedDemand(counts, content, hints)),
      forecast: encodeDemand(catalog.digest, forecastDemand(counts, content, hints)),
    }),
  }
}

function sizesOf({ files }: CatalogContent): Float64Array {
  return Float64Array.from(files, (file) => file?.size ?? Number.NaN)
}

/**
 * The apply that publishes it, or undefined where that would help nobody: the catalog has become another meanwhile, another gateway was faster, or there is nothing to
 * say where there was something, as when a clock is wrong or the database was lost. Only on the version read, so that of several gateways one publishes.
 */
export function publish(
  catalog: Catalog,
  { counted, digests }: { readonly counted: Publication['counted']; readonly digests?: Digests },
  catalogDemandDigest: string,
  now: Date,
): KubeObject | undefined {
  const before = catalog.status?.counted
  const isSame = catalog.status?.digest === counted.catalogDigest && catalog.status.demandDigest === catalogDemandDigest
  if (!isSame || !isDue(catalog, now) || (!digests && before?.observedDigest)) return undefined
  return at(catalog, { counted: { ...counted, catalogDemandDigest, ...digests } })
}

interface Digests {
  readonly observedDigest: string
  readonly forecastDigest: string
}

/** The apply that takes back what nobody plans by any more; undefined where there is nothing. */
export function withdraw(catalog: Catalog): KubeObject | undefined {
  return catalog.status?.counted ? at(catalog, {}) : undefined
}

function at(catalog: Catalog, status: object): KubeObject {
  const { metadata, ...rest } = identify(catalog)
  const { resourceVersion } = catalog.metadata
  return {
    ...rest,
    metadata: { ...metadata, ...(resourceVersion !== undefined && { resourceVersion }) },
    status,
  } as KubeObject
}
