import type { FileSet } from '../blobs/file-set.ts'
import type { SolverControl } from './control.ts'
import type { Survival, SurvivalLimit } from './solver/survival.ts'

/** One appliance as placement sees it. */
export interface PlacementAppliance {
  /** `namespace/name`: what the hash is taken of, so the same appliance gets the same files on every machine. */
  readonly key: string
  /** Bytes that this policy may use here. */
  readonly storageBytes: number
  /** What it can serve, in bits per second / 1e9. */
  readonly throughputGbps: number
  /** What the plan in force asks it to hold. May be read from disk each time that it is looked at; see `stored-holding.ts`. */
  readonly held?: FileSet
}

/** A site with the appliances that the policy selects there. */
export interface PlacementSite {
  readonly key: string
  /** Sites of the same region share `copies.perRegion`. */
  readonly region: string
  /** ISO 3166-1 alpha-2. Licences may name it. */
  readonly country?: string
  /** Keys of the parent sites, in order. */
  readonly parents: readonly string[]
  /** Which column of popularity its viewers have. 0 unless told. */
  readonly demandClass?: number
  /** What its viewers ask for at the peak, in Gbit/s. Unknown: throughput is taken to be enough. */
  readonly demandGbps?: number
  /** What it counts as, in Gbit/s, where its demand is not known. 1 unless told. */
  readonly assumedGbps?: number
  /** The most that may be moved to it, in bytes, where it holds something already. Whatever pays, unless told. */
  readonly fillBytes?: number
  readonly appliances: readonly PlacementAppliance[]
  /** Those that were here when the plan in force was made, and are not any more: what it asked them to hold. */
  readonly gone?: readonly PlacementAppliance[]
}

/** Files that must be placed before all others. `copies` per site; `all`: on every appliance. */
export interface PlacementPin {
  readonly files: FileSet
  readonly copies: number | 'all'
}

/** Files that may be held and served only at sites of these regions or countries. */
export interface PlacementLicence {
  readonly files: FileSet
  readonly regions: readonly string[]
}

/** The head, the most popular files that make up `headShare` (0–1) of a site's demand, is to outlive the loss of any so many appliances there. */
export interface PlacementResilience {
  readonly headShare: number
  readonly survivesLossOf: number
}

/**
 * What a solver is asked. Columns are indexed by file index; `sizes[i]` is NaN where the catalog has no file at that index.
 * See docs/architecture.md; the mathematics of the full problem is what `PlacementSolution.bound` is measured against.
 */
export interface PlacementProblem {
  /** Bytes per file. */
  readonly sizes: Float64Array
  /** Relative requests per file in each class of demand, 0 where nothing is known. Bytes served of a file ∝ popularity × size. */
  readonly popularity: readonly Float64Array[]
  /** 32 bits per file, taken from its digest: the file's identity in hashing. */
  readonly fileHashes: Uint32Array
  readonly sites: readonly PlacementSite[]
  /** Minimum number of appliances per site, and per region, that hold a placed file. */
  readonly copies: { readonly perSite: number; readonly perRegion: number }
  readonly pins: readonly PlacementPin[]
  readonly excluded: FileSet
  /** A file of several must be allowed by each. */
  readonly licences?: readonly PlacementLicence[]
  readonly resilience?: PlacementResilience
  /** How much more than what it displaces a file must earn to be moved to a site, as a part: 0.5 is half as much again. The solver's own unless told. */
  readonly churnBonus?: number
}

/** What a solver answers. */
export interface PlacementSolution {
  /** By appliance key: which files it should hold. Every appliance of the problem has an entry. */
  readonly holdings: ReadonlyMap<string, FileSet>
  /** By site key: files that are on none of the site's appliances for want of room, and the storage that they would need there. */
  readonly leftOut: ReadonlyMap<string, { readonly files: number; readonly bytes: number }>
  /** Expected share of demanded bytes served at the viewers' own site, 0–1. */
  readonly offload: number
  /** What it is worth, where the solver knows. */
  readonly worth?: PlacementWorth
  /** Where this is the answer of a simpler solver, as the one that was asked failed. */
  readonly insteadOf?: { readonly solver: string; readonly error: string }
  /** Whether it was ended before it was done. */
  readonly endedEarly?: boolean
}

/** What a little more of something would be worth at a site: a shadow price. */
export interface Scarcity {
  /** Key of the site. */
  readonly site: string
  readonly resource: 'Storage' | 'Throughput'
  /** Value in Gbit/s of demand that another terabyte (10^12 bytes), or another Gbit/s, would add. Holds for a little more only. */
  readonly gain: number
}

/** A site of a solution. */
export interface SolvedSite {
  readonly key: string
  readonly holdings: ReadonlyMap<string, FileSet>
  readonly leftOut: { readonly files: number; readonly bytes: number }
  /** Where the policy asks that something outlive a loss: what would. */
  readonly survival?: Survival
}

/** Something that is asked for and cannot be had. */
export interface Unmet {
  readonly ask: 'Head' | 'Pins' | 'CopiesPerRegion'
  /** What there is too little of. */
  readonly limit: SurvivalLimit
  /** Key of the site, or else the region. */
  readonly site?: string
  readonly region?: string
  /** Files with fewer copies; undefined for the head. */
  readonly files?: number
  /** Of the head: the part of the site's demand, 0–1, that could be served after the worst loss. */
  readonly share?: number
}

/** Sites that were placed together, with no regard to the others. */
export interface SolvedPart {
  /** Their keys. */
  readonly sites: readonly string[]
  readonly worth: PlacementWorth
  /** The most valuable first. */
  readonly scarce: readonly Scarcity[]
  /** Whether they would be placed so again: nothing waits for a later plan, as more may not be moved now, and nothing is unmet, as that must be told again. */
  readonly isSettled: boolean
}

/** A solution site by site, in any order: what all sites hold together may be more than fits into memory. */
export interface SolvedSites {
  readonly sites: Iterable<SolvedSite>
  /** Of the sites read so far. */
  worth(): PlacementWorth | undefined
  endedEarly(): boolean
  /** The most valuable first. */
  scarce(): readonly Scarcity[]
  /** Of the sites read so far, in any order. */
  unmet?(): readonly Unmet[]
  /** Of the sites read so far: what was placed together, where the solver places sites apart from others. */
  parts?(): readonly SolvedPart[]
}

/** What a placement is worth, in Gbit/s of demand; where a site's demand is not known it counts as 1. */
export interface PlacementWorth {
  readonly demand: number
  /** Served at the viewers' site, and at its parent. */
  readonly local: number
  readonly parent: number
  /** All in all, where what the parent serves counts less. */
  readonly value: number
  /** No placement has a higher value. */
  readonly bound: number
}

/** A placement algorithm: pure and deterministic; the order of sites and appliances in the problem does not matter. */
export interface PlacementSolver {
  /** Stable name with a version: part of a plan's inputs, so that a better solver leads to new plans. */
  readonly name: string
  solve(problem: PlacementProblem, control?: SolverControl): PlacementSolution
  /** The same, site by site, where the solver can. */
  readonly solveSites?: (problem: PlacementProblem, control?: SolverControl) => SolvedSites
}
