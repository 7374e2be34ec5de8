import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Connection, ConnectionFlags } from '../api/connect.ts'
import { connect } from '../api/connect.ts'
import { describeFailure, requestFailure } from '../api/failure.ts'
import { comparable } from '../changes/comparable.ts'
import { liveKey, liveObjects } from '../changes/live.ts'
import { rankOf } from '../changes/order.ts'
import { conflictsOf, type Refused, refusal } from '../changes/refusal.ts'
import { manifestsFrom, type Resolved, resolveManifests } from '../changes/resolve.ts'
import { sendApply, tryElsewhere, waitsForSet } from '../changes/send.ts'
import { concurrently } from '../concurrently.ts'
import { parseDuration } from '../duration.ts'
import { CliError, ExitCode, interrupted, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { objectName, parseFormat, printObjects } from '../output/format.ts'
import { printJson } from '../output/json.ts'
import { waitUntilServed } from './wait-served.ts'

export interface ApplyFlags extends ConnectionFlags {
  readonly filename?: readonly string[]
  readonly recursive?: boolean
  readonly output?: string
  readonly dryRun?: 'none' | 'server' | 'client'
  readonly forceConflicts?: readonly string[]
  readonly fieldManager: string
  readonly wait?: boolean
  readonly timeout: string
}

/** Requests under way at once. */
const CONCURRENCY = 32

type Action = 'created' | 'configured' | 'unchanged'
type Applied = KubeObject & JsonObject

interface Outcome {
  readonly resolved: Resolved
  readonly object: Applied
  readonly action: Action
}

/** `weir apply`: checks everything, tries everything, then applies in dependency order. */
export async function runApply(io: Io, words: readonly string[], flags: ApplyFlags): Promise<ExitCode> {
  const output = flags.output
  if (output !== undefined && !['name', 'json', 'yaml'].includes(output))
    throw usageError(`apply prints name, json or yaml, not "${output}"`)
  const timeoutMs = parseDuration(flags.timeout)
  const loaded = await manifestsFrom(io, words, flags)
  const connection = await connect(io, flags)
  try {
    const set = await resolveManifests(loaded, connection, io.interrupted)
    const printer = new Printer(io, output, flags.dryRun)
    if (flags.dryRun === 'client') {
      for (const resolved of set) await printer.print({ resolved, object: resolved.object, action: 'unchanged' })
      return await printer.finish()
    }
    const tried = await tryAll(io, connection, set, flags)
    if (flags.dryRun === 'server') {
      for (const outcome of tried) await printer.print(outcome)
      return await printer.finish()
    }
    await applyAll(io, connection, set, tried, flags, printer)
    await printer.finish()
    if (!flags.wait) return ExitCode.ok
    const { waitHealthy } = await import('../health/wait-healthy.ts')
    return await waitHealthy(io, connection, set, timeoutMs)
  } catch (error) {
    if (io.interrupted.aborted && !(error instanceof CliError)) throw interrupted()
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

/** Dry-runs every object. Throws with all that is refused: exit code 2 for what the files get wrong, 4 for conflicts, 3 for the rest. */
async function tryAll(io: Io, connection: Connection, set: readonly Resolved[], flags: ApplyFlags): Promise<Outcome[]> {
  const options = {
    fieldManager: flags.fieldManager,
    dryRun: true,
    take: flags.forceConflicts ?? [],
    signal: io.interrupted,
  }
  const live = liveObjects(connection, set, io.interrupted)
  // Awaited below, by whichever object is tried first; until then its failure is nobody's.
  live.catch(() => {})
  const results = await concurrently(set, CONCURRENCY, async (resolved): Promise<Outcome | Refused> => {
    if (resolved.late) return { resolved, object: resolved.object, action: 'created' as const }
    try {
      const object = await sendApply(connection.client, resolved, options)
      return { resolved, object, action: actionOf((await live).get(liveKey(resolved)), object) }
    } catch (error) {
      if (io.interrupted.aborted) throw error
      if (!waitsForSet(error, resolved, set)) return { resolved, error }
    }
    try {
      await tryElsewhere(connection.client, resolved, options)
      return { resolved, object: resolved.object, action: 'created' }
    } catch (error) {
      if (io.interrupted.aborted) throw error
      return { resolved, error }
    }
  })
  const refused = results.filter((result): result is Refused => 'error' in result)
  if (refused.length > 0) throw refusal(refused)
  return results as Outcome[]
}

/** Applies rank by rank; what is interrupted or refused half-way says what was done and what was not. */
async function applyAll(
  io: Io,
  connection: Connection,
  set: readonly Resolved[],
  tried: readonly Outcome[],
  flags: ApplyFlags,
  printer: Printer,
): Promise<void> {
  const options = {
    fieldManager: flags.fieldManager,
    dryRun: false,
    take: flags.forceConflicts ?? [],
    signal: io.interrupted,
  }
  const before = new Map(tried.map((outcome) => [outcome.resolved, outcome]))
  const done = new Set<Resolved>()
  try {
    for (const rank of new Set(set.map(({ object }) => rankOf(object)))) {
      const group = set.filter(({ object }) => rankOf(object) === rank)
      if (group.some(({ late }) => late))
        await waitUntilServed(
          connection,
          group.filter(({ late }) => late),
          io.interrupted,
        )
      const outcomes = await concurrently(group, CONCURRENCY, async (resolved): Promise<Outcome> => {
        const object = await sendApply(connection.client, resolved, options)
        done.add(resolved)
        return { resolved, object, action: before.get(resolved)!.action }
      })
      for (const outcome of outcomes) await printer.print(outcome)
    }
  } catch (error) {
    const pending = set.filter((resolved) => !done.has(resolved))
    const report = `${list('applied', done)}${list('not applied', pending)}Running the same command again goes on from here.\n`
    if (io.interrupted.aborted) throw interrupted(`interrupted\n${report}`)
    io.err(report)
    throw error instanceof CliError ? error : refusalMidway(error, set)
  }
}

function refusalMidway(error: unknown, set: readonly Resolved[]): unknown {
  const conflicts = conflictsOf(error)
  if (conflicts.length === 0) return requestFailure(error)
  return new CliError(ExitCode.conflict, `${describeFailure(error)} (${set.length} objects)\n`, { raw: true })
}

function list(what: string, set: Iterable<Resolved>): string {
  const names = [...set].map(({ object }) => objectName(object))
  return names.length === 0 ? '' : `${what}: ${names.join(', ')}\n`
}

/** What applying makes of an object, as far as its owner can tell: server metadata and status aside. */
function actionOf(live: Applied | undefined, applied: Applied): Action {
  if (!live) return 'created'
  const { apiVersion, kind } = applied
  const [before, after] = [{ ...live, apiVersion, kind }, applied].map((object) =>
    printJson(comparable(object as Applied), ''),
  )
  return before === after ? 'unchanged' : 'configured'
}

/** Prints what was done as it is done; as YAML, all at the end. */
class Printer {
  readonly #io: Io
  readonly #output: string | undefined
  readonly #suffix: string
  readonly #objects: Applied[] = []

  constructor(io: Io, output: string | undefined, dryRun: ApplyFlags['dryRun']) {
    this.#io = io
    this.#output = output
    this.#suffix = dryRun === 'server' ? ' (server dry run)' : dryRun === 'client' ? ' (dry run)' : ''
  }

  async print({ object, action, resolved }: Outcome): Promise<void> {
    const name = objectName(object)
    if (this.#output === 'yaml') this.#objects.push(object)
    else if (this.#output === 'name') await this.#io.out(`${name}\n`)
    else if (this.#output === 'json') {
      const { managedFields: _, ...metadata } = object.metadata
      await this.#io.out(
        `${JSON.stringify({ type: 'applied', action, dryRun: this.#suffix !== '', file: resolved.manifest.place.file, object: { ...object, metadata } })}\n`,
      )
    } else await this.#io.out(`${name} ${this.#suffix === ' (dry run)' ? 'checked' : action}${this.#suffix}\n`)
  }

  async finish(): Promise<ExitCode> {
    const format = parseFormat(this.#output)
    if (format.type === 'yaml') await this.#io.out(printObjects(format, this.#objects, true))
    return ExitCode.ok
  }
}
