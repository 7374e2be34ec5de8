// Generated from crds/*.yaml by `npm run generate`. Do not edit.
import type { Condition, KubeObject } from './metadata.ts'

/** Names an object in the same namespace, or a cluster-scoped one. */
export interface LocalRef {
  /** The Site's name. */
  readonly name: string
}

export type ApplianceMode = 'InService' | 'Draining' | 'OutOfService' | 'Decommissioned'

/** What is wanted of the appliance. */
export interface ApplianceSpec {
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
  readonly mode: ApplianceMode
}

export type AppliancePhase = 'Pending' | 'Offline' | 'Filling' | 'Ready' | 'Degraded' | 'Draining' | 'OutOfService' | 'Decommissioned'

/** One way to reach it. */
export interface ApplianceAddress {
  /** What is spoken there. */
  readonly type: 'HTTP'
  /** The base of its URLs, without a slash at the end. */
  readonly url: string
}

/** One file that could not be filled or verified. */
export interface FileFailure {
  /** The file's path in its catalog. */
  readonly path: string
  /** The catalog it is in, as namespace/name. */
  readonly catalog: string
  /** Why, as one word for programs, such as `DigestMismatch`, `HTTP404`, `Truncated`, `Stalled`, `StorageFull`. */
  readonly reason: string
  /** Why, as a sentence for people. */
  readonly message: string
  /** The URL it was fetched from at the last attempt. Absent when it was not fetched. */
  readonly source?: string
  /** How often it was tried. */
  readonly attempts: number
}

/** Names a Catalog. */
export interface CatalogRef {
  /** The Catalog's namespace. */
  readonly namespace: string
  /** The Catalog's name. */
  readonly name: string
}

/** What it advertises of one catalog. */
export interface InventoryRef {
  /** The catalog. */
  readonly catalog: CatalogRef
  /** The inventory blob, `sha256:` and 64 hexadecimal digits. */
  readonly digest: string
  /** The catalog blob whose file indices the inventory uses. */
  readonly catalogDigest: string
}

/** What it holds of what it should hold, as its agent last reported. */
export interface ApplianceContent {
  /** The `spec.content.generation` of its Assignment that this report speaks of. 0 when it has none yet. */
  readonly generation: number
  /** Files it should hold. */
  readonly filesDesired: number
  /** Bytes it should hold. */
  readonly bytesDesired: number
  /** Files of those that it holds, verified. */
  readonly filesHeld: number
  /** Bytes of those that it holds, verified. */
  readonly bytesHeld: number
  /** Files that could not be filled or verified at the last attempt. They are tried again. */
  readonly filesFailing: number
  /** Bytes still to be fetched. */
  readonly bytesToFill: number
  /** Bytes held of bytes wanted, in per cent, rounded down. 100 only when every file is held. */
  readonly progressPercent: number
  /** Bytes that content takes on its storage, partial files and files still to be evicted included. */
  readonly storageUsedBytes: number
  /** Bytes that its storage has for content. */
  readonly storageCapacityBytes: number
  /** What filling waits for, as a sentence. Absent or empty when it waits for nothing. */
  readonly waitingFor?: string
  /** The first ten of the files that fail, in order of their path. Default: `[]`. */
  readonly failures: readonly FileFailure[]
  /** What it advertises, one blob per catalog, sorted by catalog. Default: `[]`. */
  readonly inventories: readonly InventoryRef[]
}

/** The program that runs on it. */
export interface AgentInfo {
  /** The agent's version. */
  readonly version: string
  /** Changes each time the agent starts. */
  readonly bootId: string
  /** When the agent started, RFC 3339. */
  readonly startedAt: string
}

/** What was observed of the appliance. */
export interface ApplianceStatus {
  /** The generation of the spec that this status speaks of. */
  readonly observedGeneration?: number
  /** What is true of this object now, in the form that `kubectl wait` reads. */
  readonly conditions?: readonly Condition[]
  /** Where it is in its life, in one word for people: `Pending` before its agent first reported, `Offline` when it fell silent, `Filling` while bytes are missing, `Degraded` when files fail, `Ready` when it holds everything, or its mode once it is not in service. Programs read the conditions instead. */
  readonly phase?: AppliancePhase
  /** What stands between it and Ready, most important first. Empty when nothing does. */
  readonly waitingFor?: readonly string[]
  /** Where it serves, as its agent reported it. */
  readonly addresses?: readonly ApplianceAddress[]
  /** What it holds of what it should hold, as its agent last reported. */
  readonly content?: ApplianceContent
  /** The program that runs on it. */
  readonly agent?: AgentInfo
}

/**
 * An Appliance is one machine that holds and serves content. Its spec says which machine it is and whether it should serve; what it
 * should hold is decided by PlacementPolicies and handed to it in the Assignment of the same name.
 */
export interface Appliance extends KubeObject {
  readonly apiVersion: 'fleet.weir.dev/v1alpha1'
  readonly kind: 'Appliance'
  /** What is wanted of the appliance. */
  readonly spec: ApplianceSpec
  /** What was observed of the appliance. */
  readonly status?: ApplianceStatus
}

