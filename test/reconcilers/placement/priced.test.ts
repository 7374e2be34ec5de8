import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { mix } from '../../../reconcilers/placement/hash.ts'
import { priced } from '../../../reconcilers/placement/priced.ts'
import type { PlacementProblem, PlacementSite } from '../../../reconcilers/placement/problem.ts'

const site = (key: string, storage: readonly number[], region = 'eu'): PlacementSite => ({
  key,
  region,
  parents: [],
  appliances: storage.map((storageBytes, i) => ({ key: `${key}-${i}`, storageBytes, throughputGbps: 10 })),
})

/** Files of the given sizes, the first the most popular. */
function problem(sizes: readonly number[], sites: readonly PlacementSite[], more: Partial<PlacementProblem> = {}) {
  return {
    sizes: Float64Array.from(sizes),
    popularity: [Float64Array.from(sizes, (_, i) => 1 / (i + 1))],
    fileHashes: Uint32Array.from(sizes, (_, i) => mix(i + 1)),
    sites,
    copies: { perSite: 1, perRegion: 1 },
    pins: [],
    excluded: new FileSet(),
    ...more,
  } satisfies PlacementProblem
}

const equalFiles = (count: number, size = 100) => Array.from({ length: count }, () => size)
const held = (solution: ReturnType<typeof priced.solve>, key: string) => [...solution.holdings.get(key)!]
const holders = (solution: ReturnType<typeof priced.solve>, file: number) =>
  [...solution.holdings].filter(([, set]) => set.has(file)).map(([key]) => key)

describe('what fits is placed, the popular first', () => {
  test('with room for all, every file is at every site once', () => {
    const solution = priced.solve(problem(equalFiles(50), [site('a', [5000, 5000]), site('b', [5000])]))
    for (let file = 0; file < 50; file++) {
      expect(holders(solution, file).map((key) => key[0])).toEqual(['a', 'b'])
    }
    expect(solution.offload).toBe(1)
    expect([...solution.leftOut.values()]).toEqual([
      { files: 0, bytes: 0 },
      { files: 0, bytes: 0 },
    ])
  })

  test('without room for all, the least popular are left out and counted', () => {
    const solution = priced.solve(problem(equalFiles(10), [site('a', [650])]))
    expect(held(solution, 'a-0')).toEqual([0, 1, 2, 3, 4, 5])
    expect(solution.leftOut.get('a')).toEqual({ files: 4, bytes: 400 })
    expect(solution.offload).toBeLessThan(1)
    expect(solution.offload).toBeGreaterThan(0.6)
  })

  test('a file larger than any appliance is left out, smaller ones behind it are not', () => {
    const solution = priced.solve(problem([5000, 100, 100], [site('a', [650])]))
    expect(held(solution, 'a-0')).toEqual([1, 2])
    expect(solution.leftOut.get('a')).toEqual({ files: 1, bytes: 5000 })
  })

  test('a file larger than any appliance, with nearly all demand, leads neither prices nor the bound astray', () => {
    const sizes = [5000, ...equalFiles(20)]
    const popularity = Float64Array.from(sizes, (_, i) => (i === 0 ? 1000 : 1 / i))
    const parts = (given: Float64Array) => {
      const hub = { ...site('hub', [650]), parents: [] }
      const edge = { ...site('edge', [650]), parents: ['hub'] }
      return priced.solve(problem(sizes, [edge, hub], { popularity: [given] }))
    }
    const solution = parts(popularity)
    // As if it were not asked for.
    const unasked = parts(popularity.with(0, 0))
    // The bound is of what could be held: the file, which cannot, is nearly all of the demand.
    expect(solution.worth!.bound / solution.worth!.value).toBeLessThan(1.2)
    for (const key of ['hub-0', 'edge-0']) expect(held(solution, key)).toEqual(held(unasked, key))
  })

  test('empty files and appliances without room', () => {
    const solution = priced.solve(problem([0, 10], [site('a', [0])]))
    expect(held(solution, 'a-0')).toEqual([0])
  })

  test('indices without a file are never placed', () => {
    const solution = priced.solve(problem([100, Number.NaN, 100], [site('a', [1000])]))
    expect(held(solution, 'a-0')).toEqual([0, 2])
    expect(solution.leftOut.get('a')).toEqual({ files: 0, bytes: 0 })
  })

  test('a site without appliances has nothing and covers nothing', () => {
    const solution = priced.solve(problem(equalFiles(2), [site('a', []), site('b', [1000])]))
    expect(solution.offload).toBe(0.5)
  })
})

