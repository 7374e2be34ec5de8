import type { Appliance, HardwareClass, Site } from '../../crds/types.gen.ts'
import type { FileSet } from '../blobs/file-set.ts'
import { LineArena } from './line-arena.ts'
import { compileNetworks } from './networks.ts'
import { newPlaces } from './places.ts'
import type { PolicyInput } from './policy.ts'
import { newSiteLines } from './site-lines.ts'
import {
  putAppliance,
  putCatalog,
  putHardwareClass,
  putSite,
  setInventory,
  setNamespaceLabels,
  setPolicies,
  tick,
} from './update.ts'
import { type CatalogFiles, NO_LISTS, type World } from './world.ts'

/** Desired and observed state, as the API gives it. Everything but sites and appliances may be left out. */
export interface WorldInput {
  readonly sites: readonly Site[]
  readonly appliances: readonly Appliance[]
  readonly hardwareClasses?: readonly HardwareClass[]
  readonly policies?: readonly PolicyInput[]
  /** Labels of each Namespace, by name. */
  readonly namespaceLabels?: ReadonlyMap<string, Readonly<Record<string, string>>>
  readonly catalogs?: readonly { readonly key: string; readonly files: CatalogFiles }[]
  /** What appliances verifiably hold: keys are `namespace/name`. */
  readonly inventories?: readonly { readonly appliance: string; readonly catalog: string; readonly files: FileSet }[]
}

/** A world of the given state at `nowMs`. From there on the functions of `update.ts` keep it up to date; it need not be built again. */
export function buildWorld(input: WorldInput, nowMs: number): World {
  const world = emptyWorld(nowMs)
  setNamespaceLabels(world, input.namespaceLabels ?? new Map())
  for (const hardwareClass of input.hardwareClasses ?? []) putHardwareClass(world, hardwareClass)
  for (const site of input.sites) putSite(world, site)
  for (const appliance of input.appliances) putAppliance(world, appliance)
  for (const { key, files } of input.catalogs ?? []) putCatalog(world, key, files)
  for (const { appliance, catalog, files } of input.inventories ?? []) setInventory(world, appliance, catalog, files)
  setPolicies(world, input.policies ?? [])
  tick(world, nowMs)
  return world
}

function emptyWorld(nowMs: number): World {
  return {
    nowMs,
    ticks: 0,
    stale: true,
    sitesStale: true,
    siteOrdinals: new Map(),
    sites: [],
    siteKeys: [],
    siteRegion: new Int32Array(0),
    siteVectors: new Float64Array(0),
    siteLines: newSiteLines(0),
    siteLoadAtTick: new Float64Array(0),
    siteAppliances: NO_LISTS,
    siblings: NO_LISTS,
    parents: NO_LISTS,
    regionSites: NO_LISTS,
    regions: [],
    regionOrdinals: new Map(),
    applianceOrdinals: new Map(),
    appliances: [],
    applianceKeys: [],
    urls: [],
    urlsVersion: 0,
    applianceSite: new Int32Array(0),
    appliancePlace: new Int32Array(0),
    throughputGbps: new Float64Array(0),
    upSinceMs: new Float64Array(0),
    reported: new Float64Array(0),
    reportedAtMs: new Float64Array(0),
    inFlight: new Float64Array(0),
    sentGbps: new Float64Array(0),
    places: newPlaces(0),
    hardwareClasses: new Map(),
    namespaceLabels: new Map(),
    catalogOrdinals: new Map(),
    catalogKeys: [],
    catalogs: [],
    shelves: [],
    waitingShelves: new Map(),
    lines: new LineArena(),
    oddShelves: 0,
    lostShelf: 0,
    holders: [],
    holdersRenewal: undefined,
    policyInputs: [],
    policies: [],
    policyWords: 1,
    sitePolicies: new Uint32Array(0),
    unlocatedPolicies: new Uint32Array(0),
    networks: compileNetworks([]),
    networkPolicies: new Uint32Array(0),
    contentPolicies: new Uint32Array(0),
    contentClass: [],
    purposePolicies: new Uint32Array(0),
    absurdReports: 0,
    shelvesLeftOut: 0,
  }
}