/** What to hold of one catalog. */
export interface ContentEntry {
  /** The catalog. */
  readonly catalog: CatalogRef
  /** The catalog blob whose file indices the manifest uses. */
  readonly catalogDigest: string
  /** File indices in that catalog blob. */
  readonly catalogFiles: number
  /** Base of the catalog's files, used when neither a peer nor a parent has one. Ends in a slash. */
  readonly originUrl: string
  /** The manifest blob, the set of file indices to hold. */
  readonly manifestDigest: string
  /** Files in the manifest. */
  readonly files: number
  /** Bytes of the files in the manifest. */
  readonly bytes: number
  /** The PlacementPlans that asked for it, as namespace/name, sorted. */
  readonly plans: readonly string[]
}

export type Weekday = 'Mon' | 'Tue' | 'Wed' | 'Thu' | 'Fri' | 'Sat' | 'Sun'

/** A stretch of time that comes back, in which to fill. `maxGbps` is for the whole site in a Site, for one appliance in an Assignment. */
export interface Window {
  /** The days on which the window starts. Absent means every day. */
  readonly days?: readonly Weekday[]
  /** Local time of day at which the window opens, HH:MM, 24 hours. */
  readonly start: string
  /** Local time of day at which the window closes, HH:MM, 24 hours. Earlier than `start`: on the next day; equal to it: 24 hours later. */
  readonly end: string
  /** What this appliance may fill at during the window, in gigabits per second; its share of the site's cap. Absent means no cap. */
  readonly maxGbps?: number
}

/** When, and how fast, to fill. */
export interface FillSchedule {
  /** The IANA time zone of the windows, its site's. */
  readonly timeZone: string
  /** When to fill; its site's fill windows, each with this appliance's share of the rate. Empty means always. Default: `[]`. */
  readonly windows: readonly Window[]
  /** What this appliance may fill at in any window, in bytes per second. Absent means no cap. */
  readonly maxBytesPerSecond?: number
  /** Whether to fill nothing in any window and to evict nothing, as while the appliance is out of service. Absent means false. */
  readonly paused?: boolean
}

/** What it is to hold and serve. Written by the assignment controller only. */
export interface ContentAssignment {
  /** Goes up by one with every change of this section. An agent refuses one that is older than what it has. */
  readonly generation: number
  /** What to hold, one entry per catalog, sorted by catalog. */
  readonly entries: readonly ContentEntry[]
  /** When, and how fast, to fill. */
  readonly fill: FillSchedule
  /** How long withdrawn bytes stay before they are evicted, in seconds, for clients that are on their way to them. */
  readonly drainSeconds: number
  /** Whether to serve clients. False while the appliance is drained or out of service; peers are served either way. */
  readonly serve: boolean
}

/** What the appliance is to do, one section per concern. */
export interface AssignmentSpec {
  /** What it is to hold and serve. Written by the assignment controller only. */
  readonly content?: ContentAssignment
}

/** Nothing is written here. How far the appliance got is in the Appliance's status. */
export interface AssignmentStatus {
  /** The generation of the spec that this status speaks of. */
  readonly observedGeneration?: number
  /** What is true of this object now, in the form that `kubectl wait` reads. */
  readonly conditions?: readonly Condition[]
}

/**
 * An Assignment is what the controllers decided for the Appliance of the same name and namespace. Agents read nothing else. Each section
 * has one writer and a generation of its own. People read Assignments; they do not write them.
 */
export interface Assignment extends KubeObject {
  readonly apiVersion: 'fleet.weir.dev/v1alpha1'
  readonly kind: 'Assignment'
  /** What the appliance is to do, one section per concern. */
  readonly spec: AssignmentSpec
  /** Nothing is written here. How far the appliance got is in the Appliance's status. */
  readonly status?: AssignmentStatus
}

/** Where the list of files is. */
export interface CatalogSource {
  /** The list, as NDJSON: per line one file with `path`, `size` in bytes, `sha256` (64 hexadecimal digits), and optionally `title`, `popularity` (a number of at least 0, or such a number per class of demand: `{"de": 3.2, "*": 0.1}`), for forecasts `released` (the day of the title's release, `2026-01-08`) and `cohort` (what the title is like: `films-de`), and `licensedIn` (the countries and regions whose sites may hold and serve it: `["DE", "eu-north"]`; absent means all). http, https, or file (a path on the machine where the controllers run). */
  readonly url: string
}

/** Where the catalog is read from, and how often. */
export interface CatalogSpec {
  /** Where the list of files is. */
  readonly source: CatalogSource
  /** Base of the files' URLs: a file is at this URL followed by its path. http or https. Absent means the folder that `source.url` is in. */
  readonly originUrl?: string
  /** How often the source is read again, as a Go duration of at least one second. Default: `"1h"`. */
  readonly refreshInterval: string
  /** Stops reading the source. What was published stays. Default: `false`. */
  readonly suspend: boolean
  /** A version that has lost this share or more of the files, or of the bytes, that the published one lists is not published: appliances would evict them, and a list that is cut short is most often a mistake of whoever makes it. The catalog is then Stalled with reason `SourceShrunk` until the source recovers, or `approvedDigest` names the version. An empty version is held back in any case; of catalogs of fewer than 10 files, only an empty one. Default: `90`. */
  readonly maxShrinkPercent: number
  /** The one version that may be published however much it has lost: the digest that the message of `SourceShrunk` tells. Says nothing of any other version, so that it can stay. */
  readonly approvedDigest?: string
}

