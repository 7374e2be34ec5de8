import type { ConnectionFlags } from '../api/connect.ts'
import type { FileFlags } from '../manifests/named-files.ts'
import type { GateFlags } from '../plan/gates.ts'

export interface ApplyFlags extends ConnectionFlags, FileFlags, GateFlags {
  readonly output?: string
  readonly dryRun?: 'none' | 'server' | 'client'
  readonly forceConflicts?: readonly string[]
  readonly fieldManager: string
  readonly plan?: string
  readonly applyset?: string
  readonly prune?: boolean
  readonly yes?: boolean
  readonly wait?: boolean
  readonly timeout: string
}

/** What the flags ask for, checked. */
export interface ApplyOptions {
  readonly dryRun: 'server' | 'client' | undefined
  readonly take: readonly string[]
  readonly fieldManager: string
  readonly applySet: string | undefined
  readonly prune: boolean
  /** Objects that may be deleted at most. */
  readonly maxDeletes: number
  /** By --yes, or by applying a plan: nobody is asked. */
  readonly agreed: boolean
  /** Write to nothing that is not as it was when it was looked at: for a saved plan. */
  readonly onlyAsSeen: boolean
  /** Undefined: do not wait. */
  readonly waitMs: number | undefined
  /** Whether the manifests come from stdin, so that nobody can be asked there. */
  readonly stdinTaken: boolean
}
