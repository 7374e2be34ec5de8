import type { Appliance, Catalog, Site } from '../../crds/types.gen.ts'
import type { ApplianceInput } from '../../reconcilers/appliance/plan-appliance.ts'
import { compare } from '../../reconcilers/blobs/plan-index.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import type { SiteInput } from '../../reconcilers/site/plan-site.ts'
import { type FleetObjects, parentsOf, siteKeyOf } from './objects.ts'

/** What a Site's status is made from, but for the brake. */
export function gatherSite(site: Site, objects: FleetObjects): Omit<SiteInput, 'brake'> {
  return {
    site,
    appliances: objects.appliances.byIndex('site', keyOf(site)),
    missingParents: parentsOf(site).filter((parent) => !objects.sites.get(parent)),
  }
}

/** What an Appliance's status is made from, but for what is heard of it. */
export function gatherAppliance(appliance: Appliance, objects: FleetObjects): Omit<ApplianceInput, 'heard'> {
  return {
    appliance,
    site: objects.sites.get(siteKeyOf(appliance)),
    hardwareClass: objects.hardwareClasses.get(appliance.spec.hardwareClassRef.name),
    assignment: objects.assignments.get(keyOf(appliance)),
  }
}

/** `namespace/name` of the policies that use a catalog, sorted. */
export function usersOf(catalog: Catalog, objects: Pick<FleetObjects, 'policies'>): string[] {
  return objects.policies.byIndex('catalog', keyOf(catalog)).map(keyOf).sort(compare)
}