/** What viewers were counted to ask for. A gateway that keeps demand publishes it once a day where a PlacementPolicy plans by it. */
export interface CountedDemand {
  /** The day, UTC, that it was made on, from what was counted on the days before. */
  readonly day: string
  /** Days on which anything was counted, of the 84 before. */
  readonly days: number
  /** The last of these days. */
  readonly lastDay?: string
  /** Files that anything was counted of. */
  readonly files: number
  /** The version of the catalog that it was made for. */
  readonly catalogDigest: string
  /** The catalog's own popularity that it was made with, for files that nothing was counted of. */
  readonly catalogDemandDigest?: string
  /** The demand blob of what was counted, lately more than long ago. Absent while there is nothing. */
  readonly observedDigest?: string
  /** The demand blob of what is expected in the seven days from that day on. Absent while there is nothing. */
  readonly forecastDigest?: string
  /** Rows of the demand database that cannot be, and were passed over. Absent where there are none. */
  readonly refused?: number
  /** The first of them, and why. */
  readonly firstRefused?: string
}

/** What was read and published. */
export interface CatalogStatus {
  /** The generation of the spec that this status speaks of. */
  readonly observedGeneration?: number
  /** What is true of this object now, in the form that `kubectl wait` reads. */
  readonly conditions?: readonly Condition[]
  /** The catalog blob that is published now. */
  readonly digest?: string
  /** The demand blob, popularity per file and class of demand, that belongs to it. */
  readonly demandDigest?: string
  /** What viewers were counted to ask for. A gateway that keeps demand publishes it once a day where a PlacementPolicy plans by it. */
  readonly counted?: CountedDemand
  /** Files it lists. */
  readonly files?: number
  /** Bytes of the files it lists. */
  readonly bytes?: number
  /** Goes up by one whenever another digest is published. */
  readonly version?: number
  /** When the source was last read with success and something had changed, RFC 3339. */
  readonly lastRefreshTime?: string
  /** The PlacementPolicies that place it, as namespace/name, sorted; the first 128. */
  readonly usedBy?: readonly string[]
}

/**
 * A Catalog says which files exist: their paths, sizes, digests and popularity. It is read from a source of one JSON object per line, checked,
 * and published as an immutable blob. It places nothing by itself: a PlacementPolicy does.
 */
export interface Catalog extends KubeObject {
  readonly apiVersion: 'content.weir.dev/v1alpha1'
  readonly kind: 'Catalog'
  /** Where the catalog is read from, and how often. */
  readonly spec: CatalogSpec
  /** What was read and published. */
  readonly status?: CatalogStatus
}

export type StorageMedium = 'flash' | 'hdd' | 'mixed'

/** What every appliance of this class has. */
export interface HardwareClassSpec {
  /** Storage for content on one appliance, in bytes, after file system and spare. Policies take a share of it. */
  readonly storageBytes: number
  /** What the content storage is made of. `flash` serves few, popular titles fast; `hdd` holds many; `mixed` does both. */
  readonly storageMedium: StorageMedium
  /** What one appliance can serve at its best, in gigabits per second. */
  readonly throughputGbps: number
  /** CPU cores of one appliance. Informative; absent when not known. */
  readonly cpuCores?: number
  /** Memory of one appliance, in bytes. Informative; absent when not known. */
  readonly memoryBytes?: number
}

/** What was observed. A HardwareClass is plain data, so this stays empty unless something watches it. */
export interface HardwareClassStatus {
  /** The generation of the spec that this status speaks of. */
  readonly observedGeneration?: number
  /** What is true of this object now, in the form that `kubectl wait` reads. */
  readonly conditions?: readonly Condition[]
}

/**
 * A HardwareClass says what one model of appliance can do. Appliances name their class; placement reads storage and
 * throughput from it. Changing a class changes what is planned for every appliance of it.
 */
export interface HardwareClass extends KubeObject {
  readonly apiVersion: 'fleet.weir.dev/v1alpha1'
  readonly kind: 'HardwareClass'
  /** What every appliance of this class has. */
  readonly spec: HardwareClassSpec
  /** What was observed. A HardwareClass is plain data, so this stays empty unless something watches it. */
  readonly status?: HardwareClassStatus
}

/** The PlacementPolicy it was made for, in the same namespace. */
export interface PolicyRef {
  /** The PlacementPolicy's name. */
  readonly name: string
  /** The PlacementPolicy's uid, so that a namesake made later is not mistaken for it. */
  readonly uid: string
}

/** The catalog it places. */
export interface PlannedCatalog {
  /** The Catalog's name, in the same namespace. */
  readonly name: string
  /** The catalog blob whose file indices the manifests use. */
  readonly digest: string
}

/** Where each appliance's manifest is named. */
export interface PlanIndexRef {
  /** The plan index blob. */
  readonly digest: string
}

/** What it places at one site. */
export interface PlannedSite {
  /** The Site's namespace. */
  readonly namespace: string
  /** The Site's name. */
  readonly name: string
  /** Appliances it places files on at the site. */
  readonly appliances: number
  /** Files it places at the site, each counted once. */
  readonly files: number
  /** Bytes it places at the site, over all appliances. */
  readonly bytes: number
  /** Bytes that appliances at the site did not yet hold when it was made. */
  readonly fillBytes: number
}

/** What it places at the sites that are not listed, summed. Absent when all are listed. */
export interface PlannedSites {
  /** How many sites are not listed. */
  readonly sites: number
  /** Appliances it places files on at those sites. */
  readonly appliances: number
  /** Files it places at those sites, each counted once. */
  readonly files: number
  /** Bytes it places at those sites, over all appliances. */
  readonly bytes: number
  /** Bytes that appliances at those sites did not yet hold when it was made. */
  readonly fillBytes: number
}

