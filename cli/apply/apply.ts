import { connect } from '../api/connect.ts'
import { requestFailure } from '../api/failure.ts'
import { manifestsFrom, type Resolved, resolveManifests } from '../changes/resolve.ts'
import { parseDuration } from '../duration.ts'
import { CliError, ExitCode, interrupted, NOTHING_APPLIED, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { agree } from './agree.ts'
import { awaitHealth } from './await-health.ts'
import { carryOut } from './carry-out.ts'
import { placeOf } from './events.ts'
import { examine } from './examine.ts'
import { fleetGates, judgeFleet } from './fleet-gates.ts'
import type { ApplyInput } from './input.ts'
import type { ApplyFlags, ApplyOptions } from './options.ts'
import { CLIENT_DRY_RUN, reporterFor, SERVER_DRY_RUN, shown } from './reporter.ts'
import { Tally } from './tally.ts'

/**
 * `weir apply`: checks everything, tries everything, asks where a person is there to answer, applies in dependency order, prunes what the
 * manifests do not have any more, and waits until all of it is healthy.
 */
export async function runApply(io: Io, words: readonly string[], flags: ApplyFlags): Promise<ExitCode> {
  const options = optionsOf(flags)
  const suffix = options.dryRun === 'server' ? SERVER_DRY_RUN : options.dryRun === 'client' ? CLIENT_DRY_RUN : ''
  const tally = new Tally(reporterFor(io, flags.output, suffix), options.dryRun !== undefined)
  try {
    const code = await apply(io, words, flags, options, tally)
    await tally.finish(code)
    return code
  } catch (error) {
    const failure = io.interrupted.aborted && !(error instanceof CliError) ? interrupted() : requestFailure(error)
    await tally.fail(failure)
    throw failure
  }
}

function optionsOf(flags: ApplyFlags): ApplyOptions {
  if (flags.prune && flags.applyset === undefined)
    throw usageError('--prune needs --applyset=NAME, which says what the manifests are all of')
  if (flags.maxDeletes !== undefined && !flags.prune) throw usageError('--max-deletes is for --prune')
  const timeoutMs = parseDuration(flags.timeout)
  return {
    dryRun: flags.dryRun === 'none' ? undefined : flags.dryRun,
    take: flags.forceConflicts ?? [],
    fieldManager: flags.fieldManager,
    applySet: flags.applyset,
    prune: flags.prune ?? false,
    maxDeletes: flags.maxDeletes === undefined ? Number.POSITIVE_INFINITY : Number(flags.maxDeletes),
    agreed: flags.yes ?? false,
    onlyAsSeen: false,
    waitMs: flags.wait === false ? undefined : timeoutMs,
    stdinTaken: (flags.filename ?? []).some((name) => name.split(',').includes('-')),
  }
}

async function apply(
  io: Io,
  words: readonly string[],
  flags: ApplyFlags,
  given: ApplyOptions,
  tally: Tally,
): Promise<ExitCode> {
  const input = await inputOf(io, words, flags, given)
  const { loaded, options } = input
  const connection = input.connection(await connect(io, flags))
  try {
    await input.check(connection)
    const nothing = input.mayBeEmpty && loaded.manifests.length + loaded.problems.length === 0
    const objects = nothing ? [] : await resolveManifests(loaded, connection, io.interrupted, NOTHING_APPLIED)
    if (options.dryRun === 'client') {
      for (const resolved of objects) await tally.tell(checked(resolved))
      return ExitCode.ok
    }
    const work = await input.narrow(connection, await examine(io, connection, objects, options))
    await agree(io, work, options, tally, () => judgeFleet(io, connection, fleetGates(flags), work))
    const done = await carryOut(io, connection, work, options, tally)
    if (options.dryRun || options.waitMs === undefined) return ExitCode.ok
    return await awaitHealth(io, connection, done, options.waitMs, tally)
  } finally {
    connection.client.close()
  }
}

/** The manifests, and how they are to be applied: as the flags say, or as a saved plan does. */
async function inputOf(
  io: Io,
  words: readonly string[],
  flags: ApplyFlags,
  options: ApplyOptions,
): Promise<ApplyInput> {
  if (flags.plan !== undefined) return (await import('./from-plan.ts')).inputOfPlan(io, words, flags, options)
  const loaded = await manifestsFrom(io, words, flags)
  if (options.prune && loaded.manifests.length + loaded.problems.length === 0)
    throw new CliError(ExitCode.gate, 'there is no object in the files, and --prune would delete all that there are')
  return {
    loaded,
    mayBeEmpty: false,
    options,
    connection: (connected) => connected,
    check: async () => {},
    narrow: async (_, work) => work,
  }
}

const checked = ({ object, manifest }: Resolved) =>
  ({
    type: 'applied',
    action: 'unchanged',
    dryRun: true,
    manifest: placeOf(manifest.place),
    object: shown(object),
  }) as const
