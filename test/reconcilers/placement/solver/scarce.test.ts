import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../../reconcilers/blobs/file-set.ts'
import { mix } from '../../../../reconcilers/placement/hash.ts'
import { defaultOptions, Solved, type SolverInput } from '../../../../reconcilers/placement/solver/solve.ts'

const TB = 1e12

/** One site with one appliance, and files of 100 GB each of about a day's popularity. */
function input(storageBytes: number, throughputGbps: number): SolverInput {
  const sizes = new Float64Array(20_000).fill(0.1 * TB)
  return {
    sizes,
    popularity: [Float64Array.from(sizes, (_, f) => (f + 20) ** -0.9)],
    fileHashes: Uint32Array.from(sizes, (_, f) => mix(f)),
    sites: [
      {
        key: 'ams',
        region: 'eu',
        parents: [],
        demandGbps: 100,
        appliances: [{ key: 'a', storageBytes, throughputGbps }],
      },
    ],
    copies: { perSite: 1, perRegion: 1 },
    pins: [],
    excluded: new FileSet(),
  }
}

function solve(given: SolverInput) {
  const solved = new Solved(given, defaultOptions)
  for (const _ of solved.sites());
  return solved
}

const gain = ({ scarce }: Solved, resource: string) => scarce.find((each) => each.resource === resource)?.gain ?? 0

describe('shadow prices', () => {
  test('say what another terabyte is worth, where storage is short', () => {
    const now = solve(input(500 * TB, 1000))
    const more = solve(input(510 * TB, 1000))
    expect(gain(now, 'Storage') / ((more.worth.value - now.worth.value) / 10)).toBeCloseTo(1, 1)
    expect(gain(now, 'Throughput')).toBeLessThan(0.01)
  })

  test('say what another Gbit/s is worth, where throughput is short', () => {
    const now = solve(input(1900 * TB, 50))
    expect(gain(now, 'Throughput')).toBeCloseTo(1, 1)
    expect(gain(now, 'Storage')).toBeLessThan(0.01)
  })
})
