import { solveOnThreads } from '../../../controllers/placement/solver-threads.ts'
import { StoredSets } from '../../../controllers/placement/stored-sets.ts'
import type { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { evaluate } from '../../../reconcilers/placement/evaluate.ts'
import type { PlacementSite } from '../../../reconcilers/placement/problem.ts'
import { defaultOptions, Solved, type SolverInput } from '../../../reconcilers/placement/solver/solve.ts'
import { StoredHolding } from '../../../reconcilers/placement/stored-holding.ts'
import { weigh } from '../../../reconcilers/placement/weigh.ts'
import { baselines } from './baselines.ts'
import { type InstanceSize, makeInstance, partSites } from './instance.ts'
import { simulateLru } from './lru.ts'

/** Ways to place an instance; each is measured in a process of its own. */
export type Way =
  /** As controllers do, on threads, all of it. `secondDay`: place again a day later, and say what that moves. */
  | { readonly way: 'weir'; readonly size: InstanceSize; readonly threads: number; readonly secondDay: boolean }
  /** The others, on whole regions, as many as they get through in some seconds. */
  | { readonly way: 'some'; readonly size: InstanceSize }
  | { readonly way: 'baseline'; readonly size: InstanceSize; readonly name: string }
  | { readonly way: 'lru' | 'exact'; readonly size: InstanceSize }

export interface Outcome {
  readonly appliances: number
  readonly sites: number
  readonly value: number
  readonly demand?: number
  readonly local?: number
  readonly parent?: number
  /** Where it is known. */
  readonly bound?: number
  /** Moved in on the second day, in per cent of what is held. */
  readonly movedPercent?: number
  /** From the instance to the last manifest. */
  readonly seconds: number
  /** Resident memory of the process at most, the instance included. */
  readonly peakBytes: number
}

/** About so many sites × files are tried with the other ways: theirs take long on many. Caches are simulated request by request. */
const TRIED = 25e6
const SIMULATED = 6e6
/** Files up to which a second day is placed with the other ways. */
const SECOND_DAY_FILES = 200_000

export async function measureWay(job: Way): Promise<Outcome> {
  const input =
    job.way === 'weir'
      ? makeInstance(job.size)
      : someRegions(makeInstance(job.size), job.way === 'lru' ? SIMULATED : TRIED)
  const about = {
    sites: input.sites.length,
    appliances: input.sites.reduce((sum, { appliances }) => sum + appliances.length, 0),
  }
  const started = performance.now()
  const measured = () => ({
    ...about,
    seconds: (performance.now() - started) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  })
  const { parentValue } = defaultOptions
  switch (job.way) {
    case 'weir':
      return await placeTwice(input, job, measured)
    case 'some': {
      const solved = new Solved(input, defaultOptions)
      for (const _ of solved.sites());
      return { ...solved.worth, ...measured() }
    }
    case 'baseline': {
      const place = baselines[job.name]!
      const holdings = place(input)
      const told = measured()
      const { size } = job
      const movedPercent =
        size.files <= SECOND_DAY_FILES
          ? movedBetween(input, holdings, place({ ...makeInstance(size, 1), sites: input.sites }))
          : undefined
      return { ...evaluate(input, holdings, parentValue), ...(movedPercent !== undefined && { movedPercent }), ...told }
    }
    case 'lru': {
      const outcome = { value: simulateLru(input, parentValue), ...measured() }
      return { ...outcome, bound: new Solved(input, defaultOptions).worth.bound }
    }
    case 'exact': {
      const { exactValue } = await import('./exact.ts')
      return { value: await exactValue(input, parentValue), ...measured() }
    }
  }
}

async function placeTwice(
  input: SolverInput,
  { size, threads, secondDay }: Extract<Way, { way: 'weir' }>,
  measured: () => Pick<Outcome, 'sites' | 'appliances' | 'seconds' | 'peakBytes'>,
): Promise<Outcome> {
  const manifests = new Map<string, Uint8Array>()
  const place = async (problem: SolverInput, keep: boolean) => {
    const placed = await solveOnThreads(problem, DIGEST, new AbortController().signal, {
      threads,
      // As controllers do, but for the disk.
      async store({ digest, bytes }) {
        if (keep) manifests.set(digest, bytes as Uint8Array)
      },
    })
    if (keep)
      for (const { manifest } of placed.appliances)
        if (manifest.bytes) manifests.set(manifest.digest, manifest.bytes as Uint8Array)
    return placed
  }
  const placed = await place(input, secondDay)
  const { worth } = placed
  if (!worth) throw new Error(placed.insteadOf?.error ?? 'the solver does not say what its placement is worth')
  const outcome = { ...worth, ...measured() }
  if (!secondDay) return outcome
  const sets = new StoredSets()
  const held = new Map(placed.appliances.map(({ key, manifest }) => [key, manifests.get(manifest.digest)!]))
  const sites = input.sites.map(
    (site): PlacementSite => ({
      ...site,
      appliances: site.appliances.map((each) => new StoredHolding(each, sets.of({ bytes: held.get(each.key)! }))),
    }),
  )
  const later = await place({ ...makeInstance(size, 1), sites }, false)
  const sum = (of: (site: (typeof later.sites)[number]) => number) =>
    later.sites.reduce((all, each) => all + of(each), 0)
  return { ...outcome, movedPercent: (100 * sum(({ fillBytes }) => fillBytes)) / sum(({ bytes }) => bytes) }
}

/** No catalog has it. */
const DIGEST = `sha256:${'0'.repeat(64)}`

/** Whole regions, as many as the other ways get through in some seconds. */
function someRegions(input: SolverInput, tried: number): SolverInput {
  const regions = partSites(input.sites, input.sites.filter(({ parents }) => parents.length === 0).length)
  const sites: SolverInput['sites'][number][] = []
  for (const region of regions)
    if (sites.length === 0 || (sites.length + region.length) * input.sizes.length <= tried) sites.push(...region)
  return { ...input, sites }
}

function movedBetween(
  { sizes }: SolverInput,
  before: ReadonlyMap<string, FileSet>,
  after: ReadonlyMap<string, FileSet>,
): number {
  let [moved, bytes] = [0, 0]
  for (const [key, set] of after) {
    moved += weigh(sizes, set.difference(before.get(key)!)).bytes
    bytes += weigh(sizes, set).bytes
  }
  return (100 * moved) / bytes
}
