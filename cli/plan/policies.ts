import { siteKeyOf } from '../../controllers/gather/objects.ts'
import { fleetOf } from '../../controllers/gather/policy.ts'
import type { BlobReader } from '../../controllers/placement/blob-reader.ts'
import type { Catalog, PlacementPlan, PlacementPolicy } from '../../crds/types.gen.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { estimate, exact, type Figure, unknown } from '../../reconcilers/effects/figure.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { comparePolicies, selectTargets } from '../../reconcilers/placement/select.ts'
import { ReconcileError } from '../../runtime/errors.ts'
import type { Converged } from './converge.ts'
import type { PolicyEffects } from './document.ts'
import type { FleetModel } from './fleet-model.ts'

export interface PoliciesInput {
  readonly before: FleetModel
  readonly after: FleetModel
  readonly undecided: Converged['undecided']
  readonly reader: BlobReader
}

/** What becomes of every policy's plan, in the order in which they plan. */
export async function policyEffects(input: PoliciesInput): Promise<PolicyEffects[]> {
  const { before, after } = input
  const all = new Map(
    [before, after].flatMap(({ objects }) => objects.policies.list().map((each) => [keyOf(each), each])),
  )
  const effects: PolicyEffects[] = []
  for (const policy of [...all.values()].sort(comparePolicies))
    effects.push(await effectOf(input, keyOf(policy), policy))
  return effects
}

async function effectOf(input: PoliciesInput, key: string, policy: PlacementPolicy): Promise<PolicyEffects> {
  const [old, next] = [input.before, input.after].map((model) => planOf(model, key)) as [Planned, Planned]
  const why = input.undecided.get(key)
  const { namespace = '', name = '' } = policy.metadata
  const plan = why !== undefined ? 'unknown' : stateOf(old.plan, next.plan)
  const [from, to] = plan === 'unchanged' ? same(old) : await both(old, next, input.reader)
  const left = (planned: PlacementPlan | undefined) => exact(planned?.spec.totals.filesLeftOut ?? 0)
  return {
    namespace,
    name,
    plan,
    ...(why === undefined ? {} : { why }),
    offloadPercent: { before: from, after: why === undefined ? to : unknown(why) },
    offloadLossPercent: lossOf(plan, from, to, why),
    filesLeftOut: { before: left(old.plan), after: why === undefined ? left(next.plan) : unknown(why) },
  }
}

function lossOf(plan: PolicyEffects['plan'], from: Figure, to: Figure, why: string | undefined): Figure {
  if (plan === 'unchanged') return exact(0)
  // What there was no plan for served nothing, and cannot be lost.
  if (plan === 'new') return exact(0)
  if (why !== undefined) return unknown(why)
  if (from.certainty === 'unknown') return from
  return to.certainty === 'unknown' ? to : estimate(from.value - to.value)
}

/** A policy's plan, and what must be known to value it. */
interface Planned {
  readonly model: FleetModel
  readonly policy: PlacementPolicy | undefined
  readonly plan: PlacementPlan | undefined
  readonly catalog: Catalog | undefined
}

function planOf(model: FleetModel, key: string): Planned {
  const found = model.objects.policies.get(key) as PlacementPolicy | undefined
  const policy = found?.metadata.deletionTimestamp ? undefined : found
  const namespace = policy?.metadata.namespace
  return {
    model,
    policy,
    plan: policy?.status?.currentPlan
      ? (model.objects.plans.get(`${namespace}/${policy.status.currentPlan}`) as PlacementPlan | undefined)
      : undefined,
    catalog:
      policy && (model.objects.catalogs.get(`${namespace}/${policy.spec.catalogRef.name}`) as Catalog | undefined),
  }
}

function stateOf(old: PlacementPlan | undefined, next: PlacementPlan | undefined): PolicyEffects['plan'] {
  if (!next) return 'removed'
  if (!old) return 'new'
  return old.spec.inputsDigest === next.spec.inputsDigest ? 'unchanged' : 'anew'
}

/** The same plan serves what it served; to work out how much would mean reading every manifest. */
function same({ policy }: Planned): [Figure, Figure] {
  const told = policy?.status?.offload?.expectedPercent
  const figure = told === undefined ? unknown('its plan stays, and its status does not say') : estimate(told)
  return [figure, figure]
}

/** As the policy's own status has it where both say it, so that both mean the same. */
async function both(old: Planned, next: Planned, reader: BlobReader): Promise<[Figure, Figure]> {
  const [from, to] = [old, next].map(({ policy }) => policy?.status?.offload?.expectedPercent)
  if (from !== undefined && to !== undefined && old.plan !== next.plan) {
    const isAnew = old.policy?.status?.offload !== next.policy?.status?.offload
    if (isAnew) return [estimate(from), estimate(to)]
  }
  return [await offload(old, reader), await offload(next, reader)]
}

/**
 * Demanded bytes that are held at the viewers' own site, in per cent, every site having the same demand: no plan serves nothing. An estimate, as
 * demand is one.
 */
async function offload({ model, policy, plan, catalog }: Planned, reader: BlobReader): Promise<Figure> {
  if (!policy || !plan) return exact(0)
  try {
    const { digest = '' } = catalog?.status ?? {}
    const [{ files }, popularity, { byAppliance }] = await Promise.all([
      reader.catalog(plan.spec.catalog.digest || digest),
      reader.popularity(plan.spec.demandDigest),
      reader.index(plan.spec.index.digest),
    ])
    const value = files.map((file, i) => (file ? (popularity[i] ?? 0) * file.size : 0))
    const total = value.reduce((a, b) => a + b, 0)
    const bySite = Map.groupBy(selectTargets(policy, fleetOf(model.objects)), ({ appliance }) => siteKeyOf(appliance))
    if (total === 0 || bySite.size === 0) return exact(bySite.size === 0 ? 0 : 100)
    let covered = 0
    for (const targets of bySite.values()) {
      const rows = targets.flatMap(({ appliance }) => byAppliance.get(keyOf(appliance)) ?? [])
      const sets = await Promise.all(rows.map(async ({ manifest }) => (await reader.fileSet(manifest)).set))
      for (const file of sets.reduce((all, set) => all.union(set), new FileSet())) covered += value[file] ?? 0
    }
    return estimate((100 * covered) / (total * bySite.size))
  } catch (error) {
    if (!(error instanceof ReconcileError)) throw error
    return unknown(error.message)
  }
}
