import type { KubeObject } from '../../crds/metadata.ts'
import type { Reason } from '../../crds/reasons.ts'
import type { Appliance, Assignment, Catalog, PlacementPlan, PlacementPolicy } from '../../crds/types.gen.ts'
import type { CatalogFiles } from '../blobs/catalog-lines.ts'
import type { Demand } from '../blobs/demand.ts'
import type { Brake } from '../brake/brake.ts'
import { count, sayBytes } from '../bytes.ts'
import { type Cause, summarize, upsertConditions, type WantedCondition } from '../conditions.ts'
import { identify, keyOf } from '../identity.ts'
import { type Plan, type PlanBuilder, plan, refOf } from '../plan.ts'
import type { SoFar } from './control.ts'
import { demandSource } from './demand-source.ts'
import { type Held, type HeldAt, planInputs, poseProblem, type Reserved } from './inputs.ts'
import { type Placed, place } from './placed.ts'
import type { PlacementProblem, PlacementSolver } from './problem.ts'
import type { Target } from './select.ts'
import { writePlan } from './write-plan.ts'

/** How many plans of a policy are kept, the one in force included. */
export const PLANS_KEPT = 3

/** What a plan is made from; loaded only when `needsPlan` says so. */
export interface PlanMaterial {
  readonly catalog: { readonly files: CatalogFiles }
  readonly demand: Demand
  readonly held: Held
  readonly heldAt?: HeldAt
}

/** The question that `problemOf` poses, so that what it was posed from can be let go. */
export interface PosedQuestion {
  readonly problem: PlacementProblem
  /** Its answer, where it was worked out beforehand: on other threads, say. Otherwise the solver is asked here. */
  readonly placed?: Placed
}

export interface PolicyInput {
  readonly policy: PlacementPolicy
  readonly catalog: Catalog | undefined
  /** All plans of the policy that exist, in any order. */
  readonly plans: readonly PlacementPlan[]
  readonly targets: readonly Target[]
  readonly reserved: Reserved
  /** `namespace/name` of an earlier policy on the same appliances that has not planned its current spec yet. */
  readonly waitsFor?: string
  /** Bytes that the selected appliances still have to fill, as they report, and how many of them hold all they should. */
  readonly progress: { readonly bytesToMove: number; readonly converged: number }
  readonly solver: PlacementSolver
  /** While engaged, the plan in force stays. */
  readonly brake: Brake
  /** Names bytes: `sha256:<hex>`. */
  readonly digest: (bytes: Uint8Array) => string
  readonly material?: PlanMaterial | PosedQuestion
}

/** The digest of all that the policy's next plan depends on, or undefined while there is nothing to plan from. */
export function inputsDigest(input: PolicyInput): string | undefined {
  const { policy, catalog, targets, reserved, solver, digest } = input
  if (!catalog?.status?.digest || policy.metadata.deletionTimestamp || input.waitsFor || input.brake.engaged)
    return undefined
  return digest(new TextEncoder().encode(planInputs(policy, catalog, targets, reserved, solver.name)))
}

export function currentPlan({ policy, plans }: Pick<PolicyInput, 'policy' | 'plans'>): PlacementPlan | undefined {
  return plans.find((candidate) => candidate.metadata.name === policy.status?.currentPlan)
}

/** Whether a new plan must be made: only then must the catalog, its demand and the manifests in force be loaded. */
export function needsPlan(input: PolicyInput): boolean {
  const wanted = inputsDigest(input)
  return wanted !== undefined && wanted !== currentPlan(input)?.spec.inputsDigest
}

