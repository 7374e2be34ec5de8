import { solveOnThreads } from '../../controllers/placement/solver-threads.ts'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import { type Connection, type ConnectionFlags, connect } from '../api/connect.ts'
import { requestFailure } from '../api/failure.ts'
import { manifestsFrom, resolveManifests } from '../changes/resolve.ts'
import { CliError, ExitCode, interrupted, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { type FileFlags, namesFiles } from '../manifests/named-files.ts'
import { changesText } from './changes.ts'
import type { PlanDocument } from './document.ts'
import { type Asking, examine, type PlannedWork } from './examine.ts'
import { type GateFlags, judge, readGates } from './gates.ts'
import { type BlobFlags, openBlobs } from './open-blobs.ts'
import { type PlanFormat, planFormat, printPlan } from './print.ts'
import { savePlan } from './save.ts'
import { simulate } from './simulate.ts'
import { readFleet } from './snapshot.ts'
import { costOf, imagine, readSuppositions } from './what-if.ts'

export interface PlanFlags extends ConnectionFlags, FileFlags, GateFlags, BlobFlags {
  readonly output?: string
  readonly exitCode: boolean
  readonly fieldManager: string
  readonly forceConflicts?: readonly string[]
  readonly applyset?: string
  readonly prune?: boolean
  readonly delete?: boolean
  readonly readSources?: boolean
  readonly out?: string
  readonly whatIf?: readonly string[]
}

/** `weir plan`: what apply would change, and what the fleet would then do. Changes nothing. */
export async function runPlan(io: Io, words: readonly string[], flags: PlanFlags): Promise<ExitCode> {
  const format = planFormat(flags.output)
  const gates = readGates(flags)
  if (flags.prune && flags.applyset === undefined)
    throw usageError('--prune needs --applyset=NAME, which says what the manifests are all of')
  if (flags.delete && flags.applyset !== undefined) throw usageError('--delete and --applyset exclude each other')
  const suppositions = readSuppositions(flags.whatIf ?? [])
  if (suppositions.length > 0 && flags.out !== undefined)
    throw usageError('--out keeps what is to be applied, and --what-if is not')
  const supposesOnly = suppositions.length > 0 && !namesFiles(flags) && words.length === 0 && !flags.prune
  const loaded = supposesOnly ? undefined : await manifestsFrom(io, words, flags)
  if (flags.prune && loaded && loaded.manifests.length + loaded.problems.length === 0)
    throw new CliError(ExitCode.gate, 'there is no object in the files, and --prune would delete all that there are')
  const connection = await connect(io, flags)
  try {
    const set = loaded ? await resolveManifests(loaded, connection, io.interrupted) : []
    const asking = askingOf(flags)
    const [work, fleet] = await Promise.all([
      examine(io, connection, set, asking),
      readFleet(connection.client, io.interrupted),
    ])
    const imagined = imagine(suppositions, fleet.snapshot, connection.namespace)
    const all: PlannedWork = imagined.length === 0 ? work : { ...work, imagined }
    const document = await planDocument(io, connection, flags, all, fleet, gates)
    await printPlan(io, document, format)
    if (flags.out !== undefined) await savePlan(flags.out, connection, document, work, fleet.snapshot, asking)
    return codeOf(io, document, format, flags)
  } catch (error) {
    if (io.interrupted.aborted && !(error instanceof CliError)) throw interrupted()
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

function askingOf(flags: PlanFlags): Asking {
  return {
    fieldManager: flags.fieldManager,
    take: flags.forceConflicts ?? [],
    ...(flags.applyset === undefined ? {} : { applySet: flags.applyset }),
    prune: flags.prune ?? false,
    delete: flags.delete ?? false,
  }
}

/** What the fleet would do once the work is done, and whether the limits allow it. Reads only. */
export async function planDocument(
  io: Io,
  connection: Connection,
  flags: Pick<PlanFlags, 'cache' | 'blobsFrom' | 'readSources' | 'whatIf'>,
  work: PlannedWork,
  { snapshot, unreadable }: Awaited<ReturnType<typeof readFleet>>,
  gates: ReturnType<typeof readGates>,
): Promise<PlanDocument> {
  const now = new Date()
  const { blobs, reader, close } = openBlobs(io, connection, flags)
  const { summary, changes } = changesText(work)
  try {
    const fleet = await simulate({
      snapshot,
      unreadable,
      work,
      blobs,
      reader,
      solver: defaultSolver,
      // As controllers do, so that a large fleet takes no longer than it must.
      place: (problem, digest) => solveOnThreads(problem, digest, io.interrupted),
      readSources: flags.readSources ?? false,
      now,
      signal: io.interrupted,
    })
    return {
      apiVersion: 'cli.weir.dev/v1alpha1',
      kind: 'Plan',
      madeAt: `${now.toISOString().slice(0, 19)}Z`,
      server: connection.client.server,
      summary,
      changes,
      fleet,
      gates: judge(gates, fleet, summary),
      ...(flags.whatIf && { whatIf: { suppositions: flags.whatIf, ...costOf(work.imagined ?? [], snapshot) } }),
    }
  } finally {
    await close()
  }
}

/** A gate that refuses comes before everything; `--exit-code=false` says that differences are no news. */
function codeOf(io: Io, { gates, summary, whatIf }: PlanDocument, format: PlanFormat, flags: PlanFlags): ExitCode {
  const refused = gates.filter(({ verdict }) => verdict !== 'passed')
  if (refused.length > 0) {
    // What a program reads has them; a person may be looking at a file that it was sent to.
    if (format !== 'text')
      io.err(`error: ${refused.map(({ gate, limit }) => `--${gate} ${limit}`).join(', ')} refused\n`)
    return ExitCode.gate
  }
  // What is supposed differs by intention.
  const different = summary.add + summary.change + summary.delete > 0 && !whatIf
  return different && flags.exitCode ? ExitCode.differences : ExitCode.ok
}