/** What the plan is worth, in per cent of all demand, as expected when it was made. */
export interface PlannedOffload {
  /** Demand served close to the viewer. What the viewer's own site serves counts in full, what its parent serves by half, what that one's own parent serves by a quarter, and so on. */
  readonly expectedPercent: number
  /** No plan could have expected more than this with these appliances. */
  readonly boundPercent: number
  /** Demand served at the viewer's own site. */
  readonly sitePercent: number
  /** Demand served at the parent of the viewer's site, or further up. */
  readonly parentPercent: number
}

/** The Site. */
export interface SiteRef {
  /** The Site's namespace. */
  readonly namespace: string
  /** The Site's name. */
  readonly name: string
}

/** One resource at one site. */
export interface ScarceResource {
  /** The Site. */
  readonly site: SiteRef
  /** What there should be more of. */
  readonly resource: 'Storage' | 'Throughput'
  /** `Storage`: how much more, in bytes. */
  readonly storageBytes?: number
  /** `Throughput`: how much more, in gigabits per second. */
  readonly throughputGbps?: number
  /** What `expectedPercent` would gain by that, in per cent of all demand. */
  readonly gainPercent: number
}

/** One thing that cannot be had. */
export interface UnmetAsk {
  /** What was asked for. `Head`, that it outlive a loss; `Pins`, all their copies; `CopiesPerRegion`, so many of each file. */
  readonly ask: 'Head' | 'Pins' | 'CopiesPerRegion'
  /** What there is too little of. */
  readonly limit: 'Appliances' | 'Storage' | 'Throughput'
  /** `Head` and `Pins`: where. */
  readonly site?: SiteRef
  /** `CopiesPerRegion`: where. */
  readonly region?: string
  /** `Pins` and `CopiesPerRegion`: how many files have fewer copies. */
  readonly files?: number
  /** `Head`: how much of it could still be served after the worst loss, in per cent of the site's demand. */
  readonly servablePercent?: number
}

/** What it places, over all sites. */
export interface PlanTotals {
  /** Files it places, each counted once. */
  readonly files: number
  /** Bytes of the files it places, each counted once. */
  readonly bytes: number
  /** Appliances it places files on. */
  readonly appliances: number
  /** Copies of files, over all appliances. */
  readonly copies: number
  /** Bytes that appliances did not yet hold when it was made. */
  readonly fillBytes: number
  /** Files that at least one site has no room for. */
  readonly filesLeftOut: number
  /** Storage that all sites together are short of to hold them, in bytes. */
  readonly bytesLeftOut: number
  /** How many things the policy asks for and cannot have; see `unmet`. Absent where all is met. */
  readonly unmet?: number
}

/** The plan. Immutable. */
export interface PlacementPlanSpec {
  /** The PlacementPolicy it was made for, in the same namespace. */
  readonly policyRef: PolicyRef
  /** The plan that was in force when this one was made. It takes over only from that one. Absent on a policy's first plan. */
  readonly parent?: string
  /** The catalog it places. */
  readonly catalog: PlannedCatalog
  /** The demand blob that it was made from. */
  readonly demandDigest: string
  /** Digest over everything it was made from. The same inputs need no new plan. */
  readonly inputsDigest: string
  /** Where each appliance's manifest is named. */
  readonly index: PlanIndexRef
  /** What made it, as name/version. */
  readonly solver: string
  /** Time for solving was up before the solver was done. This is the best that it had found. Absent where it was done. */
  readonly endedEarly?: boolean
  /** What it places at each site, sorted by namespace and name; the first 200 sites. */
  readonly sites: readonly PlannedSite[]
  /** What it places at the sites that are not listed, summed. Absent when all are listed. */
  readonly others?: PlannedSites
  /** What the plan is worth, in per cent of all demand, as expected when it was made. */
  readonly offload?: PlannedOffload
  /** What a little more of would raise the offload of plans the most, the most valuable first: shadow prices. Amounts are small beside what a site has, as the first of it is worth the most. Absent where nothing is scarce. */
  readonly scarce?: readonly ScarceResource[]
  /** What the policy asks for and cannot have, with the constraint that binds: the first 20, of those of a kind the worst first. Absent where all is met. */
  readonly unmet?: readonly UnmetAsk[]
  /** What it places, over all sites. */
  readonly totals: PlanTotals
}

/** Nothing is written here; how far the plan is, is in the PlacementPolicy's status. */
export interface PlacementPlanStatus {
  /** The generation of the spec that this status speaks of. */
  readonly observedGeneration?: number
  /** What is true of this object now, in the form that `kubectl wait` reads. */
  readonly conditions?: readonly Condition[]
}

/**
 * A PlacementPlan is what one PlacementPolicy came to at one time: which inputs it was made from, what it places at each site, and where the
 * manifests of its appliances are. It never changes. It is in force while its policy's `status.currentPlan` names it; the last few are kept.
 */
export interface PlacementPlan extends KubeObject {
  readonly apiVersion: 'content.weir.dev/v1alpha1'
  readonly kind: 'PlacementPlan'
  /** The plan. Immutable. */
  readonly spec: PlacementPlanSpec
  /** Nothing is written here; how far the plan is, is in the PlacementPolicy's status. */
  readonly status?: PlacementPlanStatus
}

/** One demand on one label. */
export interface LabelSelectorRequirement {
  /** The label. */
  readonly key: string
  /** How the label relates to the values. */
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  /** `In` and `NotIn`: the values. Otherwise absent. */
  readonly values?: readonly string[]
}

