import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../../reconcilers/blobs/file-set.ts'
import { mix } from '../../../../reconcilers/placement/hash.ts'
import { priced } from '../../../../reconcilers/placement/priced.ts'
import type { PlacementProblem } from '../../../../reconcilers/placement/problem.ts'

const FILES = 500
const MB = 1e6

/** Files of 1 to 9 MB, half of them at a site already; its storage has grown to be enough for all. */
function problem(more: { fillBytes?: number; churnBonus?: number; held?: FileSet; storageBytes?: number }) {
  const { fillBytes, churnBonus, held, storageBytes = 5000 * MB } = more
  const sizes = Float64Array.from({ length: FILES }, (_, f) => (1 + (mix(f) % 9)) * MB)
  return {
    sizes,
    popularity: [Float64Array.from(sizes, (_, f) => 1 / (f + 10))],
    fileHashes: Uint32Array.from(sizes, (_, f) => mix(f)),
    sites: [
      {
        key: 'isp/ams1',
        region: 'eu',
        parents: [],
        ...(fillBytes !== undefined && { fillBytes }),
        appliances: [{ key: 'a', storageBytes, throughputGbps: 10, ...(held && { held }) }],
      },
    ],
    copies: { perSite: 1, perRegion: 1 },
    pins: [],
    excluded: new FileSet(),
    ...(churnBonus !== undefined && { churnBonus }),
  } satisfies PlacementProblem
}

const solve = (given: PlacementProblem) => priced.solve(given).holdings.get('a')!
const weigh = ({ sizes }: PlacementProblem, set: FileSet) => [...set].reduce((sum, file) => sum + sizes[file]!, 0)
const half = FileSet.of(Array.from({ length: FILES / 2 }, (_, i) => i * 2))

describe('a budget for what is moved in', () => {
  test.each([0, 20 * MB, 400 * MB])('of %d bytes is kept to, and used for the most popular', (fillBytes) => {
    const given = problem({ fillBytes, held: half })
    const now = solve(given)
    const moved = now.difference(half)
    expect(weigh(given, moved)).toBeLessThanOrEqual(fillBytes)
    // Files are whole: what is left of the budget is less than the largest.
    expect(weigh(given, moved)).toBeGreaterThan(fillBytes - 9 * MB)
    // Nothing that is there has to go for it.
    expect(half.difference(now).size).toBe(0)
  })

  test('does not keep a site empty that has just been made', () => {
    expect(solve(problem({ fillBytes: 20 * MB })).size).toBe(FILES)
  })

  test('is none unless told', () => {
    expect(solve(problem({ held: half })).size).toBe(FILES)
  })
})

test('the dearer moving is, the less is moved', () => {
  const storageBytes = 1000 * MB
  const before = solve(problem({ held: half, storageBytes, churnBonus: 0 }))
  expect(weigh(problem({}), half)).toBeGreaterThan(storageBytes)
  const moved = [0, 0.25, 3].map((churnBonus) => {
    const given = problem({ held: half.intersection(before), storageBytes, churnBonus })
    return weigh(given, solve(given).difference(half))
  })
  expect(moved[0]!).toBeGreaterThanOrEqual(moved[1]!)
  expect(moved[1]!).toBeGreaterThanOrEqual(moved[2]!)
})
