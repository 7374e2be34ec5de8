import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { isNotFound } from '../../runtime/errors.ts'
import { type Connection, type ConnectionFlags, connect } from '../api/connect.ts'
import { requestFailure } from '../api/failure.ts'
import { AS_JSON, readPages } from '../api/request.ts'
import { type Refused, refusal } from '../apply/apply.ts'
import { manifestsFrom, type Resolved, resolveManifests } from '../apply/resolve.ts'
import { sendApply, waitsForSet } from '../apply/send.ts'
import { concurrently } from '../concurrently.ts'
import { CliError, ExitCode, interrupted } from '../exit.ts'
import type { Io } from '../io.ts'
import { visible } from '../output/escape.ts'
import { printYaml } from '../output/yaml.ts'
import { comparable, masked } from './comparable.ts'
import { unifiedDiff } from './unified.ts'

export interface DiffFlags extends ConnectionFlags {
  readonly filename?: readonly string[]
  readonly recursive?: boolean
  readonly exitCode: boolean
  readonly forceConflicts?: readonly string[]
  readonly fieldManager: string
}

type Body = KubeObject & JsonObject

/** Requests under way at once. */
const CONCURRENCY = 32

interface Change {
  readonly resolved: Resolved
  readonly before: Body | undefined
  readonly after: Body
}

/** `weir diff`: what server-side apply would make of the live objects. */
export async function runDiff(io: Io, words: readonly string[], flags: DiffFlags): Promise<ExitCode> {
  const loaded = await manifestsFrom(io, words, flags)
  const connection = await connect(io, flags)
  try {
    const set = await resolveManifests(loaded, connection, io.interrupted)
    let different = false
    for (const change of await changes(io, connection, set, flags)) {
      const text = changeText(change)
      if (text === '') continue
      different = true
      await io.out(io.outIsTerminal ? coloured(text) : text)
    }
    return different && flags.exitCode ? ExitCode.differences : ExitCode.ok
  } catch (error) {
    if (io.interrupted.aborted && !(error instanceof CliError)) throw interrupted()
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

/** Reads what is there with one list per resource and namespace, and at the same time tries every object. */
async function changes(io: Io, connection: Connection, set: readonly Resolved[], flags: DiffFlags): Promise<Change[]> {
  const options = {
    fieldManager: flags.fieldManager,
    dryRun: true,
    take: flags.forceConflicts ?? [],
    signal: io.interrupted,
  }
  const [live, results] = await Promise.all([
    liveObjects(io, connection, set),
    concurrently(set, CONCURRENCY, async (resolved): Promise<{ resolved: Resolved; after: Body } | Refused> => {
      if (resolved.late) return { resolved, after: resolved.object }
      try {
        return { resolved, after: await sendApply(connection.client, resolved, options) }
      } catch (error) {
        if (io.interrupted.aborted) throw error
        return waitsForSet(error, resolved, set) ? { resolved, after: resolved.object } : { resolved, error }
      }
    }),
  ])
  const refused = results.filter((result): result is Refused => 'error' in result)
  if (refused.length > 0) throw refusal(refused)
  return (results as { resolved: Resolved; after: Body }[]).map(({ resolved, after }) => ({
    resolved,
    after,
    before: live.get(keyOf(resolved)),
  }))
}

const keyOf = ({ resource, object }: Resolved) =>
  `${resource.group}/${resource.plural}/${object.metadata.namespace ?? ''}/${object.metadata.name}`

async function liveObjects(
  io: Io,
  connection: Connection,
  set: readonly Resolved[],
): Promise<ReadonlyMap<string, Body>> {
  const served = set.filter(({ late }) => !late)
  const places = Map.groupBy(
    served,
    ({ resource, object }) => `${resource.group}/${resource.plural}/${object.metadata.namespace ?? ''}`,
  )
  const found = new Map<string, Body>()
  await concurrently([...places], CONCURRENCY, async ([place, members]) => {
    const [{ resource, object }] = members as [Resolved]
    const { namespace } = object.metadata
    const request = {
      resource,
      accept: AS_JSON,
      signal: io.interrupted,
      ...(namespace === undefined ? {} : { namespace }),
    }
    for (const page of await readPages(connection.client, request, 500).catch(noneThere)) {
      for (const item of (page as { items?: readonly Body[] }).items ?? [])
        found.set(`${place}/${item.metadata.name}`, item)
    }
  })
  return found
}

/** A collection that is not there holds nothing. */
function noneThere(error: unknown): unknown[] {
  if (isNotFound(error)) return []
  throw error
}

function changeText({ resolved, before, after }: Change): string {
  const { apiVersion, kind } = resolved.object
  const typed = (object: Body | undefined) => object && comparable({ ...object, apiVersion, kind } as Body)
  const [left, right] = masked(typed(before), typed(after))
  const body = unifiedDiff(left ? printYaml(left) : '', right ? printYaml(right) : '')
  if (body === '') return ''
  const { namespace, name } = resolved.object.metadata
  const label = [...apiVersion.split('/'), kind, ...(resolved.resource.namespaced ? [namespace] : []), name].join('.')
  return visible(`--- ${before ? `live/${label}` : '/dev/null'}\n+++ merged/${label}\n${body}`)
}

const COLOURS: Readonly<Record<string, string>> = { '+': '32', '-': '31', '@': '36' }

function coloured(text: string): string {
  return text.replace(/^([-+@]).*$/gm, (line, mark: string) => `\u001b[${COLOURS[mark]}m${line}\u001b[0m`)
}
