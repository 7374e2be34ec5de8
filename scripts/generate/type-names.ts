/**
 * What the nested objects and enums of the kinds are called in TypeScript, by path (`[]`: the items). Two paths may share a name when
 * their shapes are the same. A spec is `<Kind>Spec`, a status `<Kind>Status`; conditions are metav1.Condition.
 */
export const typeNames: Readonly<Record<string, string>> = {
  'HardwareClass.spec.storageMedium': 'StorageMedium',

  'Site.spec.tier': 'SiteTier',
  'Site.spec.coordinates': 'Coordinates',
  'Site.spec.network': 'SiteNetwork',
  'Site.spec.demand': 'SiteDemand',
  'Site.spec.parents[]': 'SiteParent',
  'Site.spec.fillWindows[]': 'Window',
  'Site.spec.fillWindows[].days[]': 'Weekday',
  'Site.spec.maintenanceWindows[]': 'MaintenanceWindow',
  'Site.spec.maintenanceWindows[].days[]': 'Weekday',
  'Site.status.appliances': 'SiteApplianceCounts',
  'Site.status.content': 'SiteContent',

  'Appliance.spec.siteRef': 'LocalRef',
  'Appliance.spec.hardwareClassRef': 'LocalRef',
  'Appliance.spec.mode': 'ApplianceMode',
  'Appliance.status.phase': 'AppliancePhase',
  'Appliance.status.addresses[]': 'ApplianceAddress',
  'Appliance.status.content': 'ApplianceContent',
  'Appliance.status.content.failures[]': 'FileFailure',
  'Appliance.status.content.inventories[]': 'InventoryRef',
  'Appliance.status.content.inventories[].catalog': 'CatalogRef',
  'Appliance.status.agent': 'AgentInfo',

  'Assignment.spec.content': 'ContentAssignment',
  'Assignment.spec.content.entries[]': 'ContentEntry',
  'Assignment.spec.content.entries[].catalog': 'CatalogRef',
  'Assignment.spec.content.fill': 'FillSchedule',
  'Assignment.spec.content.fill.windows[]': 'Window',
  'Assignment.spec.content.fill.windows[].days[]': 'Weekday',

  'Catalog.spec.source': 'CatalogSource',
  'Catalog.status.counted': 'CountedDemand',

  'PlacementPolicy.spec.catalogRef': 'LocalRef',
  'PlacementPolicy.spec.appliances': 'ApplianceSelection',
  'PlacementPolicy.spec.appliances.siteSelector': 'LabelSelector',
  'PlacementPolicy.spec.appliances.siteSelector.matchExpressions[]': 'LabelSelectorRequirement',
  'PlacementPolicy.spec.appliances.selector': 'LabelSelector',
  'PlacementPolicy.spec.appliances.selector.matchExpressions[]': 'LabelSelectorRequirement',
  'PlacementPolicy.spec.appliances.namespaceSelector': 'LabelSelector',
  'PlacementPolicy.spec.appliances.namespaceSelector.matchExpressions[]': 'LabelSelectorRequirement',
  'PlacementPolicy.spec.copies': 'MinimumCopies',
  'PlacementPolicy.spec.pins[]': 'PinnedFiles',
  'PlacementPolicy.spec.exclude[]': 'ExcludedFiles',
  'PlacementPolicy.spec.churn': 'ChurnLimits',
  'PlacementPolicy.spec.demand': 'DemandSource',
  'PlacementPolicy.status.offload': 'Offload',
  'PlacementPlan.spec.offload': 'PlannedOffload',
  'PlacementPolicy.status.scarce[]': 'ScarceResource',
  'PlacementPolicy.status.scarce[].site': 'SiteRef',
  'PlacementPlan.spec.scarce[]': 'ScarceResource',
  'PlacementPlan.spec.scarce[].site': 'SiteRef',
  'PlacementPolicy.status.appliances': 'PolicyApplianceCounts',

  'PlacementPlan.spec.policyRef': 'PolicyRef',
  'PlacementPlan.spec.catalog': 'PlannedCatalog',
  'PlacementPlan.spec.index': 'PlanIndexRef',
  'PlacementPlan.spec.sites[]': 'PlannedSite',
  'PlacementPlan.spec.others': 'PlannedSites',
  'PlacementPlan.spec.totals': 'PlanTotals',
}

/** Types that a schema cannot say. */
export const typeOverrides: Readonly<Record<string, string>> = {
  'PlacementPolicy.spec.pins[].copies': "number | 'all'",
}

/** What is said of types that several fields share, in place of what the first of these fields says. */
export const typeDocs: Readonly<Record<string, string>> = {
  LocalRef: 'Names an object in the same namespace, or a cluster-scoped one.',
  CatalogRef: 'Names a Catalog.',
  LabelSelector: 'metav1.LabelSelector: all demands must be met; an empty one matches everything.',
  Window:
    'A stretch of time that comes back, in which to fill. `maxGbps` is for the whole site in a Site, for one appliance in an Assignment.',
  MaintenanceWindow: 'A stretch of time that comes back, in which appliances may be disturbed.',
}
