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

  'SteeringPolicy.spec.clients': 'SteeredClients',
  'SteeringPolicy.spec.clients.siteSelector': 'LabelSelector',
  'SteeringPolicy.spec.clients.siteSelector.matchExpressions[]': 'LabelSelectorRequirement',
  'SteeringPolicy.spec.clients.namespaceSelector': 'LabelSelector',
  'SteeringPolicy.spec.clients.namespaceSelector.matchExpressions[]': 'LabelSelectorRequirement',
  'SteeringPolicy.spec.content': 'SteeredContent',
  'SteeringPolicy.spec.content.catalogs[]': 'CatalogName',
  'SteeringPolicy.spec.purposes[]': 'SteeringPurpose',
  'SteeringPolicy.spec.tiers[]': 'SteeringTier',
  'SteeringPolicy.spec.weights': 'SteeringWeights',
  'SteeringPolicy.spec.costs[]': 'SiteCost',
  'SteeringPolicy.spec.costs[].siteSelector': 'LabelSelector',
  'SteeringPolicy.spec.costs[].siteSelector.matchExpressions[]': 'LabelSelectorRequirement',
  'SteeringPolicy.spec.overload': 'OverloadLimits',
  'SteeringPolicy.spec.canary': 'SteeringCanary',
  'SteeringPolicy.spec.canary.selector': 'LabelSelector',
  'SteeringPolicy.spec.canary.selector.matchExpressions[]': 'LabelSelectorRequirement',
  'SteeringPolicy.spec.fallbacks[]': 'SteeringFallback',
  'SteeringPolicy.spec.fallbacks[].purposes[]': 'SteeringPurpose',
  'SteeringPolicy.spec.pins[]': 'SteeringPin',
  'SteeringPolicy.spec.pins[].clients': 'ClientNetworks',
  'SteeringPolicy.spec.pins[].siteSelector': 'LabelSelector',
  'SteeringPolicy.spec.pins[].siteSelector.matchExpressions[]': 'LabelSelectorRequirement',
  'SteeringPolicy.spec.drains[]': 'SteeringDrain',
  'SteeringPolicy.spec.drains[].clients': 'ClientNetworks',
  'SteeringPolicy.spec.drains[].siteSelector': 'LabelSelector',
  'SteeringPolicy.spec.drains[].siteSelector.matchExpressions[]': 'LabelSelectorRequirement',
  'SteeringPolicy.spec.drains[].selector': 'LabelSelector',
  'SteeringPolicy.spec.drains[].selector.matchExpressions[]': 'LabelSelectorRequirement',
}

/** Types that a schema cannot say. */
export const typeOverrides: Readonly<Record<string, string>> = {
  'PlacementPolicy.spec.pins[].copies': "number | 'all'",
}

/** What is said of types that several fields share, in place of what the first of these fields says. */
export const typeDocs: Readonly<Record<string, string>> = {
  LocalRef: 'Names an object in the same namespace, or a cluster-scoped one.',
  CatalogRef: 'Names a Catalog.',
  ClientNetworks: 'Clients by network, region or both; what is given must match.',
  LabelSelector: 'metav1.LabelSelector: all demands must be met; an empty one matches everything.',
  Window:
    'A stretch of time that comes back, in which to fill. `maxGbps` is for the whole site in a Site, for one appliance in an Assignment.',
  MaintenanceWindow: 'A stretch of time that comes back, in which appliances may be disturbed.',
}
