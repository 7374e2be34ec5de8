import type { Catalog, PlacementPolicy, Site } from '../../crds/types.gen.ts'
import type { CatalogFiles } from '../blobs/catalog-lines.ts'
import { columnOf, type Demand } from '../blobs/demand.ts'
import { FileSet } from '../blobs/file-set.ts'
import { compare, type PlanIndex } from '../blobs/plan-index.ts'
import { keyOf } from '../identity.ts'
import { demandSource } from './demand-source.ts'
import { globMatcher } from './glob.ts'
import { narrowed } from './partition.ts'
import type { PlacementAppliance, PlacementLicence, PlacementProblem, PlacementSite } from './problem.ts'
import { REGION_LABEL, type Target } from './select.ts'
import { StoredHolding, type StoredSet } from './stored-holding.ts'

/** Bytes that policies planned before this one take on each appliance (`namespace/name`). */
export type Reserved = ReadonlyMap<string, number>

/** What the plan in force asks of each appliance (`namespace/name`): in memory, or brought there when it is looked at. */
export type Held = ReadonlyMap<string, FileSet | StoredSet>

/** Key of the site that each appliance (`namespace/name`) was at when the plan in force was made, where that plan says so. */
export type HeldAt = ReadonlyMap<string, string>

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
  const { copies, pins, exclude, churn, resilience } = policy.spec
  return JSON.stringify({
    solver,
    catalog: catalog.status?.digest,
    demand: demandSource(policy, catalog).digest,
    perSite: copies?.perSite ?? 1,
    perRegion: copies?.perRegion ?? 0,
    pins: (pins ?? []).map((pin) => [pin.paths, pin.copies]),
    exclude: (exclude ?? []).map((e) => e.paths),
    // Nothing where it says nothing: plans from before there was such a field are still what the solver would answer.
    ...(churn && { churn: [churn.bonusPercent ?? null, churn.maxFillBytesPerSite ?? null] }),
    ...(resilience && { resilience: [resilience.headPercent, resilience.survivesLossOf ?? 1] }),
    targets: targets.map((target) => [
      keyOf(target.appliance),
      keyOf(target.site),
      regionOf(target),
      storageFor(policy, target, reserved),
      target.hardwareClass.spec.throughputGbps,
      demandClassOf(target.site),
      target.site.spec.demand?.peakGbps ?? null,
      // The region says it already, elsewhere.
      ...(regionOf(target) === target.site.spec.country ? [] : [target.site.spec.country]),
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

/** Poses the policy's question to a solver. `held`: over indices of the same catalog; `heldAt`: where. */
export function poseProblem(
  policy: PlacementPolicy,
  { files }: { readonly files: CatalogFiles },
  demand: Demand,
  targets: readonly Target[],
  reserved: Reserved,
  held: Held,
  heldAt: HeldAt = new Map(),
): PlacementProblem {
  const size = files.length
  const sizes = new Float64Array(size).fill(Number.NaN)
  const fileHashes = new Uint32Array(size)
  const pins = (policy.spec.pins ?? []).map((pin) => new PathSet(pin.paths))
  const excluded = new PathSet((policy.spec.exclude ?? []).flatMap((e) => e.paths))
  const licences = new Licences()
  let index = 0
  for (const file of files) {
    if (file) {
      sizes[index] = file.size
      fileHashes[index] = Number.parseInt(file.sha256.slice(0, 8), 16)
      for (const set of pins) set.take(index, file.path)
      excluded.take(index, file.path)
      if (file.licensedIn) licences.take(index, file.licensedIn)
    }
    index++
  }
  const { churn, resilience } = policy.spec
  const { bonusPercent } = churn ?? {}
  return narrowed({
    ...(bonusPercent !== undefined && { churnBonus: bonusPercent / 100 }),
    sizes,
    popularity: demand.popularity.map((column) => resized(column, size)),
    fileHashes,
    sites: sitesOf(policy, demand, targets, reserved, held, heldAt),
    copies: { perSite: policy.spec.copies?.perSite ?? 1, perRegion: policy.spec.copies?.perRegion ?? 0 },
    pins: (policy.spec.pins ?? []).map((pin, i) => ({
      files: pins[i]!.files,
      copies: pin.copies === 'all' ? 'all' : Number(pin.copies ?? policy.spec.copies?.perSite ?? 1),
    })),
    excluded: excluded.files,
    ...(licences.all.length > 0 && { licences: licences.all }),
    ...(resilience && {
      resilience: { headShare: resilience.headPercent / 100, survivesLossOf: resilience.survivesLossOf ?? 1 },
    }),
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
  held: Held,
  heldAt: HeldAt,
): PlacementSite[] {
  const bySite = Map.groupBy(targets, (target) => keyOf(target.site))
  const gone = goneFrom(targets, held, heldAt)
  const fillBytes = policy.spec.churn?.maxFillBytesPerSite
  const peaks = sitePeaks([...bySite.values()].map(([first]) => first!.site))
  return [...bySite].map(([key, members]) => {
    const { site } = members[0]!
    return {
      key,
      region: regionOf(members[0]!),
      country: site.spec.country,
      parents: (site.spec.parents ?? []).map((p) => `${p.namespace ?? site.metadata.namespace}/${p.name}`),
      demandClass: columnOf(demand, demandClassOf(site)),
      ...peaks.get(key),
      ...(fillBytes !== undefined && { fillBytes }),
      appliances: members.map((target) => {
        const key = keyOf(target.appliance)
        const storageBytes = storageFor(policy, target, reserved)
        return holding({ key, storageBytes, throughputGbps: target.hardwareClass.spec.throughputGbps }, held.get(key))
      }),
      ...(gone.has(key) && { gone: gone.get(key)! }),
    }
  })
}

/** By site: appliances that have left it since the plan in force was made, by key. */
function goneFrom(targets: readonly Target[], held: Held, heldAt: HeldAt): Map<string, PlacementAppliance[]> {
  const now = new Map(targets.map(({ appliance, site }) => [keyOf(appliance), keyOf(site)]))
  const gone = [...heldAt]
    .filter(([key, site]) => now.get(key) !== site && held.has(key))
    .sort(([a], [b]) => compare(a, b))
  const left = gone.map(([key, site]) => {
    return { site, appliance: holding({ key, storageBytes: 0, throughputGbps: 0 }, held.get(key)) }
  })
  return new Map(
    [...Map.groupBy(left, ({ site }) => site)].map(([site, each]) => [site, each.map(({ appliance }) => appliance)]),
  )
}

function holding(appliance: PlacementAppliance, held: FileSet | StoredSet | undefined): PlacementAppliance {
  if (!held) return appliance
  return held instanceof FileSet ? { ...appliance, held } : new StoredHolding(appliance, held)
}

/** Files by where they may be held and served: those of a catalog have few such lists. */
class Licences {
  readonly #known = new Map<string, PlacementLicence>()

  take(index: number, regions: readonly string[]): void {
    const key = regions.join(' ')
    const known = this.#known.get(key) ?? { files: new FileSet(), regions }
    this.#known.set(key, known)
    known.files.add(index)
  }

  get all(): readonly PlacementLicence[] {
    return [...this.#known.values()]
  }
}

/** The files whose path matches one of the globs. */
class PathSet {
  readonly files = new FileSet()
  readonly #matchers: readonly ((path: string) => boolean)[]

  constructor(globs: readonly string[]) {
    this.#matchers = globs.map(globMatcher)
  }

  take(index: number, path: string): void {
    if (this.#matchers.some((matches) => matches(path))) this.files.add(index)
  }
}
