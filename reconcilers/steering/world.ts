import type { Appliance, HardwareClass, Site } from '../../crds/types.gen.ts'
import type { FileSet } from '../blobs/file-set.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import type { LineArena } from './line-arena.ts'
import type { NetworkClasses } from './networks.ts'
import type { Places } from './places.ts'
import type { PolicyInput } from './policy.ts'
import type { SiteLines } from './site-lines.ts'

/** Lists of numbers of many owners in two arrays: the list of owner i is `items[start[i] … start[i + 1] - 1]`. */
export interface Lists {
  readonly start: Uint32Array
  readonly items: Uint32Array
}

export const NO_LISTS: Lists = { start: new Uint32Array(1), items: new Uint32Array(0) }

/** What a catalog's files are called, for policies that choose by path or title. */
export interface CatalogFiles {
  /** How many indices there are. */
  readonly files: number
  /** Undefined where the index is no file's (any more). */
  readonly file: (index: number) => { readonly path: string; readonly title?: string } | undefined
}

/** First inventories of members of a shelf, which are not in force: by member. Of those members the shelf holds nothing. */
export interface WaitingShelf {
  readonly catalog: number
  readonly shelf: number
  readonly members: (FileSet | undefined)[]
}

/**
 * Masks of a catalog that are made anew beside those in force. What is on shelves before `shelf` is in them, and whatever has been noted since they were begun:
 * so is, at the end, everything that anybody holds.
 */
export interface HoldersRenewal {
  readonly catalog: number
  shelf: number
  masks: Uint32Array
}

/**
 * Everything a decision goes by, in typed arrays by ordinal. Changed only by the functions of `update.ts`; `tick` brings what is derived up
 * to date. One world belongs to one thread.
 */
export interface World {
  /** Time of the last `tick`, ms since 1970. */
  nowMs: number
  /** How many there have been. */
  ticks: number
  /** Something that indices are made from has changed since the last `tick`. */
  stale: boolean
  /** Sites have, so that the lists of who is next to whom are to be made anew: tens of ms in a large fleet. */
  sitesStale: boolean

  readonly siteOrdinals: Map<string, number>
  readonly sites: (Site | undefined)[]
  readonly siteKeys: string[]
  /** By site: ordinal in `regions`. */
  siteRegion: Int32Array
  /** By site: three coordinates of where it is on the unit sphere; NaN when that is not known. */
  siteVectors: Float64Array
  /** Load of sites, and who is next to them: what decisions read. */
  siteLines: SiteLines
  /** By site: its load as of the last `tick`, which sites are chosen by. */
  siteLoadAtTick: Float64Array
  /** By site: its appliances. */
  siteAppliances: Lists
  /** By site: sites of the same namespace with the same metro or the same first parent, nearest first. */
  siblings: Lists
  /** By site: its parents in order, then theirs. */
  parents: Lists
  /** By region: its sites that serve clients. */
  regionSites: Lists
  regions: readonly string[]
  regionOrdinals: ReadonlyMap<string, number>

  readonly applianceOrdinals: Map<string, number>
  readonly appliances: (Appliance | undefined)[]
  readonly applianceKeys: string[]
  /** Base of its URLs, without a slash at the end; empty when not known. */
  readonly urls: string[]
  /** Goes up with every change of `urls`, and of the site that an appliance stands at. */
  urlsVersion: number
  applianceSite: Int32Array
  /** By appliance: where it stands in `places`; -1 before it has a place. */
  appliancePlace: Int32Array
  throughputGbps: Float64Array
  upSinceMs: Float64Array
  /** Utilisation as last reported, in bounds; NaN: never. */
  reported: Float64Array
  reportedAtMs: Float64Array
  inFlight: Float64Array
  /** What has been sent there since the last report; it fades, see `fadeSent`. */
  sentGbps: Float64Array
  /** Load, weight, state and so on of appliances, by shelf: what decisions read. */
  places: Places

  readonly hardwareClasses: Map<string, HardwareClass>
  namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>

  readonly catalogOrdinals: Map<string, number>
  readonly catalogKeys: string[]
  readonly catalogs: (CatalogFiles | undefined)[]
  /** By catalog, then by shelf: the record (see `shelf.ts`) of what up to four appliances of a site verifiably hold. May end before the last shelf. */
  readonly shelves: Uint32Array[]
  /** Inventories that wait to be packed with others, by catalog and shelf: see `putOnShelf`. */
  readonly waitingShelves: Map<number, WaitingShelf>
  /** What the records are of. */
  readonly lines: LineArena
  /** How many shelves there are that are not the first of a site. */
  oddShelves: number
  /** The first shelf of appliances of no known site; 0: there is none. */
  lostShelf: number

  /** By catalog, then by file: bits of the sites where somebody holds it, or did. See `holders.ts`. */
  readonly holders: (Uint32Array | undefined)[]
  /** Those of one catalog at a time are made anew; undefined: of none now. */
  holdersRenewal: HoldersRenewal | undefined

  policyInputs: readonly PolicyInput[]
  /** In the order in which they are asked: by priority, namespace, name; the built-in one last. */
  policies: readonly CompiledPolicy[]
  /** Words of 32 policies in a set of policies. */
  policyWords: number
  /** By site: the policies whose `clients` its clients satisfy, less networks. Sets of `policyWords` words, as all below. */
  sitePolicies: Uint32Array
  /** For clients of no known site, by region + 1 (0: not known either): the policies whose `clients` they satisfy, less networks. */
  unlocatedPolicies: Uint32Array
  /** Networks that policies name. */
  networks: NetworkClasses
  /** By network class: the policies whose `clients.networks` it satisfies. */
  networkPolicies: Uint32Array
  /** By content class: the policies whose `content` it satisfies. */
  contentPolicies: Uint32Array
  /** By catalog: content class of all its files, or of each. */
  contentClass: (number | Uint16Array)[]
  /** By purpose: the policies for it. */
  purposePolicies: Uint32Array

  /** Load reports that had to be put into bounds. */
  absurdReports: number
  /** How often there was no memory for what a shelf holds: see `replaceShelf`. */
  shelvesLeftOut: number
}
