import { describe, expect, test } from '@jest/globals'
import { solveOnThreads } from '../../controllers/placement/solver-threads.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import { mix } from '../../reconcilers/placement/hash.ts'
import { place } from '../../reconcilers/placement/placed.ts'
import type { PlacementProblem, PlacementSite } from '../../reconcilers/placement/problem.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { FakeClock } from '../../runtime/clock.ts'

const FILES = 2000
const sizes = Float64Array.from({ length: FILES }, (_, f) => 50 + (mix(f) % 200))
const catalogDigest = digestOf(new Uint8Array(1))

/** Three regions of a regional site and four edges, with a pin, an exclusion, and one appliance that holds something. */
function problem(): PlacementProblem {
  const site = (key: string, parents: string[], count: number): PlacementSite => ({
    key,
    region: key.slice(0, 2),
    demandClass: key.startsWith('r1') ? 1 : 0,
    parents,
    appliances: Array.from({ length: count }, (_, i) => ({
      key: `${key}/${i}`,
      storageBytes: 40_000,
      throughputGbps: 10,
      ...(i === 0 && { held: FileSet.of([1, 5, 999]) }),
    })),
  })
  const regions = ['r0', 'r1', 'r2']
  return {
    sizes,
    popularity: [Float64Array.from(sizes, (_, f) => 1 / (f + 5)), Float64Array.from(sizes, (_, f) => f + 1)],
    fileHashes: Uint32Array.from(sizes, (_, f) => mix(f + 3)),
    sites: regions.flatMap((r) => [
      site(r, [], 2),
      ...['a', 'b', 'c', 'd'].map((edge) => site(`${r}-${edge}`, [r], 2)),
    ]),
    copies: { perSite: 1, perRegion: 1 },
    pins: [{ files: FileSet.of([1999]), copies: 'all' }],
    excluded: FileSet.of([0]),
  }
}

const told = ({ appliances }: Awaited<ReturnType<typeof solveOnThreads>>) =>
  appliances.map(({ key, manifest }) => `${key} ${manifest.digest}`)

describe('on threads', () => {
  const signal = new AbortController().signal

  test('a problem has the answer that it has here, in any number of parts', async () => {
    const here = place(problem(), defaultSolver, { catalogDigest, digest: digestOf })
    const heard: number[] = []
    for (const threads of [1, 2, 5]) {
      const placed = await solveOnThreads(problem(), catalogDigest, signal, {
        threads,
        inlineUpTo: 0,
        onProgress: (done) => heard.push(done),
      })
      expect(told(placed)).toEqual(told(here))
      expect(placed.sites).toEqual(here.sites)
      expect(placed.everywhere.equals(here.everywhere)).toBe(true)
      expect(placed.somewhere.equals(here.somewhere)).toBe(true)
      expect(placed.worth!.value / here.worth!.value).toBeCloseTo(1, 12)
      for (const { manifest } of placed.appliances) expect(digestOf(manifest.bytes as Uint8Array)).toBe(manifest.digest)
    }
    expect(Math.max(...heard)).toBeGreaterThan(0.5)
  })

  test('a deadline ends the search for better prices, not the plan', async () => {
    const clock = new FakeClock()
    const answer = solveOnThreads(problem(), catalogDigest, signal, { threads: 1, inlineUpTo: 0, deadlineMs: 0, clock })
    clock.advance(1)
    const placed = await answer
    expect(placed.endedEarly).toBe(true)
    expect(placed.appliances.length).toBe(30)
    expect(placed.worth!.value).toBeLessThanOrEqual(placed.worth!.bound)
  })

  test('who no longer wants the answer stops the threads', async () => {
    const stop = new AbortController()
    const answer = solveOnThreads(problem(), catalogDigest, stop.signal, { threads: 2, inlineUpTo: 0 })
    stop.abort(new Error('another spec'))
    await expect(answer).rejects.toThrow('another spec')
  })
})
