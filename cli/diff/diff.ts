import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { type Connection, type ConnectionFlags, connect } from '../api/connect.ts'
import { requestFailure } from '../api/failure.ts'
import { comparable, masked } from '../changes/comparable.ts'
import { liveKey, liveObjects } from '../changes/live.ts'
import { type Refused, refusal } from '../changes/refusal.ts'
import { manifestsFrom, type Resolved, resolveManifests } from '../changes/resolve.ts'
import { sendApply, waitsForSet } from '../changes/send.ts'
import { concurrently } from '../concurrently.ts'
import { CliError, ExitCode, interrupted } from '../exit.ts'
import type { Io } from '../io.ts'
import { visible } from '../output/escape.ts'
import { printYaml } from '../output/yaml.ts'
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
    liveObjects(connection, set, io.interrupted),
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
    before: live.get(liveKey(resolved)),
  }))
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
