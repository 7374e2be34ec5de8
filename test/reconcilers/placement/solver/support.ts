import { FileSet } from '../../../../reconcilers/blobs/file-set.ts'
import { mix } from '../../../../reconcilers/placement/hash.ts'
import {
  defaultOptions,
  Solved,
  type SolverInput,
  type SolverOptions,
  type SolverSite,
} from '../../../../reconcilers/placement/solver/solve.ts'

export type Holdings = ReadonlyMap<string, FileSet>

/** A site with appliances of these sizes, `name-0` and so on. */
export function siteOf(
  key: string,
  storage: readonly number[],
  more: Partial<SolverSite> & { gbps?: number } = {},
): SolverSite {
  const { gbps = 10, ...rest } = more
  return {
    key,
    region: 'eu',
    parents: [],
    appliances: storage.map((storageBytes, i) => ({ key: `${key}-${i}`, storageBytes, throughputGbps: gbps })),
    ...rest,
  }
}

/** Files of these sizes; the first is the most popular unless told. */
export function inputOf(
  sizes: readonly number[],
  sites: readonly SolverSite[],
  more: Partial<SolverInput> = {},
): SolverInput {
  return {
    sizes: Float64Array.from(sizes),
    popularity: [Float64Array.from(sizes, (_, f) => 1 / (f + 1))],
    fileHashes: Uint32Array.from(sizes, (_, f) => mix(f + 1)),
    sites,
    copies: { perSite: 1, perRegion: 1 },
    pins: [],
    excluded: new FileSet(),
    ...more,
  }
}

export function solve(input: SolverInput, options: Partial<SolverOptions> = {}) {
  const solved = new Solved(input, { ...defaultOptions, ...options })
  const sites = [...solved.sites()]
  const holdings: Holdings = new Map(sites.flatMap((site) => [...site.holdings]))
  return { sites: new Map(sites.map((site) => [site.key, site])), holdings, worth: solved.worth }
}

/** How many appliances with this prefix hold a file. */
export function copiesOf(holdings: Holdings, file: number, prefix = ''): number {
  return [...holdings].filter(([key, set]) => key.startsWith(prefix) && set.has(file)).length
}

/** The same appliances, which hold this by the plan in force. */
export function holding(sites: readonly SolverSite[], holdings: Holdings): SolverSite[] {
  return sites.map((site) => ({
    ...site,
    appliances: site.appliances.map((appliance) => {
      const held = holdings.get(appliance.key)
      return held ? { ...appliance, held } : appliance
    }),
  }))
}

/** Bytes that appliances with this prefix hold and did not before. */
export function movedIn(sizes: ArrayLike<number>, before: Holdings, after: Holdings, prefix = ''): number {
  let bytes = 0
  for (const [key, set] of after)
    if (key.startsWith(prefix))
      for (const file of set.difference(before.get(key) ?? new FileSet())) bytes += sizes[file]!
  return bytes
}
