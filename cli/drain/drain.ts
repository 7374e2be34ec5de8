import type { Appliance } from '../../crds/types.gen.ts'
import { type Connection, connect } from '../api/connect.ts'
import { qualifiedKind, type ServedResource } from '../api/discovery.ts'
import { describeFailure, requestFailure } from '../api/failure.ts'
import { conflictsOf } from '../changes/refusal.ts'
import { sendApply } from '../changes/send.ts'
import { concurrently } from '../concurrently.ts'
import { parseDuration } from '../duration.ts'
import { CliError, ExitCode, interrupted } from '../exit.ts'
import { type Followed, followUntil } from '../health/follow.ts'
import type { Io } from '../io.ts'
import { visible } from '../output/escape.ts'
import { chosenAppliances } from './chosen.ts'
import { effectOfDrain } from './effect.ts'
import type { DrainFlags } from './flags.ts'
import { isDrained, isRestored } from './goal.ts'
import { isModeApplied } from './owner.ts'

/** A manager of its own: what a drain says of an appliance is not what its manifest says, and goes when the drain is taken back. */
const FIELD_MANAGER = 'weir-drain'
const CONCURRENCY = 16
const WEEK_MS = 7 * 24 * 3600 * 1000

interface Direction {
  /** What is applied as `spec`. Nothing: what this manager said before is taken back. */
  readonly spec: { readonly mode?: 'Draining' }
  readonly doing: string
  readonly done: string
  readonly judge: typeof isDrained
}

const DRAIN: Direction = { spec: { mode: 'Draining' }, doing: 'draining', done: 'drained', judge: isDrained }
const RESTORE: Direction = { spec: {}, doing: 'restoring', done: 'restored', judge: isRestored }

/** `weir drain`: has clients sent elsewhere, and waits until nobody is sent to the appliances. */
export const runDrain = (io: Io, words: readonly string[], flags: DrainFlags) => run(io, words, flags, DRAIN)

/** `weir restore`: takes a drain back. */
export const runRestore = (io: Io, words: readonly string[], flags: DrainFlags) => run(io, words, flags, RESTORE)

