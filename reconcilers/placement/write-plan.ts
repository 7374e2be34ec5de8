import type { Catalog, PlacementPlan, PlacementPolicy } from '../../crds/types.gen.ts'
import { FileSet } from '../blobs/file-set.ts'
import { encodeFileSet } from '../blobs/file-set-blob.ts'
import { compare, encodePlanIndex, type PlanIndexRow } from '../blobs/plan-index.ts'
import type { PlannedBlob } from '../plan.ts'
import type { PlacementProblem, PlacementSite, PlacementSolution, PlacementWorth } from './problem.ts'

/** Sites named one by one in a plan; the rest is summed up, so that the object does not grow with the fleet. */
export const SITES_TOLD = 200
const NAME_MAX = 253

interface PlanSource {
  readonly policy: PlacementPolicy
  readonly catalog: Catalog
  readonly digest: (bytes: Uint8Array) => string
}

type SiteRow = PlacementPlan['spec']['sites'][number]

/** Writes a solution down: the PlacementPlan object, its index and the manifest of every appliance. */
export function writePlan(
  source: PlanSource,
  problem: PlacementProblem,
  solution: PlacementSolution,
  inputs: { readonly digest: string; readonly solver: string },
  parent: PlacementPlan | undefined,
): { readonly object: PlacementPlan; readonly blobs: readonly PlannedBlob[] } {
  const { policy, catalog, digest } = source
  const catalogDigest = catalog.status?.digest ?? ''
  const blobs: PlannedBlob[] = []
  const store = (bytes: Uint8Array) => {
    const name = digest(bytes)
    blobs.push({ digest: name, bytes })
    return name
  }
  const rows: PlanIndexRow[] = []
  for (const { appliances } of problem.sites) {
    for (const { key } of appliances) {
      const set = solution.holdings.get(key) ?? new FileSet()
      const weight = weigh(problem, set)
      const [namespace = '', name = ''] = key.split('/')
      rows.push({
        namespace,
        name,
        manifest: store(encodeFileSet({ catalog: catalogDigest, ...weight, set })),
        ...weight,
      })
    }
  }
  const index = store(encodePlanIndex({ catalog: catalogDigest, rows }))
  const told = [...problem.sites].sort((a, b) => compare(a.key, b.key)).map((site) => tellSite(problem, site, solution))
  const everywhere = told.map((site) => site.files).reduce((all, files) => all.union(files), new FileSet())
  const object: PlacementPlan = {
    apiVersion: policy.apiVersion,
    kind: 'PlacementPlan',
    metadata: {
      name: planName(policy, digest(new TextEncoder().encode(`${inputs.digest} ${parent?.metadata.uid ?? ''}`))),
      ...(policy.metadata.namespace !== undefined && { namespace: policy.metadata.namespace }),
      ownerReferences: [
        {
          apiVersion: policy.apiVersion,
          kind: policy.kind,
          name: policy.metadata.name ?? '',
          uid: policy.metadata.uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      policyRef: { name: policy.metadata.name ?? '', uid: policy.metadata.uid ?? '' },
      ...(parent?.metadata.name !== undefined && { parent: parent.metadata.name }),
      catalog: { name: catalog.metadata.name ?? '', digest: catalogDigest },
      demandDigest: catalog.status?.demandDigest ?? '',
      inputsDigest: inputs.digest,
      index: { digest: index },
      solver: inputs.solver,
      ...tellSites(told.map((site) => site.row)),
      ...(solution.worth && { offload: offloadOf(solution.worth) }),
      totals: {
        ...weigh(problem, everywhere),
        appliances: rows.length,
        copies: rows.reduce((sum, row) => sum + row.files, 0),
        fillBytes: told.reduce((sum, site) => sum + site.row.fillBytes, 0),
        ...leftOut(
          problem,
          solution,
          told.map((site) => site.files),
        ),
      },
    },
  }
  return { object, blobs }
}

/** In per cent of all demand, to a thousandth. */
function offloadOf({
  demand,
  local,
  parent,
  value,
  bound,
}: PlacementWorth): NonNullable<PlacementPlan['spec']['offload']> {
  const percent = (part: number) => (demand > 0 ? Math.min(100, Math.round((part / demand) * 1e5) / 1e3) : 100)
  return {
    expectedPercent: percent(value),
    boundPercent: percent(Math.max(value, bound)),
    sitePercent: percent(local),
    parentPercent: percent(parent),
  }
}

/** The policy's name, shortened where it must be, and ten digits of what the plan was made from. */
function planName(policy: PlacementPolicy, digest: string): string {
  const suffix = `-${digest.replace('sha256:', '').slice(0, 10)}`
  return `${(policy.metadata.name ?? '').slice(0, NAME_MAX - suffix.length)}${suffix}`
}

function weigh({ sizes }: PlacementProblem, set: FileSet): { files: number; bytes: number } {
  let files = 0
  let bytes = 0
  for (const file of set) {
    files++
    bytes += sizes[file]!
  }
  return { files, bytes }
}

function tellSite(problem: PlacementProblem, site: PlacementSite, { holdings }: PlacementSolution) {
  const [namespace = '', name = ''] = site.key.split('/')
  let files = new FileSet()
  let bytes = 0
  let fillBytes = 0
  for (const { key, held } of site.appliances) {
    const set = holdings.get(key) ?? new FileSet()
    files = files.union(set)
    bytes += weigh(problem, set).bytes
    fillBytes += weigh(problem, held ? set.difference(held) : set).bytes
  }
  const row: SiteRow = { namespace, name, appliances: site.appliances.length, files: files.size, bytes, fillBytes }
  return { row, files }
}

function tellSites(rows: readonly SiteRow[]): Pick<PlacementPlan['spec'], 'sites' | 'others'> {
  if (rows.length <= SITES_TOLD) return { sites: rows }
  const rest = rows.slice(SITES_TOLD)
  const sum = (field: 'appliances' | 'files' | 'bytes' | 'fillBytes') => rest.reduce((n, row) => n + row[field], 0)
  return {
    sites: rows.slice(0, SITES_TOLD),
    others: {
      sites: rest.length,
      appliances: sum('appliances'),
      files: sum('files'),
      bytes: sum('bytes'),
      fillBytes: sum('fillBytes'),
    },
  }
}

/** Files that at least one site has no room for, and the storage that all sites together are short of. */
function leftOut(problem: PlacementProblem, solution: PlacementSolution, sites: readonly FileSet[]) {
  let wanted = new FileSet()
  problem.sizes.forEach((size, file) => {
    if (!Number.isNaN(size) && !problem.excluded.has(file)) wanted.add(file)
  })
  const all = wanted
  for (const files of sites) wanted = wanted.intersection(files)
  return {
    filesLeftOut: sites.length === 0 ? 0 : all.difference(wanted).size,
    bytesLeftOut: [...solution.leftOut.values()].reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
