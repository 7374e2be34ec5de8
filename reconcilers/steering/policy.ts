import type { LabelSelector } from '../labels/selector.ts'
import type { Purpose, Tier } from './types.ts'

/** Clients by network or region. Both given: both must match. */
export interface ClientNetworks {
  readonly networks?: readonly string[]
  readonly regions?: readonly string[]
}

/** A SteeringPolicy as the API server gives it, defaults filled in. */
export interface PolicyInput {
  readonly metadata: { readonly name?: string; readonly namespace?: string }
  readonly spec: {
    readonly priority: number
    readonly clients?: ClientNetworks & {
      readonly siteSelector?: LabelSelector
      readonly namespaceSelector?: LabelSelector
      readonly unlocated?: boolean
    }
    readonly content?: {
      readonly catalogs?: readonly { readonly namespace?: string; readonly name: string }[]
      readonly paths?: readonly string[]
      readonly titles?: readonly string[]
    }
    readonly purposes?: readonly Purpose[]
    readonly tiers: readonly Tier[]
    readonly weights: { readonly locality: number; readonly load: number; readonly cost: number }
    readonly costs: readonly { readonly siteSelector: LabelSelector; readonly cost: number }[]
    readonly overload: { readonly gamePercent: number; readonly vodPercent: number; readonly livePercent: number }
    readonly boundPercent: number
    readonly slowStartSeconds: number
    readonly canary?: { readonly sharePercent: number; readonly selector?: LabelSelector }
    readonly maxUrls: number
    readonly ttlSeconds: number
    readonly fallbacks: readonly { readonly url: string; readonly purposes?: readonly Purpose[] }[]
    readonly pins: readonly {
      readonly clients: ClientNetworks
      readonly siteSelector: LabelSelector
      readonly until?: string
      readonly reason?: string
    }[]
    readonly drains: readonly {
      readonly clients?: ClientNetworks
      readonly siteSelector?: LabelSelector
      readonly selector?: LabelSelector
      readonly until?: string
      readonly reason?: string
    }[]
  }
}

/** What governs clients and content that no SteeringPolicy does. */
export const BUILT_IN_POLICY: PolicyInput = {
  metadata: { name: '(built-in)' },
  spec: {
    priority: Number.NEGATIVE_INFINITY,
    clients: { namespaceSelector: {}, unlocated: true },
    tiers: ['Site', 'Siblings', 'Parents', 'Fallback'],
    weights: { locality: 60, load: 30, cost: 10 },
    costs: [],
    overload: { gamePercent: 75, vodPercent: 85, livePercent: 95 },
    boundPercent: 105,
    slowStartSeconds: 60,
    maxUrls: 4,
    ttlSeconds: 300,
    fallbacks: [],
    pins: [],
    drains: [],
  },
}
