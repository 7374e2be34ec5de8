import type { Scarcity } from '../problem.ts'
import { byGain } from '../worth.ts'
import type { Tree } from './model.ts'
import { dearestStorage, dearestThroughput } from './site-dual.ts'

const TERABYTE = 1e12

/** What is scarce where, the most valuable first: at each site, the dearest storage and the dearest throughput of its types. */
export function scarceIn(trees: readonly Tree[], siteKeys: readonly string[]): Scarcity[] {
  const found: Scarcity[] = []
  const add = (index: number, resource: Scarcity['resource'], gain: number) => {
    if (gain > 0) found.push({ site: siteKeys[index]!, resource, gain })
  }
  for (const { trunks, branches } of trees) {
    for (const { site, kinds } of trunks) {
      add(site, 'Storage', Math.max(...kinds.map(({ storagePrice }) => storagePrice)) * TERABYTE)
      add(site, 'Throughput', Math.max(...kinds.map(({ price }) => price)))
    }
    for (const { site, types, prices } of branches) {
      add(site, 'Storage', dearestStorage(types, prices) * TERABYTE)
      add(site, 'Throughput', dearestThroughput(types, prices))
    }
  }
  return found.sort(byGain)
}
