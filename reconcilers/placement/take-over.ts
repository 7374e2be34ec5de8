import { FileSet } from '../blobs/file-set.ts'
import { compare, type PlanIndex, type PlanIndexPart } from '../blobs/plan-index.ts'
import { together } from './partition.ts'
import { nothingPlaced, type Placed, type PlacedAppliance, SCARCE_TOLD, settledAt } from './placed.ts'
import type { PlacementProblem, PlacementSite, Scarcity, SolvedPart } from './problem.ts'
import { byGain, sumWorth } from './worth.ts'

/** By what sites are placed besides their problem. */
export interface PartContext {
  /** Name of the solver. */
  readonly solver: string
  readonly catalogDigest: string
  readonly digest: (bytes: Uint8Array) => string
}

/** A problem without the parts that are as they were when the plan in force was made, and what that plan has for those. */
export interface TakenOver {
  readonly rest: PlacementProblem
  readonly kept: Placed
}

/**
 * Takes over from the plan in force what it would decide in the same way again: sites that are placed together, and go by the same files, demand, policy and appliances
 * as then. So a change somewhere costs what it changes, and moves nothing elsewhere. Sites hold what `index` says.
 */
export function takeOver(problem: PlacementProblem, index: PlanIndex, context: PartContext): TakenOver {
  const known = new Map((index.parts ?? []).map((part) => [part.inputs, part]))
  if (known.size === 0) return { rest: problem, kept: nothingPlaced }
  const rows = new Map(index.rows.map((row) => [`${row.namespace}/${row.name}`, row]))
  const inputsOf = partInputs(problem, context)
  const rest: PlacementSite[] = []
  const kept: { readonly sites: readonly PlacementSite[]; readonly part: PlanIndexPart }[] = []
  for (const sites of together(problem)) {
    const part = known.get(inputsOf(sites))
    const isWhole = sites.every(({ appliances }) =>
      appliances.every((appliance) => rows.has(appliance.key) && 'held' in appliance),
    )
    if (part && isWhole) kept.push({ sites, part })
    else rest.push(...sites)
  }
  const appliances = kept
    .flatMap(({ sites }) => sites.flatMap((site) => site.appliances.map(({ key }) => key)))
    .map((key): PlacedAppliance => {
      const { manifest, files, bytes } = rows.get(key)!
      return { key, manifest: { digest: manifest }, files, bytes }
    })
  const parts = kept.map(({ part }) => part)
  return {
    rest: { ...problem, sites: rest },
    kept: {
      appliances,
      sites: parts.flatMap(({ sites }) => sites.map((site) => ({ ...site, fillBytes: 0 }))),
      ...coverOf(
        problem,
        kept.flatMap(({ sites }) => sites),
      ),
      ...(parts.length > 0 && { worth: sumWorth(parts.map(({ worth }) => worth)) }),
      scarce: scarceOf(parts),
      parts: parts.map(({ sites, worth, scarce }) => ({
        sites: sites.map(({ key }) => key),
        worth,
        scarce,
        isSettled: true,
      })),
    },
  }
}

/** What later plans may take over of this one. Of what would still move, were that allowed, nothing. */
export function partsOf(problem: PlacementProblem, placed: Placed, context: PartContext): PlanIndexPart[] {
  const solved = placed.parts
  if (!solved || placed.insteadOf || placed.endedEarly) return []
  const partOf = new Map(solved.flatMap((part) => part.sites.map((site) => [site, part])))
  const siteOf = new Map(placed.sites.map((site) => [site.key, site]))
  const inputsOf = partInputs(problem, context)
  const found = together(problem).flatMap((sites): PlanIndexPart[] => {
    const members = new Set<SolvedPart>()
    for (const { key } of sites) {
      const part = partOf.get(key)
      // Sites without appliances are asked for, and not placed.
      if (part) members.add(part)
    }
    const some = [...members].sort((a, b) => compare(a.sites[0]!, b.sites[0]!))
    if (some.length === 0 || !some.every(({ isSettled }) => isSettled)) return []
    const keys = new Set(sites.map(({ key }) => key))
    if (!some.every((part) => part.sites.every((site) => keys.has(site)))) return []
    return [
      {
        inputs: inputsOf(sites),
        sites: [...keys].sort(compare).flatMap((key) => {
          const site = siteOf.get(key)
          if (!site) return []
          const { appliances, files, bytes, bytesLeftOut } = site
          return [{ key, appliances, files, bytes, bytesLeftOut }]
        }),
        worth: sumWorth(some.map(({ worth }) => worth)),
        scarce: scarceOf(some),
      },
    ]
  })
  return found.sort((a, b) => compare(a.inputs, b.inputs))
}

function scarceOf(parts: readonly Pick<SolvedPart, 'scarce'>[]): Scarcity[] {
  return parts
    .flatMap(({ scarce }) => scarce)
    .sort(byGain)
    .slice(0, SCARCE_TOLD)
}

/** Files that some site has, and files that every site has. */
function coverOf(problem: PlacementProblem, sites: readonly PlacementSite[]): Pick<Placed, 'somewhere' | 'everywhere'> {
  const somewhere = new FileSet()
  let everywhere: FileSet | undefined
  for (const site of sites) {
    const { appliances } = site
    if (appliances.length === 0) continue
    const here = new FileSet()
    for (const { held } of appliances) if (held) here.addAll(held)
    somewhere.addAll(here)
    const done = settledAt(problem, site, here)
    everywhere = everywhere ? everywhere.intersection(done) : done
  }
  return { somewhere, everywhere: everywhere ?? new FileSet() }
}

/** Digests what sites are placed by, in an order of its own. What they hold, or held, is left out: that is what the plan in force made of the rest. */
function partInputs(
  problem: PlacementProblem,
  { solver, catalogDigest, digest }: PartContext,
): (sites: readonly PlacementSite[]) => string {
  const bytes = new TextEncoder()
  const { sites: _, popularity, ...rest } = problem
  const write = (value: unknown) => JSON.stringify(value, (key, each) => plain(key, each, digest))
  const common = write({ solver, catalogDigest, ...rest })
  const columns = popularity.map((column) => write(column))
  return (sites) => {
    const own = [...sites]
      .sort((a, b) => compare(a.key, b.key))
      .map(({ demandClass = 0, appliances, gone: _, ...site }) => ({
        ...site,
        popularity: columns[demandClass],
        appliances: [...appliances].sort((a, b) => compare(a.key, b.key)),
      }))
    return digest(bytes.encode(`${common}${write(own)}`))
  }
}

/** What JSON has no form for, in one: columns and sets by their digests. */
function plain(key: string, value: unknown, digest: PartContext['digest']): unknown {
  if (key === 'held') return undefined
  if (ArrayBuffer.isView(value)) return digest(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  if (value instanceof FileSet) return digest(value.toRoaring())
  if (value instanceof Map) return [...value]
  if (value instanceof Set) return [...value]
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