/** Decides what a PlacementPolicy needs: a new plan when something that a plan depends on has changed, and its status. Pure. */
export function planPolicy(input: PolicyInput, now: Date): Plan {
  const { policy, catalog, waitsFor, material } = input
  const p = plan(policy)
  if (policy.metadata.deletionTimestamp) return p.done()
  const catalogName = policy.spec.catalogRef.name
  if (!catalog) {
    const cause: Cause<Reason<'PlacementPolicy'>> = {
      reason: 'CatalogNotFound',
      message: `Catalog "${catalogName}" does not exist`,
    }
    writeStatus(p, input, now, { stalled: cause })
    return p.stalled(cause.reason, cause.message)
  }
  if (!catalog.status?.digest) {
    const cause: Cause<Reason<'PlacementPolicy'>> = {
      reason: 'CatalogNotPublished',
      message: `Catalog "${catalogName}" has not published a version`,
    }
    writeStatus(p, input, now, { reconciling: cause })
    return p.waiting(cause.reason, cause.message)
  }
  if (waitsFor) {
    const cause: Cause<Reason<'PlacementPolicy'>> = {
      reason: 'WaitingForPolicy',
      message: `PlacementPolicy ${waitsFor} plans first on the same appliances`,
    }
    writeStatus(p, input, now, { reconciling: cause })
    return p.waiting(cause.reason, cause.message)
  }
  const wanted = inputsDigest(input)
  let current = currentPlan(input)
  if (wanted !== undefined && wanted !== current?.spec.inputsDigest) {
    if (!material) throw new TypeError('planPolicy: needsPlan, but no material was gathered')
    current = makePlan(p, input, material, wanted, current)
  }
  // A plan made just now is held by nobody yet, whatever they hold of the one before.
  const made = current !== currentPlan(input)
  writeStatus(p, made ? { ...input, progress: { ...input.progress, converged: 0 } } : input, now, { current })
  if (input.brake.engaged) {
    const before = policy.status?.conditions?.some((c) => c.type === 'Paused')
    if (!before) p.event('Warning', 'FleetDark', input.brake.message)
    return p.waiting('FleetDark', input.brake.message)
  }
  for (const old of outlived(input, current)) p.delete(refOf(old), { uid: old.metadata.uid ?? '' })
  return p.done()
}

/** How far the next plan is. */
export interface SolvingProgress {
  /** 0–1. */
  readonly done: number
  readonly soFar?: SoFar
}

/** Says in a policy's status how far its next plan is. What is in force stays; `observedGeneration` is still that of what was planned last. */
export function tellSolving(input: PolicyInput, { done, soFar }: SolvingProgress, now: Date): Plan {
  const p = plan(input.policy)
  const sites = new Set(input.targets.map(({ site }) => keyOf(site))).size
  const placed =
    soFar && soFar.bound > 0
      ? `; ${soFar.sites} of ${count(sites, 'site')} placed, at ${(soFar.value / soFar.bound).toFixed(4)} of their bound`
      : ''
  const reconciling: Cause<Reason<'PlacementPolicy'>> = {
    reason: 'Solving',
    message: `A new plan is ${Math.floor(100 * done)} % done${placed}`,
  }
  const current = currentPlan(input)
  writeStatus(p, input, now, { ...(current && { current }), reconciling, isUnplanned: true })
  return p.done()
}

/** What the solver is asked for a policy's next plan. */
export function problemOf({ policy, targets, reserved }: PolicyInput, material: PlanMaterial): PlacementProblem {
  const { catalog, demand, held, heldAt } = material
  return poseProblem(policy, catalog, demand, targets, reserved, held, heldAt)
}

function makePlan(
  p: PlanBuilder,
  input: PolicyInput,
  material: PlanMaterial | PosedQuestion,
  wanted: string,
  parent: PlacementPlan | undefined,
): PlacementPlan {
  const { policy, solver, digest } = input
  const posed: PosedQuestion = 'problem' in material ? material : { problem: problemOf(input, material) }
  const { problem } = posed
  const catalog = input.catalog!
  const placed = posed.placed ?? place(problem, solver, { catalogDigest: catalog.status?.digest ?? '', digest })
  const { insteadOf, endedEarly } = placed
  if (insteadOf)
    p.event('Warning', 'SolverFailed', `${insteadOf.solver}: ${insteadOf.error}; planned the simple way instead`)
  if (endedEarly) p.event('Warning', 'SolverOutOfTime', 'The best plan that was found in time is used')
  const made = writePlan({ policy, catalog, digest }, problem, placed, { digest: wanted, solver: solver.name }, parent)
  const { bytes, appliances, fillBytes } = made.object.spec.totals
  p.blob(made.blobs)
    .create(made.object)
    .event(
      'Normal',
      'Planned',
      `${sayBytes(bytes)} on ${count(appliances, 'appliance')}, ${sayBytes(fillBytes)} to fill`,
    )
  return made.object
}

/** Plans beyond the last few, the oldest first. The one in force and its parent always stay. */
function outlived({ plans }: PolicyInput, current: PlacementPlan | undefined): PlacementPlan[] {
  const others = plans
    .filter(({ metadata }) => metadata.name !== current?.metadata.name && metadata.name !== current?.spec.parent)
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1))
  return others.slice(Math.max(0, PLANS_KEPT - 2)).reverse()
}

