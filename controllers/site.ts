import type { Appliance } from '../crds/types.gen.ts'
import { keyOf } from '../reconcilers/identity.ts'
import { planSite } from '../reconcilers/site/plan-site.ts'
import type { Change } from '../runtime/cache/store.ts'
import { Controller } from '../runtime/controller/controller.ts'
import type { Caches } from './caches.ts'
import { asked, type ControllerDeps, cameOrWent, watching } from './deps.ts'
import { createExecutor } from './execute.ts'
import { siteKeyOf } from './gather/objects.ts'
import { gatherSite } from './gather/status.ts'

export interface SiteOptions {
  /** What a site's appliances report is summed up this often. 1 s unless told. */
  readonly progressDelayMs?: number
}

/** Sums the appliances of every Site up, and lets a deleted Site go once they are drained. */
export function siteController(
  deps: ControllerDeps,
  caches: Caches,
  { progressDelayMs = 1000 }: SiteOptions = {},
): Controller {
  const { clock, log } = deps
  const executor = createExecutor({ ...deps, fieldManager: 'weir-site', caches: [caches.sites] })
  const siteOf = (appliance: Appliance) => [siteKeyOf(appliance)]
  return new Controller({
    name: 'site',
    clock,
    log,
    concurrency: 4,
    ...watching(deps),
    async reconcile(key, { signal }) {
      const site = caches.sites.get(key)
      if (!site) return { type: 'done' }
      const input = { ...gatherSite(site, caches), brake: deps.brake.now }
      return await executor.execute(planSite(input, clock.now()), signal, [site])
    },
  })
    .reconciles(caches.sites, { when: asked })
    .watches(caches.sites, (parent) => caches.sites.byIndex('parent', keyOf(parent)).map(keyOf), { when: cameOrWent })
    .watches(caches.appliances, siteOf, { when: (change) => cameOrWent(change) || moved(change) })
    .watches(caches.appliances, siteOf, { delayMs: progressDelayMs })
}

function moved(change: Change<Appliance>): boolean {
  return change.type === 'update' && change.object.spec.siteRef.name !== change.old.spec.siteRef.name
}
