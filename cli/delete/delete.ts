import type { JsonObject } from '../../crds/metadata.ts'
import { ApiError, isForbidden, isNotFound } from '../../runtime/errors.ts'
import { type Connection, connect } from '../api/connect.ts'
import { qualifiedKind } from '../api/discovery.ts'
import { describeFailure, requestFailure } from '../api/failure.ts'
import { confirm } from '../apply/confirm.ts'
import { execute } from '../apply/execute.ts'
import { parseDuration } from '../duration.ts'
import { CliError, ExitCode, interrupted, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import type { DeleteFlags } from './delete-flags.ts'
import { type Doomed, doomedBy } from './doomed.ts'
import { Patience } from './once-unused.ts'
import { type Deleted, waitUntilGone } from './wait-gone.ts'

const PROPAGATION = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' } as const
/** Requests under way at once. */
const CONCURRENCY = 16
const WEEK_MS = 7 * 24 * 3600 * 1000

/** `weir delete`: deletes objects, what depends on others first, and waits until they are gone. */
export async function runDelete(io: Io, words: readonly string[], flags: DeleteFlags): Promise<ExitCode> {
  const selected = Boolean(flags.selector || flags.fieldSelector)
  if (flags.all && selected) throw usageError('cannot set --all and --selector at the same time')
  const grace = gracePeriod(flags)
  const timeoutMs = parseDuration(flags.timeout)
  const connection = await connect(io, flags)
  try {
    const waves = await doomedBy(io, connection, words, flags)
    if (waves.length === 0 || !(await wanted(io, waves.flat(), flags))) {
      io.err(waves.length === 0 ? 'No resources found\n' : 'deletion is cancelled\n')
      return ExitCode.ok
    }
    warn(io, connection, waves.flat(), flags, grace)
    // What was found by looking may have gone since; only what was named is missed.
    const ignore = flags.ignoreNotFound ?? (selected || Boolean(flags.all))
    const patience = new Patience(connection.client, io.interrupted, timeoutMs === 0 ? WEEK_MS : timeoutMs)
    const { deleted, errors } = await deleteAll(io, connection, waves, flags, grace, ignore, patience)
    if (flags.wait !== false && !isDryRun(flags)) await waitFor(io, connection, deleted, patience)
    if (errors.length === 0) return ExitCode.ok
    throw new CliError(ExitCode.api, `${[...new Set(errors.map(describeFailure))].join('\n')}\n`, { raw: true })
  } catch (error) {
    if (io.interrupted.aborted && !(error instanceof CliError)) throw interrupted()
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

const isDryRun = ({ dryRun }: DeleteFlags) => dryRun !== undefined && dryRun !== 'none'

/** Seconds that objects are given to end; undefined: as long as they say themselves. kubectl's rules and messages. */
function gracePeriod({ gracePeriod: given, now, force }: DeleteFlags): number | undefined {
  const seconds = given === undefined || given.startsWith('-') ? undefined : Number(given)
  if (given !== undefined && !/^-?\d+$/.test(given)) throw usageError(`--grace-period ${given} is not a whole number`)
  if (now && given !== undefined) throw usageError('--now and --grace-period cannot be specified together')
  if (force && ((seconds ?? 0) > 0 || now))
    throw usageError('--force and --grace-period greater than 0 cannot be specified together')
  if (force) return 0
  // Zero takes an object away without waiting for anybody: that has to be said with --force.
  return now || seconds === 0 ? 1 : seconds
}

async function wanted(io: Io, doomed: readonly Doomed[], flags: DeleteFlags): Promise<boolean> {
  if (!flags.interactive || isDryRun(flags)) return true
  if (!io.interactive || flags.filename?.includes('-')) throw usageError('-i asks on a terminal, and there is none')
  for (const each of doomed) io.err(`${nameOf(each)}${inNamespace(each)}\n`)
  return confirm(io, doomed.length === 1 ? 'Delete this object?' : `Delete these ${doomed.length} objects?`)
}

function warn(
  io: Io,
  connection: Connection,
  doomed: readonly Doomed[],
  flags: DeleteFlags,
  grace: number | undefined,
): void {
  if (grace === 0)
    io.err(
      'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n',
    )
  const scoped = connection.namespaceGiven && !flags.allNamespaces
  if (scoped && doomed.some(({ resource }) => !resource.namespaced))
    io.err('Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n')
}

const nameOf = ({ resource, name }: Doomed) => `${qualifiedKind(resource)}/${name}`
const inNamespace = ({ namespace }: Doomed) => (namespace === undefined ? '' : ` from ${namespace} namespace`)

/** What is refused does not keep the others from being deleted; a server that is gone does. */
async function deleteAll(
  io: Io,
  connection: Connection,
  waves: readonly (readonly Doomed[])[],
  flags: DeleteFlags,
  grace: number | undefined,
  ignoreNotFound: boolean,
  patience: Patience,
): Promise<{ deleted: Deleted[]; errors: unknown[] }> {
  const deleted: Deleted[] = []
  const errors: unknown[] = []
  const execution = await execute<Doomed, JsonObject | ApiError>(waves, {
    concurrency: CONCURRENCY,
    interrupted: io.interrupted,
    send: async ({ resource, name, namespace, object }, signal) => {
      if (flags.dryRun === 'client') return {}
      const key = { name, ...(namespace === undefined ? {} : { namespace }) }
      try {
        const how = {
          resource,
          object: { ...object, metadata: { ...object.metadata, ...key } } as typeof object,
          signal,
        }
        const answer = await patience.onceUnused(how, () =>
          connection.client.delete(resource, key, {
            propagationPolicy: PROPAGATION[flags.cascade],
            signal,
            dryRun: flags.dryRun === 'server',
            ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
          }),
        )
        if (!isDryRun(flags)) patience.deleted()
        return answer
      } catch (error) {
        if (error instanceof ApiError) return error
        throw error
      }
    },
    onDone: async (each, answer) => {
      if (answer instanceof ApiError) {
        if (!(ignoreNotFound && isNotFound(answer))) errors.push(answer)
        return
      }
      deleted.push({ ...each, ...uidOf(answer) })
      await io.out(flags.output === 'name' ? `${nameOf(each)}\n` : deletedText(each, flags, grace))
    },
  })
  const { pending, unknown, failure } = execution
  if (!io.interrupted.aborted && !failure) return { deleted, errors }
  const list = (what: string, items: readonly Doomed[]) =>
    items.length === 0 ? '' : `${what}: ${items.map(nameOf).join(', ')}\n`
  const report =
    list('deleted', deleted) +
    list('sent, but not answered (it may have been deleted)', unknown) +
    list('not deleted', pending) +
    'Running the same command again goes on from here.\n'
  if (io.interrupted.aborted) throw interrupted(`interrupted\n${report}`)
  if (requestFailure(failure!.error) === failure!.error) throw failure!.error
  throw new CliError(ExitCode.api, `${report}${describeFailure(failure!.error)}\n`, { raw: true })
}

function deletedText(each: Doomed, { dryRun }: DeleteFlags, grace: number | undefined): string {
  const suffix = dryRun === 'server' ? ' (server dry run)' : dryRun === 'client' ? ' (dry run)' : ''
  const verb = grace === 0 ? 'force deleted' : 'deleted'
  return `${qualifiedKind(each.resource)} "${each.name}" ${verb}${inNamespace(each)}${suffix}\n`
}

/** The server answers with the object while finalizers hold it, and with a Status once it is gone. */
function uidOf(answer: JsonObject): { uid?: string } {
  const uid = (answer.metadata as JsonObject | undefined)?.uid ?? (answer.details as JsonObject | undefined)?.uid
  return typeof uid === 'string' ? { uid } : {}
}

/** Who may delete but not look has deleted all the same, as kubectl sees it. */
async function waitFor(io: Io, connection: Connection, deleted: readonly Deleted[], patience: Patience): Promise<void> {
  if (deleted.length === 0) return
  try {
    await waitUntilGone(io, connection, deleted, patience.leftMs())
  } catch (error) {
    if (!isForbidden(error)) throw error
    io.err('note: you may not look whether they are gone, so that is not waited for\n')
  }
}
