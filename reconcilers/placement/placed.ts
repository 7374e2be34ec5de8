import { FileSet } from '../blobs/file-set.ts'
import { encodeFileSet } from '../blobs/file-set-blob.ts'
import { compare } from '../blobs/plan-index.ts'
import type { PlannedBlob } from '../plan.ts'
import type { SoFar, SolverControl } from './control.ts'
import { popularFirst } from './popular-first.ts'
import type {
  PlacementProblem,
  PlacementSite,
  PlacementSolver,
  PlacementWorth,
  Scarcity,
  SolvedPart,
  SolvedSite,
  SolvedSites,
  Unmet,
} from './problem.ts'
import { barredAt } from './solver/markets.ts'
import { weigh } from './weigh.ts'
import { byGain, sumWorth } from './worth.ts'

/** What one appliance is to hold, as it is stored. */
export interface PlacedAppliance {
  readonly key: string
  /** Without bytes where they have been handed to `Encoding.store` already. */
  readonly manifest: Pick<PlannedBlob, 'digest'> & Partial<PlannedBlob>
  readonly files: number
  readonly bytes: number
}

export interface PlacedSite {
  readonly key: string
  readonly appliances: number
  /** Files, each counted once; bytes over all appliances; and those of them that are not there yet. */
  readonly files: number
  readonly bytes: number
  readonly fillBytes: number
  readonly bytesLeftOut: number
}

/** A solution as it is written down, by key. It holds no more in memory than what is stored. */
export interface Placed {
  readonly appliances: readonly PlacedAppliance[]
  readonly sites: readonly PlacedSite[]
  /** Files that some site has, and files that every site has that may have them. */
  readonly somewhere: FileSet
  readonly everywhere: FileSet
  readonly worth?: PlacementWorth
  /** What a little more of would be worth the most, the most valuable first. */
  readonly scarce?: readonly Scarcity[]
  /** What cannot be had: how much, and the first of it. */
  readonly unmet?: { readonly count: number; readonly first: readonly Unmet[] }
  /** Why a simpler solver answered. */
  readonly insteadOf?: { readonly solver: string; readonly error: string }
  readonly endedEarly?: boolean
  /** What was placed together, where the solver places sites apart from others. */
  readonly parts?: readonly SolvedPart[]
}

/** How many shadow prices are kept. */
export const SCARCE_TOLD = 5

/** What a manifest says besides its files, and how blobs are named. */
export interface Encoding {
  readonly catalogDigest: string
  readonly digest: (bytes: Uint8Array) => string
  /** Takes each manifest as it is made, so that all of them need not be in memory at once. Called more than once for one where the solver failed half-way. */
  readonly store?: (blob: PlannedBlob) => void
}

/** Solves a problem and writes the answer down site by site. Should the solver fail, the popular-first solver answers, so that a fleet is never without a plan. */
export function place(
  problem: PlacementProblem,
  solver: PlacementSolver,
  encoding: Encoding,
  control?: SolverControl,
): Placed {
  try {
    return solved(problem, solver, encoding, control)
  } catch (error) {
    if (solver === popularFirst) throw error
    return { ...solved(problem, popularFirst, encoding), insteadOf: { solver: solver.name, error: String(error) } }
  }
}

function solved(
  problem: PlacementProblem,
  solver: PlacementSolver,
  encoding: Encoding,
  control?: SolverControl,
): Placed {
  let begun: SolvedSites | undefined
  if (solver.solveSites) {
    const answer: SolvedSites = solver.solveSites(
      problem,
      control && {
        ...control,
        // While it still looks for prices there is no answer yet.
        onProgress: (done) => control.onProgress?.(done, soFarOf(begun?.parts?.())),
      },
    )
    begun = answer
    const placed = write(problem, answer.sites, encoding)
    const worth = answer.worth()
    return {
      ...placed,
      ...(worth && { worth }),
      scarce: answer.scarce().slice(0, SCARCE_TOLD),
      ...(answer.endedEarly() && { endedEarly: true }),
      ...tellUnmet(answer.unmet?.() ?? []),
      ...(answer.parts && { parts: answer.parts().map(tellPart) }),
    }
  }
  const { holdings, leftOut, worth, endedEarly } = solver.solve(problem, control)
  const sites = problem.sites.map(
    ({ key, appliances }): SolvedSite => ({
      key,
      holdings: new Map(appliances.map((appliance) => [appliance.key, holdings.get(appliance.key) ?? new FileSet()])),
      leftOut: leftOut.get(key) ?? { files: 0, bytes: 0 },
    }),
  )
  return { ...write(problem, sites, encoding), ...(worth && { worth }), ...(endedEarly && { endedEarly }) }
}

function soFarOf(parts: readonly SolvedPart[] = []): SoFar {
  const soFar = { sites: 0, value: 0, bound: 0 }
  for (const { sites, worth } of parts) {
    soFar.sites += sites.length
    soFar.value += worth.value
    soFar.bound += worth.bound
  }
  return soFar
}