/** metav1.LabelSelector: all demands must be met; an empty one matches everything. */
export interface LabelSelector {
  /** Labels that must be there, with these values. */
  readonly matchLabels?: Readonly<Record<string, string>>
  /** Further demands on labels. All must be met. */
  readonly matchExpressions?: readonly LabelSelectorRequirement[]
}

/** Which appliances to use. All selectors must match; an absent one matches everything, except `namespaceSelector`. */
export interface ApplianceSelection {
  /** Appliances at Sites with these labels. Absent means at any site. */
  readonly siteSelector?: LabelSelector
  /** Appliances with these labels. Absent means any appliance. */
  readonly selector?: LabelSelector
  /** Appliances in Namespaces with these labels. Absent means this policy's own namespace only. */
  readonly namespaceSelector?: LabelSelector
}

/** How many copies of a placed file to keep at least. */
export interface MinimumCopies {
  /** Copies at each site where the file is placed, on different appliances. A site with fewer appliances holds one on each. Default: `1`. */
  readonly perSite: number
  /** Copies in each region where the file is placed, on different appliances; a file that cannot have them leaves its room to others. A region is the sites with the same value of the label `topology.kubernetes.io/region`, or of the same country where they have none. Absent means no minimum. */
  readonly perRegion?: number
}

/** Files to pin, and how often. */
export interface PinnedFiles {
  /** Globs over paths in the catalog: `*` is anything within a folder, `**` across folders, `?` is one character. */
  readonly paths: readonly string[]
  /** Copies at each site: a number of at least 1, or `all` for one on every selected appliance. Default: `"all"`. */
  readonly copies: number | 'all'
}

/** Files to leave out. */
export interface ExcludedFiles {
  /** Globs over paths in the catalog: `*` is anything within a folder, `**` across folders, `?` is one character. */
  readonly paths: readonly string[]
}

/** What outlives the loss of appliances: the head of what a site's viewers ask for, the most popular files, which is placed on more appliances than may be lost, before anything else but pins. Absent means that files are placed as often as `copies` says. */
export interface Resilience {
  /** How much of a site's demand the head is, in per cent. */
  readonly headPercent: number
  /** How many appliances of a site may be lost, whichever they are, with the head still there and the others fast enough to serve it. Default: `1`. */
  readonly survivesLossOf: number
}

/** What moving files costs, so that a new plan pays for the bytes that it moves. */
export interface ChurnLimits {
  /** How much more than what it displaces a file must earn to be moved to a site that does not hold it, in per cent. Less where demand is known for sure, so that every change pays; more where links are dear. Default: `50`. */
  readonly bonusPercent: number
  /** The most that one plan moves to any site that holds something already, in bytes; further plans move the rest as demand or the fleet changes. Pins, and copies per region, are moved all the same. Absent means whatever pays. */
  readonly maxFillBytesPerSite?: number
}

/** Where popularity comes from. */
export interface DemandSource {
  /** `catalog`: the `popularity` given in the catalog; files without one come last. `observed`: what viewers were counted to ask for, lately more than long ago. `forecast`: what they are expected to ask for in the next seven days, by how titles fade with age, days of the week and titles like them. Both are published once a day by a gateway that keeps demand; until there is something the catalog's popularity is used, and condition `DemandCounted` says so. Default: `"catalog"`. */
  readonly source: 'catalog' | 'observed' | 'forecast'
}

/** What to place, and where. */
export interface PlacementPolicySpec {
  /** The Catalog to place, in the same namespace. */
  readonly catalogRef: LocalRef
  /** Policies with a higher number plan first. Equal numbers go by namespace, then by name. Default: `0`. */
  readonly priority: number
  /** Which appliances to use. All selectors must match; an absent one matches everything, except `namespaceSelector`. Default: `{}`. */
  readonly appliances: ApplianceSelection
  /** How many copies of a placed file to keep at least. Default: `{}`. */
  readonly copies: MinimumCopies
  /** How much of each appliance's storage this policy may use, in per cent. Default: `100`. */
  readonly storageShare: number
  /** Files that are placed before all others, whatever their popularity. Default: `[]`. */
  readonly pins: readonly PinnedFiles[]
  /** Files that are never placed by this policy, even if pinned. Default: `[]`. */
  readonly exclude: readonly ExcludedFiles[]
  /** What outlives the loss of appliances: the head of what a site's viewers ask for, the most popular files, which is placed on more appliances than may be lost, before anything else but pins. Absent means that files are placed as often as `copies` says. */
  readonly resilience?: Resilience
  /** What moving files costs, so that a new plan pays for the bytes that it moves. */
  readonly churn?: ChurnLimits
  /** Where popularity comes from. Default: `{}`. */
  readonly demand: DemandSource
}

/** How much of the demand the current plan serves close to the viewer. */
export interface Offload {
  /** Demand expected to be served close to the viewer, in per cent of all demand. What the viewer's own site serves counts in full, what its parent serves by half, what that one's own parent serves by a quarter, and so on. */
  readonly expectedPercent: number
  /** No plan could expect more than this with these appliances, in per cent of all demand. */
  readonly boundPercent: number
  /** `expectedPercent` as a part of `boundPercent`: the best plan there could be is at most so much better. 1 where there is nothing to gain. */
  readonly ratio?: number
}

/** How many appliances the policy uses, and how far they are. */
export interface PolicyApplianceCounts {
  /** Appliances that the policy selects. */
  readonly selected: number
  /** Those that hold everything that the current plan wants of them. */
  readonly converged: number
}

