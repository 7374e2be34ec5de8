import type { ConnectionFlags } from '../api/connect.ts'
import { connect } from '../api/connect.ts'
import { discovered } from '../api/discovery-cache.ts'
import { requestFailure } from '../api/failure.ts'
import type { Orphan } from '../applyset/orphans.ts'
import type { Change } from '../changes/change.ts'
import { computeChanges } from '../changes/compute.ts'
import { manifestsFrom, resolveManifests } from '../changes/resolve.ts'
import { CliError, ExitCode, interrupted, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import type { FileFlags } from '../manifests/named-files.ts'
import { visibleLine } from '../output/escape.ts'
import { externalDiff, runExternal } from './external.ts'
import { objectRef, type Report, reportOf } from './report.ts'

export interface DiffFlags extends ConnectionFlags, FileFlags {
  readonly output?: string
  readonly show: string
  readonly externalDiff?: string
  readonly exitCode: boolean
  readonly forceConflicts?: readonly string[]
  readonly fieldManager: string
  readonly applyset?: string
  readonly prune?: boolean
}

const FORMATS = ['text', 'stat', 'name', 'json', 'yaml', 'markdown', 'github'] as const
type Format = (typeof FORMATS)[number]

/** `weir diff`: what server-side apply would make of the live objects. */
export async function runDiff(io: Io, words: readonly string[], flags: DiffFlags): Promise<ExitCode> {
  const format = formatOf(flags)
  const program = format === 'text' ? externalDiff(io, flags.externalDiff) : undefined
  const loaded = await manifestsFrom(io, words, flags)
  const connection = await connect(io, flags)
  try {
    const set = await resolveManifests(loaded, connection, io.interrupted)
    const all = flags.show === 'all'
    const { changes, orphans } = await compare(io, connection, set, flags)
    const report = reportOf(changes, orphans, { all, prune: flags.prune ?? false, fieldManager: flags.fieldManager })
    if (program) await runExternal(io, program, report)
    else await print(io, report, format, all)
    return report.different && flags.exitCode ? ExitCode.differences : ExitCode.ok
  } catch (error) {
    if (io.interrupted.aborted && !(error instanceof CliError)) throw interrupted()
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

function formatOf({ output, show, prune, applyset }: DiffFlags): Format {
  if (show !== 'yours' && show !== 'all') throw usageError(`--show is yours or all, not "${show}"`)
  if (prune && applyset === undefined)
    throw usageError('--prune needs --applyset: the set that says what was applied before')
  const format = FORMATS.find((name) => name === (output ?? 'text'))
  if (!format) throw usageError(`diff prints ${FORMATS.join(', ')}, not "${output}"`)
  return format
}

type Set = Awaited<ReturnType<typeof resolveManifests>>

async function compare(
  io: Io,
  connection: Awaited<ReturnType<typeof connect>>,
  set: Set,
  flags: DiffFlags,
): Promise<{ readonly changes: readonly Change[]; readonly orphans: readonly Orphan[] }> {
  const options = {
    fieldManager: flags.fieldManager,
    take: flags.forceConflicts ?? [],
    signal: io.interrupted,
  }
  if (flags.applyset === undefined) {
    const { changes } = await computeChanges(io, connection, set, options)
    return { changes, orphans: [] }
  }
  const [{ readApplySet }, { asMembers }, { findOrphans }] = await Promise.all([
    import('../applyset/parent.ts'),
    import('../applyset/membership.ts'),
    import('../applyset/find-orphans.ts'),
  ])
  const discovery = await discovered(connection, io.interrupted)
  const applySet = await readApplySet(connection, discovery, flags.applyset, {
    signal: io.interrupted,
    change: false,
  })
  const { changes } = await computeChanges(io, connection, asMembers(applySet, set), options)
  const { orphans, unserved } = await findOrphans(connection, discovery, applySet, changes, io.interrupted)
  for (const kind of unserved)
    io.err(`note: the set may have objects of ${kind}, which the server does not serve: nothing is known of them\n`)
  return { changes, orphans }
}

async function print(io: Io, report: Report, format: Format, all: boolean): Promise<void> {
  if (format === 'text' || format === 'stat' || format === 'name') {
    // Data is what differs; the rest is told beside it.
    for (const orphan of report.kept)
      io.err(`note: ${visibleLine(`${objectRef(orphan)} is not in the manifests and is kept: it ${orphan.reason}`)}\n`)
    const { coloured, diffText, nameText, statText } = await import('./text.ts')
    if (format !== 'text') return io.out(format === 'stat' ? statText(report) : nameText(report))
    const text = diffText(report, all)
    return io.out(io.outIsTerminal ? coloured(text) : text)
  }
  if (format === 'json' || format === 'yaml') {
    const { diffDocument } = await import('./document.ts')
    const document = diffDocument(report)
    if (format === 'json') return io.out(`${(await import('../output/json.ts')).printJson(document)}\n`)
    return io.out((await import('../output/yaml.ts')).printYaml(document))
  }
  if (format === 'markdown') return io.out((await import('./markdown.ts')).markdownText(report))
  return io.out((await import('./github.ts')).githubText(report, io))
}
