import { resolve } from 'node:path'
import { registry } from '../../crds/registry.gen.ts'
import type { SteeringPolicy } from '../../crds/types.gen.ts'
import { setPolicies } from '../../reconcilers/steering/update.ts'
import { systemClock } from '../../runtime/clock.ts'
import { silentLog } from '../../runtime/log.ts'
import { modelFromSnapshot } from '../../steering/from-snapshot.ts'
import { type LogEntry, type LoggedDecision, readDecisions } from '../../steering/log/read-decisions.ts'
import { type Comparison, type First, Replay, type Share, Tally } from '../../steering/replay.ts'
import { ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { checkSet } from '../manifests/check.ts'
import { loadManifests } from '../manifests/manifest.ts'
import { manifestError } from '../manifests/problem.ts'
import { TabWriter } from '../output/tab-writer.ts'

export interface SteerReplayFlags {
  readonly policy?: readonly string[]
  readonly data: string
  readonly output: string
}

/** `weir steer replay`: what other policies would have changed of the decisions in logs. */
export async function runSteerReplay(io: Io, words: readonly string[], flags: SteerReplayFlags): Promise<ExitCode> {
  if (words.length === 0) throw usageError('which log? Steering writes one with --decision-log')
  if (!flags.policy?.length) throw usageError('--policy is missing')
  if (flags.output !== 'text' && flags.output !== 'json')
    throw usageError(`-o must be text or json, not "${flags.output}"`)
  const policies = await readPolicies(io, flags.policy)
  const logs = words.map((word) => resolve(io.cwd, word))
  await using model = await modelFromSnapshot(resolve(io.cwd, flags.data), systemClock, silentLog).catch(
    (error: Error) => {
      throw usageError(error.message)
    },
  )
  // Its time is that of the log from here on.
  model.close()
  const { world } = model
  const replay = new Replay(world)
  const tally = new Tally(world)
  const broken = { lines: 0 }
  const before: (First | undefined)[] = []
  const eachDecision = async (use: (logged: LoggedDecision) => void) => {
    replay.begin()
    await eachEntry(logs, broken, (entry) => (entry.type === 'decision' ? use(entry) : replay.take(entry)))
  }
  await eachDecision((logged) => before.push(replay.decide(logged)))
  if (broken.lines > 0) io.err(`${broken.lines} lines are no decisions; they are left out\n`)
  const named = new Set(policies.map(keyOf))
  setPolicies(world, [
    ...[...model.objects('SteeringPolicy').values()].filter((one) => !named.has(keyOf(one))),
    ...policies,
  ])
  let at = 0
  await eachDecision((logged) => {
    const first = before[at++]
    const second = first && replay.decide(logged)
    if (first && second) tally.add(first, second)
    else tally.skipped++
  })
  const { comparison } = tally
  await io.out(flags.output === 'json' ? `${JSON.stringify(comparison, null, 2)}\n` : textOf(comparison))
  return ExitCode.ok
}

const keyOf = ({ metadata }: SteeringPolicy) => `${metadata.namespace ?? 'default'}/${metadata.name}`

async function eachEntry(
  logs: readonly string[],
  broken: { lines: number },
  use: (entry: LogEntry) => void,
): Promise<void> {
  for (const log of logs) {
    try {
      for await (const entry of readDecisions(log, broken)) use(entry)
    } catch (error) {
      throw usageError((error as Error).message)
    }
  }
}

/** The SteeringPolicies of files, as the API server would take them. Throws a ManifestError that says what it would not take, and where. */
async function readPolicies(io: Io, files: readonly string[]): Promise<SteeringPolicy[]> {
  const { manifests, problems } = await loadManifests({ files, recursive: false, cwd: io.cwd, stdin: io.stdin })
  const { kind, apiVersion } = registry.SteeringPolicy
  const checked = await checkSet(manifests, { namespace: 'default', namespaceGiven: false })
  const all = [...problems, ...checked.flatMap((one) => one.problems)]
  if (all.length > 0) throw manifestError(all, '; nothing was replayed')
  const found = checked.filter(({ object }) => object.kind === kind && object.apiVersion === apiVersion)
  if (found.length === 0) throw usageError(`there is no ${kind} in ${files.join(', ')}`)
  return found.map(({ object }) => object as unknown as SteeringPolicy)
}

/** Sites and appliances that are told. */
const MOST = 10

function textOf({ decisions, skipped, asLogged, moved, byTier, bySite, byAppliance }: Comparison): string {
  const percent = (part: number) => (decisions === 0 ? '-' : `${((part / decisions) * 100).toFixed(1)}%`)
  const table = (what: string, shares: readonly Share[]) => {
    if (shares.length === 0) return ''
    const writer = new TabWriter({ minWidth: 0, padding: 2 })
    writer.line([what, 'BEFORE', 'AFTER', 'CHANGE'])
    for (const { name, before, after } of shares.slice(0, MOST)) {
      const change = after - before
      writer.line([name, percent(before), percent(after), `${change > 0 ? '+' : ''}${change}`])
    }
    const more = shares.length > MOST ? `and ${shares.length - MOST} more\n` : ''
    return `\n${writer.flush()}${more}`
  }
  const left = skipped > 0 ? `; ${skipped} left out, of files that are not there any more` : ''
  const exact =
    asLogged === decisions
      ? 'All of them come out as they were logged'
      : `${percent(asLogged)} of them come out as they were logged; the others went by what the log does not tell, such as what appliances held`
  return `${decisions} decisions, decided again on the fleet of the snapshot${left}.\n${exact}.\n${moved} (${percent(moved)}) would name another first.\n${table('TIER', byTier)}${table('SITE', bySite)}${table('APPLIANCE', byAppliance)}`
}
