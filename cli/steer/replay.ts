import { resolve } from 'node:path'
import type { JsonObject } from '../../crds/metadata.ts'
import { registry } from '../../crds/registry.gen.ts'
import type { SteeringPolicy } from '../../crds/types.gen.ts'
import { compileCustomResource } from '../../crds/validation/custom-resource.ts'
import { clientMap } from '../../reconcilers/steering/client/client-map.ts'
import { setPolicies } from '../../reconcilers/steering/update.ts'
import { systemClock } from '../../runtime/clock.ts'
import { silentLog } from '../../runtime/log.ts'
import { modelFromSnapshot } from '../../steering/from-snapshot.ts'
import { type LoggedDecision, readDecisions } from '../../steering/log/read-decisions.ts'
import { type Comparison, type First, Replay, type Share, Tally } from '../../steering/replay.ts'
import { siteNetworks } from '../../steering/world/site-networks.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { loadManifests } from '../manifests/manifest.ts'
import { TabWriter } from '../output/tab-writer.ts'
import { ownSchema } from '../own-kinds.ts'

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
  const { world } = model
  const map = clientMap({ sites: siteNetworks(model.objects('Site').values()) })
  const replay = new Replay(world, map)
  const tally = new Tally(world)
  const broken = { lines: 0 }
  const before: (First | undefined)[] = []
  await eachDecision(logs, broken, (logged) => before.push(replay.decide(logged)))
  const named = new Set(policies.map(keyOf))
  setPolicies(world, [
    ...[...model.objects('SteeringPolicy').values()].filter((one) => !named.has(keyOf(one))),
    ...policies,
  ])
  model.tick()
  let at = 0
  await eachDecision(logs, { lines: 0 }, (logged) => {
    const first = before[at++]
    const second = first && replay.decide(logged)
    if (first && second) tally.add(first, second)
    else tally.skipped++
  })
  if (broken.lines > 0) io.err(`${broken.lines} lines are no decisions; they are left out\n`)
  const { comparison } = tally
  await io.out(flags.output === 'json' ? `${JSON.stringify(comparison, null, 2)}\n` : textOf(comparison))
  return ExitCode.ok
}

const keyOf = ({ metadata }: SteeringPolicy) => `${metadata.namespace ?? 'default'}/${metadata.name}`

async function eachDecision(
  logs: readonly string[],
  broken: { lines: number },
  use: (logged: LoggedDecision) => void,
): Promise<void> {
  for (const log of logs) {
    try {
      for await (const logged of readDecisions(log, broken)) use(logged)
    } catch (error) {
      throw usageError((error as Error).message)
    }
  }
}

/** The SteeringPolicies of files, as the API server would take them. Throws a CliError that says what it would not take. */
async function readPolicies(io: Io, files: readonly string[]): Promise<SteeringPolicy[]> {
  const { manifests, problems } = await loadManifests({ files, recursive: false, cwd: io.cwd, stdin: io.stdin })
  if (problems.length > 0) throw new CliError(ExitCode.usage, problems.map(({ message }) => message).join('\nerror: '))
  const kind = registry.SteeringPolicy
  const { group, version, namespaced } = kind
  const validator = compileCustomResource({
    group,
    version,
    kind: kind.kind,
    namespaced,
    schema: await ownSchema(kind),
  })
  const found = manifests.filter(({ object }) => object.kind === kind.kind && object.apiVersion === kind.apiVersion)
  if (found.length === 0) throw usageError(`there is no ${kind.kind} in ${files.join(', ')}`)
  return found.map(({ object }) => {
    const metadata = { namespace: 'default', ...object.metadata }
    const decoded = validator.decode({ ...object, metadata } as unknown as JsonObject)
    const whole = validator.applyDefaults(decoded.object)
    const wrong = [
      ...(decoded.malformed === undefined ? [] : [decoded.malformed]),
      ...decoded.unknownFields.map((field) => `${field}: unknown field`),
      ...validator.validateCreate(whole).map(({ field, message }) => `${field}: ${message}`),
    ]
    if (wrong.length > 0)
      throw usageError(wrong.map((each) => `${kind.kind} ${metadata.name}: ${each}`).join('\nerror: '))
    return whole as unknown as SteeringPolicy
  })
}

/** Sites and appliances that are told. */
const MOST = 10

function textOf({ decisions, skipped, moved, byTier, bySite, byAppliance }: Comparison): string {
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
  return `${decisions} decisions, decided again on the fleet as it is now${left}.\n${moved} (${percent(moved)}) would name another first.\n${table('TIER', byTier)}${table('SITE', bySite)}${table('APPLIANCE', byAppliance)}`
}
