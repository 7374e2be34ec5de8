import type { CompiledPolicy } from './compiled-policy.ts'
import type { WorkingMemory } from './scratch.ts'
import type { SteerRequest } from './types.ts'
import type { World } from './world.ts'

/** One decision under way: one object per scratch, written anew each time. */
export interface Steering {
  readonly world: World
  readonly request: SteerRequest
  readonly memory: WorkingMemory
  readonly policy: CompiledPolicy
  /** Of the policy. */
  readonly ordinal: number
  /** Utilisation at which an appliance is too busy for the purpose. */
  readonly limit: number
  /** How many appliances may be named. */
  readonly room: number
  /** How many of one site. */
  readonly perSite: number
  /** Sites where somebody may hold the files: see `holders.ts`. */
  readonly holders: number
}
