import { equalValues } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Appliance, Assignment, Catalog, PlacementPlan, Site } from '../../crds/types.gen.ts'
import { holdsContent } from '../appliance/plan-appliance.ts'
import type { CatalogContent } from '../blobs/catalog.ts'
import { FileSet } from '../blobs/file-set.ts'
import { encodeFileSet, type FileSetBlob } from '../blobs/file-set-blob.ts'
import { compare, type PlanIndexRow } from '../blobs/plan-index.ts'
import type { Brake } from '../brake/brake.ts'
import { identify, keyOf } from '../identity.ts'
import { type Plan, type PlanBuilder, type PlannedBlob, plan } from '../plan.ts'

/** Keeps an Appliance until nobody is sent to what it holds. */
export const APPLIANCE_FINALIZER = 'fleet.weir.dev/drain'
/** How long clients may go on reading a file after it was withdrawn, in seconds. */
export const DRAIN_SECONDS = 30

/** How soon what the brake holds back is looked at again. */
const BRAKE_RECHECK_MS = 5_000

type Content = NonNullable<Assignment['spec']['content']>
type Entry = Content['entries'][number]

/** What one plan in force asks of the appliance. */
export interface PlannedShare {
  readonly plan: PlacementPlan
  readonly catalog: Catalog
  readonly row: PlanIndexRow
}

/** What plans over the same catalog must be loaded for to be united. */
export interface UnionMaterial {
  /** By manifest digest. */
  readonly manifests: ReadonlyMap<string, FileSetBlob>
  /** By catalog digest. */
  readonly catalogs: ReadonlyMap<string, CatalogContent>
}

export interface AssignmentInput {
  readonly appliance: Appliance
  readonly site: Site | undefined
  /** Appliances at the site: they share its fill rate. */
  readonly siteAppliances: number
  readonly assignment: Assignment | undefined
  readonly shares: readonly PlannedShare[]
  readonly drainSeconds: number
  /** While engaged, nothing is given up, moved or released. */
  readonly brake: Brake
  /** Names bytes: `sha256:<hex>`. */
  readonly digest: (bytes: Uint8Array) => string
  /** There when `needsUnion(shares)`. */
  readonly material?: UnionMaterial
}

/** Whether several plans ask for files of the same catalog: then their manifests, and the catalogs, must be loaded to be united. */
export function needsUnion(shares: readonly PlannedShare[]): boolean {
  return new Set(shares.map(({ catalog }) => keyOf(catalog))).size < shares.length
}

/** Decides what an appliance is asked to hold: what all plans in force want on it, or nothing when it must go. Pure. */
export function planAssignment(input: AssignmentInput): Plan {
  const { appliance, assignment, brake } = input
  const leaving = leavingFor(appliance, input.site)
  const p = plan(appliance)
  if (appliance.metadata.deletionTimestamp && isEmptied(appliance, assignment)) {
    return brake.engaged ? braked(p, brake) : p.apply(identify(appliance, [])).done()
  }
  const { entries, blobs } = leaving ? { entries: [], blobs: [] } : entriesOf(input)
  const wanted: Omit<Content, 'generation'> = {
    entries,
    fill: { ...fillOf(input), ...(!leaving && appliance.spec.mode === 'OutOfService' && { paused: true }) },
    drainSeconds: input.drainSeconds,
    serve: !leaving && (appliance.spec.mode ?? 'InService') === 'InService',
  }
  const before = assignment?.spec.content
  const same = before !== undefined && isSame(before, wanted)
  if (!same && brake.engaged) return braked(p, brake)
  const generation = same ? before.generation : (before?.generation ?? 0) + 1
  if (!appliance.metadata.deletionTimestamp) p.apply(identify(appliance, [APPLIANCE_FINALIZER]))
  p.blob(blobs).apply(assignmentObject(appliance, { generation, ...wanted }))
  return leaving ? p.waiting(leaving.reason, leaving.message) : p.done()
}

const braked = (p: PlanBuilder, { message }: Brake & { engaged: true }) =>
  p.waiting('FleetDark', message, BRAKE_RECHECK_MS)

/** Why the appliance must give up all it holds, if it must. */
function leavingFor(appliance: Appliance, site: Site | undefined) {
  if (appliance.metadata.deletionTimestamp) {
    return { reason: 'Deleting', message: 'Withdrawing and draining before the appliance is removed' }
  }
  if (appliance.spec.mode === 'Decommissioned') {
    return { reason: 'Decommissioned', message: 'Withdrawing and draining: the appliance is decommissioned' }
  }
  if (site?.metadata.deletionTimestamp) {
    return { reason: 'SiteDeleting', message: `Withdrawing and draining before site ${site.metadata.name} is removed` }
  }
  return undefined
}

