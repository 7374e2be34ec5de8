import type { Appliance, Catalog, PlacementPlan, PlacementPolicy } from '../crds/types.gen.ts'
import {
  type AssignmentInput,
  DRAIN_SECONDS,
  needsUnion,
  type PlannedShare,
  planAssignment,
  type UnionMaterial,
} from '../reconcilers/assignment/plan-assignment.ts'
import { keyOf } from '../reconcilers/identity.ts'
import { digestOf } from '../runtime/blob-store.ts'
import type { Change } from '../runtime/cache/store.ts'
import { Controller } from '../runtime/controller/controller.ts'
import { Waiting } from '../runtime/errors.ts'
import type { Caches } from './caches.ts'
import { asked, type ControllerDeps, cameOrWent, watching } from './deps.ts'
import { createExecutor } from './execute.ts'
import type { BlobReader } from './placement/blob-reader.ts'
import { planInForce } from './placement/placement.ts'

export interface AssignmentOptions {
  /** How long clients may go on reading what was withdrawn. */
  readonly drainSeconds?: number
}

/** Composes what each appliance must hold from all plans in force. */
export function assignmentController(
  deps: ControllerDeps,
  caches: Caches,
  reader: BlobReader,
  { drainSeconds = DRAIN_SECONDS }: AssignmentOptions = {},
): Controller {
  const { clock, log } = deps
  const executor = createExecutor({
    ...deps,
    fieldManager: 'weir-assignment',
    caches: [caches.appliances, caches.assignments],
  })
  const everyAppliance = () => caches.appliances.keys()
  const neighbours = (site: string) => caches.appliances.byIndex('site', site).map(keyOf)
  return (
    new Controller({
      name: 'assignment',
      clock,
      log,
      concurrency: 32,
      ...watching(deps),
      async reconcile(key, { signal }) {
        const appliance = caches.appliances.get(key)
        if (!appliance) return { type: 'done' }
        const shares = await sharesOf(key, caches, reader)
        const input = { ...gather(appliance, shares, caches), drainSeconds, brake: deps.brake.now }
        const united = needsUnion(input.shares)
          ? { ...input, material: await gatherUnion(input.shares, reader) }
          : input
        return await executor.execute(planAssignment(united), signal, [appliance, united.assignment])
      },
    })
      .reconciles(caches.appliances, { when: (change) => asked(change) || reported(change) })
      .watches(caches.assignments, (assignment) => [keyOf(assignment)], { when: asked })
      .watches(caches.sites, (site) => neighbours(keyOf(site)), { when: asked })
      // The fill rate of a site is shared by those that stand there.
      .watches(caches.appliances, ({ metadata, spec }) => neighbours(`${metadata.namespace}/${spec.siteRef.name}`), {
        when: moved,
      })
      .watches(caches.policies, everyAppliance, { when: anotherPlan })
      .watches(caches.plans, everyAppliance, { when: cameOrWent })
      .watches(caches.catalogs, everyAppliance, { when: anotherOrigin })
  )
}

function gather(
  appliance: Appliance,
  shares: readonly PlannedShare[],
  caches: Caches,
): Omit<AssignmentInput, 'drainSeconds' | 'brake'> {
  const { namespace } = appliance.metadata
  const siteKey = `${namespace}/${appliance.spec.siteRef.name}`
  return {
    appliance,
    site: caches.sites.get(siteKey),
    siteAppliances: caches.appliances.byIndex('site', siteKey).length,
    assignment: caches.assignments.get(keyOf(appliance)),
    shares,
    digest: digestOf,
  }
}

/** What each plan in force asks of one appliance. What is not known is waited for: it must not look as if nothing were asked. */
async function sharesOf(key: string, caches: Caches, reader: BlobReader): Promise<PlannedShare[]> {
  const shares: PlannedShare[] = []
  for (const policy of caches.policies.list()) {
    const plan = policy.metadata.deletionTimestamp ? undefined : planInForce(policy, caches)
    if (!plan) continue
    const row = (await reader.index(plan.spec.index.digest)).byAppliance.get(key)
    if (row) shares.push({ plan, catalog: catalogOf(plan, caches), row })
  }
  return shares.sort((a, b) => (keyOf(a.plan) < keyOf(b.plan) ? -1 : 1))
}

function catalogOf(plan: PlacementPlan, caches: Caches): Catalog {
  const key = `${plan.metadata.namespace}/${plan.spec.catalog.name}`
  const catalog = caches.catalogs.get(key)
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

/** Whether an appliance that must give up what it holds may have got further. */
function reported({ object }: Change<Appliance>): boolean {
  return object.metadata.deletionTimestamp !== undefined
}

function moved(change: Change<Appliance>): boolean {
  return (
    cameOrWent(change) || (change.type === 'update' && change.object.spec.siteRef.name !== change.old.spec.siteRef.name)
  )
}

function anotherPlan(change: Change<PlacementPolicy>): boolean {
  if (change.type !== 'update') return true
  return (
    change.object.status?.currentPlan !== change.old.status?.currentPlan ||
    change.object.metadata.deletionTimestamp !== change.old.metadata.deletionTimestamp
  )
}

function anotherOrigin(change: Change<Catalog>): boolean {
  if (change.type !== 'update') return true
  const of = ({ spec, status }: Catalog) => `${spec.originUrl} ${spec.source.url} ${status?.digest}`
  return of(change.object) !== of(change.old)
}
