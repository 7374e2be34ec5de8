import type { KubeObject } from '../../crds/metadata.ts'
import type { Appliance, Catalog, PlacementPlan } from '../../crds/types.gen.ts'
import {
  type AssignmentInput,
  needsUnion,
  type PlannedShare,
  planAssignment,
  type UnionMaterial,
} from '../../reconcilers/assignment/plan-assignment.ts'
import type { Brake } from '../../reconcilers/brake/brake.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import type { Plan } from '../../reconcilers/plan.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { Waiting } from '../../runtime/errors.ts'
import type { BlobReader } from '../placement/blob-reader.ts'
import { type FleetObjects, siteKeyOf } from './objects.ts'
import { planInForce } from './policy.ts'

export interface AssignmentSurroundings {
  readonly drainSeconds: number
  readonly brake: Brake
}

/**
 * Decides what an appliance is asked to hold; `read` are the objects that writes must still find as they were. Throws Waiting where something
 * that must be there is not seen, Retryable where a blob is missing.
 */
export async function decideAssignment(
  appliance: Appliance,
  objects: FleetObjects,
  reader: BlobReader,
  { drainSeconds, brake }: AssignmentSurroundings,
): Promise<{ readonly plan: Plan; readonly read: readonly (KubeObject | undefined)[] }> {
  const key = keyOf(appliance)
  const shares = await sharesOf(key, objects, reader)
  const siteKey = siteKeyOf(appliance)
  const input: AssignmentInput = {
    appliance,
    site: objects.sites.get(siteKey),
    siteAppliances: objects.appliances.byIndex('site', siteKey).length,
    assignment: objects.assignments.get(key),
    shares,
    digest: digestOf,
    drainSeconds,
    brake,
  }
  const united = needsUnion(shares) ? { ...input, material: await gatherUnion(shares, reader) } : input
  return { plan: planAssignment(united), read: [appliance, input.assignment] }
}

/** What each plan in force asks of one appliance. What is not known is waited for: it must not look as if nothing were asked. */
async function sharesOf(key: string, objects: FleetObjects, reader: BlobReader): Promise<PlannedShare[]> {
  const shares: PlannedShare[] = []
  for (const policy of objects.policies.list()) {
    const plan = policy.metadata.deletionTimestamp ? undefined : planInForce(policy, objects)
    if (!plan) continue
    const row = (await reader.index(plan.spec.index.digest)).byAppliance.get(key)
    if (row) shares.push({ plan, catalog: catalogOf(plan, objects), row })
  }
  return shares.sort((a, b) => (keyOf(a.plan) < keyOf(b.plan) ? -1 : 1))
}

function catalogOf(plan: PlacementPlan, objects: FleetObjects): Catalog {
  const key = `${plan.metadata.namespace}/${plan.spec.catalog.name}`
  const catalog = objects.catalogs.get(key)
  if (!catalog) throw new Waiting('CatalogNotFound', `Catalog ${key} of plan ${plan.metadata.name} does not exist`)
  return catalog
}

async function gatherUnion(shares: readonly PlannedShare[], reader: BlobReader): Promise<UnionMaterial> {
  const manifests = [...new Set(shares.map(({ row }) => row.manifest))]
  const catalogs = [...new Set(shares.map(({ plan }) => plan.spec.catalog.digest))]
  return {
    manifests: new Map(
      await Promise.all(manifests.map(async (digest) => [digest, await reader.fileSet(digest)] as const)),
    ),
    catalogs: new Map(
      await Promise.all(catalogs.map(async (digest) => [digest, await reader.catalog(digest)] as const)),
    ),
  }
}
