import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../../reconcilers/blobs/file-set.ts'
import { evaluate } from '../../../../reconcilers/placement/evaluate.ts'
import { mix } from '../../../../reconcilers/placement/hash.ts'
import { defaultOptions } from '../../../../reconcilers/placement/solver/solve.ts'
import { copiesOf, inputOf, siteOf, solve } from './support.ts'

const sizes = Array.from({ length: 1000 }, (_, f) => 50 + (mix(f) % 200))
const all = sizes.reduce((sum, size) => sum + size, 0)
const copies = { perSite: 1, perRegion: 3 }
/** Each fills up by itself, so that copies find no room that is left. */
const sites = [
  siteOf('a', [0.1 * all, 0.1 * all], { demandGbps: 8 }),
  siteOf('b', [0.2 * all], { demandGbps: 8 }),
  siteOf('c', [0.1 * all], { demandGbps: 8 }),
  siteOf('d', [0.1 * all], { demandGbps: 8, region: 'us' }),
]
const inEu = (holdings: ReturnType<typeof solve>['holdings'], f: number) =>
  ['a', 'b', 'c'].reduce((sum, key) => sum + copiesOf(holdings, f, key), 0)

describe('copies per region', () => {
  const input = inputOf(sizes, sites, { copies })
  const { holdings, worth } = solve(input)

  test('every file that the region has is there so often, or not at all: others go for it', () => {
    const counts = sizes.map((_, f) => inEu(holdings, f))
    expect(counts.filter((count) => count > 0 && count < 3)).toEqual([])
    expect(counts.filter((count) => count >= 3).length).toBeGreaterThan(100)
    // The region that has one appliance cannot have more.
    expect(Math.max(...sizes.map((_, f) => copiesOf(holdings, f, 'd')))).toBe(1)
  })

  test('the popular ones are those that stay', () => {
    expect(sizes.slice(0, 50).every((_, f) => inEu(holdings, f) >= 3)).toBe(true)
  })

  test('appliances hold no more than they can, and the plan says what it is worth', () => {
    for (const { appliances } of sites)
      for (const { key, storageBytes } of appliances)
        expect([...holdings.get(key)!].reduce((sum, f) => sum + sizes[f]!, 0)).toBeLessThanOrEqual(storageBytes)
    const seen = evaluate(input, holdings, defaultOptions.parentValue)
    expect(seen.value / worth.value).toBeCloseTo(1, 9)
    expect(worth.value).toBeLessThanOrEqual(worth.bound)
  })

  test('storage is used but for what a fourth appliance is too large for three copies', () => {
    const used = [...holdings.values()].reduce((sum, set) => sum + [...set].reduce((n, f) => n + sizes[f]!, 0), 0)
    expect(used / (0.55 * all)).toBeGreaterThan(0.97)
  })

  test('at each site copies per site hold, too', () => {
    const both = solve(inputOf(sizes, sites, { copies: { perSite: 2, perRegion: 3 } })).holdings
    for (const f of sizes.keys()) {
      expect(copiesOf(both, f, 'a')).not.toBe(1)
      expect([1, 2]).not.toContain(inEu(both, f))
    }
  })

  test('where a licence leaves fewer appliances than copies, it has one on each', () => {
    const licensed = solve(
      inputOf(
        sizes,
        sites.map((site) => ({ ...site, country: site.key === 'b' ? 'DE' : 'NL' })),
        { copies, licences: [{ files: FileSet.of([0]), regions: ['DE'] }] },
      ),
    ).holdings
    expect([copiesOf(licensed, 0, 'b'), copiesOf(licensed, 0)]).toEqual([1, 1])
  })

  test('pinned files stay, and get their copies first', () => {
    const pinned = solve(inputOf(sizes, sites, { copies, pins: [{ files: FileSet.of([999]), copies: 1 }] })).holdings
    expect(inEu(pinned, 999)).toBe(3)
    expect(copiesOf(pinned, 999, 'd')).toBe(1)
  })
})
