import type { Appliance, HardwareClass, Site } from '../../crds/types.gen.ts'
import type { FileSet } from '../blobs/file-set.ts'
import { keyOf } from '../identity.ts'
import { hashString } from '../placement/hash.ts'
import { compilePolicies } from './compile-policies.ts'
import { noteHolder } from './holders.ts'
import { deriveLoad, fadeSent, LEAST_SHARE, MAX_UTILISATION, reportedLoad, slowestStart } from './load.ts'
import { loadAt, putHashAt, putLoadAt, putWeightAt, setState, stateAt, stateOf, weightAt, weightOf } from './places.ts'
import type { PolicyInput } from './policy.ts'
import { dropShelves, moveToShelf, packWaiting, putOnShelf } from './shelves.ts'
import { addSiteLoad } from './site-lines.ts'
import { indexAppliances, indexSites } from './site-lists.ts'
import { STATE } from './state.ts'
import type { LoadReport } from './types.ts'
import type { CatalogFiles, World } from './world.ts'

/** Gbit/s of an appliance whose hardware class is not known. */
export const UNKNOWN_THROUGHPUT_GBPS = 1

/** Most requests in flight that are believed. */
export const MAX_IN_FLIGHT = 1e6

/**
 * Adds a Site or takes up a new version of it. Like every change of sites, appliances, catalogs, policies and labels it is in force after the
 * next `tick`, except that what forbids an appliance is in force at once.
 */
export function putSite(world: World, site: Site): void {
  const key = keyOf(site)
  let ordinal = world.siteOrdinals.get(key)
  if (ordinal === undefined) {
    ordinal = world.sites.length
    world.siteOrdinals.set(key, ordinal)
    world.siteKeys.push(key)
  }
  const before = world.sites[ordinal]
  world.sites[ordinal] = site
  if (!before || !isSame(before.metadata.labels, site.metadata.labels) || !isSame(before.spec, site.spec)) {
    world.stale = true
    world.sitesStale = true
  }
  refreshAppliancesOf(world, ordinal)
}

/** Forgets a Site: its appliances are named no more. */
export function removeSite(world: World, key: string): void {
  const ordinal = world.siteOrdinals.get(key)
  if (ordinal === undefined) return
  world.sites[ordinal] = undefined
  world.stale = true
  world.sitesStale = true
  refreshAppliancesOf(world, ordinal)
}

/** Adds an Appliance or takes up a new version of it. A new one is down until `setUp` says otherwise, unless its condition Online is True. */
export function putAppliance(world: World, appliance: Appliance): void {
  const key = keyOf(appliance)
  let ordinal = world.applianceOrdinals.get(key)
  if (ordinal === undefined) {
    ordinal = world.appliances.length
    world.applianceOrdinals.set(key, ordinal)
    world.applianceKeys.push(key)
    world.appliances.push(undefined)
    world.urls.push('')
    reserve(world, ordinal + 1)
    world.applianceSite[ordinal] = -1
    world.appliancePlace[ordinal] = -1
  }
  const { namespace = '' } = appliance.metadata
  const before = world.appliances[ordinal]
  const beforeAt = world.applianceSite[ordinal]
  moveTo(world, ordinal, world.siteOrdinals.get(`${namespace}/${appliance.spec.siteRef.name}`) ?? -1)
  if (world.appliances[ordinal] === undefined) {
    const online = appliance.status?.conditions?.some(({ type, status }) => type === 'Online' && status === 'True')
    setState(world, ordinal, online ? 0 : STATE.Down)
    world.upSinceMs[ordinal] = Number.NEGATIVE_INFINITY
    world.reported[ordinal] = Number.NaN
    world.reportedAtMs[ordinal] = Number.NEGATIVE_INFINITY
    world.inFlight[ordinal] = 0
    world.sentGbps[ordinal] = 0
  }
  world.appliances[ordinal] = appliance
  const url = appliance.status?.addresses?.find(({ type }) => type === 'HTTP')?.url ?? ''
  if (world.urls[ordinal] !== url) {
    world.urls[ordinal] = url
    world.urlsVersion++
  }
  putHashAt(world.places, world.appliancePlace[ordinal]!, hashString(key))
  refreshAppliance(world, ordinal)
  // Most new versions tell of conditions and fills only, by which no list and no policy goes.
  const isMoved = world.applianceSite[ordinal] !== beforeAt
  if (!before || isMoved || !isSame(before.metadata.labels, appliance.metadata.labels)) world.stale = true
}

/** Whether two parts of objects are the same, written in the same order. */
const isSame = (a: unknown, b: unknown) => a === b || JSON.stringify(a) === JSON.stringify(b)

