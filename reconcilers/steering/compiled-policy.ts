import type { PolicyInput } from './policy.ts'

/** Clients of a pin or drain. */
export interface ClientMatch {
  /** By network class, whether its networks hold the client. Undefined: it names none. */
  readonly networkClasses: Uint8Array | undefined
  /** By region, whether it is named. Undefined: it names none. */
  readonly regions: Uint8Array | undefined
}

export interface CompiledPin {
  readonly clients: ClientMatch
  /** Ordinals of the sites that these clients are sent to first. */
  readonly sites: Uint32Array
  /** ms since 1970; infinite when it has no end. */
  readonly untilMs: number
}

export interface CompiledDrain {
  readonly clients: ClientMatch
  /** By appliance: 1 when these clients are not sent there. */
  readonly appliances: Uint8Array
  readonly untilMs: number
}

/** A policy, ready to be asked: selectors and names have become ordinals. */
export interface CompiledPolicy {
  /** `namespace/name`. */
  readonly key: string
  readonly input: PolicyInput
  /** Indices into `TIERS`, in the order in which they are tried. */
  readonly tiers: Uint8Array
  /** Whether siblings are among the tiers. */
  readonly asksSiblings: boolean
  /** By purpose, in the order of `PURPOSES`: the utilisation at which the request goes on to the next tier, 0…1. */
  readonly limits: Float64Array
  /** How much busier than the mean of its site the preferred appliance may be: 1.05 is 5 %. */
  readonly bound: number
  readonly slowStartMs: number
  /** What distance, load and cost of a site count, in parts of 1. */
  readonly weights: { readonly locality: number; readonly load: number; readonly cost: number }
  /** By site, 0…1; undefined: all the same. */
  readonly costs: Float32Array | undefined
  /** Share of canary keys that are in, of 2^32. */
  readonly canaryShare: number
  /** 32 bits of the policy's key: who is in its share is decided by these and the canary key. */
  readonly canarySalt: number
  /** By appliance: 1 for those that only the canary's share of clients is sent to. Undefined: the share is of the policy itself, or there is no canary. */
  readonly canaryAppliances: Uint8Array | undefined
  /** Whether the policy governs only the canary's share of the clients that it matches. */
  readonly partial: boolean
  readonly maxUrls: number
  readonly ttlSeconds: number
  /** URL templates, in order. */
  readonly fallbacks: readonly { readonly url: string }[]
  /** By purpose, in the order of `PURPOSES`: the fallbacks for it. */
  readonly fallbacksFor: readonly Uint8Array[]
  readonly pins: readonly CompiledPin[]
  readonly drains: readonly CompiledDrain[]
}
