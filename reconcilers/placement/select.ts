import type { Appliance, HardwareClass, PlacementPolicy, Site } from '../../crds/types.gen.ts'
import { compare } from '../blobs/plan-index.ts'
import { keyOf } from '../identity.ts'
import { matchesSelector } from '../labels/selector.ts'

/** Names the region of a Site; without it, the site's country is its region. */
export const REGION_LABEL = 'topology.kubernetes.io/region'

/** An appliance that a policy places on, with what it needs to be known of it. */
export interface Target {
  readonly appliance: Appliance
  readonly site: Site
  readonly hardwareClass: HardwareClass
}

/** The fleet as a policy sees it. */
export interface Fleet {
  readonly appliances: readonly Appliance[]
  /** By `namespace/name`. */
  readonly sites: ReadonlyMap<string, Site>
  /** By name. */
  readonly hardwareClasses: ReadonlyMap<string, HardwareClass>
  /** Labels of each Namespace, by name. */
  readonly namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>
}

/**
 * The appliances that a policy places on, sorted by key. Appliances that are being removed, decommissioned, at a site that is being removed or
 * of an unknown site or hardware class are no targets; those that drain, are out of service or dark are: they keep what they hold.
 */
export function selectTargets(policy: PlacementPolicy, fleet: Fleet): Target[] {
  const { siteSelector, selector, namespaceSelector } = policy.spec.appliances ?? {}
  const targets: Target[] = []
  for (const appliance of fleet.appliances) {
    const { namespace = '', labels, deletionTimestamp } = appliance.metadata
    if (deletionTimestamp || appliance.spec.mode === 'Decommissioned') continue
    if (namespaceSelector) {
      if (!matchesSelector(namespaceSelector, fleet.namespaceLabels.get(namespace))) continue
    } else if (namespace !== policy.metadata.namespace) continue
    if (selector && !matchesSelector(selector, labels)) continue
    const site = fleet.sites.get(`${namespace}/${appliance.spec.siteRef.name}`)
    const hardwareClass = fleet.hardwareClasses.get(appliance.spec.hardwareClassRef.name)
    if (!site || site.metadata.deletionTimestamp || !hardwareClass) continue
    if (siteSelector && !matchesSelector(siteSelector, site.metadata.labels)) continue
    targets.push({ appliance, site, hardwareClass })
  }
  return targets.sort((a, b) => compare(keyOf(a.appliance), keyOf(b.appliance)))
}

/** Policies in the order in which they plan: by priority, then namespace, then name. */
export function comparePolicies(a: PlacementPolicy, b: PlacementPolicy): number {
  return (b.spec.priority ?? 0) - (a.spec.priority ?? 0) || compare(keyOf(a), keyOf(b))
}