function writeStatus(
  p: PlanBuilder,
  { policy, catalog, targets, progress, brake }: PolicyInput,
  now: Date,
  state: {
    current?: PlacementPlan
    stalled?: Cause<Reason<'PlacementPolicy'>>
    reconciling?: Cause<Reason<'PlacementPolicy'>>
    /** Its current spec has not been planned yet. */
    isUnplanned?: boolean
  },
): void {
  const { current, stalled } = state
  const demand = demandSource(policy, catalog).condition?.(now)
  const generation = policy.metadata.generation
  const before = policy.status
  const observed = state.isUnplanned ? before?.observedGeneration : generation
  const totals = current?.spec.totals
  const underWay = state.reconciling ?? (totals && convergence(targets.length, progress.converged))
  const wanted = summarize({
    ready: {
      reason: 'Converged',
      message: totals ? `Every appliance holds what ${current.metadata.name} asks` : 'Planned',
    },
    ...(stalled && { stalled }),
    ...(underWay && { reconciling: underWay }),
    conditions: [
      ...(totals ? [fits(totals), ...feasible(policy, current)] : []),
      ...(demand && catalog ? [demand] : []),
      ...(current ? endedEarly(current) : []),
      ...paused(brake),
    ],
  })
  p.applyStatus({
    ...identify(policy),
    ...(current && current.metadata.name !== before?.currentPlan && { metadata: atVersionRead(policy) }),
    status: {
      ...(observed !== undefined && { observedGeneration: observed }),
      conditions: upsertConditions(before?.conditions, wanted, now, generation),
      appliances: { selected: targets.length, converged: progress.converged },
      bytesToMove: progress.bytesToMove,
      ...(current && totals
        ? {
            currentPlan: current.metadata.name,
            ...(current.spec.offload && {
              offload: {
                expectedPercent: current.spec.offload.expectedPercent,
                boundPercent: current.spec.offload.boundPercent,
                ratio: ratioOf(current.spec.offload),
              },
            }),
            ...(current.spec.scarce && { scarce: current.spec.scarce }),
            filesPlaced: totals.files,
            bytesPlaced: totals.bytes,
            filesLeftOut: totals.filesLeftOut,
            bytesLeftOut: totals.bytesLeftOut,
          }
        : before?.currentPlan && { currentPlan: before.currentPlan }),
    },
  } as KubeObject)
}

/** A plan becomes the target only if the policy still is as it was read, and with it the plan's parent. */
function atVersionRead(policy: PlacementPolicy): KubeObject['metadata'] {
  const { resourceVersion } = policy.metadata
  return { ...identify(policy).metadata, ...(resourceVersion !== undefined && { resourceVersion }) }
}

/** What the policy still waits for; an empty selection is planned too, to take back what was placed before. */
function convergence(selected: number, converged: number): Cause<Reason<'PlacementPolicy'>> | undefined {
  if (selected === 0) return { reason: 'NoAppliances', message: 'The selectors match no appliance' }
  if (converged >= selected) return undefined
  return { reason: 'Converging', message: `${converged} of ${count(selected, 'appliance')} hold all they should` }
}

/** Value by bound, 0…1, to four digits. */
function ratioOf({ expectedPercent, boundPercent }: NonNullable<PlacementPlan['spec']['offload']>): number {
  return boundPercent > 0 ? Math.min(1, Math.round((expectedPercent / boundPercent) * 1e4) / 1e4) : 1
}

/** Present only while the plan in force is not as good as it could have been. */
function endedEarly({ spec }: PlacementPlan): WantedCondition<Reason<'PlacementPolicy'>>[] {
  if (!spec.endedEarly) return []
  const worth = spec.offload ? `, at ${ratioOf(spec.offload).toFixed(4)} of the bound` : ''
  const message = `Time for solving was up: the best plan found by then is in force${worth}`
  return [{ type: 'EndedEarly', status: 'True', reason: 'OutOfTime', message }]
}

/** Present only while the brake is engaged. */
function paused(brake: Brake): WantedCondition<Reason<'PlacementPolicy'>>[] {
  return brake.engaged ? [{ type: 'Paused', status: 'True', reason: 'FleetDark', message: brake.message }] : []
}

