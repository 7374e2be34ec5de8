// Generated from crds/*.yaml by `npm run generate`. Do not edit.
import type { ClusterManifestMetadata, ManifestMetadata } from './manifest.ts'
import type {
  ApplianceMode,
  ApplianceSelection,
  CatalogSource,
  Coordinates,
  ExcludedFiles,
  HardwareClassSpec,
  LabelSelector,
  LocalRef,
  MaintenanceWindow,
  SiteCost,
  SiteDemand,
  SiteParent,
  SiteTier,
  SteeredContent,
  SteeringCanary,
  SteeringDrain,
  SteeringFallback,
  SteeringPin,
  SteeringPurpose,
  SteeringTier,
  Window,
} from './types.gen.ts'

/** What is wanted of the appliance. */
export interface ApplianceSpecInput {
  /** The Site it stands at, in the same namespace. */
  readonly siteRef: LocalRef
  /** The HardwareClass that says what it can do. */
  readonly hardwareClassRef: LocalRef
  /** The serial number on the machine. Informative; absent when not known. */
  readonly serialNumber?: string
  /**
   * What is wanted of it:
   * `InService`: hold content and serve it.
   * `Draining`: keep the bytes, but have clients sent elsewhere.
   * `OutOfService`: neither serve nor fill; bytes stay where they are, also those that no plan wants there any more.
   * `Decommissioned`: withdraw everything and give the bytes up, for good. Default: `"InService"`.
   */
  readonly mode?: ApplianceMode
}

/** Where the catalog is read from, and how often. */
export interface CatalogSpecInput {
  /** Where the list of files is. */
  readonly source: CatalogSource
  /** Base of the files' URLs: a file is at this URL followed by its path. http or https. Absent means the folder that `source.url` is in. */
  readonly originUrl?: string
  /** How often the source is read again, as a Go duration of at least one second. Default: `"1h"`. */
  readonly refreshInterval?: string
  /** Stops reading the source. What was published stays. Default: `false`. */
  readonly suspend?: boolean
  /** A version that has lost this share or more of the files, or of the bytes, that the published one lists is not published: appliances would evict them, and a list that is cut short is most often a mistake of whoever makes it. The catalog is then Stalled with reason `SourceShrunk` until the source recovers, or `approvedDigest` names the version. An empty version is held back in any case; of catalogs of fewer than 10 files, only an empty one. Default: `90`. */
  readonly maxShrinkPercent?: number
  /** The one version that may be published however much it has lost: the digest that the message of `SourceShrunk` tells. Says nothing of any other version, so that it can stay. */
  readonly approvedDigest?: string
}

/** How many copies of a placed file to keep at least. */
export interface MinimumCopiesInput {
  /** Copies at each site where the file is placed, on different appliances. A site with fewer appliances holds one on each. Default: `1`. */
  readonly perSite?: number
  /** Copies in each region where the file is placed, on different appliances; a file that cannot have them leaves its room to others. A region is the sites with the same value of the label `topology.kubernetes.io/region`, or of the same country where they have none. Absent means no minimum. */
  readonly perRegion?: number
}

/** Files to pin, and how often. */
export interface PinnedFilesInput {
  /** Globs over paths in the catalog: `*` is anything within a folder, `**` across folders, `?` is one character. */
  readonly paths: readonly string[]
  /** Copies at each site: a number of at least 1, or `all` for one on every selected appliance. Default: `"all"`. */
  readonly copies?: number | 'all'
}

/** What outlives the loss of appliances: the head of what a site's viewers ask for, the most popular files, which is placed on more appliances than may be lost, before anything else but pins. Absent means that files are placed as often as `copies` says. */
export interface ResilienceInput {
  /** How much of a site's demand the head is, in per cent. */
  readonly headPercent: number
  /** How many appliances of a site may be lost, whichever they are, with the head still there and the others fast enough to serve it. Default: `1`. */
  readonly survivesLossOf?: number
}

/** What moving files costs, so that a new plan pays for the bytes that it moves. */
export interface ChurnLimitsInput {
  /** How much more than what it displaces a file must earn to be moved to a site that does not hold it, in per cent. Less where demand is known for sure, so that every change pays; more where links are dear. Default: `50`. */
  readonly bonusPercent?: number
  /** The most that one plan moves to any site that holds something already, in bytes; further plans move the rest as demand or the fleet changes. Pins, and copies per region, are moved all the same. Absent means whatever pays. */
  readonly maxFillBytesPerSite?: number
}

