import type { Appliance } from '../../crds/types.gen.ts'
import { planAppliance } from '../../reconcilers/appliance/plan-appliance.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import type { Change } from '../../runtime/cache/store.ts'
import { Controller } from '../../runtime/controller/controller.ts'
import type { Caches } from '../caches.ts'
import { type ControllerDeps, cameOrWent, watching } from '../deps.ts'
import { createExecutor } from '../execute.ts'
import { gatherAppliance } from '../gather/status.ts'
import { HeardView } from './heard.ts'

/** Keeps every Appliance's conditions, phase and what it waits for. */
export function applianceController(deps: ControllerDeps, caches: Caches): Controller {
  const { clock, log } = deps
  const executor = createExecutor({ ...deps, fieldManager: 'weir-appliance', caches: [caches.appliances] })
  const heard = new HeardView({
    leases: caches.heartbeats,
    clock,
    applianceKeys: () => caches.appliances.keys(),
    onChange: (keys) => {
      for (const key of keys) controller.enqueue(key)
    },
  })
  const controller = new Controller({
    name: 'appliance',
    clock,
    log,
    concurrency: 8,
    ...watching(deps),
    async reconcile(key, { signal }) {
      const appliance = caches.appliances.get(key)
      if (!appliance) return { type: 'done' }
      const input = { ...gatherAppliance(appliance, caches), heard: heard.now }
      return await executor.execute(planAppliance(input, clock.now()), signal, [appliance])
    },
    onClose: () => heard.close(),
  })
  return controller
    .needsCaches(caches.heartbeats)
    .reconciles(caches.appliances, { when: notOnlyOurs })
    .watches(caches.assignments, (assignment) => [keyOf(assignment)])
    .watches(caches.sites, (site) => caches.appliances.byIndex('site', keyOf(site)).map(keyOf), { when: cameOrWent })
    .watches(
      caches.hardwareClasses,
      ({ metadata }) => caches.appliances.byIndex('hardwareClass', metadata.name ?? '').map(keyOf),
      { when: cameOrWent },
    )
}

/** Whether anything but this controller's own part of the status has changed. */
function notOnlyOurs(change: Change<Appliance>): boolean {
  if (change.type !== 'update') return true
  const { object: now, old: before } = change
  return (
    now.metadata.generation !== before.metadata.generation ||
    now.metadata.deletionTimestamp !== before.metadata.deletionTimestamp ||
    now.metadata.uid !== before.metadata.uid ||
    JSON.stringify([now.status?.content, now.status?.agent]) !==
      JSON.stringify([before.status?.content, before.status?.agent])
  )
}