/** Forgets an Appliance and what it holds. Its ordinal is given back to it if it returns, never to another. */
export function removeAppliance(world: World, key: string): void {
  const ordinal = world.applianceOrdinals.get(key)
  if (ordinal === undefined) return
  world.appliances[ordinal] = undefined
  setState(world, ordinal, STATE.Absent)
  world.shelves.forEach((_, catalog) => {
    putOnShelf(world, catalog, ordinal, undefined)
  })
  world.stale = true
}

/** Takes up what a model of appliance can do. */
export function putHardwareClass(world: World, hardwareClass: HardwareClass): void {
  const name = hardwareClass.metadata.name ?? ''
  world.hardwareClasses.set(name, hardwareClass)
  world.appliances.forEach((appliance, i) => {
    if (appliance?.spec.hardwareClassRef.name === name) refreshAppliance(world, i)
  })
  world.stale = true
}

export function removeHardwareClass(world: World, name: string): void {
  if (!world.hardwareClasses.delete(name)) return
  world.appliances.forEach((appliance, i) => {
    if (appliance?.spec.hardwareClassRef.name === name) refreshAppliance(world, i)
  })
}

/** Labels of each Namespace, by name: what `namespaceSelector` chooses by. */
export function setNamespaceLabels(world: World, labels: ReadonlyMap<string, Readonly<Record<string, string>>>): void {
  world.namespaceLabels = labels
  world.stale = true
}

/** Takes up all SteeringPolicies there are. */
export function setPolicies(world: World, policies: readonly PolicyInput[]): void {
  world.policyInputs = policies
  world.stale = true
}

/** Adds a catalog (`namespace/name`) or a new version of it: an index that named a file still names it or nothing. Returns its ordinal. */
export function putCatalog(world: World, key: string, files: CatalogFiles): number {
  const ordinal = catalogOrdinal(world, key)
  world.catalogs[ordinal] = files
  world.stale = true
  return ordinal
}

/** Forgets a catalog and who holds anything of it. To be called as well when indices begin anew: the Catalog was deleted and made again. */
export function removeCatalog(world: World, key: string): void {
  const ordinal = world.catalogOrdinals.get(key)
  if (ordinal === undefined) return
  world.catalogs[ordinal] = undefined
  dropShelves(world, ordinal)
  world.holders[ordinal] = undefined
  world.stale = true
}

function catalogOrdinal(world: World, key: string): number {
  let ordinal = world.catalogOrdinals.get(key)
  if (ordinal === undefined) {
    ordinal = world.catalogs.length
    world.catalogOrdinals.set(key, ordinal)
    world.catalogKeys.push(key)
    world.catalogs.push(undefined)
    world.shelves.push(new Uint32Array(0))
    world.holders.push(undefined)
    world.stale = true
  }
  return ordinal
}

/**
 * Replaces what an appliance verifiably holds of a catalog. What is withdrawn is named no more at once, what is new is at once, or after the next `tick` where
 * the appliance had nothing. `undefined`: it advertises nothing of it any more. Unknown appliances are ignored. `files` must not be changed afterwards.
 */
export function setInventory(world: World, appliance: string, catalog: string, files: FileSet | undefined): void {
  const ordinal = world.applianceOrdinals.get(appliance)
  if (ordinal === undefined || world.appliances[ordinal] === undefined) return
  const of = catalogOrdinal(world, catalog)
  putOnShelf(world, of, ordinal, files)
  if (files) noteHolder(world, of, ordinal, files)
}

/** Says whether an appliance answers, at once. One that comes back starts slowly from `nowMs` on. */
export function setUp(world: World, appliance: string, up: boolean, nowMs: number): void {
  const ordinal = world.applianceOrdinals.get(appliance)
  if (ordinal === undefined) return
  const state = stateOf(world, ordinal)
  const was = (state & STATE.Down) === 0
  if (was === up) return
  setState(world, ordinal, state ^ STATE.Down)
  if (!up) return
  // It has done nothing lately, whatever it said before it went.
  world.upSinceMs[ordinal] = nowMs
  world.reported[ordinal] = 0
  world.reportedAtMs[ordinal] = nowMs
  world.inFlight[ordinal] = 0
  world.sentGbps[ordinal] = 0
  const place = world.appliancePlace[ordinal]!
  putLoadAt(world.places, place, 0)
  if (slowestStart(world) > 0) putWeightAt(world.places, place, world.throughputGbps[ordinal]! * LEAST_SHARE)
}

/** Takes up what an appliance says of its load. What cannot be is put into bounds and counted; what is no number at all is not taken up. */
export function reportLoad(world: World, appliance: string, report: LoadReport, nowMs: number): void {
  const ordinal = world.applianceOrdinals.get(appliance)
  if (ordinal === undefined) return
  const utilisation = bounded(report.utilisation, MAX_UTILISATION)
  const inFlight = bounded(report.inFlight, MAX_IN_FLIGHT)
  if (utilisation !== report.utilisation || inFlight !== report.inFlight) world.absurdReports++
  if (Number.isNaN(utilisation) || Number.isNaN(inFlight)) return
  world.reported[ordinal] = utilisation
  world.inFlight[ordinal] = inFlight
  world.reportedAtMs[ordinal] = nowMs
  world.sentGbps[ordinal] = 0
  const share = weightOf(world, ordinal) / world.throughputGbps[ordinal]!
  if (share > 0) setLoad(world, ordinal, reportedLoad(world, ordinal) / share)
}

