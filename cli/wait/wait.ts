import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { sleep, systemClock } from '../../runtime/clock.ts'
import { isNotFound } from '../../runtime/errors.ts'
import { type Connection, type ConnectionFlags, connect } from '../api/connect.ts'
import { qualifiedKind } from '../api/discovery.ts'
import { requestFailure } from '../api/failure.ts'
import { AS_JSON, readOne, readPages } from '../api/request.ts'
import { parseDuration } from '../duration.ts'
import { CliError, ExitCode, interrupted, usageError } from '../exit.ts'
import { namedTargets } from '../get/named.ts'
import type { PlacedTarget } from '../get/read.ts'
import { type Followed, followUntil } from '../health/follow.ts'
import type { Io } from '../io.ts'
import type { FileFlags } from '../manifests/named-files.ts'
import { allOf, type Goal, parseGoal } from './condition.ts'

export interface WaitFlags extends ConnectionFlags, FileFlags {
  readonly for?: readonly string[]
  readonly selector?: string
  readonly fieldSelector?: string
  readonly all?: boolean
  readonly allNamespaces?: boolean
  readonly timeout: string
  readonly output?: string
}

const WEEK_MS = 7 * 24 * 3600 * 1000
/** How often it is looked whether something that is to be created is there. */
const LOOK_AGAIN_MS = 500

/** `weir wait`: until every object is as `--for` says, or fails at once when one is stalled. */
export async function runWait(io: Io, words: readonly string[], flags: WaitFlags): Promise<ExitCode> {
  const goals = (flags.for ?? []).map(parseGoal)
  if (goals.length === 0) throw usageError('--for says what to wait for')
  const waits = (type: Goal['type']) => goals.some((goal) => goal.type === type)
  if (waits('delete') && goals.length > 1) throw usageError('--for=delete cannot be met together with anything else')
  const timeout = parseDuration(flags.timeout)
  const connection = await connect(io, flags)
  try {
    const targets = await namedTargets(io, connection, words, flags, flags.all ?? false)
    const timeoutMs = timeout < 0 ? WEEK_MS : timeout
    const started = performance.now()
    let followed = await existing(io, connection, targets, flags, waits)
    while (followed.length === 0 && waits('create') && performance.now() - started < timeoutMs) {
      await sleep(systemClock, LOOK_AGAIN_MS, io.interrupted)
      followed = await existing(io, connection, targets, flags, waits)
    }
    if (followed.length === 0) {
      if (waits('delete')) return ExitCode.ok
      if (waits('create')) throw new CliError(ExitCode.unhealthy, 'timed out waiting for the condition')
      throw new CliError(ExitCode.api, 'no matching resources found')
    }
    const leftMs = timeoutMs === 0 ? 0 : Math.max(1, timeoutMs - (performance.now() - started))
    return await waitFor(io, connection, followed, goals, leftMs, flags.output === 'name')
  } catch (error) {
    if (io.interrupted.aborted) throw interrupted()
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

async function waitFor(
  io: Io,
  connection: Connection,
  followed: readonly Waited[],
  goals: readonly Goal[],
  timeoutMs: number,
  namesOnly: boolean,
): Promise<ExitCode> {
  const judge = allOf(goals)
  const { failed, pending } = await followUntil(connection, followed, {
    // One of the same name that was made since is another.
    judge: (object, { uid }) => judge(uid !== undefined && object?.metadata.uid !== uid ? undefined : object),
    timeoutMs,
    signal: io.interrupted,
    onMet: ({ resource, name }) =>
      void io.out(`${qualifiedKind(resource)}/${name}${namesOnly ? '' : ' condition met'}\n`.repeat(goals.length)),
  })
  for (const { followed: each, message } of failed) io.err(`error: ${label(each)}: ${message}\n`)
  for (const { followed: each, message } of pending) {
    io.err(`error: timed out waiting for the condition on ${label(each)}${message === '' ? '' : ` (${message})`}\n`)
  }
  return failed.length + pending.length === 0 ? ExitCode.ok : ExitCode.unhealthy
}

/** An object to wait for; of one that is to be deleted, which one. */
interface Waited extends Followed {
  readonly uid?: string
}

const label = ({ resource, name }: Followed) => `${resource.plural}/${name}`

/** The objects that targets stand for now. Named ones that are not there are an error, unless they may be missing. */
async function existing(
  io: Io,
  connection: Connection,
  targets: readonly PlacedTarget[],
  flags: WaitFlags,
  waits: (type: Goal['type']) => boolean,
): Promise<Waited[]> {
  const found = await Promise.all(
    targets.map(async (target): Promise<Waited[]> => {
      const { resource } = target
      const namespace =
        resource.namespaced && !flags.allNamespaces ? (target.namespace ?? connection.namespace) : undefined
      const request = {
        resource,
        accept: AS_JSON,
        signal: io.interrupted,
        ...(namespace === undefined ? {} : { namespace }),
      }
      if (target.type === 'object') {
        const followed = { resource, name: target.name, ...(namespace === undefined ? {} : { namespace }) }
        if (waits('create')) return [followed]
        try {
          const { metadata } = (await readOne(connection.client, { ...request, name: target.name })) as KubeObject
          return [{ ...followed, ...(waits('delete') && metadata.uid ? { uid: metadata.uid } : {}) }]
        } catch (error) {
          if (waits('delete') && isNotFound(error)) return []
          throw error
        }
      }
      const selected = {
        ...request,
        ...(flags.selector ? { labelSelector: flags.selector } : {}),
        ...(flags.fieldSelector ? { fieldSelector: flags.fieldSelector } : {}),
      }
      const pages = (await readPages(connection.client, selected, 500)) as {
        items?: readonly (KubeObject & JsonObject)[]
      }[]
      return pages.flatMap(({ items = [] }) =>
        items.map(({ metadata }) => ({
          resource,
          name: metadata.name!,
          ...(resource.namespaced ? { namespace: metadata.namespace! } : {}),
          ...(waits('delete') && metadata.uid ? { uid: metadata.uid } : {}),
        })),
      )
    }),
  )
  return found.flat()
}
