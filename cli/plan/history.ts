import { isDeepStrictEqual } from 'node:util'
import { fleetOf } from '../../controllers/gather/policy.ts'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { PlacementPolicy } from '../../crds/types.gen.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { selectTargets } from '../../reconcilers/placement/select.ts'
import type { PlannedWork } from './examine.ts'
import { FleetModel } from './fleet-model.ts'

/**
 * Appliances whose content may turn out otherwise than planned, although everything is known. Solvers keep what is where it is, so what they
 * answer depends on the plan before; and controllers, who see a change of several objects one by one, may plan on states in between. A change
 * of one object leads to one planning of each policy, in their order.
 */
export function dependOnHistory(work: PlannedWork, before: FleetModel, after: FleetModel): Set<string> {
  const steps = placementSteps(work, before)
  const anew = after.objects.policies.list().filter((policy) => {
    const old = before.objects.policies.get(keyOf(policy)) as PlacementPolicy | undefined
    return currentPlan(old) !== currentPlan(policy as unknown as PlacementPolicy)
  }) as unknown as readonly PlacementPolicy[]
  if (steps <= 1) return new Set()
  return new Set(
    anew.flatMap((policy) =>
      [before, after].flatMap(({ objects }) =>
        selectTargets(policy, fleetOf(objects)).map(({ appliance }) => keyOf(appliance)),
      ),
    ),
  )
}

const currentPlan = (policy: PlacementPolicy | undefined) => policy?.status?.currentPlan

/** How many objects change so that it may lead to another plan. */
function placementSteps({ changes, deletions, imagined = [] }: PlannedWork, fleet: FleetModel): number {
  const changed = changes.filter(
    ({ action, resolved, before, after }) =>
      action !== 'unchanged' &&
      FleetModel.holds(resolved.object) &&
      (before ? !after || matters(before, after) : !isAwaitedByNone(resolved.object, fleet)),
  )
  const gone = deletions.filter(({ object }) => FleetModel.holds(object))
  return changed.length + gone.length + imagined.length
}

/** Whether a new object is of use only together with others: a site without appliances, a catalog without a policy. */
function isAwaitedByNone(object: KubeObject, { objects }: FleetModel): boolean {
  const { kind, metadata } = object
  switch (kind) {
    case 'Site':
      return objects.appliances.byIndex('site', keyOf(object)).length === 0
    case 'HardwareClass':
      return objects.appliances.byIndex('hardwareClass', metadata.name ?? '').length === 0
    case 'Catalog':
      return objects.policies.byIndex('catalog', keyOf(object)).length === 0
    default:
      return kind === 'Namespace'
  }
}

/** What of a spec no placement looks at. */
const INDIFFERENT: Readonly<Record<string, readonly string[]>> = {
  Appliance: ['serialNumber', 'mode'],
  Site: ['metro', 'coordinates', 'timeZone', 'network', 'fillWindows', 'maintenanceWindows'],
  Catalog: ['originUrl', 'refreshInterval', 'suspend'],
  HardwareClass: ['cpuCores', 'memoryBytes', 'storageMedium'],
}

function matters(before: KubeObject & JsonObject, after: KubeObject & JsonObject): boolean {
  const relevant = ({ kind, metadata, spec }: KubeObject & JsonObject) => {
    const fields = Object.entries((spec ?? {}) as JsonObject).filter(([field]) => !INDIFFERENT[kind]?.includes(field))
    const leaves = kind === 'Appliance' && (spec as JsonObject).mode === 'Decommissioned'
    return { labels: metadata.labels ?? {}, leaves, fields: Object.fromEntries(fields) }
  }
  return !isDeepStrictEqual(relevant(before), relevant(after))
}
