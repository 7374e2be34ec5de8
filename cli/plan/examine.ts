import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Connection } from '../api/connect.ts'
import { discovered } from '../api/discovery-cache.ts'
import { findOrphans } from '../applyset/find-orphans.ts'
import { asMembers } from '../applyset/membership.ts'
import type { Orphan } from '../applyset/orphans.ts'
import { readApplySet } from '../applyset/parent.ts'
import type { Change } from '../changes/change.ts'
import { computeChanges } from '../changes/compute.ts'
import { liveKey, liveObjects } from '../changes/live.ts'
import type { Resolved } from '../changes/resolve.ts'
import type { Io } from '../io.ts'
import type { Imagined } from './what-if.ts'

/** What is asked of the manifests. */
export interface Asking {
  readonly fieldManager: string
  readonly take: readonly string[]
  readonly applySet?: string
  readonly prune: boolean
  /** The manifests' objects are deleted, not applied. */
  readonly delete: boolean
}

/** An object that goes. */
export interface Deletion {
  readonly object: KubeObject & JsonObject
  /** Why, where nobody has named it. */
  readonly reason?: string
  /** The manifest that names it; none where pruning finds it. */
  readonly resolved?: Resolved
}

/** What becomes of every object, as far as it was asked for. */
export interface PlannedWork {
  /** In the order of applying. */
  readonly changes: readonly Change[]
  /** In the order of deleting. */
  readonly deletions: readonly Deletion[]
  /** Orphans that stay, and why. */
  readonly kept: readonly Orphan[]
  /** Objects that were named to be deleted and are not there. */
  readonly absent: readonly Resolved[]
  /** What is supposed besides: laid on the fleet after all else, and never made. */
  readonly imagined?: readonly Imagined[]
}

/** Finds out what the manifests ask for, changing nothing. Throws what `computeChanges` throws. */
export async function examine(
  io: Io,
  connection: Connection,
  set: readonly Resolved[],
  asking: Asking,
): Promise<PlannedWork> {
  const signal = io.interrupted
  if (asking.delete) return await deletionsOf(connection, set, signal)
  const discovery = asking.applySet === undefined ? undefined : await discovered(connection, signal, () => true)
  const applySet = discovery && (await readApplySet(connection, discovery, asking.applySet!, { signal, change: false }))
  const objects = applySet ? asMembers(applySet, set) : set
  const { fieldManager, take } = asking
  const { changes } = await computeChanges(io, connection, objects, { fieldManager, take, signal })
  const { orphans } =
    applySet && asking.prune
      ? await findOrphans(connection, discovery!, applySet, changes, signal)
      : { orphans: [] as readonly Orphan[] }
  const going = orphans.filter(({ keep }) => keep === undefined)
  return {
    changes,
    deletions: going.map(({ object }) => ({
      object,
      reason: `is not in the manifests of ${asking.applySet} any more`,
    })),
    kept: orphans.filter(({ keep }) => keep !== undefined),
    absent: [],
  }
}

/** Deleting goes the other way than applying. */
async function deletionsOf(
  connection: Connection,
  set: readonly Resolved[],
  signal: AbortSignal,
): Promise<PlannedWork> {
  const live = await liveObjects(connection, set, signal)
  const found = [...set].reverse().map((resolved) => ({ resolved, object: live.get(liveKey(resolved)) }))
  return {
    changes: [],
    deletions: found.flatMap(({ resolved, object }) => {
      const { apiVersion, kind } = resolved.object
      return object ? [{ object: { ...object, apiVersion, kind } as Deletion['object'], resolved }] : []
    }),
    kept: [],
    absent: found.filter(({ object }) => !object).map(({ resolved }) => resolved),
  }
}
