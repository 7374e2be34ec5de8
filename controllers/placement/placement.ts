import type { Catalog, PlacementPolicy } from '../../crds/types.gen.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import type { PolicyInput } from '../../reconcilers/placement/plan-policy.ts'
import type { PlacementProblem, PlacementSolver } from '../../reconcilers/placement/problem.ts'
import { comparePolicies } from '../../reconcilers/placement/select.ts'
import type { Change } from '../../runtime/cache/store.ts'
import { Controller } from '../../runtime/controller/controller.ts'
import type { Caches } from '../caches.ts'
import { asked, type ControllerDeps, watching } from '../deps.ts'
import { createExecutor } from '../execute.ts'
import { decidePolicy } from '../gather/policy.ts'
import type { BlobReader } from './blob-reader.ts'
import { Elsewhere, type ElsewhereOptions, PolicyChanged } from './place-elsewhere.ts'
import { Solving } from './solving.ts'

export interface PlacementOptions
  extends Pick<ElsewhereOptions, 'deadlineMs' | 'inlineUpTo' | 'tellAfterMs' | 'tellEveryMs'> {
  readonly solver?: PlacementSolver
  /** Changes of the fleet are gathered for so long before policies plan anew. 250 ms unless told. */
  readonly fleetDelayMs?: number
  /** Progress that appliances report is summed up this often. 2 s unless told. */
  readonly progressDelayMs?: number
  /** Told of what is being solved. */
  readonly solving?: Solving
}

/** Plans every PlacementPolicy anew when something that its plan depends on has changed, and reports how far it is. */
export function placementController(
  deps: ControllerDeps,
  caches: Caches,
  reader: BlobReader,
  {
    solver = defaultSolver,
    fleetDelayMs = 250,
    progressDelayMs = 2000,
    solving = new Solving(),
    ...elsewhereOptions
  }: PlacementOptions = {},
): Controller {
  const { clock, log } = deps
  const executor = createExecutor({
    ...deps,
    fieldManager: 'weir-placement',
    caches: [caches.policies, caches.plans],
  })
  const elsewhere = new Elsewhere({ ...deps, caches, executor, solving, ...elsewhereOptions })
  // In the order in which they take what there is: who plans before others have must plan again once they have.
  const inOrder = (policies: readonly PlacementPolicy[]) => [...policies].sort(comparePolicies).map(keyOf)
  const everyPolicy = () => inOrder(caches.policies.list())
  return (
    new Controller({
      name: 'placement',
      clock,
      log,
      ...watching(deps),
      async reconcile(key, { signal }) {
        const policy = caches.policies.get(key)
        if (!policy) return { type: 'done' }
        const around = {
          solver,
          get brake() {
            return deps.brake.now
          },
          get now() {
            return clock.now()
          },
          // Threads know the solver in force only.
          ...(solver === defaultSolver && {
            place: (problem: PlacementProblem, catalogDigest: string, question: PolicyInput) =>
              elsewhere.place(problem, catalogDigest, question, signal),
          }),
        }
        try {
          const plan = await decidePolicy(policy, caches, reader, around)
          const result = await executor.execute(plan, signal, [caches.policies.get(key) ?? policy])
          elsewhere.written(key)
          return result
        } catch (error) {
          // Nothing has failed: it is to be planned for what it is now.
          if (error instanceof PolicyChanged) return { type: 'requeue', afterMs: 0 }
          throw error
        }
      },
    })
      .reconciles(caches.policies, { when: asked })
      .watches(caches.plans, (plan) => [`${plan.metadata.namespace}/${plan.spec.policyRef.name}`], { when: asked })
      .watches(caches.catalogs, (catalog) => inOrder(caches.policies.byIndex('catalog', keyOf(catalog))), {
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

function published({ status }: { readonly status?: Catalog['status'] }): string {
  const { digest, demandDigest, counted } = status ?? {}
  return JSON.stringify([digest, demandDigest, counted])
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
