import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { isNotFound } from '../../runtime/errors.ts'
import { type Connection, type ConnectionFlags, connect } from '../api/connect.ts'
import { discover, qualifiedKind, type ServedResource } from '../api/discovery.ts'
import { describeFailure, requestFailure } from '../api/failure.ts'
import { resourceOfKind } from '../api/mapping.ts'
import { AS_JSON, readPages } from '../api/request.ts'
import { parseTargets } from '../api/targets.ts'
import { rankOf } from '../changes/order.ts'
import { parseDuration } from '../duration.ts'
import { CliError, ExitCode, interrupted, usageError } from '../exit.ts'
import type { PlacedTarget } from '../get/read.ts'
import type { Io } from '../io.ts'
import { loadManifests } from '../manifests/manifest.ts'
import { manifestError } from '../manifests/problem.ts'

export interface DeleteFlags extends ConnectionFlags {
  readonly filename?: readonly string[]
  readonly recursive?: boolean
  readonly selector?: string
  readonly fieldSelector?: string
  readonly all?: boolean
  readonly allNamespaces?: boolean
  readonly cascade: 'background' | 'foreground' | 'orphan'
  readonly dryRun?: 'none' | 'server' | 'client'
  readonly ignoreNotFound?: boolean
  readonly wait: boolean
  readonly timeout: string
  readonly gracePeriod?: string
  readonly output?: string
}

/** One object to delete. */
interface Doomed {
  readonly resource: ServedResource
  readonly namespace?: string
  readonly name: string
}

const PROPAGATION = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' } as const