/** What was planned, and how far it is. */
export interface PlacementPolicyStatus {
  /** The generation of the spec that this status speaks of. */
  readonly observedGeneration?: number
  /** What is true of this object now, in the form that `kubectl wait` reads. */
  readonly conditions?: readonly Condition[]
  /** The PlacementPlan in force, in the same namespace. */
  readonly currentPlan?: string
  /** Files that have a place in the current plan. */
  readonly filesPlaced?: number
  /** Bytes of those files, each counted once. */
  readonly bytesPlaced?: number
  /** Files that the policy wants and that at least one site has no room for. */
  readonly filesLeftOut?: number
  /** Storage that all sites together are short of to hold them, in bytes. */
  readonly bytesLeftOut?: number
  /** Bytes that appliances have still to fill for the current plan. */
  readonly bytesToMove?: number
  /** How much of the demand the current plan serves close to the viewer. */
  readonly offload?: Offload
  /** What a little more of would raise the offload the most, the most valuable first: shadow prices. Amounts are small beside what a site has, as the first of it is worth the most. Absent where nothing is scarce. */
  readonly scarce?: readonly ScarceResource[]
  /** How many appliances the policy uses, and how far they are. */
  readonly appliances?: PolicyApplianceCounts
}

/**
 * A PlacementPolicy says which catalog goes on which appliances, in how many copies, within how much storage. It is planned as a whole into an
 * immutable PlacementPlan, the popular files first. Where storage is short, policies of higher priority plan first and the others use what is left.
 */
export interface PlacementPolicy extends KubeObject {
  readonly apiVersion: 'content.weir.dev/v1alpha1'
  readonly kind: 'PlacementPolicy'
  /** What to place, and where. */
  readonly spec: PlacementPolicySpec
  /** What was planned, and how far it is. */
  readonly status?: PlacementPolicyStatus
}

/** Where it stands, for distance between sites and clients. Absent when not known; distance is then not used. */
export interface Coordinates {
  /** Degrees north of the equator (WGS 84). */
  readonly latitude: number
  /** Degrees east of Greenwich (WGS 84). */
  readonly longitude: number
}

export type SiteTier = 'edge' | 'regional' | 'origin'

/** How the site is connected, and whom it serves. */
export interface SiteNetwork {
  /** The autonomous system that the site is in. */
  readonly asn?: number
  /** The clients that this site serves, as CIDR prefixes, IPv4 or IPv6. Empty when no client is sent here by address. Default: `[]`. */
  readonly prefixes: readonly string[]
  /** What the site's uplink carries, in gigabits per second. Absent when not known; it then bounds nothing. */
  readonly uplinkGbps?: number
}

/** What its viewers ask for, which placement goes by: which part of the audience they are, and how much they ask for. */
export interface SiteDemand {
  /** The class of demand its viewers are of: whose popularity of the catalog is theirs. Absent means the country, in small letters. */
  readonly class?: string
  /** What they ask for at the busiest time, in gigabits per second; 0 where a site has no viewers of its own. Absent when not known: it then counts as the median of the sites that say it, and the throughput of the appliances here is taken to be enough. */
  readonly peakGbps?: number
}

/** One site to fill from. */
export interface SiteParent {
  /** The Site's name. */
  readonly name: string
  /** The Site's namespace. Absent means this site's own. */
  readonly namespace?: string
}

/** A stretch of time that comes back, in which appliances may be disturbed. */
export interface MaintenanceWindow {
  /** The days on which the window starts. Absent means every day. */
  readonly days?: readonly Weekday[]
  /** Local time of day at which the window opens, HH:MM, 24 hours. */
  readonly start: string
  /** Local time of day at which the window closes, HH:MM, 24 hours. Earlier than `start`: on the next day; equal to it: 24 hours later. */
  readonly end: string
}

/** What is wanted of the site. */
export interface SiteSpec {
  /** The country it stands in, ISO 3166-1 alpha-2, in capitals. */
  readonly country: string
  /** The metropolitan area it serves, by whatever name its people use, such as an airport code. */
  readonly metro: string
  /** Where it stands, for distance between sites and clients. Absent when not known; distance is then not used. */
  readonly coordinates?: Coordinates
  /** The IANA time zone that the windows below are written in. Default: `"UTC"`. */
  readonly timeZone: string
  /** Where it stands between clients and origin: `edge` serves clients, `regional` serves clients and fills edges, `origin` only fills others. Default: `"edge"`. */
  readonly tier: SiteTier
  /** How the site is connected, and whom it serves. Default: `{}`. */
  readonly network: SiteNetwork
  /** What its viewers ask for, which placement goes by: which part of the audience they are, and how much they ask for. */
  readonly demand?: SiteDemand
  /** The sites to fill from when no appliance here has a file, best first. Empty, or none of them has it: from the catalog's origin. Default: `[]`. */
  readonly parents: readonly SiteParent[]
  /** When the site may fill, in its own time zone. Empty means always, at any rate. Default: `[]`. */
  readonly fillWindows: readonly Window[]
  /** When appliances here may be disturbed (updated, restarted), in the site's own time zone. Empty means always. Default: `[]`. */
  readonly maintenanceWindows: readonly MaintenanceWindow[]
}

/** How many appliances name this site, and how they are. */
export interface SiteApplianceCounts {
  /** Appliances that name this site. */
  readonly total: number
  /** Those heard of within the last 45 seconds. */
  readonly online: number
  /** Those whose Ready condition is True. */
  readonly ready: number
}

