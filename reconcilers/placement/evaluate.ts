import type { FileSet } from '../blobs/file-set.ts'
import type { SolverInput, SolverSite } from './solver/input.ts'
import { Markets } from './solver/markets.ts'

/** What holdings are worth; see `PlacementWorth`. */
export interface Evaluation {
  readonly demand: number
  readonly local: number
  readonly parent: number
  readonly value: number
}

/**
 * Values any placement, whoever made it: each appliance serves the demand of its site for its files, an equal part with the others that hold them, up to its throughput;
 * what no appliance of the site holds goes to the site's first parent that is among the sites, up to its appliances' throughput; a site that is the parent of others
 * serves its own viewers likewise. What an appliance is too busy to serve is served by nobody. Takes files × sites steps.
 */
export function evaluate(
  input: Pick<SolverInput, 'sizes' | 'popularity' | 'sites' | 'excluded' | 'licences'>,
  holdings: ReadonlyMap<string, FileSet>,
  parentValue: number,
): Evaluation {
  const markets = new Markets(input)
  return evaluateSites((site) => markets.at(site).share, input.sites, holdings, parentValue)
}

/** The same, where the part of all demand that each file stands for is known, for the viewers of each site. */
export function evaluateSites(
  shareAt: (site: SolverSite) => Float64Array,
  sites: readonly SolverSite[],
  holdings: ReadonlyMap<string, FileSet>,
  parentValue: number,
): Evaluation {
  const files = sites[0] ? shareAt(sites[0]).length : 0
  const known = new Map(sites.map((site) => [site.key, site]))
  const parentOf = (key: string) => {
    const parent = known.get(key)!.parents.find((p) => p !== key && (known.get(p)?.appliances.length ?? 0) > 0)
    return parent
  }
  const trunks = new Set(sites.map(({ key }) => parentOf(key)).filter((key) => key !== undefined))
  const copies = new Uint16Array(files)
  const count = (key: string) => {
    copies.fill(0)
    for (const appliance of known.get(key)!.appliances)
      holdings.get(appliance.key)?.forEach((f) => {
        copies[f]!++
      })
  }
  const served = (key: string, load: (file: number) => number) => {
    let [sum, all] = [0, 0]
    const { appliances, demandGbps } = known.get(key)!
    for (const { key: appliance, throughputGbps } of appliances) {
      let asked = 0
      holdings.get(appliance)?.forEach((f) => {
        asked += load(f) / copies[f]!
      })
      sum += Math.min(asked, demandGbps === undefined ? Number.POSITIVE_INFINITY : throughputGbps)
      all += asked
    }
    return { sum, all }
  }
  const total = { demand: 0, local: 0, parent: 0 }
  /** By trunk: what each file of it is asked for, and how much of all that by its own viewers. */
  const asked = new Map<string, { load: Float64Array; own: number }>()
  const ask = (trunk: string, column: Float64Array, demand: number, own: boolean, here?: Uint16Array) => {
    const entry = asked.get(trunk) ?? { load: new Float64Array(files), own: 0 }
    asked.set(trunk, entry)
    for (let f = 0; f < files; f++) if (!here?.[f]) entry.load[f]! += column[f]! * demand
    if (own) entry.own += demand
  }
  for (const site of sites) {
    const { key, assumedGbps = 1, demandGbps = assumedGbps } = site
    const column = shareAt(site)
    total.demand += demandGbps
    if (trunks.has(key)) {
      ask(key, column, demandGbps, true)
      continue
    }
    count(key)
    total.local += served(key, (f) => column[f]! * demandGbps).sum
    const parent = parentOf(key)
    if (parent !== undefined) ask(parent, column, demandGbps, false, copies)
  }
  for (const [trunk, { load, own }] of asked) {
    count(trunk)
    const { sum, all } = served(trunk, (f) => load[f]!)
    const column = shareAt(known.get(trunk)!)
    let held = 0
    for (let f = 0; f < files; f++) if (copies[f]) held += column[f]! * own
    const ownPart = all > 0 ? held / all : 0
    total.local += sum * ownPart
    total.parent += sum * (1 - ownPart)
  }
  return { ...total, value: total.local + parentValue * total.parent }
}