/** `weir delete`: deletes objects, what depends on others first, and waits until they are gone. */
export async function runDelete(io: Io, words: readonly string[], flags: DeleteFlags): Promise<ExitCode> {
  if (flags.all && (flags.selector || flags.fieldSelector))
    throw usageError('cannot set --all and --selector at the same time')
  const timeoutMs = parseDuration(flags.timeout)
  const connection = await connect(io, flags)
  try {
    const doomed = await doomedBy(io, connection, words, flags)
    if (doomed.length === 0) {
      io.err('No resources found\n')
      return ExitCode.ok
    }
    const { deleted, errors } = await deleteAll(io, connection, doomed, flags)
    if (flags.wait && !flags.dryRun && deleted.length > 0) await waitUntilGone(io, connection, deleted, timeoutMs)
    if (errors.length === 0) return ExitCode.ok
    throw new CliError(ExitCode.api, `${[...new Set(errors.map(describeFailure))].join('\n')}\n`, { raw: true })
  } catch (error) {
    if (io.interrupted.aborted && !(error instanceof CliError)) throw interrupted()
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

async function doomedBy(
  io: Io,
  connection: Connection,
  words: readonly string[],
  flags: DeleteFlags,
): Promise<Doomed[]> {
  const discovery = await discover(connection.client, io.interrupted)
  const place = ({ resource, namespace }: PlacedTarget) =>
    resource.namespaced ? { namespace: namespace ?? connection.namespace } : {}
  if (flags.filename?.length) {
    if (words.length > 0)
      throw usageError('when paths are provided as input, you may not specify resource arguments as well')
    const { manifests, problems } = await loadManifests({
      files: flags.filename,
      recursive: flags.recursive ?? false,
      cwd: io.cwd,
      stdin: io.stdin,
    })
    const known = manifests.filter(({ object }) => resourceOfKind(discovery, object.apiVersion, object.kind))
    const unknown = manifests.filter((manifest) => !known.includes(manifest))
    // A kind that is not served has no objects: with --ignore-not-found that is as good as deleted.
    const unserved = flags.ignoreNotFound
      ? []
      : unknown.map((m) =>
          m.problem(
            'unknown-kind',
            ['kind'],
            'value',
            `the server has no kind "${m.object.kind}" of "${m.object.apiVersion}"`,
          ),
        )
    if (problems.length + unserved.length > 0) throw manifestError([...problems, ...unserved], '; nothing was deleted')
    const last = [...known].sort((a, b) => rankOf(b.object) - rankOf(a.object))
    return last.map(({ object }) => {
      const resource = resourceOfKind(discovery, object.apiVersion, object.kind)!
      const { name = '', namespace } = object.metadata
      return { resource, name, ...place({ type: 'object', resource, name, ...(namespace ? { namespace } : {}) }) }
    })
  }
  if (words.length === 0) throw usageError('you must provide one or more resources by argument or filename')
  const { targets } = parseTargets(discovery, words, {
    allNamespaces: flags.allNamespaces ?? false,
    selected: Boolean(flags.selector || flags.fieldSelector),
    allowCollections: flags.all ?? false,
  })
  const found: Doomed[] = []
  for (const target of targets) {
    if (target.type === 'object') found.push({ resource: target.resource, name: target.name, ...place(target) })
    else found.push(...(await members(io, connection, target.resource, flags)))
  }
  return found
}

async function members(
  io: Io,
  connection: Connection,
  resource: ServedResource,
  flags: DeleteFlags,
): Promise<Doomed[]> {
  const request = {
    resource,
    accept: AS_JSON,
    signal: io.interrupted,
    ...(flags.allNamespaces ? {} : { namespace: connection.namespace }),
    ...(flags.selector ? { labelSelector: flags.selector } : {}),
    ...(flags.fieldSelector ? { fieldSelector: flags.fieldSelector } : {}),
  }
  const pages = (await readPages(connection.client, request, 500)) as { items?: readonly (KubeObject & JsonObject)[] }[]
  return pages.flatMap(({ items = [] }) =>
    items.map(({ metadata }) => ({
      resource,
      name: metadata.name!,
      ...(resource.namespaced ? { namespace: metadata.namespace! } : {}),
    })),
  )
}

/** An object that was told to go, and its uid, by which a new one of the same name is told apart. */
interface Deleted extends Doomed {
  readonly uid?: string
}

async function deleteAll(
  io: Io,
  connection: Connection,
  doomed: readonly Doomed[],
  flags: DeleteFlags,
): Promise<{ deleted: Deleted[]; errors: unknown[] }> {
  const deleted: Deleted[] = []
  const errors: unknown[] = []
  const suffix = flags.dryRun === 'server' ? ' (server dry run)' : flags.dryRun === 'client' ? ' (dry run)' : ''
  for (const each of doomed) {
    const { resource, ...key } = each
    try {
      const answer =
        flags.dryRun === 'client' ? {} : await connection.client.delete(resource, key, deleteOptions(io, flags))
      deleted.push({ ...each, ...uidOf(answer) })
      const name = `${qualifiedKind(resource)}/${each.name}`
      await io.out(
        flags.output === 'name'
          ? `${name}\n`
          : `${qualifiedKind(resource)} "${each.name}" deleted${inNamespace(each)}${suffix}\n`,
      )
    } catch (error) {
      if (io.interrupted.aborted) throw interruptedDelete(doomed, deleted)
      if (!(flags.ignoreNotFound && isNotFound(error))) errors.push(error)
    }
  }
  const bug = errors.find((error) => requestFailure(error) === error)
  if (bug) throw bug
  return { deleted, errors }
}

const inNamespace = ({ namespace }: Doomed) => (namespace === undefined ? '' : ` from ${namespace} namespace`)

function deleteOptions(io: Io, flags: DeleteFlags) {
  return {
    propagationPolicy: PROPAGATION[flags.cascade],
    signal: io.interrupted,
    dryRun: flags.dryRun === 'server',
    ...(flags.gracePeriod === undefined ? {} : { gracePeriodSeconds: Number(flags.gracePeriod) }),
  }
}

/** The server answers with the object while finalizers hold it, and with a Status once it is gone. */
function uidOf(answer: JsonObject): { uid?: string } {
  const uid = (answer.metadata as JsonObject | undefined)?.uid ?? (answer.details as JsonObject | undefined)?.uid
  return typeof uid === 'string' ? { uid } : {}
}

function interruptedDelete(doomed: readonly Doomed[], deleted: readonly Doomed[]): CliError {
  const left = doomed.length - deleted.length
  return interrupted(
    `interrupted: ${deleted.length} deleted, ${left} not; running the same command again goes on from here\n`,
  )
}

async function waitUntilGone(
  io: Io,
  connection: Connection,
  deleted: readonly Deleted[],
  timeoutMs: number,
): Promise<void> {
  const { followUntil } = await import('../health/follow.ts')
  const result = await followUntil(connection, deleted, {
    judge: (object, followed) => {
      const gone =
        !object || ((followed as Deleted).uid !== undefined && object.metadata.uid !== (followed as Deleted).uid)
      const finalizers = object?.metadata.finalizers?.join(', ') ?? ''
      return gone
        ? { type: 'met' }
        : { type: 'pending', message: finalizers === '' ? 'it is still there' : `held by ${finalizers}` }
    },
    timeoutMs: timeoutMs === 0 ? 7 * 24 * 3600 * 1000 : timeoutMs,
    signal: io.interrupted,
    onMet: () => {},
  })
  if (result.pending.length === 0) return
  const lines = result.pending.map(
    ({ followed, message }) =>
      `error: timed out waiting for ${followed.resource.plural}/${followed.name} to go (${message})\n`,
  )
  throw new CliError(ExitCode.unhealthy, lines.join(''), { raw: true })
}