/** What the site's appliances hold, summed over them. */
export interface SiteContent {
  /** Bytes that they should hold. */
  readonly bytesDesired: number
  /** Bytes of those that they verifiably hold. */
  readonly bytesHeld: number
  /** Files that could not be filled or verified at the last attempt. */
  readonly filesFailing: number
}

/** What was observed at the site. */
export interface SiteStatus {
  /** The generation of the spec that this status speaks of. */
  readonly observedGeneration?: number
  /** What is true of this object now, in the form that `kubectl wait` reads. */
  readonly conditions?: readonly Condition[]
  /** How many appliances name this site, and how they are. */
  readonly appliances?: SiteApplianceCounts
  /** What the site's appliances hold, summed over them. */
  readonly content?: SiteContent
}

/**
 * A Site is a place where appliances stand: which network it is on, which clients it serves, where it fills from, and when it
 * may fill and be worked on. Appliances name their site; one site's appliances fill from each other before they fill from its parents.
 */
export interface Site extends KubeObject {
  readonly apiVersion: 'fleet.weir.dev/v1alpha1'
  readonly kind: 'Site'
  /** What is wanted of the site. */
  readonly spec: SiteSpec
  /** What was observed at the site. */
  readonly status?: SiteStatus
}

/** The clients that it governs. Everything that is given must match. */
export interface SteeredClients {
  /** Clients of Sites with these labels. Absent means of any site. */
  readonly siteSelector?: LabelSelector
  /** Clients of Sites in Namespaces with these labels. Absent means of this policy's own namespace only. */
  readonly namespaceSelector?: LabelSelector
  /** Clients with an address in one of these networks, as CIDR prefixes. Absent means any address. */
  readonly networks?: readonly string[]
  /** Clients in these regions: values of the label `topology.kubernetes.io/region` of their site, or of its country where it has none. Absent means any. */
  readonly regions?: readonly string[]
  /** Whether it governs clients whose site is not known, too. Selectors cannot tell those apart; networks and regions can. Default: `false`. */
  readonly unlocated: boolean
}

/** Names a Catalog. */
export interface CatalogName {
  /** The Catalog's name. */
  readonly name: string
  /** The Catalog's namespace. Absent means this policy's own. */
  readonly namespace?: string
}

/** The content that it governs. Everything that is given must match; a request for several files goes by the first. */
export interface SteeredContent {
  /** Files of these Catalogs. Absent means of any. */
  readonly catalogs?: readonly CatalogName[]
  /** Files with a path in their catalog that one of these globs matches: `*` is anything within a folder, `**` across folders, `?` is one character. Absent means any path. */
  readonly paths?: readonly string[]
  /** Files of a title that one of these globs matches; files without a title are then not governed. Absent means any title. */
  readonly titles?: readonly string[]
}

export type SteeringPurpose = 'vod' | 'live' | 'game'

export type SteeringTier = 'Site' | 'Siblings' | 'Parents' | 'Region' | 'Fallback'

/** What counts when several sites of one tier will do. Only the ratios matter. */
export interface SteeringWeights {
  /** Being near: the place of the site in its tier, nearest first. Default: `60`. */
  readonly locality: number
  /** Being idle: how much of its throughput the site uses. Default: `30`. */
  readonly load: number
  /** Being cheap: what `costs` says of the site. Default: `10`. */
  readonly cost: number
}

/** The cost of some sites. */
export interface SiteCost {
  /** Sites with these labels. */
  readonly siteSelector: LabelSelector
  /** From 0, free, to 100, the dearest. */
  readonly cost: number
}

/** The utilisation of an appliance, in per cent of what it can send, from which on it is sent no more requests of a purpose; they go to another appliance or the next tier. What suffers least goes first: a download takes a little longer, a film has its buffer, a live stream has neither. */
export interface OverloadLimits {
  /** Where `game` is sent on. Default: `75`. */
  readonly gamePercent: number
  /** Where `vod` is sent on. Default: `85`. */
  readonly vodPercent: number
  /** Where `live` is sent on. Default: `95`. */
  readonly livePercent: number
}

/** Trying something on few clients, always the same ones. With a selector: only this share of clients is sent to the appliances it selects, and nobody else. Without: the policy governs only this share of the clients it matches; the others are governed as if it were not there. Absent means no canary. */
export interface SteeringCanary {
  /** The share of clients, in per cent. */
  readonly sharePercent: number
  /** Appliances on trial, by their labels. Absent means that the policy itself is. */
  readonly selector?: LabelSelector
}

/** One place beyond the fleet. */
export interface SteeringFallback {
  /** The URL of a file there: `{namespace}` and `{catalog}` stand for its Catalog, `{path}` for its path in it. Without `{path}`, `/{namespace}/{catalog}/{path}` follows, as at an appliance. */
  readonly url: string
  /** The purposes that it is for. Absent means all. */
  readonly purposes?: readonly SteeringPurpose[]
}

/** Clients by network, region or both; what is given must match. */
export interface ClientNetworks {
  /** Clients with an address in one of these networks. */
  readonly networks?: readonly string[]
  /** Clients in these regions. */
  readonly regions?: readonly string[]
}

