import type { JsonObject } from '../../crds/metadata.ts'
import type { Connection } from '../api/connect.ts'
import { discover } from '../api/discovery.ts'
import { findOrphans } from '../applyset/find-orphans.ts'
import { PART_OF_LABEL } from '../applyset/id.ts'
import { asMembers, scopeOf } from '../applyset/membership.ts'
import type { Orphan } from '../applyset/orphans.ts'
import { type ApplySet, readApplySet, union, writeScope } from '../applyset/parent.ts'
import type { Change } from '../changes/change.ts'
import { computeChanges } from '../changes/compute.ts'
import { Permissions } from '../changes/permissions.ts'
import { mayTake } from '../changes/refusal.ts'
import type { Resolved } from '../changes/resolve.ts'
import { CliError, ExitCode, NOTHING_APPLIED } from '../exit.ts'
import type { Io } from '../io.ts'
import { objectName } from '../output/format.ts'
import type { ApplyOptions } from './options.ts'

/** All that is to be done, tried as far as it can be without doing it. */
export interface Work {
  readonly changes: readonly Change[]
  readonly applySet: ApplySet | undefined
  /** Members that the manifests do not have any more, in the order of deleting; none without --prune. */
  readonly orphans: readonly Orphan[]
  /** Kinds of members that the server does not serve now. */
  readonly unserved: readonly string[]
}

/**
 * Tries everything on the server, changing nothing. Throws exit code 2 for what the files get wrong, 4 for what is somebody else's, 3 for
 * the rest.
 */
export async function examine(
  io: Io,
  connection: Connection,
  objects: readonly Resolved[],
  options: ApplyOptions,
): Promise<Work> {
  const signal = io.interrupted
  const discovery = options.applySet === undefined ? undefined : await discover(connection.client, signal)
  const applySet = discovery && (await readApplySet(connection, discovery, options.applySet!, { signal, change: true }))
  const members = applySet ? asMembers(applySet, objects, NOTHING_APPLIED) : objects
  const { fieldManager, take } = options
  const { changes } = await computeChanges(io, connection, members, { fieldManager, take, strict: true, signal })
  if (!applySet) {
    warnOfLeaving(io, changes)
    return { changes, applySet, orphans: [], unserved: [] }
  }
  refuseOthersMembers(changes, applySet, take)
  const [{ orphans, unserved }] = await Promise.all([
    options.prune
      ? findOrphans(connection, discovery!, applySet, changes, signal)
      : { orphans: [] as readonly Orphan[], unserved: [] },
    // Whether the inventory may be written is known only by trying.
    madeBySet(changes, applySet)
      ? undefined
      : writeScope(connection.client, applySet, union(applySet.scope, scopeOf(applySet, members)), {
          signal,
          dryRun: true,
        }),
  ])
  if (!options.dryRun) await refuseUndeletable(connection, orphans, signal)
  for (const kind of unserved)
    io.err(`Warning: the ApplySet may have a ${kind}, which the server does not serve; such objects are not pruned\n`)
  return { changes, applySet, orphans, unserved }
}

/** Whoever may not delete what would be pruned finds out before anything is applied. */
async function refuseUndeletable(
  { client }: Connection,
  orphans: readonly Orphan[],
  signal: AbortSignal,
): Promise<void> {
  const permissions = new Permissions(client, signal)
  const refused = new Set<string>()
  for (const { resource, object, keep } of orphans) {
    if (keep !== undefined || (await permissions.may('delete', { resource, object }))) continue
    const { namespace } = object.metadata
    const place = resource.namespaced ? `in the namespace "${namespace}"` : 'at the cluster scope'
    refused.add(
      `error: you cannot delete resource "${resource.plural}" in API group "${resource.group}" ${place}, which --prune would: ${objectName(object)}\n`,
    )
  }
  if (refused.size > 0)
    throw new CliError(ExitCode.api, `${[...refused].join('')}error: nothing was applied\n`, { raw: true })
}

/** Whether the namespace of a set's inventory is made by the manifests themselves. */
export function madeBySet(changes: readonly Change[], { key }: ApplySet): boolean {
  return changes.some(
    ({ resolved: { object }, before }) =>
      !before && object.kind === 'Namespace' && object.apiVersion === 'v1' && object.metadata.name === key.namespace,
  )
}

const setOf = (object: JsonObject | undefined) =>
  (object?.metadata as { labels?: Readonly<Record<string, string>> } | undefined)?.labels?.[PART_OF_LABEL]

/** An object is part of one set only; taking it from another is said, like taking any field. */
function refuseOthersMembers(changes: readonly Change[], { id }: ApplySet, take: readonly string[]): void {
  const field = `.metadata.labels.${PART_OF_LABEL}`
  if (mayTake(field, take)) return
  const others = changes.filter(({ before }) => ![undefined, id].includes(setOf(before)))
  if (others.length === 0) return
  const lines = others.map(
    ({ resolved, before }) => `error: ${objectName(resolved.object)} is part of another ApplySet, ${setOf(before)}\n`,
  )
  throw new CliError(
    ExitCode.conflict,
    `${lines.join('')}error: nothing was applied. Leave them out of the manifests, or take them over with --force-conflicts=${field}\n`,
    { raw: true },
  )
}

/** Without --applyset the label that this manager had set goes, and the object with it from its set: it would never be pruned again. */
function warnOfLeaving(io: Io, changes: readonly Change[]): void {
  const leaving = changes.filter(
    ({ before, after }) => setOf(before) !== undefined && after && setOf(after) === undefined,
  )
  if (leaving.length === 0) return
  const [first] = leaving
  const what = leaving.length === 1 ? objectName(first!.resolved.object) : `${leaving.length} objects`
  io.err(
    `Warning: without --applyset, ${what} will leave the ApplySet ${setOf(first!.before)} and not be pruned with it\n`,
  )
}
