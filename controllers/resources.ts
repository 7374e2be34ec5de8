import type { KubeObject } from '../crds/metadata.ts'
import { registry } from '../crds/registry.gen.ts'
import type {
  Appliance,
  Assignment,
  Catalog,
  HardwareClass,
  PlacementPlan,
  PlacementPolicy,
  Site,
} from '../crds/types.gen.ts'
import { apiVersionOf, leases, namespaces, type Resource, secrets } from '../runtime/client/resource.ts'

/** Weir's kinds as the client knows resources. */
export const appliances: Resource<Appliance> = registry.Appliance
export const assignments: Resource<Assignment> = registry.Assignment
export const catalogs: Resource<Catalog> = registry.Catalog
export const hardwareClasses: Resource<HardwareClass> = registry.HardwareClass
export const placementPlans: Resource<PlacementPlan> = registry.PlacementPlan
export const placementPolicies: Resource<PlacementPolicy> = registry.PlacementPolicy
export const sites: Resource<Site> = registry.Site

const known = new Map<string, Resource>(
  [
    appliances,
    assignments,
    catalogs,
    hardwareClasses,
    placementPlans,
    placementPolicies,
    sites,
    secrets,
    leases,
    namespaces,
  ].map((resource) => [`${apiVersionOf(resource)} ${resource.kind}`, resource as Resource]),
)

/** The resource of an object that a plan writes. Throws a TypeError for kinds that no plan writes. */
export function resourceOf({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): Resource {
  const resource = known.get(`${apiVersion} ${kind}`)
  if (!resource) throw new TypeError(`plans do not write ${apiVersion} ${kind}`)
  return resource
}
