import type { PlacementPlan, PlacementPolicy } from '../../crds/types.gen.ts'
import type { CatalogContent } from '../../reconcilers/blobs/catalog.ts'
import type { Demand } from '../../reconcilers/blobs/demand.ts'
import type { Brake } from '../../reconcilers/brake/brake.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { demandSource, withNewFiles } from '../../reconcilers/placement/demand-source.ts'
import { type Held, type HeldAt, type Reserved, reservedBy } from '../../reconcilers/placement/inputs.ts'
import { joinPlaced, type Placed, place as placeHere } from '../../reconcilers/placement/placed.ts'
import {
  currentPlan,
  needsPlan,
  type PlanMaterial,
  type PolicyInput,
  planPolicy,
  problemOf,
  progressOf,
  waitsFor,
} from '../../reconcilers/placement/plan-policy.ts'
import type { PlacementProblem, PlacementSolver } from '../../reconcilers/placement/problem.ts'
import { comparePolicies, type Fleet, selectTargets } from '../../reconcilers/placement/select.ts'
import { takeOver } from '../../reconcilers/placement/take-over.ts'
import type { Plan } from '../../reconcilers/plan.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { Retryable, Waiting } from '../../runtime/errors.ts'
import type { BlobReader } from '../placement/blob-reader.ts'
import { type StoredManifest, StoredSets } from '../placement/stored-sets.ts'
import type { FleetObjects } from './objects.ts'

export interface PolicySurroundings {
  readonly solver: PlacementSolver
  /** Solves elsewhere what `solver` would solve here: on other threads. */
  readonly place?: (problem: PlacementProblem, catalogDigest: string, question: PolicyInput) => Promise<Placed>
  /** Read when they are needed: solving takes its time. */
  readonly brake: Brake
  readonly now: Date
}

/** Decides what a PlacementPolicy needs. Throws Waiting where something that must be there is not seen, Retryable where a blob is missing. */
export async function decidePolicy(
  policy: PlacementPolicy,
  objects: FleetObjects,
  reader: BlobReader,
  around: PolicySurroundings,
): Promise<Plan> {
  const { solver, place } = around
  const question = { ...(await gather(policy, objects, reader, solver)), brake: around.brake }
  if (!needsPlan(question)) return planPolicy(question, around.now)
  const problem = await pose(question, reader)
  const placed = await placeWhatChanged(question, problem, reader, place)
  const current = { policy: asItIs(policy, objects), brake: around.brake }
  return planPolicy({ ...question, ...current, material: { problem, placed } }, around.now)
}

/** The policy that a plan was made for, as it is now: that progress was told made it another version. Throws Retryable where it asks for something else by now. */
function asItIs(policy: PlacementPolicy, { policies }: Pick<FleetObjects, 'policies'>): PlacementPolicy {
  const now = policies.get(keyOf(policy))
  const { uid, generation } = policy.metadata
  if (
    now?.metadata.uid !== uid ||
    now?.metadata.generation !== generation ||
    now?.status?.currentPlan !== policy.status?.currentPlan
  )
    throw new Retryable('PolicyChanged', `PlacementPolicy ${keyOf(policy)} has changed while it was being planned`)
  return now as PlacementPolicy
}

/** Takes over from the plan in force what it would decide in the same way again, and asks the solver for the rest. */
async function placeWhatChanged(
  question: PolicyInput,
  problem: PlacementProblem,
  reader: BlobReader,
  place: PolicySurroundings['place'],
): Promise<Placed> {
  const { solver } = question
  const catalogDigest = question.catalog?.status?.digest ?? ''
  const encoding = { catalogDigest, digest: digestOf }
  const ask = async (asked: PlacementProblem) =>
    place ? await place(asked, catalogDigest, question) : placeHere(asked, solver, encoding)
  const current = currentPlan(question)
  if (!current) return await ask(problem)
  const index = await reader.index(current.spec.index.digest)
  const { rest, kept } = takeOver(problem, index, { solver: solver.name, ...encoding })
  if (kept.sites.length === 0) return await ask(problem)
  return rest.sites.length === 0 ? kept : joinPlaced([kept, await ask(rest)])
}

/** The question alone: of the catalog, by far the largest part of what it is posed from, nothing stays in memory. */
async function pose(question: PolicyInput, reader: BlobReader): Promise<PlacementProblem> {
  const files = await reader.catalogFiles(question.catalog?.status?.digest ?? '')
  return problemOf(question, { catalog: { files }, ...(await gatherRest(question, reader)) })
}

/** What a policy's next plan would be made from, were it made now. The catalog must be published. Throws what `decidePolicy` throws. */
export async function gatherNext(
  policy: PlacementPolicy,
  objects: FleetObjects,
  reader: BlobReader,
  solver: PlacementSolver,
): Promise<{ readonly question: PolicyInput; readonly material: PlanMaterial & { readonly catalog: CatalogContent } }> {
  const question: PolicyInput = { ...(await gather(policy, objects, reader, solver)), brake: { engaged: false } }
  const catalog = await reader.catalog(question.catalog?.status?.digest ?? '')
  return { question, material: { catalog, ...(await gatherRest(question, reader)) } }
}