function fits({
  filesLeftOut,
  bytesLeftOut,
}: PlacementPlan['spec']['totals']): WantedCondition<Reason<'PlacementPolicy'>> {
  if (filesLeftOut === 0)
    return { type: 'Fits', status: 'True', reason: 'EverythingFits', message: 'Every file has a place' }
  return {
    type: 'Fits',
    status: 'False',
    reason: 'StorageExhausted',
    message: `${sayBytes(bytesLeftOut)} more storage is needed: ${count(filesLeftOut, 'file')} left out`,
  }
}

const LIMITS = {
  Appliances: 'TooFewAppliances',
  Storage: 'StorageShort',
  Throughput: 'ThroughputShort',
} as const satisfies Record<string, Reason<'PlacementPolicy'>>

/** Present only where something is asked for that might not be had. */
function feasible(
  { spec: { resilience, copies, pins } }: PlacementPolicy,
  { spec: { unmet, totals } }: PlacementPlan,
): WantedCondition<Reason<'PlacementPolicy'>>[] {
  const [first] = unmet ?? []
  if (first)
    return [
      {
        type: 'Feasible',
        status: 'False',
        reason: LIMITS[first.limit],
        message: [unmetText(first), ...((totals.unmet ?? 1) > 1 ? [`and ${totals.unmet! - 1} more`] : [])].join('; '),
      },
    ]
  if (!resilience && copies?.perRegion === undefined && (pins ?? []).length === 0) return []
  return [{ type: 'Feasible', status: 'True', reason: 'AllMet', message: 'The plan meets all that is asked for' }]
}

/** One thing that cannot be had, as a sentence. */
export function unmetText({
  ask,
  limit,
  site,
  region,
  files = 0,
  servablePercent,
}: NonNullable<PlacementPlan['spec']['unmet']>[number]): string {
  const at = site ? `${site.namespace}/${site.name}` : `region ${region}`
  const short = {
    Appliances: 'too few appliances',
    Storage: 'too little storage',
    Throughput: 'too little throughput of those that are left',
  }[limit]
  switch (ask) {
    case 'Head':
      return `Only ${servablePercent}% of the demand at ${at} would outlive a loss: ${short}`
    case 'Pins':
      return `${count(files, 'pinned file')} lack copies at ${at}: ${short}`
    case 'CopiesPerRegion':
      return `${count(files, 'file')} have fewer copies in ${at} than are asked for: ${short}`
  }
}

/** `namespace/name` of the policy in whose favour `policy` must wait: earlier in order, on a shared appliance, not planned yet. */
export function waitsFor(
  policy: PlacementPolicy,
  earlier: readonly { readonly policy: PlacementPolicy; readonly targets: readonly Target[] }[],
  targets: readonly Target[],
): string | undefined {
  const mine = new Set(targets.map((target) => keyOf(target.appliance)))
  const first = earlier.find(
    ({ policy: other, targets: theirs }) =>
      keyOf(other) !== keyOf(policy) &&
      !other.metadata.deletionTimestamp &&
      other.status?.observedGeneration !== other.metadata.generation &&
      theirs.some((target) => mine.has(keyOf(target.appliance))),
  )
  return first && keyOf(first.policy)
}

/**
 * What the targets report: bytes still to be filled, and how many hold all they should: each must have taken up an Assignment that was made for
 * the policy's plan in force, as one that holds everything of an older plan may have everything still to fill.
 */
export function progressOf(
  policy: PlacementPolicy,
  targets: readonly Target[],
  assignmentOf: (key: string) => Assignment | undefined,
): PolicyInput['progress'] {
  const plan = `${policy.metadata.namespace}/${policy.status?.currentPlan}`
  let bytesToMove = 0
  let converged = 0
  for (const { appliance } of targets) {
    const reported = appliance.status?.content
    const asked = assignmentOf(keyOf(appliance))?.spec.content
    bytesToMove += toMove(reported, asked)
    if (!asked?.entries.some(({ plans }) => plans.includes(plan))) continue
    if (!reported || reported.generation < asked.generation) continue
    if (appliance.status?.conditions?.some((c) => c.type === 'ContentReady' && c.status === 'True')) converged++
  }
  return { bytesToMove, converged }
}

/** What an appliance has still to fill. Until it has reported for its Assignment: what that asks for, less what it holds in all. */
function toMove(reported: NonNullable<Appliance['status']>['content'], asked: Assignment['spec']['content']): number {
  const said = reported?.bytesToFill ?? 0
  if (!asked || (reported && reported.generation >= asked.generation)) return said
  const wanted = asked.entries.reduce((sum, { bytes }) => sum + bytes, 0)
  return Math.max(said, wanted - (reported?.bytesHeld ?? 0))
}
