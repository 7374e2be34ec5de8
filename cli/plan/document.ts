import type { JsonValue } from '../../crds/metadata.ts'
import type { Figure } from '../../reconcilers/effects/figure.ts'

/** What `weir plan -o json` prints; the form that docs/cli.md describes. Fields are added without another version; none goes or changes. */
export interface PlanDocument {
  readonly apiVersion: 'cli.weir.dev/v1alpha1'
  readonly kind: 'Plan'
  /** When it was made, RFC 3339. */
  readonly madeAt: string
  /** The API server that was asked. */
  readonly server: string
  readonly summary: Summary
  readonly changes: readonly PlannedChange[]
  readonly fleet: FleetEffects
  readonly gates: readonly GateVerdict[]
  /** What was supposed besides what the manifests say; `changes` and `summary` have it, too. */
  readonly whatIf?: WhatIf
}

export interface WhatIf {
  /** As they were given. */
  readonly suppositions: readonly string[]
  /** What would have to be bought, per currency; absent where some class has no price. */
  readonly cost?: readonly Cost[]
  /** Why that is not known. */
  readonly costUnknown?: string
}

export interface Cost {
  /** ISO 4217. */
  readonly currency: string
  readonly amount: number
}

export interface Summary {
  readonly add: number
  readonly change: number
  readonly delete: number
  readonly unchanged: number
}

/** What becomes of one object. Values of Secrets are masked. */
export interface PlannedChange {
  readonly action: 'add' | 'change' | 'delete'
  readonly apiVersion: string
  readonly objectKind: string
  readonly namespace?: string
  readonly name: string
  /** Of a changed object, the fields that the manifests change. */
  readonly fields: readonly PlannedField[]
  /** `file:line:column` of the object; none for what only the server has. */
  readonly place?: string
  /** Of a deletion, why. */
  readonly reason?: string
}

export interface PlannedField {
  readonly path: string
  readonly before: JsonValue | null
  readonly after: JsonValue | null
  readonly place?: string
}

/** What the fleet would do. */
export interface FleetEffects {
  readonly totals: Omit<Effects, 'links'> & { readonly appliances: number }
  /** Sites at which something happens, or may happen. */
  readonly sites: readonly SiteEffects[]
  /** Appliances of which that is so. */
  readonly appliances: readonly ApplianceEffects[]
  readonly policies: readonly PolicyEffects[]
  /** Objects that only a person can mend once the change is made, and that were not so before. */
  readonly stalls: readonly Stall[]
  /** What else whoever applies this should know. */
  readonly notes: readonly string[]
}

/** Bytes, files and appliances. */
export interface Effects {
  /** To fetch because of the change. */
  readonly fillBytes: Figure
  /** To give up because of the change. */
  readonly evictBytes: Figure
  /** To fetch anyway, with or without the change. */
  readonly pendingBytes: Figure
  /** Was yet to be fetched, and is not any more. */
  readonly cancelledBytes: Figure
  /** Appliances that clients are sent away from. */
  readonly drained: Figure
  readonly restarted: Figure
  /** Files, and their bytes, that have fewer copies at the site on the way than their policy wants, at worst. */
  readonly belowFloorFiles: Figure
  readonly belowFloorBytes: Figure
  readonly links: readonly PlannedLink[]
}

export interface SiteEffects extends Effects {
  readonly namespace: string
  readonly name: string
  /** Appliances at the site once the change is made, and those that leave. */
  readonly appliances: number
  /** The steps of a rollout in which the site has its turn; none where no rollout is under way. */
  readonly wave: string | null
  readonly window: FillWindow
  /** Until everything missing has come, in seconds from now. */
  readonly etaSeconds: Figure
}

/** Where bytes come from. */
export interface PlannedLink {
  readonly from: 'peer' | 'parent' | 'origin'
  /** `namespace/name` of the parent site. */
  readonly site?: string
  readonly bytes: Figure
}

/** When the site fills next. */
export interface FillWindow {
  readonly timeZone: string
  /** The site's own time; null where it may fill now or never. */
  readonly opensAt: string | null
  /** Of the whole site, in the most generous of its windows; null where no window has a cap. */
  readonly maxGbps: number | null
  readonly state: 'always' | 'open' | 'opens' | 'never'
}

export interface ApplianceEffects {
  readonly namespace: string
  readonly name: string
  readonly site: string
  readonly fillBytes: Figure
  readonly evictBytes: Figure
  readonly pendingBytes: Figure
  readonly cancelledBytes: Figure
  readonly drained: boolean
}

export interface PolicyEffects {
  readonly namespace: string
  readonly name: string
  /**
   * `new`: gets its first plan. `anew`: another plan than now. `unchanged`: keeps it, or has none now either. `removed`: is deleted, or plans nothing. `unknown`: cannot be
   * said, and `why`.
   */
  readonly plan: 'new' | 'anew' | 'unchanged' | 'removed' | 'unknown'
  readonly why?: string
  /** Demand served by the policy's appliances, in per cent of all demand. */
  readonly offloadPercent: { readonly before: Figure; readonly after: Figure }
  /** No plan could serve more with these appliances, in per cent of all demand. */
  readonly boundPercent: { readonly before: Figure; readonly after: Figure }
  /** What of it is lost, in per cent of all demand; less than 0 where something is won. */
  readonly offloadLossPercent: Figure
  /** Files that have no room somewhere. */
  readonly filesLeftOut: { readonly before: Figure; readonly after: Figure }
}

export interface Stall {
  readonly kind: string
  /** `namespace/name`. */
  readonly key: string
  readonly reason: string
  readonly message: string
}

/** A limit that was set, and what it came to. */
export interface GateVerdict {
  /** Such as `max-fill`. */
  readonly gate: string
  /** As it was given. */
  readonly limit: string
  readonly verdict: 'passed' | 'exceeded' | 'unknown'
  /** The worst figure. */
  readonly value: Figure
  /** What it is about: `site isp/fra1`, `policy isp/films`; none where it is the whole plan. */
  readonly of?: string
}
