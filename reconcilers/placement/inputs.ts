import type { Catalog, PlacementPolicy, Site } from '../../crds/types.gen.ts'
import type { CatalogContent } from '../blobs/catalog.ts'
import { columnOf, type Demand } from '../blobs/demand.ts'
import { FileSet } from '../blobs/file-set.ts'
import type { PlanIndex } from '../blobs/plan-index.ts'
import { keyOf } from '../identity.ts'
import { globMatcher } from './glob.ts'
import { narrowed } from './partition.ts'
import type { PlacementProblem, PlacementSite } from './problem.ts'
import { REGION_LABEL, type Target } from './select.ts'

/** Bytes that policies planned before this one take on each appliance (`namespace/name`). */
export type Reserved = ReadonlyMap<string, number>

/** Sums what the plans in force of earlier policies ask of each appliance. */
export function reservedBy(indexes: readonly PlanIndex[]): Reserved {
  const reserved = new Map<string, number>()
  for (const { rows } of indexes) {
    for (const { namespace, name, bytes } of rows) {
      const key = `${namespace}/${name}`
      reserved.set(key, (reserved.get(key) ?? 0) + bytes)
    }
  }
  return reserved
}

/** What this policy may use of an appliance, in bytes: its share of the storage, and no more than earlier policies leave. */
export function storageFor(policy: PlacementPolicy, { appliance, hardwareClass }: Target, reserved: Reserved): number {
  const total = hardwareClass.spec.storageBytes
  const share = Math.floor((total * (policy.spec.storageShare ?? 100)) / 100)
  return Math.max(0, Math.min(share, total - (reserved.get(keyOf(appliance)) ?? 0)))
}

/**
 * Everything a plan depends on, as canonical text: a plan with the digest of this text is still what the solver would answer.
 * Deliberately without status, labels and times: what does not change the answer must not cause a new plan.
 */
export function planInputs(
  policy: PlacementPolicy,
  catalog: Catalog,
  targets: readonly Target[],
  reserved: Reserved,
  solver: string,
): string {
  const { copies, pins, exclude, churn } = policy.spec
  return JSON.stringify({
    solver,
    catalog: catalog.status?.digest,
    demand: catalog.status?.demandDigest,
    perSite: copies?.perSite ?? 1,
    perRegion: copies?.perRegion ?? 0,
    pins: (pins ?? []).map((pin) => [pin.paths, pin.copies]),
    exclude: (exclude ?? []).map((e) => e.paths),
    // Nothing where it says nothing: plans from before there was such a field are still what the solver would answer.
    ...(churn && { churn: [churn.bonusPercent ?? null, churn.maxFillBytesPerSite ?? null] }),
    targets: targets.map((target) => [
      keyOf(target.appliance),
      keyOf(target.site),
      regionOf(target),
      storageFor(policy, target, reserved),
      target.hardwareClass.spec.throughputGbps,
      demandClassOf(target.site),
      target.site.spec.demand?.peakGbps ?? null,
    ]),
  })
}

const regionOf = ({ site }: Target) => site.metadata.labels?.[REGION_LABEL] ?? site.spec.country

/** The class of demand that a site's viewers are of: as its spec says, else its country in small letters. */
export function demandClassOf({ spec }: Pick<Site, 'spec'>): string {
  return spec.demand?.class ?? spec.country.toLowerCase()
}

/**
 * What each site counts as in Gbit/s, by key. Where a site's peak is not known it counts as the median of those that are, or as 1 where none is, so that a fleet that
 * is half measured is not planned as if the other half had no viewers.
 */
export function sitePeaks(
  sites: Iterable<Site>,
): ReadonlyMap<string, Pick<PlacementSite, 'demandGbps' | 'assumedGbps'>> {
  const all = [...sites]
  const assumedGbps = median(all.map(({ spec }) => spec.demand?.peakGbps).filter((peak) => peak !== undefined)) ?? 1
  return new Map(
    all.map((site) => {
      const peak = site.spec.demand?.peakGbps
      return [keyOf(site), peak === undefined ? { assumedGbps } : { demandGbps: peak }]
    }),
  )
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const high = sorted[sorted.length >> 1]
  return high === undefined ? undefined : (sorted[(sorted.length - 1) >> 1]! + high) / 2
}

/** Poses the policy's question to a solver. `held`: what the plan in force asks of each appliance, over indices of the same catalog. */
export function poseProblem(
  policy: PlacementPolicy,
  catalog: CatalogContent,
  demand: Demand,
  targets: readonly Target[],
  reserved: Reserved,
  held: ReadonlyMap<string, FileSet>,
): PlacementProblem {
  const size = catalog.files.length
  const sizes = new Float64Array(size).fill(Number.NaN)
  const fileHashes = new Uint32Array(size)
  catalog.files.forEach((file, i) => {
    if (!file) return
    sizes[i] = file.size
    fileHashes[i] = Number.parseInt(file.sha256.slice(0, 8), 16)
  })
  const { bonusPercent } = policy.spec.churn ?? {}
  return narrowed({
    ...(bonusPercent !== undefined && { churnBonus: bonusPercent / 100 }),
    sizes,
    popularity: demand.popularity.map((column) => resized(column, size)),
    fileHashes,
    sites: sitesOf(policy, demand, targets, reserved, held),
    copies: { perSite: policy.spec.copies?.perSite ?? 1, perRegion: policy.spec.copies?.perRegion ?? 0 },
    pins: (policy.spec.pins ?? []).map((pin) => ({
      files: matching(catalog, pin.paths),
      copies: pin.copies === 'all' ? 'all' : Number(pin.copies ?? policy.spec.copies?.perSite ?? 1),
    })),
    excluded: matching(
      catalog,
      (policy.spec.exclude ?? []).flatMap((e) => e.paths),
    ),
  })
}

function resized(column: Float64Array, size: number): Float64Array {
  if (column.length === size) return column
  const all = new Float64Array(size)
  all.set(column.subarray(0, size))
  return all
}

function sitesOf(
  policy: PlacementPolicy,
  demand: Demand,
  targets: readonly Target[],
  reserved: Reserved,
  held: ReadonlyMap<string, FileSet>,
): PlacementSite[] {
  const bySite = Map.groupBy(targets, (target) => keyOf(target.site))
  const fillBytes = policy.spec.churn?.maxFillBytesPerSite
  const peaks = sitePeaks([...bySite.values()].map(([first]) => first!.site))
  return [...bySite].map(([key, members]) => {
    const { site } = members[0]!
    return {
      key,
      region: regionOf(members[0]!),
      parents: (site.spec.parents ?? []).map((p) => `${p.namespace ?? site.metadata.namespace}/${p.name}`),
      demandClass: columnOf(demand, demandClassOf(site)),
      ...peaks.get(key),
      ...(fillBytes !== undefined && { fillBytes }),
      appliances: members.map((target) => {
        const applianceKey = keyOf(target.appliance)
        const holds = held.get(applianceKey)
        return {
          key: applianceKey,
          storageBytes: storageFor(policy, target, reserved),
          throughputGbps: target.hardwareClass.spec.throughputGbps,
          ...(holds && { held: holds }),
        }
      }),
    }
  })
}

/** The files whose path matches one of the globs. */
function matching(catalog: CatalogContent, globs: readonly string[]): FileSet {
  const matchers = globs.map(globMatcher)
  const set = new FileSet()
  if (matchers.length === 0) return set
  catalog.files.forEach((file, i) => {
    if (file && matchers.some((matches) => matches(file.path))) set.add(i)
  })
  return set
}
