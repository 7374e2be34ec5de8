import type { Connection } from '../api/connect.ts'
import type { Discovery } from '../api/discovery.ts'
import type { Change } from '../changes/change.ts'
import { inWaves } from '../changes/order.ts'
import { readMembers } from './members.ts'
import { type Orphan, orphansOf } from './orphans.ts'
import type { ApplySet } from './parent.ts'

/** Members of a set that the manifests do not have any more, and kinds of which that cannot be known. */
export interface FoundOrphans {
  /** In the order of deleting. */
  readonly orphans: readonly Orphan[]
  /** Kinds that the set may have members of and that the server does not serve. */
  readonly unserved: readonly string[]
}

/** What pruning a set would look at, once these changes are made. Reads only. Throws what the client throws. */
export async function findOrphans(
  connection: Connection,
  discovery: Discovery,
  set: ApplySet,
  changes: readonly Pick<Change, 'resolved' | 'before'>[],
  signal: AbortSignal,
): Promise<FoundOrphans> {
  if (!set.parent) return { orphans: [], unserved: [] }
  const { members, unserved } = await readMembers(connection, discovery, set, signal)
  const wanted = changes.map(({ resolved: { resource, object }, before }) => ({
    resource,
    object,
    ...(before?.metadata.uid === undefined ? {} : { uid: before.metadata.uid }),
  }))
  const orphans = orphansOf(set, members, wanted)
  return {
    orphans: inWaves(orphans, ({ object }) => object)
      .reverse()
      .flat(),
    unserved,
  }
}
