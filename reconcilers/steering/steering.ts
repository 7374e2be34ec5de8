import type { CompiledPolicy } from './compiled-policy.ts'
import type { Miss, Scratch, SteerRequest } from './types.ts'
import type { World } from './world.ts'

/** One decision under way: one object per scratch, written anew each time. */
export interface Steering {
  readonly world: World
  readonly request: SteerRequest
  readonly memory: WorkingMemory
  readonly policy: CompiledPolicy
  /** Utilisation at which an appliance is too busy for the purpose. */
  readonly limit: number
  /** How many appliances may be named. */
  readonly room: number
  /** How many of one site. */
  readonly perSite: number
  /** Sites where somebody may hold the files: see `holders.ts`. */
  readonly holders: number
}

/** What `decide` works with besides the answer. */
export interface WorkingMemory extends Scratch {
  /** The decision under way; undefined before the first. */
  steering: { -readonly [K in keyof Steering]: Steering[K] } | undefined
  /** Places of the site's appliances that will do, and how they are preferred: the lowest first. */
  candidates: Int32Array
  keys: Float64Array
  /** By site: the decision that looked at it last. */
  seen: Uint32Array
  decision: number
  /** By position in the answer: load of who is named. */
  readonly loads: Float64Array
  /** Places of appliances that would do but are too busy, and the tiers they were found in. */
  readonly busy: Int32Array
  readonly busyTiers: Uint8Array
  busyCount: number
  /** What was read ahead: of no other use. */
  touched: number
  /** Sites of which somebody is named. */
  sitesNamed: number
  /** Sites of the tier at hand that are still to be looked at, and how they are preferred. */
  sites: Int32Array
  siteKeys: Float64Array
  /** What was found of the client's own site; `unknown`: it has not been looked at. */
  atSite: Miss | 'unknown'
}
