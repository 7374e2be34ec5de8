import type { ConnectionFlags } from '../api/connect.ts'
import type { FileFlags } from '../manifests/named-files.ts'

export interface DeleteFlags extends ConnectionFlags, FileFlags {
  readonly selector?: string
  readonly fieldSelector?: string
  readonly all?: boolean
  readonly allNamespaces?: boolean
  readonly cascade: 'background' | 'foreground' | 'orphan'
  readonly dryRun?: 'none' | 'server' | 'client'
  readonly ignoreNotFound?: boolean
  readonly wait?: boolean
  readonly timeout: string
  readonly gracePeriod?: string
  readonly now?: boolean
  readonly force?: boolean
  readonly interactive?: boolean
  readonly output?: string
}
