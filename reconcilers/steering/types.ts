/** What the bytes are for: decides who is sent on first when appliances are busy. A game's download suffers least, a live stream most. */
export const PURPOSES = ['game', 'vod', 'live'] as const
export type Purpose = (typeof PURPOSES)[number]

/** Its place in `PURPOSES`. */
export const purposeIndex = (purpose: Purpose) => (purpose === 'vod' ? 1 : purpose === 'live' ? 2 : 0)

/** Where candidates come from. A policy says which of them are tried, in which order. */
export const TIERS = ['Site', 'Siblings', 'Parents', 'Region', 'Fallback'] as const
export type Tier = (typeof TIERS)[number]

/** How a client was placed: which source of the client map knew it. */
export const LOCATION_SOURCES = ['site', 'bgp', 'coverage', 'geo', 'given', 'none'] as const
export type LocationSource = (typeof LOCATION_SOURCES)[number]

/** Where a client is, in ordinals of a `World`; what `locateClient` finds out. Reused between requests, so it is written in place. */
export interface ClientLocation {
  /** Ordinal of the site that serves it; -1 when none is known. */
  site: number
  /** Ordinal of its region in `world.regions`; -1 when not known. Where a site is known, the site's. */
  region: number
  /** Which networks named by policies hold it: a class of `world.networks`; 0: none. */
  networkClass: number
  source: LocationSource
  /** Degrees, where it is known where the client itself is. */
  latitude?: number | undefined
  longitude?: number | undefined
}

/**
 * One question: who has these files for this client? Everything is an ordinal or a number, so that nothing is allocated or looked up by name
 * on the way; `world.siteOrdinals`, `applianceOrdinals` and `catalogOrdinals` turn names into ordinals. The same world, request and seed give the same answer.
 */
export interface SteerRequest {
  readonly client: Readonly<ClientLocation>
  /** Ordinal of the catalog that the files are in. */
  readonly catalog: number
  /** Indices of the files in the catalog: one appliance must hold them all. Empty: no appliance can be named. */
  readonly files: ArrayLike<number>
  readonly purpose: Purpose
  /** Ordinals of appliances not to name: they failed this client just now. */
  readonly excluded: ArrayLike<number>
  /** 32 bits of what should stay together on one appliance, such as `hashString(title)`: the same key prefers the same appliances of a site. */
  readonly affinityKey: number
  /** 32 bits of who asks, such as a hash of the session or the client's network: decides whether it is in a canary's share. */
  readonly canaryKey: number
  /** 32 random bits: every chance the decision takes comes from here. */
  readonly seed: number
  /** Most URLs that the client wants; 0: as many as the policy gives. */
  readonly maxUrls: number
  /** Whether to say of every candidate why it was kept or rejected: slower. */
  readonly explain: boolean
}

/** Why the client's own site did not serve it: nobody there holds the files, nobody who holds them is up, or they are all busy. */
export const MISSES = ['none', 'content', 'health', 'capacity'] as const
export type Miss = (typeof MISSES)[number]

/** What became of one candidate. */
export type CandidateReason =
  /** Named in the answer. */
  | 'Chosen'
  /** Named although it is busy: nobody else is left. */
  | 'ChosenLastResort'
  /** Would have done; the answer was full. */
  | 'NotNeeded'
  | 'MissingFiles'
  | 'Down'
  | 'Draining'
  | 'NoAddress'
  | 'OriginOnly'
  | 'Excluded'
  | 'DrainedByPolicy'
  | 'NotInCanaryShare'
  /** Too busy for this purpose: the request goes to the next tier. */
  | 'Overloaded'

/** One line of an explanation. */
export interface Considered {
  /** Ordinal of the appliance; -1 - i: fallback i of the policy. */
  readonly appliance: number
  readonly tier: Tier
  /** Ordinal of its site; -1 for a fallback. */
  readonly site: number
  readonly reason: CandidateReason
  /** Utilisation that the decision went by, 0…1 and above; NaN for a fallback. */
  readonly utilisation: number
}

/**
 * Who to ask, best first. Owned by the `Scratch` that was passed in: valid until its next decision.
 * Positions 0…count-1 of the arrays are filled.
 */
export interface Answer {
  count: number
  /** Ordinals of appliances; -1 - i: fallback i of the policy. */
  readonly appliances: Int32Array
  /** Index into `TIERS`. */
  readonly tiers: Uint8Array
  /** 0…1: how good a choice it is within its tier. For people and logs; the order is what counts. */
  readonly scores: Float64Array
  /** Ordinal of the policy that governs; the built-in one when none does (`world.policies[policy]` is always there). */
  policy: number
  /** How long the answer may be used. */
  ttlSeconds: number
  /** Why the client's own site is not first. */
  miss: Miss
  /** Every candidate of every tier looked at; empty unless the request says `explain`. */
  considered: Considered[]
}

/** Most URLs that any answer can have. */
export const MAX_URLS = 16

/** Working memory of `decide`: one per thread of execution, so that a decision allocates nothing. */
export interface Scratch {
  readonly answer: Answer
}

/** What an appliance says of its load. Anything that is not a number in bounds is put into bounds, and counted in `world.absurdReports`. */
export interface LoadReport {
  /** Requests being answered now. */
  readonly inFlight: number
  /** Share of what it can send that it is sending, 0…1. */
  readonly utilisation: number
}