/** Where popularity comes from. */
export interface DemandSourceInput {
  /** `catalog`: the `popularity` given in the catalog; files without one come last. `observed`: what viewers were counted to ask for, lately more than long ago. `forecast`: what they are expected to ask for in the next seven days, by how titles fade with age, days of the week and titles like them. Both are published once a day by a gateway that keeps demand; until there is something the catalog's popularity is used, and condition `DemandCounted` says so. Default: `"catalog"`. */
  readonly source?: 'catalog' | 'observed' | 'forecast'
}

/** What to place, and where. */
export interface PlacementPolicySpecInput {
  /** The Catalog to place, in the same namespace. */
  readonly catalogRef: LocalRef
  /** Policies with a higher number plan first. Equal numbers go by namespace, then by name. Default: `0`. */
  readonly priority?: number
  /** Which appliances to use. All selectors must match; an absent one matches everything, except `namespaceSelector`. Default: `{}`. */
  readonly appliances?: ApplianceSelection
  /** How many copies of a placed file to keep at least. Default: `{}`. */
  readonly copies?: MinimumCopiesInput
  /** How much of each appliance's storage this policy may use, in per cent. Default: `100`. */
  readonly storageShare?: number
  /** Files that are placed before all others, whatever their popularity. Default: `[]`. */
  readonly pins?: readonly PinnedFilesInput[]
  /** Files that are never placed by this policy, even if pinned. Default: `[]`. */
  readonly exclude?: readonly ExcludedFiles[]
  /** What outlives the loss of appliances: the head of what a site's viewers ask for, the most popular files, which is placed on more appliances than may be lost, before anything else but pins. Absent means that files are placed as often as `copies` says. */
  readonly resilience?: ResilienceInput
  /** What moving files costs, so that a new plan pays for the bytes that it moves. */
  readonly churn?: ChurnLimitsInput
  /** Where popularity comes from. Default: `{}`. */
  readonly demand?: DemandSourceInput
}

/** How the site is connected, and whom it serves. */
export interface SiteNetworkInput {
  /** The autonomous system that the site is in. */
  readonly asn?: number
  /** The clients that this site serves, as CIDR prefixes, IPv4 or IPv6. Empty when no client is sent here by address. Default: `[]`. */
  readonly prefixes?: readonly string[]
  /** What the site's uplink carries, in gigabits per second. Absent when not known; it then bounds nothing. */
  readonly uplinkGbps?: number
}

/** What is wanted of the site. */
export interface SiteSpecInput {
  /** The country it stands in, ISO 3166-1 alpha-2, in capitals. */
  readonly country: string
  /** The metropolitan area it serves, by whatever name its people use, such as an airport code. */
  readonly metro: string
  /** Where it stands, for distance between sites and clients. Absent when not known; distance is then not used. */
  readonly coordinates?: Coordinates
  /** The IANA time zone that the windows below are written in. Default: `"UTC"`. */
  readonly timeZone?: string
  /** Where it stands between clients and origin: `edge` serves clients, `regional` serves clients and fills edges, `origin` only fills others. Default: `"edge"`. */
  readonly tier?: SiteTier
  /** How the site is connected, and whom it serves. Default: `{}`. */
  readonly network?: SiteNetworkInput
  /** What its viewers ask for, which placement goes by: which part of the audience they are, and how much they ask for. */
  readonly demand?: SiteDemand
  /** The sites to fill from when no appliance here has a file, best first. Empty, or none of them has it: from the catalog's origin. Default: `[]`. */
  readonly parents?: readonly SiteParent[]
  /** When the site may fill, in its own time zone. Empty means always, at any rate. Default: `[]`. */
  readonly fillWindows?: readonly Window[]
  /** When appliances here may be disturbed (updated, restarted), in the site's own time zone. Empty means always. Default: `[]`. */
  readonly maintenanceWindows?: readonly MaintenanceWindow[]
}

/** The clients that it governs. Everything that is given must match. */
export interface SteeredClientsInput {
  /** Clients of Sites with these labels. Absent means of any site. */
  readonly siteSelector?: LabelSelector
  /** Clients of Sites in Namespaces with these labels. Absent means of this policy's own namespace only. */
  readonly namespaceSelector?: LabelSelector
  /** Clients with an address in one of these networks, as CIDR prefixes. Absent means any address. */
  readonly networks?: readonly string[]
  /** Clients in these regions: values of the label `topology.kubernetes.io/region` of their site, or of its country where it has none. Absent means any. */
  readonly regions?: readonly string[]
  /** Whether it governs clients whose site is not known, too. Selectors cannot tell those apart; networks and regions can. Default: `false`. */
  readonly unlocated?: boolean
}

