import type { FileSet } from '../blobs/file-set.ts'
import type { SolverInput, SolverSite } from './solver/input.ts'
import { Markets } from './solver/markets.ts'
import { parentsOf } from './solver/parents.ts'

/** What holdings are worth; see `PlacementWorth`. */
export interface Evaluation {
  readonly demand: number
  readonly local: number
  readonly parent: number
  readonly value: number
}

/**
 * Values any placement, whoever made it: each appliance serves the demand of its site for its files, an equal part with the others that hold them, up to its throughput;
 * what no appliance of the site holds goes to the first that does of its parent (the first that is among the sites and has appliances), that one's own parent and so on, up
 * to its appliances' throughput, and is worth `parentValue` once for each step; a site that is the parent of others serves its own viewers likewise. What an appliance is too busy to serve is served by nobody. Takes files × sites steps.
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
  const parentOf = parentsOf(sites)
  const trunks = new Set([...parentOf.values()].filter((key) => key !== undefined))
  const copiesAt = (key: string) => {
    const copies = new Uint16Array(files)
    for (const appliance of known.get(key)!.appliances)
      holdings.get(appliance.key)?.forEach((f) => {
        copies[f]!++
      })
    return copies
  }
  const served = (key: string, copies: Uint16Array, load: (file: number) => number) => {
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
  const total = { demand: 0, local: 0, parent: 0, value: 0 }
  /** By trunk: its copies of each file, what each is asked for, and how much of all that by its own viewers; what all of it would be worth. */
  const asked = new Map(
    [...trunks].map((key) => [key, { copies: copiesAt(key), load: new Float64Array(files), own: 0, worth: 0 }]),
  )
  /** Asks one after the other for what `here` has not; the first serves what is worth `value`. */
  const ask = (first: string | undefined, load: (file: number) => number, value: number, here?: Uint16Array) => {
    for (let f = 0; f < files; f++) {
      if (here?.[f]) continue
      let worth = value
      for (let key = first; key !== undefined; key = parentOf.get(key), worth *= parentValue) {
        const entry = asked.get(key)!
        if (!entry.copies[f]) continue
        const more = load(f)
        entry.load[f]! += more
        entry.worth += more * worth
        if (key === first && !here) entry.own += more
        break
      }
    }
  }
  for (const site of sites) {
    const { key, assumedGbps = 1, demandGbps = assumedGbps } = site
    const column = shareAt(site)
    const load = (f: number) => column[f]! * demandGbps
    total.demand += demandGbps
    if (trunks.has(key)) {
      ask(key, load, 1)
      continue
    }
    const copies = copiesAt(key)
    const { sum } = served(key, copies, load)
    total.local += sum
    total.value += sum
    ask(parentOf.get(key), load, parentValue, copies)
  }
  for (const [trunk, { copies, load, own, worth }] of asked) {
    const { sum, all } = served(trunk, copies, (f) => load[f]!)
    if (!(all > 0)) continue
    total.local += (sum * own) / all
    total.parent += sum * (1 - own / all)
    total.value += (sum / all) * worth
  }
  return total
}
