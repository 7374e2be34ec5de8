import type { Catalog, PlacementPlan, PlacementPolicy } from '../../crds/types.gen.ts'
import { encodePlanIndex } from '../blobs/plan-index.ts'
import type { PlannedBlob } from '../plan.ts'
import { demandSource } from './demand-source.ts'
import type { Placed, PlacedSite } from './placed.ts'
import type { PlacementProblem, PlacementWorth, Unmet } from './problem.ts'
import { partsOf } from './take-over.ts'
import { tellScarce } from './tell-scarce.ts'
import { weigh } from './weigh.ts'

/** Sites named one by one in a plan; the rest is summed up, so that the object does not grow with the fleet. */
export const SITES_TOLD = 200
const NAME_MAX = 253

interface PlanSource {
  readonly policy: PlacementPolicy
  readonly catalog: Catalog
  readonly digest: (bytes: Uint8Array) => string
}

type SiteRow = PlacementPlan['spec']['sites'][number]

/** Writes a solution down: the PlacementPlan object, its index and the manifests that are not stored yet. */
export function writePlan(
  source: PlanSource,
  problem: PlacementProblem,
  placed: Placed,
  inputs: { readonly digest: string; readonly solver: string },
  parent: PlacementPlan | undefined,
): { readonly object: PlacementPlan; readonly blobs: readonly PlannedBlob[] } {
  const { policy, catalog, digest } = source
  const catalogDigest = catalog.status?.digest ?? ''
  const siteOf = new Map(problem.sites.flatMap((site) => site.appliances.map(({ key }) => [key, site.key] as const)))
  const rows = placed.appliances.map(({ key, manifest, files, bytes }) => {
    const [namespace = '', name = ''] = key.split('/')
    const site = siteOf.get(key)
    return { namespace, name, manifest: manifest.digest, files, bytes, ...(site !== undefined && { site }) }
  })
  const parts = partsOf(problem, placed, { solver: inputs.solver, catalogDigest, digest })
  const index = encodePlanIndex({ catalog: catalogDigest, rows, parts })
  const indexBlob: PlannedBlob = { digest: digest(index), bytes: index }
  const told = placed.sites.map(tellSite)
  const scarce = tellScarce(placed, problem)
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
      demandDigest: demandSource(policy, catalog).digest ?? '',
      inputsDigest: inputs.digest,
      index: { digest: indexBlob.digest },
      solver: inputs.solver,
      ...tellSites(told),
      ...(placed.worth && { offload: offloadOf(placed.worth) }),
      ...(placed.endedEarly && { endedEarly: true }),
      ...(scarce.length > 0 && { scarce }),
      ...(placed.unmet && { unmet: placed.unmet.first.map(tellUnmet) }),
      totals: {
        ...weigh(problem.sizes, placed.somewhere),
        appliances: rows.length,
        copies: rows.reduce((sum, row) => sum + row.files, 0),
        fillBytes: placed.sites.reduce((sum, site) => sum + site.fillBytes, 0),
        ...leftOut(problem, placed),
        ...(placed.unmet && { unmet: placed.unmet.count }),
      },
    },
  }
  const manifests = placed.appliances.flatMap(({ manifest: { digest, bytes } }) => (bytes ? [{ digest, bytes }] : []))
  return { object, blobs: [...manifests, indexBlob] }
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

function tellUnmet({
  ask,
  limit,
  site,
  region,
  files,
  share,
}: Unmet): NonNullable<PlacementPlan['spec']['unmet']>[number] {
  const [namespace = '', name = ''] = (site ?? '').split('/')
  return {
    ask,
    limit,
    ...(site !== undefined && { site: { namespace, name } }),
    ...(region !== undefined && { region }),
    ...(files !== undefined && { files }),
    ...(share !== undefined && { servablePercent: Math.round(share * 1e5) / 1e3 }),
  }
}

/** The policy's name, shortened where it must be, and ten digits of what the plan was made from. */
function planName(policy: PlacementPolicy, digest: string): string {
  const suffix = `-${digest.replace('sha256:', '').slice(0, 10)}`
  return `${(policy.metadata.name ?? '').slice(0, NAME_MAX - suffix.length)}${suffix}`
}

function tellSite({ key, appliances, files, bytes, fillBytes }: PlacedSite): SiteRow {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name, appliances, files, bytes, fillBytes }
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
function leftOut({ sizes, excluded }: Pick<PlacementProblem, 'sizes' | 'excluded'>, { sites, everywhere }: Placed) {
  let wanted = 0
  for (const [file, size] of sizes.entries()) if (!Number.isNaN(size) && !excluded.has(file)) wanted++
  return {
    filesLeftOut: sites.length === 0 ? 0 : wanted - everywhere.size,
    bytesLeftOut: sites.reduce((sum, { bytesLeftOut }) => sum + bytesLeftOut, 0),
  }
}
