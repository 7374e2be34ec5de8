import type { ConnectionFlags } from '../api/connect.ts'

/** The flags of `weir drain` and `weir restore`. */
export interface DrainFlags extends ConnectionFlags {
  readonly selector?: string
  readonly fieldSelector?: string
  readonly all?: boolean
  readonly allNamespaces?: boolean
  readonly dryRun?: 'none' | 'server' | 'client'
  readonly forceConflicts?: readonly string[]
  readonly wait?: boolean
  readonly timeout: string
  readonly output?: string
}