/**
 * Whether nobody is sent to the appliance any more: it reports, for an Assignment that asks for nothing, that it holds nothing; or it never
 * had one; or it is not online, so that nothing of it is advertised.
 */
export function isEmptied(appliance: Appliance, assignment: Assignment | undefined): boolean {
  const content = appliance.status?.content
  if (!assignment || !content) return true
  if (appliance.status?.conditions?.some((c) => c.type === 'Online' && c.status === 'False')) return true
  const asked = assignment.spec.content
  return asked?.entries.length === 0 && content.generation >= asked.generation && !holdsContent(appliance)
}

function fillOf({ site, siteAppliances }: AssignmentInput): Content['fill'] {
  const windows = (site?.spec.fillWindows ?? []).map((window) => ({
    ...window,
    // The site's cap is shared evenly, so that all of its appliances together stay below it without talking to each other.
    ...(window.maxGbps !== undefined && { maxGbps: window.maxGbps / Math.max(1, siteAppliances) }),
  }))
  return { timeZone: site?.spec.timeZone ?? 'UTC', windows }
}

function entriesOf(input: AssignmentInput): { entries: Entry[]; blobs: PlannedBlob[] } {
  const byCatalog = Map.groupBy(input.shares, ({ catalog }) => keyOf(catalog))
  const blobs: PlannedBlob[] = []
  const entries = [...byCatalog.values()].map((shares) => {
    if (shares.length === 1) return entryOf(shares, shares[0]!.plan.spec.catalog.digest, shares[0]!.row)
    const united = unite(input, shares)
    blobs.push(united.blob)
    return entryOf(shares, united.catalogDigest, united.row)
  })
  entries.sort((a, b) => compare(a.catalog.namespace, b.catalog.namespace) || compare(a.catalog.name, b.catalog.name))
  return { entries, blobs }
}

function entryOf(
  shares: readonly PlannedShare[],
  catalogDigest: string,
  row: Pick<PlanIndexRow, 'manifest' | 'files' | 'bytes'>,
): Entry {
  const { catalog } = shares[0]!
  return {
    catalog: { namespace: catalog.metadata.namespace ?? '', name: catalog.metadata.name ?? '' },
    catalogDigest,
    catalogFiles: catalog.status?.files ?? 0,
    originUrl: catalog.spec.originUrl ?? new URL('.', catalog.spec.source.url).href,
    manifestDigest: row.manifest,
    files: row.files,
    bytes: row.bytes,
    plans: shares.map((share) => keyOf(share.plan)).sort(compare),
  }
}

/**
 * One manifest for all plans over a catalog. Plans may still speak of different versions of it; indices are stable, so the union holds over the
 * newest of them: the one that the Catalog publishes now, or else the first plan's.
 */
function unite({ material, digest }: AssignmentInput, shares: readonly PlannedShare[]) {
  if (!material) throw new TypeError('planAssignment: needsUnion, but no material was gathered')
  const versions = shares.map((share) => share.plan.spec.catalog.digest)
  const published = shares[0]!.catalog.status?.digest
  const catalogDigest = published !== undefined && versions.includes(published) ? published : versions[0]!
  const files = material.catalogs.get(catalogDigest)?.files ?? []
  const all = shares
    .map(({ row }) => material.manifests.get(row.manifest)?.set ?? new FileSet())
    .reduce((union, set) => union.union(set))
  const set = new FileSet()
  let bytes = 0
  for (const file of all) {
    const entry = files[file]
    if (!entry) continue
    set.add(file)
    bytes += entry.size
  }
  const weight = { files: set.size, bytes }
  const encoded = encodeFileSet({ catalog: catalogDigest, ...weight, set })
  const manifest = digest(encoded)
  return { catalogDigest, row: { manifest, ...weight }, blob: { digest: manifest, bytes: encoded } }
}

function assignmentObject(appliance: Appliance, content: Content): KubeObject {
  const { name = '', namespace, uid = '' } = appliance.metadata
  return {
    apiVersion: appliance.apiVersion,
    kind: 'Assignment',
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ownerReferences: [{ apiVersion: appliance.apiVersion, kind: appliance.kind, name, uid, controller: true }],
    },
    spec: { content },
  } as KubeObject
}

/** Whether the agent need not be told anew: contents that differ in nothing but their generation. */
function isSame(before: Content, wanted: Omit<Content, 'generation'>): boolean {
  return equalValues({ ...before, generation: undefined } as unknown as JsonObject, wanted as unknown as JsonObject)
}