/** How many unmet asks are told. */
const UNMET_TOLD = 20

function tellUnmet(unmet: readonly Unmet[], count = unmet.length): Pick<Placed, 'unmet'> {
  if (count === 0) return {}
  const first = [...unmet].sort(
    (a, b) =>
      compare(a.ask, b.ask) ||
      (a.share ?? 0) - (b.share ?? 0) ||
      (b.files ?? 0) - (a.files ?? 0) ||
      compare(a.site ?? a.region ?? '', b.site ?? b.region ?? ''),
  )
  return { unmet: { count, first: first.slice(0, UNMET_TOLD) } }
}

const tellPart = (part: SolvedPart): SolvedPart => ({ ...part, scarce: part.scarce.slice(0, SCARCE_TOLD) })

function write(problem: PlacementProblem, solvedSites: Iterable<SolvedSite>, encoding: Encoding): Placed {
  const { sizes, sites: asked } = problem
  const known = new Map(asked.map((site) => [site.key, site]))
  const appliances: PlacedAppliance[] = []
  const sites: PlacedSite[] = []
  let somewhere = new FileSet()
  let everywhere: FileSet | undefined
  for (const { key, holdings, leftOut } of solvedSites) {
    const site = known.get(key)!
    const here = new FileSet()
    let [bytes, fillBytes] = [0, 0]
    for (const [appliance, set] of holdings) {
      const weight = weigh(sizes, set)
      const encoded = encodeFileSet({ catalog: encoding.catalogDigest, ...weight, set })
      const blob = { digest: encoding.digest(encoded), bytes: encoded }
      encoding.store?.(blob)
      appliances.push({ key: appliance, manifest: encoding.store ? { digest: blob.digest } : blob, ...weight })
      here.addAll(set)
      bytes += weight.bytes
      fillBytes += fillOf(site, appliance, sizes, set, weight.bytes)
    }
    somewhere = somewhere.union(here)
    const done = settledAt(problem, site, here)
    everywhere = everywhere ? everywhere.intersection(done) : done
    sites.push({ key, appliances: holdings.size, files: here.size, bytes, fillBytes, bytesLeftOut: leftOut.bytes })
  }
  return {
    appliances: appliances.sort((a, b) => compare(a.key, b.key)),
    sites: sites.sort((a, b) => compare(a.key, b.key)),
    somewhere,
    everywhere: everywhere ?? new FileSet(),
  }
}

/** Files that a site has, and those that it may not have. */
export function settledAt(
  { licences, excluded }: Pick<PlacementProblem, 'licences' | 'excluded'>,
  site: PlacementSite,
  here: FileSet,
): FileSet {
  return licences?.length ? here.union(barredAt({ licences }, site).difference(excluded)) : here
}

function fillOf({ appliances }: PlacementSite, key: string, sizes: Float64Array, set: FileSet, bytes: number): number {
  const held = appliances.find((appliance) => appliance.key === key)?.held
  return held ? weigh(sizes, set, held).bytes : bytes
}

/** Puts together what was placed in parts; see `partition.ts`. */
export function joinPlaced(parts: readonly Placed[]): Placed {
  const [first, ...others] = parts
  if (!first || others.length === 0) return first ?? nothingPlaced
  const worths = parts.map(({ worth }) => worth).filter((worth) => worth !== undefined)
  const withSites = parts.filter(({ sites }) => sites.length > 0)
  const insteadOf = parts.find((part) => part.insteadOf)?.insteadOf
  return {
    appliances: parts.flatMap(({ appliances }) => appliances).sort((a, b) => compare(a.key, b.key)),
    sites: parts.flatMap(({ sites }) => sites).sort((a, b) => compare(a.key, b.key)),
    somewhere: parts.reduce((all, part) => all.union(part.somewhere), new FileSet()),
    everywhere: withSites
      .map((part) => part.everywhere)
      .reduce((all, set) => all.intersection(set), withSites[0]?.everywhere ?? new FileSet()),
    ...(worths.length === parts.length && { worth: sumWorth(worths) }),
    scarce: parts
      .flatMap(({ scarce = [] }) => scarce)
      .sort(byGain)
      .slice(0, SCARCE_TOLD),
    ...tellUnmet(
      parts.flatMap(({ unmet }) => unmet?.first ?? []),
      parts.reduce((total, { unmet }) => total + (unmet?.count ?? 0), 0),
    ),
    ...(insteadOf && { insteadOf }),
    ...(parts.some((part) => part.endedEarly) && { endedEarly: true }),
    ...(parts.every((part) => part.parts) && { parts: parts.flatMap((part) => part.parts!) }),
  }
}

export const nothingPlaced: Placed = { appliances: [], sites: [], somewhere: new FileSet(), everywhere: new FileSet() }
