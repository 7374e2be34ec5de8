import { describe, expect, test } from '@jest/globals'
import { mix } from '../../../../reconcilers/placement/hash.ts'
import { Markets } from '../../../../reconcilers/placement/solver/markets.ts'
import type { SolverInput, SolverSite } from '../../../../reconcilers/placement/solver/solve.ts'
import { copiesOf, holding, inputOf, movedIn, siteOf, solve } from './support.ts'

const sizes = Array.from({ length: 1000 }, (_, f) => 50 + (mix(f) % 200))
const popularity = [Float64Array.from(sizes, (_, f) => (f + 5) ** -0.9)]
const all = sizes.reduce((sum, size) => sum + size, 0)
const resilience = { headShare: 0.5, survivesLossOf: 1 }

const given = (sites: readonly SolverSite[], more: Partial<SolverInput> = {}) =>
  inputOf(sizes, sites, { popularity, resilience, ...more })

/** The part of the site's demand that the others could serve of the head, with one appliance gone: counted file by file. */
function leftWithout(
  lost: string,
  site: SolverSite,
  input: SolverInput,
  holdings: ReturnType<typeof solve>['holdings'],
) {
  const { share, head } = new Markets(input).at(site)
  const left = site.appliances.filter(({ key }) => key !== lost)
  const load = new Map(left.map(({ key }) => [key, 0]))
  for (const [f, isHead] of head!.entries()) {
    const holders = left.filter(({ key }) => holdings.get(key)!.has(f))
    if (!isHead) continue
    for (const { key } of holders) load.set(key, load.get(key)! + (share[f]! * site.demandGbps!) / holders.length)
  }
  return (
    left.reduce((sum, { key, throughputGbps }) => sum + Math.min(load.get(key)!, throughputGbps), 0) / site.demandGbps!
  )
}

describe('the head outlives the loss of any one appliance', () => {
  const flash = (key: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({
      key: `${key}-flash-${i}`,
      storageBytes: 0.05 * all,
      throughputGbps: 60,
    }))
  const disks = (key: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ key: `${key}-disk-${i}`, storageBytes: 0.2 * all, throughputGbps: 20 }))
  test.each<[reason: string, site: SolverSite]>([
    ['appliances of a kind', siteOf('a', [0.2 * all, 0.2 * all, 0.2 * all], { demandGbps: 20 })],
    [
      'two, each of which must be able to stand in for the other',
      siteOf('a', [0.3 * all, 0.3 * all], { demandGbps: 16 }),
    ],
    ['sizes that differ', siteOf('a', [0.4 * all, 0.1 * all, 0.2 * all], { demandGbps: 20 })],
    [
      'flash and disks, the only flash among those that may go',
      { ...siteOf('a', []), demandGbps: 70, appliances: [...flash('a', 1), ...disks('a', 3)] },
    ],
    [
      'flash and disks, two of each',
      { ...siteOf('a', []), demandGbps: 90, appliances: [...flash('a', 2), ...disks('a', 2)] },
    ],
  ])('%s', (_, site) => {
    const input = given([site])
    const { holdings, sites, worth } = solve(input)
    for (const { key } of site.appliances)
      expect(leftWithout(key, site, input, holdings)).toBeGreaterThanOrEqual(resilience.headShare - 1e-9)
    expect(sites.get('a')!.survival).toEqual({ share: expect.closeTo(0.5, 2) })
    expect(worth.value).toBeLessThanOrEqual(worth.bound)
  })

  test('without being asked for, it does not: the test before can fail', () => {
    const site = siteOf('a', [0.2 * all, 0.2 * all, 0.2 * all], { demandGbps: 20 })
    const { resilience: _, ...input } = given([site])
    const { holdings } = solve(input)
    expect(leftWithout('a-0', site, given([site]), holdings)).toBeLessThan(0.45)
  })

  test('files of the head that a parent holds, too, stay at the edge twice', () => {
    const edge = siteOf('edge', [0.1 * all, 0.1 * all], { demandGbps: 8, parents: ['hub'] })
    const input = given([siteOf('hub', [all, all], { demandGbps: 0 }), edge])
    const { holdings } = solve(input)
    const { head } = new Markets(input).at(edge)
    for (const [f, isHead] of head!.entries()) if (isHead) expect(copiesOf(holdings, f, 'edge')).toBe(2)
  })

  test('what is popular but not of the head goes on once', () => {
    const input = given([siteOf('a', [0.2 * all, 0.2 * all, 0.2 * all], { demandGbps: 20 })])
    const { holdings } = solve(input)
    const { head } = new Markets(input).at(input.sites[0]!)
    const tail = sizes.flatMap((_, f) => (head![f] || copiesOf(holdings, f) === 0 ? [] : [copiesOf(holdings, f)]))
    expect(tail.length).toBeGreaterThan(100)
    expect(Math.max(...tail)).toBe(1)
  })

  test('two losses: three copies', () => {
    const input = given([siteOf('a', Array(4).fill(0.2 * all), { demandGbps: 10 })], {
      resilience: { headShare: 0.3, survivesLossOf: 2 },
    })
    const { holdings, sites } = solve(input)
    const { head } = new Markets(input).at(input.sites[0]!)
    for (const [f, isHead] of head!.entries()) if (isHead) expect(copiesOf(holdings, f)).toBeGreaterThanOrEqual(3)
    expect(sites.get('a')!.survival?.limit).toBeUndefined()
  })

  test('nothing moves where nothing has changed', () => {
    const input = given([siteOf('a', [0.2 * all, 0.2 * all, 0.2 * all], { demandGbps: 20 })])
    const { holdings } = solve(input)
    const again = solve({ ...input, sites: holding(input.sites, holdings) })
    expect(movedIn(sizes, holdings, again.holdings)).toBe(0)
  })
})

describe('where it cannot be, what binds is told', () => {
  test.each<[limit: string, site: SolverSite, reason: string]>([
    ['Appliances', siteOf('a', [all], { demandGbps: 5 }), 'there is nobody to stand in'],
    ['Storage', siteOf('a', [0.01 * all, 0.01 * all], { demandGbps: 5 }), 'not all of the head fits twice'],
    ['Throughput', siteOf('a', [all, all], { demandGbps: 50 }), 'the one that is left serves 10 Gbit/s, a fifth'],
  ])('%s', (limit, site) => {
    const { survival } = solve(given([site])).sites.get('a')!
    expect(survival).toEqual({ share: expect.any(Number), limit })
    expect(survival!.share).toBeLessThan(resilience.headShare)
  })
})
