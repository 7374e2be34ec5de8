import type {
  Appliance,
  Assignment,
  Catalog,
  HardwareClass,
  PlacementPlan,
  PlacementPolicy,
  Site,
} from '../crds/types.gen.ts'
import { APPLIANCE_LABEL } from '../reconcilers/credentials/plan-credentials.ts'
import { HEARTBEAT_LABEL, HEARTBEAT_NAMESPACE } from '../reconcilers/heartbeats/leases.ts'
import type { Cache } from '../runtime/cache/cache.ts'
import { type Lease, leases, type Namespace, namespaces, type Secret, secrets } from '../runtime/client/resource.ts'
import type { Manager } from '../runtime/controller/manager.ts'
import {
  appliances,
  assignments,
  catalogs,
  hardwareClasses,
  placementPlans,
  placementPolicies,
  sites,
} from './resources.ts'

/** What the controllers know of the API, shared by all of them. */
export interface Caches {
  /** Index `site`: `namespace/name` of its Site. Index `hardwareClass`: its name. */
  readonly appliances: Cache<Appliance>
  readonly assignments: Cache<Assignment>
  readonly catalogs: Cache<Catalog>
  readonly hardwareClasses: Cache<HardwareClass>
  /** Index `policy`: `namespace/name` of its PlacementPolicy. */
  readonly plans: Cache<PlacementPlan>
  /** Index `catalog`: `namespace/name` of its Catalog. */
  readonly policies: Cache<PlacementPolicy>
  /** Index `parent`: `namespace/name` of each parent. */
  readonly sites: Cache<Site>
  readonly namespaces: Cache<Namespace>
  /** Agents' tokens only. */
  readonly tokens: Cache<Secret>
  /** Gateways' heartbeats only. */
  readonly heartbeats: Cache<Lease>
}

export function createCaches(manager: Manager): Caches {
  return {
    appliances: manager.cache(appliances, {
      indexes: {
        site: ({ metadata, spec }) => [`${metadata.namespace}/${spec.siteRef.name}`],
        hardwareClass: ({ spec }) => [spec.hardwareClassRef.name],
      },
    }),
    assignments: manager.cache(assignments),
    catalogs: manager.cache(catalogs),
    hardwareClasses: manager.cache(hardwareClasses),
    plans: manager.cache(placementPlans, {
      indexes: { policy: ({ metadata, spec }) => [`${metadata.namespace}/${spec.policyRef.name}`] },
    }),
    policies: manager.cache(placementPolicies, {
      indexes: { catalog: ({ metadata, spec }) => [`${metadata.namespace}/${spec.catalogRef.name}`] },
    }),
    sites: manager.cache(sites, { indexes: { parent: parentsOf } }),
    namespaces: manager.cache(namespaces),
    tokens: manager.cache(secrets, { labelSelector: APPLIANCE_LABEL }),
    heartbeats: manager.cache(leases, { namespace: HEARTBEAT_NAMESPACE, labelSelector: HEARTBEAT_LABEL }),
  }
}

/** `namespace/name` of a site's parents, in order. */
export function parentsOf({ metadata, spec }: Site): string[] {
  return (spec.parents ?? []).map((parent) => `${parent.namespace ?? metadata.namespace}/${parent.name}`)
}
