import type { FileSet } from '../../blobs/file-set.ts'
import type { SolverAppliance, SolverInput, SolverSite } from './input.ts'
import type { Market } from './markets.ts'

/** What keeps a site from serving its head after a loss. `Appliances`: it has too few; `Storage`: not all of the head is held often enough; `Throughput`: those left are too slow. */
export type SurvivalLimit = 'Appliances' | 'Storage' | 'Throughput'

export interface Survival {
  /** The part of the site's demand, 0–1, that the head is which it could still serve after the worst loss; at most what was asked for. */
  readonly share: number
  /** Undefined where that is all that was asked for. */
  readonly limit?: SurvivalLimit
}

/** Rounding is no loss. */
const ROUNDING = 1e-9

/**
 * What is left of the head of a site when the worst `survivesLossOf` of its appliances are gone: a file that fewer than one more hold counts as lost; the others' demand is
 * then served by those that hold them still, in equal parts, each up to its throughput. `demand`: of the site, in the unit of throughput; infinite throughput is not counted.
 */
export function survivalOf(
  appliances: readonly SolverAppliance[],
  { share, head }: Market,
  demand: number,
  measured: boolean,
  holdings: ReadonlyMap<string, FileSet>,
  { headShare, survivesLossOf }: NonNullable<SolverInput['resilience']>,
): Survival {
  const count = appliances.length
  if (!head || demand === 0) return { share: headShare }
  const all = head.reduce((sum, isHead, f) => sum + (isHead ? share[f]! : 0), 0)
  const asked = Math.min(headShare, all)
  if (asked === 0) return { share: asked }
  if (count <= survivesLossOf) return { share: 0, limit: 'Appliances' }
  const sets = appliances.map(({ key }) => holdings.get(key))
  let held = 0
  const load = new Float64Array(count)
  // What x serves more when b is gone: more[b * count + x].
  const more = new Float64Array(count * count)
  for (let f = 0; f < head.length; f++) {
    if (!head[f]) continue
    const holders = [...appliances.keys()].filter((b) => sets[b]?.has(f))
    if (holders.length <= survivesLossOf) continue
    held += share[f]!
    const each = (share[f]! * demand) / holders.length
    for (const b of holders) {
      load[b]! += each
      for (const x of holders) if (x !== b) more[b * count + x]! += each / (holders.length - 1)
    }
  }
  let servable = held
  if (measured) {
    for (let b = 0; b < count; b++) {
      // Those that go with it are the strongest of the others.
      const others = [...appliances.keys()].filter((x) => x !== b)
      others.sort((x, y) => appliances[y]!.throughputGbps - appliances[x]!.throughputGbps || x - y)
      let served = 0
      for (const x of others.slice(survivesLossOf - 1))
        served += Math.min(load[x]! + more[b * count + x]!, appliances[x]!.throughputGbps)
      if (survivesLossOf > 1) served = throughputOf(appliances, others.slice(survivesLossOf - 1))
      servable = Math.min(servable, served / demand)
    }
  }
  if (servable >= asked - ROUNDING) return { share: asked }
  // Where those that are left are too slow, more copies would be of no use.
  const fastest = [...appliances.keys()].sort((x, y) => appliances[y]!.throughputGbps - appliances[x]!.throughputGbps)
  const isFast = !measured || throughputOf(appliances, fastest.slice(survivesLossOf)) >= (asked - ROUNDING) * demand
  return { share: servable, limit: isFast && held < asked - ROUNDING ? 'Storage' : 'Throughput' }
}

const throughputOf = (appliances: readonly SolverAppliance[], some: readonly number[]) =>
  some.reduce((sum, x) => sum + appliances[x]!.throughputGbps, 0)

/** The same, of a site as it is given. */
export function survivalAt(
  { appliances, demandGbps, assumedGbps = 1 }: SolverSite,
  market: Market,
  holdings: ReadonlyMap<string, FileSet>,
  resilience: NonNullable<SolverInput['resilience']>,
): Survival {
  const demand = demandGbps ?? assumedGbps
  return survivalOf(appliances, market, demand, demandGbps !== undefined, holdings, resilience)
}