describe('copies', () => {
  test('each placed file is on perSite different appliances', () => {
    const solution = priced.solve(
      problem(equalFiles(20), [site('a', [5000, 5000, 5000])], { copies: { perSite: 2, perRegion: 1 } }),
    )
    for (let file = 0; file < 20; file++) expect(new Set(holders(solution, file)).size).toBe(2)
  })

  test('no more copies are asked of a site than it has appliances', () => {
    const solution = priced.solve(problem(equalFiles(5), [site('a', [5000])], { copies: { perSite: 3, perRegion: 1 } }))
    expect(held(solution, 'a-0')).toHaveLength(5)
  })

  test('a region short of copies gets them on its other appliances', () => {
    const sites = [site('a', [5000, 5000]), site('b', [5000]), site('c', [5000], 'us')]
    const solution = priced.solve(problem(equalFiles(5), sites, { copies: { perSite: 1, perRegion: 3 } }))
    for (let file = 0; file < 5; file++) expect(holders(solution, file)).toEqual(['a-0', 'a-1', 'b-0', 'c-0'])
  })
})

describe('pins and exclusions', () => {
  test('a pinned file comes before all others, on every appliance', () => {
    const solution = priced.solve(
      problem(equalFiles(10), [site('a', [300, 300])], { pins: [{ files: FileSet.of([9]), copies: 'all' }] }),
    )
    expect(holders(solution, 9)).toEqual(['a-0', 'a-1'])
    expect(holders(solution, 0)).toHaveLength(1)
  })

  test('an excluded file is nowhere, even when pinned, and is not left out', () => {
    const solution = priced.solve(
      problem(equalFiles(3), [site('a', [1000])], {
        excluded: FileSet.of([1]),
        pins: [{ files: FileSet.of([1]), copies: 'all' }],
      }),
    )
    expect(held(solution, 'a-0')).toEqual([0, 2])
    expect(solution.leftOut.get('a')).toEqual({ files: 0, bytes: 0 })
  })
})

describe('a change moves little more than its share', () => {
  const files = equalFiles(2000)
  const moved = (before: ReturnType<typeof priced.solve>, after: ReturnType<typeof priced.solve>) =>
    [...after.holdings].reduce(
      (sum, [key, set]) => sum + set.difference(before.holdings.get(key) ?? new FileSet()).size,
      0,
    )

  test('one more appliance at a site of five takes about a sixth', () => {
    const before = priced.solve(problem(files, [site('a', Array(5).fill(1e6))]))
    const after = priced.solve(problem(files, [site('a', Array(6).fill(1e6))]))
    expect(moved(before, after)).toBe(after.holdings.get('a-5')!.size)
    expect(moved(before, after) / files.length).toBeLessThan(1.2 / 6)
  })

  test('losing one of six refills only what it alone held', () => {
    const before = priced.solve(problem(files, [site('a', Array(6).fill(1e6))]))
    const after = priced.solve(problem(files, [site('a', Array(5).fill(1e6))]))
    expect(moved(before, after)).toBe(before.holdings.get('a-5')!.size)
  })

  test('larger appliances hold their share', () => {
    const solution = priced.solve(problem(files, [site('a', [1e6, 3e6])]))
    expect(solution.holdings.get('a-1')!.size / files.length).toBeGreaterThan(0.71)
    expect(solution.holdings.get('a-1')!.size / files.length).toBeLessThan(0.79)
  })
})

test('the order of sites and appliances does not matter', () => {
  const sites = [site('a', [300, 700, 500]), site('b', [400, 400])]
  const shuffled = [...sites].reverse().map((s) => ({ ...s, appliances: [...s.appliances].reverse() }))
  const one = priced.solve(problem(equalFiles(40), sites))
  const two = priced.solve(problem(equalFiles(40), shuffled))
  for (const [key, set] of one.holdings) expect([...two.holdings.get(key)!]).toEqual([...set])
})
