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
import { type FleetObjects, fleetIndexes } from './gather/objects.ts'
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
export interface Caches extends FleetObjects {
  readonly appliances: Cache<Appliance>
  readonly assignments: Cache<Assignment>
  readonly catalogs: Cache<Catalog>
  readonly hardwareClasses: Cache<HardwareClass>
  readonly plans: Cache<PlacementPlan>
  readonly policies: Cache<PlacementPolicy>
  readonly sites: Cache<Site>
  readonly namespaces: Cache<Namespace>
  /** Agents' tokens only. */
  readonly tokens: Cache<Secret>
  /** Gateways' heartbeats only. */
  readonly heartbeats: Cache<Lease>
}

export function createCaches(manager: Manager): Caches {
  return {
    appliances: manager.cache(appliances, { indexes: fleetIndexes.appliances }),
    assignments: manager.cache(assignments),
    catalogs: manager.cache(catalogs),
    hardwareClasses: manager.cache(hardwareClasses),
    plans: manager.cache(placementPlans, { indexes: fleetIndexes.plans }),
    policies: manager.cache(placementPolicies, { indexes: fleetIndexes.policies }),
    sites: manager.cache(sites, { indexes: fleetIndexes.sites }),
    namespaces: manager.cache(namespaces),
    tokens: manager.cache(secrets, { labelSelector: APPLIANCE_LABEL }),
    heartbeats: manager.cache(leases, { namespace: HEARTBEAT_NAMESPACE, labelSelector: HEARTBEAT_LABEL }),
  }
}
