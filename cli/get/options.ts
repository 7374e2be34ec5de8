import type { ConnectionFlags } from '../api/connect.ts'
import type { FileFlags } from '../manifests/named-files.ts'

/** The flags of `weir get`, named as kubectl's. */
export interface GetFlags extends ConnectionFlags, FileFlags {
  readonly output?: string
  readonly allNamespaces?: boolean
  readonly selector?: string
  readonly fieldSelector?: string
  readonly watch?: boolean
  readonly watchOnly?: boolean
  readonly outputWatchEvents?: boolean
  readonly sortBy?: string
  readonly headers?: boolean
  readonly showLabels?: boolean
  readonly labelColumns?: readonly string[]
  readonly showKind?: boolean
  readonly showManagedFields?: boolean
  readonly ignoreNotFound?: boolean
  readonly chunkSize?: string
  readonly subresource?: string
  readonly raw?: string
  /** `false`: tables are made here. */
  readonly serverPrint?: string
}