/** What counts when several sites of one tier will do. Only the ratios matter. */
export interface SteeringWeightsInput {
  /** Being near: the place of the site in its tier, nearest first. Default: `60`. */
  readonly locality?: number
  /** Being idle: how much of its throughput the site uses. Default: `30`. */
  readonly load?: number
  /** Being cheap: what `costs` says of the site. Default: `10`. */
  readonly cost?: number
}

/** The utilisation of an appliance, in per cent of what it can send, from which on it is sent no more requests of a purpose; they go to another appliance or the next tier. What suffers least goes first: a download takes a little longer, a film has its buffer, a live stream has neither. */
export interface OverloadLimitsInput {
  /** Where `game` is sent on. Default: `75`. */
  readonly gamePercent?: number
  /** Where `vod` is sent on. Default: `85`. */
  readonly vodPercent?: number
  /** Where `live` is sent on. Default: `95`. */
  readonly livePercent?: number
}

/** Whom it governs, and how they are steered. */
export interface SteeringPolicySpecInput {
  /** Of several policies that match a request, the one with the highest number governs. Equal numbers go by namespace, then by name. Default: `0`. */
  readonly priority?: number
  /** The clients that it governs. Everything that is given must match. Default: `{}`. */
  readonly clients?: SteeredClientsInput
  /** The content that it governs. Everything that is given must match; a request for several files goes by the first. Default: `{}`. */
  readonly content?: SteeredContent
  /** The purposes that it governs. Default: `["vod","live","game"]`. */
  readonly purposes?: readonly SteeringPurpose[]
  /**
   * Where candidates are looked for, in this order; the next is used when those before do not fill the answer.
   * `Site`: the client's own site, and those that a pin names before it.
   * `Siblings`: sites of the same namespace in the same metro or with the same first parent.
   * `Parents`: the site's parents in order, then theirs.
   * `Region`: all sites of the client's region.
   * `Fallback`: the URLs under `fallbacks`. Default: `["Site","Siblings","Parents","Fallback"]`.
   */
  readonly tiers?: readonly SteeringTier[]
  /** What counts when several sites of one tier will do. Only the ratios matter. Default: `{}`. */
  readonly weights?: SteeringWeightsInput
  /** What it costs to serve from a site, on any scale. A site that several entries match costs what the dearest says; one that none matches, nothing. Default: `[]`. */
  readonly costs?: readonly SiteCost[]
  /** The utilisation of an appliance, in per cent of what it can send, from which on it is sent no more requests of a purpose; they go to another appliance or the next tier. What suffers least goes first: a download takes a little longer, a film has its buffer, a live stream has neither. Default: `{}`. */
  readonly overload?: OverloadLimitsInput
  /** How busy an appliance that a title prefers may be, in per cent of the mean of its site; beyond that it comes after the others. Low spreads the load evenly, high keeps a title together on few appliances, in whose memory it stays. Default: `105`. */
  readonly boundPercent?: number
  /** Over how long an appliance that has come back takes up its full share again, in seconds. Of several policies the longest holds for all. Default: `60`. */
  readonly slowStartSeconds?: number
  /** Trying something on few clients, always the same ones. With a selector: only this share of clients is sent to the appliances it selects, and nobody else. Without: the policy governs only this share of the clients it matches; the others are governed as if it were not there. Absent means no canary. */
  readonly canary?: SteeringCanary
  /** Most URLs in an answer. Where there are fallbacks and room for two, the last place is kept for one; of the others one site fills all but two, or two, so that an answer is still good when a whole site fails. Default: `4`. */
  readonly maxUrls?: number
  /** How long a client may use an answer before it asks again, in seconds. Default: `300`. */
  readonly ttlSeconds?: number
  /** Where to send clients when no appliance will do, best first, such as the origin or a cloud. Default: `[]`. */
  readonly fallbacks?: readonly SteeringFallback[]
  /** Clients that are sent to certain sites before their own. Default: `[]`. */
  readonly pins?: readonly SteeringPin[]
  /** Appliances that clients are not sent to. Default: `[]`. */
  readonly drains?: readonly SteeringDrain[]
}

/** An Appliance as it is written. */
export interface ApplianceManifest {
  readonly apiVersion: 'fleet.weir.dev/v1alpha1'
  readonly kind: 'Appliance'
  readonly metadata: ManifestMetadata & { readonly name: string }
  readonly spec: ApplianceSpecInput
}

