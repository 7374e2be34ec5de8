import type { Appliance, Catalog, PlacementPolicy } from '../crds/types.gen.ts'
import { DRAIN_SECONDS } from '../reconcilers/assignment/plan-assignment.ts'
import { keyOf } from '../reconcilers/identity.ts'
import type { Change } from '../runtime/cache/store.ts'
import { Controller } from '../runtime/controller/controller.ts'
import type { Caches } from './caches.ts'
import { CONTROLLER_CONNECTIONS } from './connections.ts'
import { asked, type ControllerDeps, cameOrWent, watching } from './deps.ts'
import { createExecutor } from './execute.ts'
import { decideAssignment } from './gather/assignment.ts'
import { siteKeyOf } from './gather/objects.ts'
import type { BlobReader } from './placement/blob-reader.ts'

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
      concurrency: CONTROLLER_CONNECTIONS,
      ...watching(deps),
      async reconcile(key, { signal }) {
        const appliance = caches.appliances.get(key)
        if (!appliance) return { type: 'done' }
        const around = { drainSeconds, brake: deps.brake.now }
        const { plan, read } = await decideAssignment(appliance, caches, reader, around)
        return await executor.execute(plan, signal, read)
      },
    })
      .reconciles(caches.appliances, { when: (change) => asked(change) || reported(change) })
      .watches(caches.assignments, (assignment) => [keyOf(assignment)], { when: asked })
      .watches(caches.sites, (site) => neighbours(keyOf(site)), { when: asked })
      // The fill rate of a site is shared by those that stand there.
      .watches(caches.appliances, (appliance) => neighbours(siteKeyOf(appliance)), {
        when: moved,
      })
      .watches(caches.policies, everyAppliance, { when: anotherPlan })
      .watches(caches.plans, everyAppliance, { when: cameOrWent })
      .watches(caches.catalogs, everyAppliance, { when: anotherOrigin })
  )
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