async function run(io: Io, words: readonly string[], flags: DrainFlags, way: Direction): Promise<ExitCode> {
  const timeoutMs = parseDuration(flags.timeout) || WEEK_MS
  const connection = await connect(io, flags)
  try {
    const { resource, chosen, neighbours } = await chosenAppliances(io, connection, words, flags)
    if (chosen.length === 0) io.err('No appliances found\n')
    if (way === DRAIN) for (const line of effectOfDrain(chosen, neighbours)) io.err(`${visible(line)}\n`)
    const changed = await setAll(io, connection, resource, chosen, flags, way)
    if (isDryRun(flags) || flags.wait === false) return ExitCode.ok
    return await waitFor(io, connection, changed, timeoutMs, flags, way)
  } catch (error) {
    if (io.interrupted.aborted && !(error instanceof CliError)) throw interrupted()
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

const isDryRun = ({ dryRun }: DrainFlags) => dryRun !== undefined && dryRun !== 'none'
const label = ({ resource, name }: Followed) => `${qualifiedKind(resource)}/${name}`

/** Sets the mode of all, and gives those whose mode it is now. Throws when any could not be set, once all have been tried. */
async function setAll(
  io: Io,
  connection: Connection,
  resource: ServedResource,
  chosen: readonly Appliance[],
  flags: DrainFlags,
  way: Direction,
): Promise<Followed[]> {
  const failures: unknown[] = []
  const set = await concurrently(chosen, CONCURRENCY, async (appliance) => {
    const { name = '', namespace = '' } = appliance.metadata
    const followed = { resource, namespace, name }
    try {
      const skipped = reasonToSkip(appliance, way)
      const changed = skipped === undefined && (await setMode(io, connection, resource, appliance, flags, way))
      const said =
        skipped ?? (changed ? (isDryRun(flags) ? `${way.done} (${flags.dryRun} dry run)` : way.doing) : 'unchanged')
      const print = flags.output === 'name' ? `${label(followed)}\n` : `${label(followed)} ${said}\n`
      await io.out(print)
      return skipped === undefined ? [followed] : []
    } catch (error) {
      io.interrupted.throwIfAborted()
      failures.push(error instanceof CliError ? error : requestFailure(error))
      const text = error instanceof CliError ? `error: ${error.message}` : describeFailure(error)
      io.err(`${label(followed)}: ${text}\n`)
      return []
    }
  })
  const bug = failures.find((failure) => !(failure instanceof CliError))
  if (bug) throw bug
  const [first] = failures as CliError[]
  if (first) throw new CliError(first.code, `${failures.length} of ${chosen.length} could not be ${way.done}`)
  return set.flat()
}

/** Why there is nothing to do for an appliance. */
function reasonToSkip({ spec, metadata }: Appliance, way: Direction): string | undefined {
  const mode = spec.mode ?? 'InService'
  if (metadata.deletionTimestamp) return 'unchanged (it is being deleted)'
  if (way === DRAIN && (mode === 'OutOfService' || mode === 'Decommissioned')) return `unchanged (it is ${mode})`
  if (way === RESTORE && mode === 'InService') return 'unchanged'
  return undefined
}

/** Gives whether anything changed. Throws a conflict where somebody else says what its mode is. */
async function setMode(
  io: Io,
  { client }: Connection,
  resource: ServedResource,
  appliance: Appliance,
  flags: DrainFlags,
  { spec }: Direction,
): Promise<boolean> {
  const { name = '', namespace = '', uid = '', generation } = appliance.metadata
  if (flags.dryRun === 'client') return true
  // The uid: an appliance that has gone since must not be made anew by this.
  const { apiVersion, kind } = appliance
  const object = { apiVersion, kind, metadata: { name, namespace, uid }, spec: { ...spec } }
  const take = isModeApplied(appliance) ? (flags.forceConflicts ?? []) : ['.spec.mode']
  const options = { fieldManager: FIELD_MANAGER, dryRun: isDryRun(flags), take, signal: io.interrupted }
  let applied: Appliance
  try {
    applied = (await sendApply(client, { resource, object }, options)) as unknown as Appliance
  } catch (error) {
    const [conflict] = conflictsOf(error)
    if (!conflict) throw error
    throw new CliError(
      ExitCode.conflict,
      `its mode is somebody else's: ${visible(conflict.message)}. Change it there, or take it over with --force-conflicts=.spec.mode`,
    )
  }
  const mode = applied.spec.mode ?? 'InService'
  if (spec.mode === undefined && mode !== 'InService')
    throw new CliError(
      ExitCode.conflict,
      `it stays ${mode}: not a drain but somebody else says so, as its manifest may`,
    )
  return isDryRun(flags) ? mode !== (appliance.spec.mode ?? 'InService') : applied.metadata.generation !== generation
}

async function waitFor(
  io: Io,
  connection: Connection,
  changed: readonly Followed[],
  timeoutMs: number,
  flags: DrainFlags,
  way: Direction,
): Promise<ExitCode> {
  const { failed, pending } = await followUntil(connection, changed, {
    judge: way.judge,
    timeoutMs,
    signal: io.interrupted,
    onMet: (each) => void (flags.output === 'name' ? undefined : io.out(`${label(each)} ${way.done}\n`)),
    onPending: (each, message) => void (message !== '' && io.err(`${label(each)}: ${message}\n`)),
  })
  for (const { followed, message } of failed) io.err(`error: ${label(followed)}: ${message}\n`)
  for (const { followed, message } of pending)
    io.err(`error: ${label(followed)} is not ${way.done} in time${message === '' ? '' : `: ${message}`}\n`)
  return failed.length + pending.length === 0 ? ExitCode.ok : ExitCode.unhealthy
}
