import { Worker } from 'node:worker_threads'
import type { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { evaluate } from '../../../reconcilers/placement/evaluate.ts'
import { defaultOptions, Solved, type SolverInput } from '../../../reconcilers/placement/solver/solve.ts'
import { weigh } from '../../../reconcilers/placement/weigh.ts'
import { ExitCode, usageError } from '../../exit.ts'
import type { Io } from '../../io.ts'
import { TabWriter } from '../../output/tab-writer.ts'
import { baselines } from './baselines.ts'
import { type InstanceSize, makeInstance, partSites } from './instance.ts'
import { simulateLru } from './lru.ts'
import { type PartJob, type PartResult, placePart } from './place-part.ts'

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
/** About so many sites × files are tried with the other ways: theirs take long on many. */
const TRIED = 6e6

/** Files up to which caching on demand is simulated. */
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
}

/** `weir bench placement`: the solver on all of an instance, the other ways on some regions of it. */
export async function runBenchPlacement(
  io: Io,
  words: readonly string[],
  flags: BenchPlacementFlags,
): Promise<ExitCode> {
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
  const { all, seconds } = await placeAll(size, workers, io.interrupted)
  const rows: Row[] = [
    {
      method: 'weir',
      ofBound: all.value / all.bound,
      sitePercent: (100 * all.local) / all.demand,
      parentPercent: (100 * all.parent) / all.demand,
      ...(all.bytes > 0 && { movedPercent: (100 * all.moved) / all.bytes }),
      seconds,
    },
  ]
  const input = makeInstance(size)
  const some = someRegions(input)
  io.err(`The other ways, on ${some.sites.length} of ${input.sites.length} sites\n`)
  rows.push(...(await otherWays(some, flags.exact ?? false, size)))
  const memory = process.memoryUsage.rss()
  if (flags.output === 'json') {
    await io.out(
      `${JSON.stringify({ instance: size, sites: all.sites, appliances: all.appliances, rssBytes: memory, rows }, null, 2)}\n`,
    )
    return ExitCode.ok
  }
  const table = new TabWriter()
  table.line(['METHOD', 'VALUE/BOUND', 'AT SITE', 'AT PARENT', 'MOVED NEXT DAY', 'TIME'])
  const percent = (value: number | undefined) => (value === undefined ? '-' : `${value.toFixed(2)}%`)
  for (const { method, ofBound, sitePercent, parentPercent, movedPercent, seconds: took } of rows)
    table.line([
      method,
      ofBound.toFixed(4),
      percent(sitePercent),
      percent(parentPercent),
      percent(movedPercent),
      `${took.toFixed(1)}s`,
    ])
  await io.out(table.flush())
  io.err(`Memory: ${(memory / 2 ** 20).toFixed(0)} MiB\n`)
  return ExitCode.ok
}

type Total = Omit<PartResult, 'madeMs' | 'placedMs'>

/** Places every part on a thread of its own. The time is the slowest thread's, from the instance to the last appliance. */
async function placeAll(
  size: InstanceSize,
  workers: number,
  signal: AbortSignal,
): Promise<{ all: Total; seconds: number }> {
  const secondDay = size.files * size.appliances <= SECOND_DAY
  const jobs = Array.from({ length: workers }, (_, part): PartJob => ({ size, part, parts: workers, secondDay }))
  const results = workers === 1 ? jobs.map(placePart) : await Promise.all(jobs.map((job) => inThread(job, signal)))
  const sum = (field: keyof PartResult) => results.reduce((total, result) => total + result[field], 0)
  const all: Total = {
    ...{
      appliances: sum('appliances'),
      sites: sum('sites'),
      demand: sum('demand'),
      local: sum('local'),
      parent: sum('parent'),
    },
    ...{ value: sum('value'), bound: sum('bound'), bytes: sum('bytes'), moved: sum('moved') },
  }
  return { all, seconds: Math.max(...results.map(({ placedMs }) => placedMs)) / 1000 }
}

function inThread(job: PartJob, signal: AbortSignal): Promise<PartResult> {
  return new Promise((resolve, reject) => {
    const script = import.meta.url.endsWith('.ts') ? './placement-worker.ts' : './placement-worker.js'
    const worker = new Worker(new URL(script, import.meta.url), { workerData: job })
    const abort = () => void worker.terminate()
    signal.addEventListener('abort', abort, { once: true })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => {
      signal.removeEventListener('abort', abort)
      if (code !== 0) reject(new Error('the thread was stopped'))
    })
  })
}

/** Whole regions, as many as the other ways get through in some seconds. */
function someRegions(input: SolverInput): SolverInput {
  const regions = partSites(input.sites, input.sites.filter(({ parents }) => parents.length === 0).length)
  const sites: SolverInput['sites'][number][] = []
  for (const region of regions)
    if (sites.length === 0 || (sites.length + region.length) * input.sizes.length <= TRIED) sites.push(...region)
  return { ...input, sites }
}

async function otherWays(input: SolverInput, exact: boolean, size: InstanceSize): Promise<Row[]> {
  const { parentValue } = defaultOptions
  const started = performance.now()
  const solved = new Solved(input, defaultOptions)
  for (const _ of solved.sites());
  const { bound, value } = solved.worth
  const rows: Row[] = [
    { method: 'weir, on these', ofBound: value / bound, seconds: (performance.now() - started) / 1000 },
  ]
  const tomorrow = input.sizes.length <= 200_000 ? { ...makeInstance(size, 1), sites: input.sites } : undefined
  for (const [method, place] of Object.entries(baselines)) {
    const from = performance.now()
    const holdings = place(input)
    const seconds = (performance.now() - from) / 1000
    const worth = evaluate(input, holdings, parentValue)
    rows.push({
      method,
      ofBound: worth.value / bound,
      sitePercent: (100 * worth.local) / worth.demand,
      parentPercent: (100 * worth.parent) / worth.demand,
      ...(tomorrow && { movedPercent: movedBetween(input, holdings, place(tomorrow)) }),
      seconds,
    })
  }
  // Its caches are warm only after several requests for each file: minutes for a million.
  if (input.sizes.length <= LRU_FILES) {
    const from = performance.now()
    rows.push({
      method: 'LRU, simulated',
      ofBound: simulateLru(input, parentValue) / bound,
      seconds: (performance.now() - from) / 1000,
    })
  }
  if (exact) {
    const { exactValue } = await import('./exact.ts')
    const begun = performance.now()
    rows.push({
      method: 'exact linear program',
      ofBound: (await exactValue(input, parentValue)) / bound,
      seconds: (performance.now() - begun) / 1000,
    })
  }
  return rows
}

function movedBetween(
  input: SolverInput,
  before: ReadonlyMap<string, FileSet>,
  after: ReadonlyMap<string, FileSet>,
): number {
  let [moved, bytes] = [0, 0]
  for (const [key, set] of after) {
    moved += weigh(input.sizes, set.difference(before.get(key)!)).bytes
    bytes += weigh(input.sizes, set).bytes
  }
  return (100 * moved) / bytes
}