/**
 * An Appliance is one machine that holds and serves content. Its spec says which machine it is and whether it should serve; what it
 * should hold is decided by PlacementPolicies and handed to it in the Assignment of the same name.
 */
export function appliance(name: string, spec: ApplianceSpecInput, metadata: ManifestMetadata = {}): ApplianceManifest {
  return { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Appliance', metadata: { name, ...metadata }, spec }
}

/** A Catalog as it is written. */
export interface CatalogManifest {
  readonly apiVersion: 'content.weir.dev/v1alpha1'
  readonly kind: 'Catalog'
  readonly metadata: ManifestMetadata & { readonly name: string }
  readonly spec: CatalogSpecInput
}

/**
 * A Catalog says which files exist: their paths, sizes, digests and popularity. It is read from a source of one JSON object per line, checked,
 * and published as an immutable blob. It places nothing by itself: a PlacementPolicy does.
 */
export function catalog(name: string, spec: CatalogSpecInput, metadata: ManifestMetadata = {}): CatalogManifest {
  return { apiVersion: 'content.weir.dev/v1alpha1', kind: 'Catalog', metadata: { name, ...metadata }, spec }
}

/** A HardwareClass as it is written. */
export interface HardwareClassManifest {
  readonly apiVersion: 'fleet.weir.dev/v1alpha1'
  readonly kind: 'HardwareClass'
  readonly metadata: ClusterManifestMetadata & { readonly name: string }
  readonly spec: HardwareClassSpec
}

/**
 * A HardwareClass says what one model of appliance can do. Appliances name their class; placement reads storage and
 * throughput from it. Changing a class changes what is planned for every appliance of it.
 */
export function hardwareClass(name: string, spec: HardwareClassSpec, metadata: ClusterManifestMetadata = {}): HardwareClassManifest {
  return { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'HardwareClass', metadata: { name, ...metadata }, spec }
}

/** A PlacementPolicy as it is written. */
export interface PlacementPolicyManifest {
  readonly apiVersion: 'content.weir.dev/v1alpha1'
  readonly kind: 'PlacementPolicy'
  readonly metadata: ManifestMetadata & { readonly name: string }
  readonly spec: PlacementPolicySpecInput
}

/**
 * A PlacementPolicy says which catalog goes on which appliances, in how many copies, within how much storage. It is planned as a whole into an
 * immutable PlacementPlan, the popular files first. Where storage is short, policies of higher priority plan first and the others use what is left.
 */
export function placementPolicy(name: string, spec: PlacementPolicySpecInput, metadata: ManifestMetadata = {}): PlacementPolicyManifest {
  return { apiVersion: 'content.weir.dev/v1alpha1', kind: 'PlacementPolicy', metadata: { name, ...metadata }, spec }
}

/** A Site as it is written. */
export interface SiteManifest {
  readonly apiVersion: 'fleet.weir.dev/v1alpha1'
  readonly kind: 'Site'
  readonly metadata: ManifestMetadata & { readonly name: string }
  readonly spec: SiteSpecInput
}

/**
 * A Site is a place where appliances stand: which network it is on, which clients it serves, where it fills from, and when it
 * may fill and be worked on. Appliances name their site; one site's appliances fill from each other before they fill from its parents.
 */
export function site(name: string, spec: SiteSpecInput, metadata: ManifestMetadata = {}): SiteManifest {
  return { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Site', metadata: { name, ...metadata }, spec }
}

/** A SteeringPolicy as it is written. */
export interface SteeringPolicyManifest {
  readonly apiVersion: 'edge.weir.dev/v1alpha1'
  readonly kind: 'SteeringPolicy'
  readonly metadata: ManifestMetadata & { readonly name: string }
  readonly spec: SteeringPolicySpecInput
}

/**
 * A SteeringPolicy says how clients that press Play are sent to appliances: whom and what it governs, where candidates are looked for and in
 * which order, what distance, load and cost count, when a busy appliance sends on, and what comes when no appliance will do. For each request
 * the policy of the highest priority that matches client, content and purpose governs; where none does, defaults do.
 */
export function steeringPolicy(name: string, spec: SteeringPolicySpecInput = {}, metadata: ManifestMetadata = {}): SteeringPolicyManifest {
  return { apiVersion: 'edge.weir.dev/v1alpha1', kind: 'SteeringPolicy', metadata: { name, ...metadata }, spec }
}