/** Some clients, and where they are sent first. */
export interface SteeringPin {
  /** The clients, by network, region or both; what is given must match. */
  readonly clients: ClientNetworks
  /** The sites that they are sent to, by their labels. */
  readonly siteSelector: LabelSelector
  /** When it ends, RFC 3339. Absent means when it is taken out. */
  readonly until?: string
  /** Why, for people; explanations of answers repeat it. */
  readonly reason?: string
}

/** Some appliances, and who is not sent there. */
export interface SteeringDrain {
  /** The clients, by network, region or both; what is given must match. Absent means all. */
  readonly clients?: ClientNetworks
  /** Appliances at Sites with these labels. Absent means at any site. */
  readonly siteSelector?: LabelSelector
  /** Appliances with these labels. Absent means any. */
  readonly selector?: LabelSelector
  /** When it ends, RFC 3339. Absent means when it is taken out. */
  readonly until?: string
  /** Why, for people; explanations of answers repeat it. */
  readonly reason?: string
}

/** Whom it governs, and how they are steered. */
export interface SteeringPolicySpec {
  /** Of several policies that match a request, the one with the highest number governs. Equal numbers go by namespace, then by name. Default: `0`. */
  readonly priority: number
  /** The clients that it governs. Everything that is given must match. Default: `{}`. */
  readonly clients: SteeredClients
  /** The content that it governs. Everything that is given must match; a request for several files goes by the first. Default: `{}`. */
  readonly content: SteeredContent
  /** The purposes that it governs. Default: `["vod","live","game"]`. */
  readonly purposes: readonly SteeringPurpose[]
  /**
   * Where candidates are looked for, in this order; the next is used when those before do not fill the answer.
   * `Site`: the client's own site, and those that a pin names before it.
   * `Siblings`: sites of the same namespace in the same metro or with the same first parent.
   * `Parents`: the site's parents in order, then theirs.
   * `Region`: all sites of the client's region.
   * `Fallback`: the URLs under `fallbacks`. Default: `["Site","Siblings","Parents","Fallback"]`.
   */
  readonly tiers: readonly SteeringTier[]
  /** What counts when several sites of one tier will do. Only the ratios matter. Default: `{}`. */
  readonly weights: SteeringWeights
  /** What it costs to serve from a site, on any scale. A site that several entries match costs what the dearest says; one that none matches, nothing. Default: `[]`. */
  readonly costs: readonly SiteCost[]
  /** The utilisation of an appliance, in per cent of what it can send, from which on it is sent no more requests of a purpose; they go to another appliance or the next tier. What suffers least goes first: a download takes a little longer, a film has its buffer, a live stream has neither. Default: `{}`. */
  readonly overload: OverloadLimits
  /** How busy an appliance that a title prefers may be, in per cent of the mean of its site; beyond that it comes after the others. Low spreads the load evenly, high keeps a title together on few appliances, in whose memory it stays. Default: `105`. */
  readonly boundPercent: number
  /** Over how long an appliance that has come back takes up its full share again, in seconds. Of several policies the longest holds for all. Default: `60`. */
  readonly slowStartSeconds: number
  /** Trying something on few clients, always the same ones. With a selector: only this share of clients is sent to the appliances it selects, and nobody else. Without: the policy governs only this share of the clients it matches; the others are governed as if it were not there. Absent means no canary. */
  readonly canary?: SteeringCanary
  /** Most URLs in an answer. Where there are fallbacks and room for two, the last place is kept for one; of the others one site fills all but two, or two, so that an answer is still good when a whole site fails. Default: `4`. */
  readonly maxUrls: number
  /** How long a client may use an answer before it asks again, in seconds. Default: `300`. */
  readonly ttlSeconds: number
  /** Where to send clients when no appliance will do, best first, such as the origin or a cloud. Default: `[]`. */
  readonly fallbacks: readonly SteeringFallback[]
  /** Clients that are sent to certain sites before their own. Default: `[]`. */
  readonly pins: readonly SteeringPin[]
  /** Appliances that clients are not sent to. Default: `[]`. */
  readonly drains: readonly SteeringDrain[]
}

/** What was observed. A SteeringPolicy is plain data that steering reads, so this stays empty unless something watches it. */
export interface SteeringPolicyStatus {
  /** The generation of the spec that this status speaks of. */
  readonly observedGeneration?: number
  /** What is true of this object now, in the form that `kubectl wait` reads. */
  readonly conditions?: readonly Condition[]
}

/**
 * A SteeringPolicy says how clients that press Play are sent to appliances: whom and what it governs, where candidates are looked for and in
 * which order, what distance, load and cost count, when a busy appliance sends on, and what comes when no appliance will do. For each request
 * the policy of the highest priority that matches client, content and purpose governs; where none does, defaults do.
 */
export interface SteeringPolicy extends KubeObject {
  readonly apiVersion: 'edge.weir.dev/v1alpha1'
  readonly kind: 'SteeringPolicy'
  /** Whom it governs, and how they are steered. */
  readonly spec: SteeringPolicySpec
  /** What was observed. A SteeringPolicy is plain data that steering reads, so this stays empty unless something watches it. */
  readonly status?: SteeringPolicyStatus
}

/** Every kind by its name. */
export interface Kinds {
  readonly Appliance: Appliance
  readonly Assignment: Assignment
  readonly Catalog: Catalog
  readonly HardwareClass: HardwareClass
  readonly PlacementPlan: PlacementPlan
  readonly PlacementPolicy: PlacementPolicy
  readonly Site: Site
  readonly SteeringPolicy: SteeringPolicy
}
export type KindName = keyof Kinds
export type AnyKind = Kinds[KindName]
