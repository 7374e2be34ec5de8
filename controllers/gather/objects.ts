import type {
  Appliance,
  Assignment,
  Catalog,
  HardwareClass,
  PlacementPlan,
  PlacementPolicy,
  Site,
} from '../../crds/types.gen.ts'
import type { Namespace } from '../../runtime/client/resource.ts'

/** Objects of one kind to decide on: a cache that follows the API, or a snapshot with something laid on top. */
export interface Objects<T> {
  /** By `namespace/name`, or `name` for cluster-scoped kinds. */
  get(key: string): T | undefined
  list(): readonly T[]
  byIndex(name: string, value: string): readonly T[]
}

/** Everything that decisions about the fleet are made on. The indexes are those of `fleetIndexes`. */
export interface FleetObjects {
  readonly appliances: Objects<Appliance>
  readonly assignments: Objects<Assignment>
  readonly catalogs: Objects<Catalog>
  readonly hardwareClasses: Objects<HardwareClass>
  readonly plans: Objects<PlacementPlan>
  readonly policies: Objects<PlacementPolicy>
  readonly sites: Objects<Site>
  readonly namespaces: Objects<Namespace>
}

/** `namespace/name` of the site that an appliance stands at. */
export const siteKeyOf = ({ metadata, spec }: Appliance) => `${metadata.namespace}/${spec.siteRef.name}`

/** `namespace/name` of a site's parents, in order. */
export function parentsOf({ metadata, spec }: Site): string[] {
  return (spec.parents ?? []).map((parent) => `${parent.namespace ?? metadata.namespace}/${parent.name}`)
}

/** By what objects are looked up, besides their key. */
export const fleetIndexes = {
  appliances: {
    /** `namespace/name` of its Site. */
    site: (appliance: Appliance) => [siteKeyOf(appliance)],
    hardwareClass: ({ spec }: Appliance) => [spec.hardwareClassRef.name],
  },
  plans: {
    /** `namespace/name` of its PlacementPolicy. */
    policy: ({ metadata, spec }: PlacementPlan) => [`${metadata.namespace}/${spec.policyRef.name}`],
  },
  policies: {
    /** `namespace/name` of its Catalog. */
    catalog: ({ metadata, spec }: PlacementPolicy) => [`${metadata.namespace}/${spec.catalogRef.name}`],
  },
  sites: {
    /** `namespace/name` of each parent. */
    parent: parentsOf,
  },
} as const
