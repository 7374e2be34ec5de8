import { isAbsolute, join } from 'node:path'
import type { KubeObject } from '../../crds/metadata.ts'
import type { Connection } from '../api/connect.ts'
import { discovered } from '../api/discovery-cache.ts'
import { resourceOfKind } from '../api/mapping.ts'
import type { Member } from '../applyset/members.ts'
import type { Orphan } from '../applyset/orphans.ts'
import { concurrently } from '../concurrently.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { loadManifests } from '../manifests/manifest.ts'
import { fileArguments, namesFiles } from '../manifests/named-files.ts'
import { type Read, readKey, readOf } from '../plan/reads.ts'
import { checkFresh, readSavedPlan, type SavedPlan, savedManifests } from '../plan/saved-plan.ts'
import type { Work } from './examine.ts'
import type { ApplyInput } from './input.ts'
import type { ApplyFlags, ApplyOptions } from './options.ts'

/** Requests under way at once. */
const CONCURRENCY = 16

/** What `--plan FILE` asks for, with the Secrets that it does not keep from -f. Throws a usage error, or exit code 5 for a plan that a limit refused. */
export async function inputOfPlan(
  io: Io,
  words: readonly string[],
  flags: ApplyFlags,
  options: ApplyOptions,
): Promise<ApplyInput> {
  const path = flags.plan!
  const asked = [flags.applyset, flags.prune, flags.maxDeletes, flags.forceConflicts, flags.namespace]
  if (asked.some((flag) => flag !== undefined))
    throw usageError(
      '--plan says by itself what is applied, and how: -n, --applyset, --prune, --max-deletes and --force-conflicts go with `weir plan`',
    )
  const saved = await readSavedPlan(inside(io.cwd, path))
  const refused = saved.plan.gates.filter(({ verdict }) => verdict !== 'passed')
  if (refused.length > 0) {
    const gates = refused.map(({ gate, limit }) => `--${gate} ${limit}`).join(', ')
    throw new CliError(ExitCode.gate, `the plan ${path} was refused by ${gates}; nothing was applied`)
  }
  const given = namesFiles(flags)
    ? await loadManifests(fileArguments(io, words, flags))
    : { manifests: [], problems: [] }
  const signal = io.interrupted
  return {
    loaded: { ...given, manifests: savedManifests(path, saved, given.manifests) },
    mayBeEmpty: true,
    options: optionsOfPlan(options, saved),
    connection: (connected) => connectionOfPlan(connected, saved),
    check: (connection) => checkFresh(connection, path, saved, signal),
    narrow: async (connection, work) => {
      const narrowed = await deletionsOfPlan(connection, saved, work, signal)
      // What was looked at after the check is what is written to: it must be what was checked.
      if (!isAsPlanned(saved, narrowed)) await checkFresh(connection, path, saved, signal)
      return narrowed
    },
  }
}

/** What a plan was made with is what it is applied with. */
function optionsOfPlan(options: ApplyOptions, { asked }: SavedPlan): ApplyOptions {
  return {
    ...options,
    take: asked.forceConflicts,
    fieldManager: asked.fieldManager,
    applySet: asked.applySet,
    prune: asked.prune,
    agreed: true,
    onlyAsSeen: true,
  }
}

/** Where a plan's objects go that name no namespace. */
const connectionOfPlan = (connection: Connection, { asked }: SavedPlan): Connection => ({
  ...connection,
  namespace: asked.namespace,
  namespaceGiven: false,
})

/** The work with exactly the deletions of the plan: what would have to be deleted besides is kept. */
async function deletionsOfPlan(
  connection: Connection,
  { asked, deletions }: SavedPlan,
  work: Work,
  signal: AbortSignal,
): Promise<Work> {
  if (asked.delete) return { ...work, orphans: await namedDeletions(connection, deletions, signal) }
  const planned = new Set(deletions.map(readKey))
  const orphans = work.orphans.map(({ resource, object, keep }): Orphan => {
    const { apiVersion, kind, metadata } = object
    const { namespace, name = '' } = metadata
    const inPlan = planned.has(readKey({ apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }))
    return { resource, object, keep: keep ?? (inPlan ? undefined : 'was not to be deleted when the plan was made') }
  })
  return { ...work, orphans }
}

/** Whether everything that is going to be written to is as the plan found it. */
function isAsPlanned({ reads }: SavedPlan, { changes, orphans }: Work): boolean {
  const found = new Map(reads.map((read) => [readKey(read), read]))
  const isSame = (named: KubeObject, live: KubeObject | undefined) => {
    const { apiVersion, kind } = named
    const now = readOf({ ...(live ?? named), apiVersion, kind } as KubeObject)
    const then = found.get(readKey(now))
    if (!then || !live) return then?.uid === null
    return (
      then.uid === now.uid &&
      (then.resourceVersion === now.resourceVersion || (then.decisive !== null && then.decisive === now.decisive))
    )
  }
  return (
    changes.every(({ before, resolved }) => isSame(resolved.object, before)) &&
    orphans.every(({ object, keep }) => keep !== undefined || isSame(object, object))
  )
}

async function namedDeletions(
  connection: Connection,
  deletions: readonly Read[],
  signal: AbortSignal,
): Promise<Orphan[]> {
  const discovery = await discovered(connection, signal, () => true)
  const found = await concurrently(deletions, CONCURRENCY, async ({ apiVersion, kind, namespace, name }) => {
    const resource = resourceOfKind(discovery, apiVersion, kind)
    const key = { name, ...(namespace === undefined ? {} : { namespace }) }
    const object = resource && (await connection.client.find(resource, key, { signal }))
    return object ? [{ resource, object: object as Member['object'], keep: undefined }] : []
  })
  return found.flat()
}

const inside = (cwd: string, path: string) => (isAbsolute(path) ? path : join(cwd, path))
