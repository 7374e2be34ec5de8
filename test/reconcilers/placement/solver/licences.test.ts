import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../../reconcilers/blobs/file-set.ts'
import { evaluate } from '../../../../reconcilers/placement/evaluate.ts'
import { mix } from '../../../../reconcilers/placement/hash.ts'
import { popularFirst } from '../../../../reconcilers/placement/popular-first.ts'
import { defaultOptions } from '../../../../reconcilers/placement/solver/solve.ts'
import { copiesOf, inputOf, siteOf, solve } from './support.ts'

const sizes = Array.from({ length: 600 }, (_, f) => 50 + (mix(f) % 200))
const all = sizes.reduce((sum, size) => sum + size, 0)
/** Every third file. */
const german = FileSet.of(sizes.flatMap((_, f) => (f % 3 === 0 ? [f] : [])))
const licences = [{ files: german, regions: ['DE'] }]
const hub = (country: string) => siteOf('hub', [0.5 * all], { country, demandGbps: 0, gbps: 100 })
const edges = [
  siteOf('ber', [0.1 * all, 0.1 * all], { country: 'DE', parents: ['hub'], demandGbps: 10 }),
  siteOf('par', [0.2 * all], { country: 'FR', parents: ['hub'], demandGbps: 10 }),
]

describe('licences', () => {
  test.each([
    ['a parent within', 'DE'],
    ['a parent without: it holds nothing of them, for anybody', 'FR'],
  ])('files are only where they may be; %s', (_, country) => {
    const input = inputOf(sizes, [hub(country), ...edges], { licences })
    const { holdings, worth, sites } = solve(input)
    for (const f of german) {
      expect(copiesOf(holdings, f, 'par')).toBe(0)
      if (country === 'FR') expect(copiesOf(holdings, f, 'hub')).toBe(0)
    }
    expect(copiesOf(holdings, 0, 'ber')).toBe(1)
    expect(sites.get('par')!.leftOut.files).toBe(400 - [...holdings.get('par-0')!].length)
    // What it says of itself is what it is worth; viewers without a licence ask for what is left to them.
    const seen = evaluate(input, holdings, defaultOptions.parentValue)
    expect(seen.value / worth.value).toBeCloseTo(1, 9)
    expect(seen.demand).toBe(20)
    expect(worth.value).toBeLessThanOrEqual(worth.bound)
    expect(worth.value / worth.bound).toBeGreaterThan(0.98)
  })

  test('the region counts as the country does', () => {
    const input = inputOf(sizes, [siteOf('a', [all], { region: 'dach', country: 'AT' })], {
      licences: [{ files: german, regions: ['dach'] }],
    })
    expect(copiesOf(solve(input).holdings, 0)).toBe(1)
  })

  test('a file of two licences must be allowed by both', () => {
    const input = inputOf(sizes, edges, { licences: [...licences, { files: FileSet.of([0]), regions: ['FR'] }] })
    expect(copiesOf(solve(input).holdings, 0)).toBe(0)
  })

  test('a pin does not go before a licence', () => {
    const input = inputOf(sizes, edges, { licences, pins: [{ files: FileSet.of([0, 1]), copies: 'all' as const }] })
    const { holdings } = solve(input)
    expect([copiesOf(holdings, 0, 'par'), copiesOf(holdings, 0, 'ber'), copiesOf(holdings, 1)]).toEqual([0, 2, 3])
  })

  test('the plain solver keeps them, too', () => {
    const { holdings } = popularFirst.solve(inputOf(sizes, edges, { licences }))
    expect(copiesOf(holdings, 0, 'par')).toBe(0)
    expect(copiesOf(holdings, 0, 'ber')).toBe(1)
    expect(copiesOf(holdings, 1, 'par')).toBe(1)
  })

  test('where nothing may be, nothing is, and nothing is asked for', () => {
    const input = inputOf(sizes, [edges[1]!], { licences: [{ files: FileSet.of(sizes.keys()), regions: ['DE'] }] })
    const { holdings, worth } = solve(input)
    expect(holdings.get('par-0')!.isEmpty).toBe(true)
    expect(worth.value).toBe(0)
  })
})
