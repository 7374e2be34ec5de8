import type { PlacementPlan, PlacementPolicy } from '../../crds/types.gen.ts'
import { estimate, exact, type Figure, unknown } from '../../reconcilers/effects/figure.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { comparePolicies } from '../../reconcilers/placement/select.ts'
import type { Converged } from './converge.ts'
import type { PolicyEffects } from './document.ts'
import type { FleetModel } from './fleet-model.ts'

export interface PoliciesInput {
  readonly before: FleetModel
  readonly after: FleetModel
  readonly undecided: Converged['undecided']
}

/** What becomes of every policy's plan, in the order in which they plan. */
export function policyEffects(input: PoliciesInput): PolicyEffects[] {
  const { before, after } = input
  const all = new Map(
    [before, after].flatMap(({ objects }) => objects.policies.list().map((each) => [keyOf(each), each])),
  )
  return [...all.values()].sort(comparePolicies).map((policy) => effectOf(input, keyOf(policy), policy))
}

function effectOf(input: PoliciesInput, key: string, policy: PlacementPolicy): PolicyEffects {
  const [old, next] = [input.before, input.after].map((model) => planOf(model, key)) as [Planned, Planned]
  const why = input.undecided.get(key)
  const { namespace = '', name = '' } = policy.metadata
  const plan = why !== undefined ? 'unknown' : stateOf(old, next)
  const [from, to] = [offloadOf(old), offloadOf(next)]
  const left = (planned: PlacementPlan | undefined) => exact(planned?.spec.totals.filesLeftOut ?? 0)
  return {
    namespace,
    name,
    plan,
    ...(why === undefined ? {} : { why }),
    offloadPercent: { before: from, after: why === undefined ? to : unknown(why) },
    boundPercent: { before: boundOf(old), after: why === undefined ? boundOf(next) : unknown(why) },
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

/** A policy that is to stay, and its plan in force. */
interface Planned {
  readonly policy: PlacementPolicy | undefined
  readonly plan: PlacementPlan | undefined
}

function planOf({ objects }: FleetModel, key: string): Planned {
  const found = objects.policies.get(key) as PlacementPolicy | undefined
  const policy = found?.metadata.deletionTimestamp ? undefined : found
  const current = policy?.status?.currentPlan
  const plan = current === undefined ? undefined : objects.plans.get(`${policy!.metadata.namespace}/${current}`)
  return { policy, plan: plan as PlacementPlan | undefined }
}

function stateOf(old: Planned, next: Planned): PolicyEffects['plan'] {
  // It stays without one, as when its catalog has never been read.
  if (!next.plan) return old.policy && !old.plan && next.policy ? 'unchanged' : 'removed'
  if (!old.plan) return 'new'
  return old.plan.spec.inputsDigest === next.plan.spec.inputsDigest ? 'unchanged' : 'anew'
}

function boundOf({ policy, plan }: Planned): Figure {
  if (!policy || !plan) return exact(0)
  const told = policy.status?.offload?.boundPercent
  return told === undefined ? unknown('its status does not say what could be served') : estimate(told)
}

/** As the policy's status has it, which controllers write with every plan. What has no plan serves nothing. */
function offloadOf({ policy, plan }: Planned): Figure {
  if (!policy || !plan) return exact(0)
  const told = policy.status?.offload?.expectedPercent
  return told === undefined ? unknown('its status does not say what it serves') : estimate(told)
}
