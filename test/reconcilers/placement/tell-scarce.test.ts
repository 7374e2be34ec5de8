import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import type { Placed } from '../../../reconcilers/placement/placed.ts'
import type { PlacementSite, PlacementWorth, Scarcity } from '../../../reconcilers/placement/problem.ts'
import { tellScarce } from '../../../reconcilers/placement/tell-scarce.ts'

const TB = 1e12

const site = (key: string, storageBytes: number, throughputGbps: number): PlacementSite => ({
  key,
  region: 'eu',
  parents: [],
  appliances: [{ key: `${key}-0`, storageBytes, throughputGbps }],
})

const placed = (scarce: readonly Scarcity[], worth?: Partial<PlacementWorth>): Placed => ({
  appliances: [],
  sites: [],
  somewhere: new FileSet(),
  everywhere: new FileSet(),
  ...(worth && { worth: { demand: 1000, local: 800, parent: 0, value: 800, bound: 850, ...worth } }),
  scarce,
})

const storage = (key: string, gain: number): Scarcity => ({ site: key, resource: 'Storage', gain })
const sites = [site('isp/ams1', 2000 * TB, 400), site('isp/fra1', 1000 * TB, 900)]

describe('shadow prices, as a plan tells them', () => {
  test('are for amounts that are small beside a site, and in per cent of all demand', () => {
    const told = tellScarce(
      placed([storage('isp/fra1', 0.1), { site: 'isp/ams1', resource: 'Throughput', gain: 0.5 }], {}),
      {
        sites,
      },
    )
    expect(told).toEqual([
      // A tenth of 1,500 TB, rounded down: 100 TB × 0.1 Gbit/s of 1,000.
      { site: { namespace: 'isp', name: 'fra1' }, resource: 'Storage', storageBytes: 100 * TB, gainPercent: 1 },
      // A tenth of 650 Gbit/s.
      { site: { namespace: 'isp', name: 'ams1' }, resource: 'Throughput', throughputGbps: 10, gainPercent: 0.5 },
    ])
  })

  const cases: [reason: string, told: Placed, gains: number[]][] = [
    ['no plan gains more than it lacks', placed([storage('isp/fra1', 50)], { value: 900 }), [10]],
    ['what comes to nothing is left out', placed([storage('isp/fra1', 1e-6)], {}), []],
    ['a solver that knows no worth knows no prices', placed([storage('isp/fra1', 1)]), []],
    ['without demand there is nothing to gain', placed([storage('isp/fra1', 1)], { demand: 0, value: 0 }), []],
    [
      'the most valuable comes first once amounts are told',
      placed([{ site: 'isp/ams1', resource: 'Throughput', gain: 0.2 }, storage('isp/fra1', 0.1)], {}),
      [1, 0.2],
    ],
  ]
  test.each(cases)('%s', (_, given, gains) => {
    expect(tellScarce(given, { sites }).map(({ gainPercent }) => gainPercent)).toEqual(gains)
  })

  test('small appliances have small amounts', () => {
    const small = [site('isp/lab', 3e6, 1)]
    expect(tellScarce(placed([storage('isp/lab', 1e9)], {}), { sites: small })[0]).toMatchObject({
      storageBytes: 100_000,
    })
  })
})