async function gather(
  policy: PlacementPolicy,
  objects: FleetObjects,
  reader: BlobReader,
  solver: PlacementSolver,
): Promise<Omit<PolicyInput, 'brake'>> {
  const fleet = fleetOf(objects)
  const targets = selectTargets(policy, fleet)
  const earlier = objects.policies.list().filter((other) => comparePolicies(other, policy) < 0)
  const before = waitsFor(
    policy,
    earlier.map((other) => ({ policy: other, targets: selectTargets(other, fleet) })),
    targets,
  )
  return {
    policy,
    catalog: objects.catalogs.get(`${policy.metadata.namespace}/${policy.spec.catalogRef.name}`),
    plans: await plansOf(policy, objects, reader),
    targets,
    reserved: await reservedFor(earlier, objects, reader),
    progress: progressOf(policy, targets, (key) => objects.assignments.get(key)),
    solver,
    digest: digestOf,
    ...(before === undefined ? {} : { waitsFor: before }),
  }
}

/** The policy's plans; without the one in force where its index is lost: then it must be made again. */
async function plansOf(
  policy: PlacementPolicy,
  objects: FleetObjects,
  reader: BlobReader,
): Promise<readonly PlacementPlan[]> {
  const plans = objects.plans.byIndex('policy', keyOf(policy))
  const own = plans.filter((plan) => plan.spec.policyRef.uid === policy.metadata.uid)
  const current = currentPlan({ policy, plans: own })
  if (!current || (await reader.has(current.spec.index.digest))) return own
  return own.filter((plan) => plan !== current)
}

/** The fleet as placement sees it. */
export function fleetOf(objects: Pick<FleetObjects, 'appliances' | 'sites' | 'hardwareClasses' | 'namespaces'>): Fleet {
  return {
    appliances: objects.appliances.list(),
    sites: new Map(objects.sites.list().map((site) => [keyOf(site), site])),
    hardwareClasses: new Map(objects.hardwareClasses.list().map((hc) => [hc.metadata.name ?? '', hc])),
    namespaceLabels: new Map(
      objects.namespaces.list().map(({ metadata }) => [metadata.name ?? '', metadata.labels ?? {}]),
    ),
  }
}

/** What the plans in force of earlier policies take. */
async function reservedFor(
  earlier: readonly PlacementPolicy[],
  objects: FleetObjects,
  reader: BlobReader,
): Promise<Reserved> {
  const plans = earlier
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map((policy) => planInForce(policy, objects))
  return reservedBy(
    await Promise.all(plans.filter((plan) => plan !== undefined).map((plan) => reader.index(plan.spec.index.digest))),
  )
}

/**
 * The plan that a policy says is in force; undefined while it has none. Throws Waiting where there must be one that is not seen here: to go on
 * as if there were none would give its appliances up.
 */
export function planInForce(
  { metadata, status }: PlacementPolicy,
  objects: Pick<FleetObjects, 'plans'>,
): PlacementPlan | undefined {
  if (!status?.currentPlan) return undefined
  const plan = objects.plans.get(`${metadata.namespace}/${status.currentPlan}`)
  if (!plan) {
    const name = `${metadata.namespace}/${metadata.name}`
    throw new Waiting('PlanNotSeen', `PlacementPlan ${status.currentPlan} of policy ${name} is not there`, 5000)
  }
  return plan
}

/** What a new plan is made from besides the catalog. */
async function gatherRest(input: PolicyInput, reader: BlobReader): Promise<Omit<PlanMaterial, 'catalog'>> {
  const [demand, now] = await Promise.all([demandOf(input, reader), heldNow(input, reader)])
  return { demand, ...now }
}

/** What viewers ask for, from where the policy wants it. */
async function demandOf({ policy, catalog }: PolicyInput, reader: BlobReader): Promise<Demand> {
  const { digest = '', catalogDigest } = demandSource(policy, catalog)
  if (catalogDigest === undefined) return await reader.demand(digest)
  const [counted, own] = await Promise.all([reader.demand(digest), reader.demand(catalogDigest)])
  return withNewFiles(counted, own)
}

/** Manifests that are on their way at the same time. */
const READ_AT_ONCE = 512

async function heldNow(
  input: Pick<PolicyInput, 'policy' | 'plans' | 'catalog'>,
  reader: BlobReader,
): Promise<{ readonly held: Held; readonly heldAt: HeldAt }> {
  const held = new Map<string, StoredManifest>()
  const heldAt = new Map<string, string>()
  const plan = currentPlan(input)
  if (!plan) return { held, heldAt }
  // Files of another catalog have other indices: of this one, nothing is held.
  const { name, digest } = plan.spec.catalog
  if (name !== input.policy.spec.catalogRef.name && digest !== input.catalog?.status?.digest) return { held, heldAt }
  const sets = new StoredSets()
  const { rows } = await reader.index(plan.spec.index.digest)
  for (let start = 0; start < rows.length; start += READ_AT_ONCE) {
    const some = rows.slice(start, start + READ_AT_ONCE)
    const sources = await Promise.all(some.map(({ manifest }) => reader.source(manifest)))
    some.forEach(({ namespace, name, site }, i) => {
      held.set(`${namespace}/${name}`, sets.of(sources[i]!))
      if (site !== undefined) heldAt.set(`${namespace}/${name}`, site)
    })
  }
  return { held, heldAt }
}