const bounded = (value: number, most: number) => (Number.isNaN(value) ? value : Math.min(Math.max(value, 0), most))

/** Tells the world that a play of about `gbps` has been sent to an appliance: it counts as its load until the next report says how it is, and fades. */
export function noteSent(world: World, appliance: number, gbps: number): void {
  world.sentGbps[appliance]! += gbps
  const { places } = world
  const place = world.appliancePlace[appliance]!
  putLoadAt(places, place, loadAt(places, place) + gbps / weightAt(places, place))
  if (stateAt(places, place) === 0) addSiteLoad(world.siteLines, world.applianceSite[appliance]!, gbps)
}

/** Sets what decisions go by, and keeps the mean of the site in step. */
function setLoad(world: World, appliance: number, load: number): void {
  const { places } = world
  const place = world.appliancePlace[appliance]!
  const change = load - loadAt(places, place)
  putLoadAt(places, place, load)
  if (stateAt(places, place) === 0) {
    addSiteLoad(world.siteLines, world.applianceSite[appliance]!, change * weightAt(places, place))
  }
}

/**
 * Brings everything derived up to date: lists of sites and compiled policies after a change, and what depends on time (slow start, stale load).
 * To be called after a batch of changes, and a few times a second.
 */
export function tick(world: World, nowMs: number): void {
  fadeSent(world, nowMs - world.nowMs)
  world.nowMs = nowMs
  world.ticks++
  packWaiting(world)
  if (world.stale) {
    // Most changes are of appliances, which are next to nobody.
    if (world.sitesStale) indexSites(world)
    indexAppliances(world)
    compilePolicies(world)
    world.sitesStale = false
    world.stale = false
  }
  deriveLoad(world)
}

/** Has the appliances of a site, and those that have waited for it to be there, follow what is known of it. */
function refreshAppliancesOf(world: World, site: number): void {
  const key = world.siteKeys[site]!
  for (let i = 0; i < world.appliances.length; i++) {
    const at = world.applianceSite[i]!
    const appliance = at === site || at < 0 ? world.appliances[i] : undefined
    if (!appliance) continue
    if (at < 0 && `${appliance.metadata.namespace ?? ''}/${appliance.spec.siteRef.name}` !== key) continue
    moveTo(world, i, site)
    refreshAppliance(world, i)
  }
}

/** Says at which site an appliance stands. */
function moveTo(world: World, ordinal: number, site: number): void {
  if (world.applianceSite[ordinal] === site && world.appliancePlace[ordinal]! >= 0) return
  world.applianceSite[ordinal] = site
  world.urlsVersion++
  moveToShelf(world, ordinal, site).forEach((files, catalog) => {
    if (files) noteHolder(world, catalog, ordinal, files)
  })
}

/** Brings the bits of its state up to date that follow from the objects, and the throughput. */
function refreshAppliance(world: World, ordinal: number): void {
  const appliance = world.appliances[ordinal]!
  const site = world.sites[world.applianceSite[ordinal]!]
  const draining =
    appliance.spec.mode !== 'InService' || appliance.metadata.deletionTimestamp || site?.metadata.deletionTimestamp
  setState(
    world,
    ordinal,
    (stateOf(world, ordinal) & STATE.Down) |
      (draining ? STATE.Draining : 0) |
      (world.urls[ordinal] === '' ? STATE.NoAddress : 0) |
      (!site || site.spec.tier === 'origin' ? STATE.OriginOnly : 0),
  )
  const hardwareClass = world.hardwareClasses.get(appliance.spec.hardwareClassRef.name)
  world.throughputGbps[ordinal] = hardwareClass?.spec.throughputGbps ?? UNKNOWN_THROUGHPUT_GBPS
}

/** Makes room for `count` appliances in the arrays by appliance. */
function reserve(world: World, count: number): void {
  if (count <= world.applianceSite.length) return
  const length = Math.max(count, world.applianceSite.length * 2, 64)
  const grow = <T extends { set(from: T): void }>(from: T, to: T) => {
    to.set(from)
    return to
  }
  world.applianceSite = grow(world.applianceSite, new Int32Array(length))
  world.appliancePlace = grow(world.appliancePlace, new Int32Array(length))
  for (const name of FLOATS) world[name] = grow(world[name], new Float64Array(length))
}

const FLOATS = ['throughputGbps', 'upSinceMs', 'reported', 'reportedAtMs', 'inFlight', 'sentGbps'] as const
