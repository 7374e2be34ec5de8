import type { Assignment, PlacementPlan } from '../../crds/types.gen.ts'
import { encodePlanIndex, type PlanIndexRow } from '../../reconcilers/blobs/plan-index.ts'
import type { FleetSnapshot } from './fleet-model.ts'

/**
 * The indexes of the plans in force, as the Assignments tell them: what whoever cannot read blobs still knows. By the digest of the index.
 * A plan that was united with another one is left out: an Assignment does not say what either asked for.
 */
export function indexesFromAssignments({
  plans,
  assignments,
}: Pick<FleetSnapshot, 'plans' | 'assignments'>): Map<string, Uint8Array> {
  const rows = new Map<string, PlanIndexRow[]>()
  const united = new Set<string>()
  for (const assignment of assignments) {
    for (const entry of assignment.spec.content?.entries ?? []) {
      if (entry.plans.length > 1) for (const plan of entry.plans) united.add(plan)
      const [plan] = entry.plans
      if (plan === undefined) continue
      const known = rows.get(plan)
      if (known) known.push(rowOf(assignment, entry))
      else rows.set(plan, [rowOf(assignment, entry)])
    }
  }
  const told = plans.filter((plan) => rows.has(keyOf(plan)) && !united.has(keyOf(plan)))
  return new Map(
    told.map((plan) => [
      plan.spec.index.digest,
      encodePlanIndex({ catalog: plan.spec.catalog.digest, rows: rows.get(keyOf(plan))! }),
    ]),
  )
}

const keyOf = ({ metadata }: PlacementPlan) => `${metadata.namespace}/${metadata.name}`

type Entry = NonNullable<Assignment['spec']['content']>['entries'][number]

function rowOf({ metadata }: Assignment, { manifestDigest, files, bytes }: Entry): PlanIndexRow {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '', manifest: manifestDigest, files, bytes }
}
