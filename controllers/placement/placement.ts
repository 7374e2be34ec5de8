import type { PlacementPlan, PlacementPolicy } from '../../crds/types.gen.ts'
import type { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { type Reserved, reservedBy } from '../../reconcilers/placement/inputs.ts'
import {
  currentPlan,
  needsPlan,
  type PlanMaterial,
  type PolicyInput,
  planPolicy,
  progressOf,
  waitsFor,
} from '../../reconcilers/placement/plan-policy.ts'
import { popularFirst } from '../../reconcilers/placement/popular-first.ts'
import type { PlacementSolver } from '../../reconcilers/placement/problem.ts'
import { comparePolicies, type Fleet, selectTargets } from '../../reconcilers/placement/select.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import type { Change } from '../../runtime/cache/store.ts'
import { Controller } from '../../runtime/controller/controller.ts'
import { Waiting } from '../../runtime/errors.ts'
import type { Caches } from '../caches.ts'
import { asked, type ControllerDeps, watching } from '../deps.ts'
import { createExecutor } from '../execute.ts'
import type { BlobReader } from './blob-reader.ts'

export interface PlacementOptions {
  readonly solver?: PlacementSolver
  /** Changes of the fleet are gathered for so long before policies plan anew. 250 ms unless told. */
  readonly fleetDelayMs?: number
  /** Progress that appliances report is summed up this often. 2 s unless told. */
  readonly progressDelayMs?: number
}

/** Plans every PlacementPolicy anew when something that its plan depends on has changed, and reports how far it is. */
export function placementController(
  deps: ControllerDeps,
  caches: Caches,
  reader: BlobReader,
  { solver = popularFirst, fleetDelayMs = 250, progressDelayMs = 2000 }: PlacementOptions = {},
): Controller {
  const { clock, log } = deps
  const executor = createExecutor({
    ...deps,
    fieldManager: 'weir-placement',
    caches: [caches.policies, caches.plans],
  })
  const everyPolicy = () => caches.policies.keys()
  return (
    new Controller({
      name: 'placement',
      clock,
      log,
      ...watching(deps),
      async reconcile(key, { signal }) {
        const policy = caches.policies.get(key)
        if (!policy) return { type: 'done' }
        const question = { ...(await gather(policy, caches, reader, solver)), brake: deps.brake.now }
        const input = needsPlan(question) ? { ...question, material: await gatherMaterial(question, reader) } : question
        return await executor.execute(planPolicy(input, clock.now()), signal, [policy])
      },
    })
      .reconciles(caches.policies, { when: asked })
      .watches(caches.plans, (plan) => [`${plan.metadata.namespace}/${plan.spec.policyRef.name}`], { when: asked })
      .watches(caches.catalogs, (catalog) => caches.policies.byIndex('catalog', keyOf(catalog)).map(keyOf), {
        when: (change) => change.type !== 'update' || published(change.object) !== published(change.old),
      })
      // What one policy takes is not free for the next.
      .watches(caches.policies, everyPolicy, { when: plannedAnew, delayMs: fleetDelayMs })
      .watches(caches.appliances, everyPolicy, { when: asked, delayMs: fleetDelayMs })
      .watches(caches.appliances, everyPolicy, { when: progressed, delayMs: progressDelayMs })
      .watches(caches.assignments, everyPolicy, { when: asked, delayMs: progressDelayMs })
      .watches(caches.sites, everyPolicy, { when: asked, delayMs: fleetDelayMs })
      .watches(caches.hardwareClasses, everyPolicy, { when: asked, delayMs: fleetDelayMs })
      .watches(caches.namespaces, everyPolicy, { when: asked, delayMs: fleetDelayMs })
  )
}

async function gather(
  policy: PlacementPolicy,
  caches: Caches,
  reader: BlobReader,
  solver: PlacementSolver,
): Promise<Omit<PolicyInput, 'brake'>> {
  const fleet = fleetOf(caches)
  const targets = selectTargets(policy, fleet)
  const earlier = caches.policies.list().filter((other) => comparePolicies(other, policy) < 0)
  const before = waitsFor(
    policy,
    earlier.map((other) => ({ policy: other, targets: selectTargets(other, fleet) })),
    targets,
  )
  const input = {
    policy,
    catalog: caches.catalogs.get(`${policy.metadata.namespace}/${policy.spec.catalogRef.name}`),
    plans: await plansOf(policy, caches, reader),
    targets,
    reserved: await reservedFor(earlier, caches, reader),
    progress: progressOf(policy, targets, (key) => caches.assignments.get(key)),
    solver,
    digest: digestOf,
    ...(before === undefined ? {} : { waitsFor: before }),
  }
  return input
}

/** The policy's plans; without the one in force where its index is lost: then it must be made again. */
async function plansOf(policy: PlacementPolicy, caches: Caches, reader: BlobReader): Promise<PlacementPlan[]> {
  const plans = caches.plans.byIndex('policy', keyOf(policy))
  const own = plans.filter((plan) => plan.spec.policyRef.uid === policy.metadata.uid)
  const current = currentPlan({ policy, plans: own })
  if (!current || (await reader.has(current.spec.index.digest))) return own
  return own.filter((plan) => plan !== current)
}

function fleetOf(caches: Caches): Fleet {
  return {
    appliances: caches.appliances.list(),
    sites: new Map(caches.sites.list().map((site) => [keyOf(site), site])),
    hardwareClasses: new Map(caches.hardwareClasses.list().map((hc) => [hc.metadata.name ?? '', hc])),
    namespaceLabels: new Map(
      caches.namespaces.list().map(({ metadata }) => [metadata.name ?? '', metadata.labels ?? {}]),
    ),
  }
}

/** What the plans in force of earlier policies take. */
async function reservedFor(earlier: readonly PlacementPolicy[], caches: Caches, reader: BlobReader): Promise<Reserved> {
  const plans = earlier
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map((policy) => planInForce(policy, caches))
  return reservedBy(
    await Promise.all(plans.filter((plan) => plan !== undefined).map((plan) => reader.index(plan.spec.index.digest))),
  )
}

/**
 * The plan that a policy says is in force; undefined while it has none. Throws Waiting where there must be one that is not seen here: to go on
 * as if there were none would give its appliances up.
 */
export function planInForce({ metadata, status }: PlacementPolicy, caches: Caches): PlacementPlan | undefined {
  if (!status?.currentPlan) return undefined
  const plan = caches.plans.get(`${metadata.namespace}/${status.currentPlan}`)
  if (!plan) {
    const name = `${metadata.namespace}/${metadata.name}`
    throw new Waiting('PlanNotSeen', `PlacementPlan ${status.currentPlan} of policy ${name} is not there`, 5000)
  }
  return plan
}

/** Loads what a new plan is made from. */
async function gatherMaterial(input: PolicyInput, reader: BlobReader): Promise<PlanMaterial> {
  const { digest = '', demandDigest = '' } = input.catalog?.status ?? {}
  const [catalog, popularity, held] = await Promise.all([
    reader.catalog(digest),
    reader.popularity(demandDigest),
    heldNow(currentPlan(input), reader),
  ])
  return { catalog, popularity, held }
}

async function heldNow(plan: PlacementPlan | undefined, reader: BlobReader): Promise<Map<string, FileSet>> {
  const held = new Map<string, FileSet>()
  if (!plan) return held
  const { rows } = await reader.index(plan.spec.index.digest)
  for (const { namespace, name, manifest } of rows)
    held.set(`${namespace}/${name}`, (await reader.fileSet(manifest)).set)
  return held
}

function published({
  status,
}: {
  readonly status?: { readonly digest?: string; readonly demandDigest?: string }
}): string {
  return `${status?.digest} ${status?.demandDigest}`
}

/** Whether policies after this one may have to plan anew: another plan, or its spec has been planned at last. */
function plannedAnew(change: Change<PlacementPolicy>): boolean {
  if (change.type !== 'update') return true
  const [now, before] = [change.object.status, change.old.status]
  return now?.currentPlan !== before?.currentPlan || now?.observedGeneration !== before?.observedGeneration
}

/** Whether what an appliance reports counts in a policy's progress. */
function progressed(change: Change<{ readonly status?: PolicyProgress }>): boolean {
  if (change.type !== 'update') return false
  const of = (status: PolicyProgress | undefined) =>
    `${status?.content?.bytesToFill} ${status?.conditions?.find((c) => c.type === 'ContentReady')?.status}`
  return of(change.object.status) !== of(change.old.status)
}

interface PolicyProgress {
  readonly content?: { readonly bytesToFill?: number }
  readonly conditions?: readonly { readonly type: string; readonly status: string }[]
}
