import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ExitCode, usageError } from '../../exit.ts'
import type { Io } from '../../io.ts'
import { TabWriter } from '../../output/tab-writer.ts'
import { baselines } from './baselines.ts'
import type { InstanceSize } from './instance.ts'
import type { Outcome, Way } from './ways.ts'

/** Counts as text, all whole numbers. */
export interface BenchPlacementFlags {
  readonly files: string
  readonly appliances: string
  readonly classes: string
  readonly seed: string
  readonly workers: string
  readonly exact?: boolean
  readonly output?: string
}

/** Appliances × files up to which a second day is placed too: what all hold has to be kept in memory for it. */
const SECOND_DAY = 500e6
/** Files up to which caching on demand is simulated: its caches are warm only after several requests for each file. */
const LRU_FILES = 200_000

interface Row {
  readonly method: string
  /** Of the bound for the same sites. */
  readonly ofBound: number
  readonly sitePercent?: number
  readonly parentPercent?: number
  /** Moved in on the second day, in per cent of what is held. */
  readonly movedPercent?: number
  readonly seconds: number
  /** Resident memory of a process that does nothing else, the instance included. */
  readonly peakBytes: number
}

/** `weir bench placement`: the solver on all of an instance, the other ways on some regions of it. */
export async function runBenchPlacement(
  io: Io,
  words: readonly string[],
  flags: BenchPlacementFlags,
): Promise<ExitCode> {
  const way = io.env[WAY]
  if (way !== undefined) {
    const { measureWay } = await import('./ways.ts')
    await io.out(JSON.stringify(await measureWay(JSON.parse(way) as Way)))
    return ExitCode.ok
  }
  if (words.length > 0) throw usageError(`bench placement takes no argument, not "${words[0]}"`)
  if (flags.output !== undefined && flags.output !== 'json')
    throw usageError(`bench placement prints json, not "${flags.output}"`)
  const [files, appliances, classes, workers] = (
    [
      ['files', 1],
      ['appliances', 3],
      ['classes', 1],
      ['workers', 1],
    ] as const
  ).map(([name, least]) => {
    if (Number(flags[name]) < least) throw usageError(`--${name} must be at least ${least}`)
    return Number(flags[name])
  }) as [number, number, number, number]
  const size: InstanceSize = { files, appliances, classes, seed: Number(flags.seed) }
  io.err(`Placing ${files} files on ${appliances} appliances, seed ${size.seed}, on ${workers} threads\n`)
  const measure = (way: Way) => inProcess(way, io)
  const secondDay = files * appliances <= SECOND_DAY
  const all = await measure({ way: 'weir', size, threads: workers, secondDay })
  const rows = [rowOf('weir', all, all.bound!)]
  const some = await measure({ way: 'some', size })
  io.err(`The other ways, on ${some.sites} of ${all.sites} sites\n`)
  rows.push({ method: 'weir, on these', ofBound: some.value / some.bound!, ...pick(some) })
  const others: [string, Way][] = Object.keys(baselines).map((name) => [name, { way: 'baseline', size, name }])
  if (files <= LRU_FILES) others.push(['LRU, simulated', { way: 'lru', size }])
  if (flags.exact) others.push(['exact linear program', { way: 'exact', size }])
  for (const [method, way] of others) {
    const outcome = await measure(way)
    // Not all ways get through as many sites.
    rows.push(rowOf(method, outcome, outcome.bound ?? some.bound!))
  }
  if (flags.output === 'json') {
    await io.out(`${JSON.stringify({ instance: size, sites: all.sites, appliances: all.appliances, rows }, null, 2)}\n`)
    return ExitCode.ok
  }
  const table = new TabWriter()
  table.line(['METHOD', 'VALUE/BOUND', 'AT SITE', 'AT PARENT', 'MOVED NEXT DAY', 'TIME', 'PEAK MEMORY'])
  const percent = (value: number | undefined) => (value === undefined ? '-' : `${value.toFixed(2)}%`)
  for (const { method, ofBound, sitePercent, parentPercent, movedPercent, seconds, peakBytes } of rows)
    table.line([
      method,
      ofBound.toFixed(4),
      percent(sitePercent),
      percent(parentPercent),
      percent(movedPercent),
      `${seconds.toFixed(1)}s`,
      `${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
    ])
  await io.out(table.flush())
  return ExitCode.ok
}

const pick = ({ seconds, peakBytes }: Outcome) => ({ seconds, peakBytes })

function rowOf(method: string, outcome: Outcome, bound: number): Row {
  const { value, demand, local, parent, movedPercent } = outcome
  return {
    method,
    ofBound: value / bound,
    ...(demand !== undefined && {
      sitePercent: (100 * (local ?? 0)) / demand,
      parentPercent: (100 * (parent ?? 0)) / demand,
    }),
    ...(movedPercent !== undefined && { movedPercent }),
    ...pick(outcome),
  }
}

/** Has a process of this program measure one way: JSON. */
const WAY = 'WEIR_BENCH_PLACEMENT_WAY'

/** Measures one way in a process of its own, so that its peak of memory is its own, too. */
async function inProcess(way: Way, { env, interrupted }: Io): Promise<Outcome> {
  const args = [...process.execArgv, process.argv[1] ?? '', 'bench', 'placement']
  const options = { env: { ...env, [WAY]: JSON.stringify(way) }, signal: interrupted }
  const { stdout } = await promisify(execFile)(process.execPath, args, options)
  return JSON.parse(stdout) as Outcome
}
