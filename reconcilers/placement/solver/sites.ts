import { compare } from '../../blobs/plan-index.ts'
import type { SolverAppliance, SolverSite } from './input.ts'
import type { Market } from './markets.ts'
import { type Capacity, MAX_TYPES } from './site-dual.ts'

/** A site in the unit of the solver, with its appliances by type. */
export interface Site {
  readonly key: string
  readonly region: string
  readonly country: string | undefined
  readonly parents: readonly string[]
  readonly demand: number
  readonly klass: number
  /** Of its own viewers. */
  readonly market: Market
  readonly types: readonly (readonly SolverAppliance[])[]
  /** Throughput matters only where demand is known. */
  readonly measured: boolean
  readonly fillBytes: number
  readonly gone: readonly SolverAppliance[]
}

/** Appliances by key, in their types. */
export function measure(site: SolverSite, market: Market): Site {
  const { key, region, country, parents, demandClass = 0, demandGbps, assumedGbps = 1, appliances } = site
  const { fillBytes = Infinity, gone = [] } = site
  return {
    key,
    region,
    country,
    parents,
    klass: demandClass,
    market,
    demand: demandGbps ?? assumedGbps,
    measured: demandGbps !== undefined,
    fillBytes,
    gone,
    types: byType(
      [...appliances].sort((a, b) => compare(a.key, b.key)),
      demandGbps !== undefined,
    ),
  }
}

/** Appliances of like throughput per byte stored, where throughput matters: at most MAX_TYPES types, the nearest joined. */
function byType(appliances: readonly SolverAppliance[], measured: boolean): SolverAppliance[][] {
  if (appliances.length === 0) return []
  if (!measured) return [[...appliances]]
  const ratio = ({ throughputGbps, storageBytes }: SolverAppliance) =>
    Math.log(Math.max(throughputGbps, 1e-9) / Math.max(storageBytes, 1))
  const types = [...Map.groupBy(appliances, ratio)].sort((a, b) => a[0] - b[0])
  while (types.length > MAX_TYPES) {
    let nearest = 0
    for (let t = 1; t + 1 < types.length; t++)
      if (types[t + 1]![0] - types[t]![0] < types[nearest + 1]![0] - types[nearest]![0]) nearest = t
    const [[low, some], [high, more]] = [types[nearest]!, types[nearest + 1]!]
    types.splice(nearest, 2, [(low + high) / 2, [...some, ...more]])
  }
  return types.map(([, members]) => members)
}

/** Bytes that each appliance of a site may hold. */
export const storageOf = ({ types }: Site): number[] => types.flat().map(({ storageBytes }) => storageBytes)

/** What appliances have together. */
export function totalOf(appliances: readonly SolverAppliance[], measured: boolean): Capacity {
  return {
    storage: appliances.reduce((sum, { storageBytes }) => sum + storageBytes, 0),
    throughput: measured ? appliances.reduce((sum, { throughputGbps }) => sum + throughputGbps, 0) : Infinity,
  }
}
