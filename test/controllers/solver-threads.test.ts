import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { shared } from '../../controllers/placement/shared.ts'
import { solveOnThreads } from '../../controllers/placement/solver-threads.ts'
import { StoredSets } from '../../controllers/placement/stored-sets.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { encodeFileSet } from '../../reconcilers/blobs/file-set-blob.ts'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import { mix } from '../../reconcilers/placement/hash.ts'
import { place } from '../../reconcilers/placement/placed.ts'
import type { PlacementProblem, PlacementSite } from '../../reconcilers/placement/problem.ts'
import { StoredHolding } from '../../reconcilers/placement/stored-holding.ts'
import { digestOf, openBlobStore } from '../../runtime/blob-store.ts'
import { FakeClock } from '../../runtime/clock.ts'

const FILES = 2000
const sizes = Float64Array.from({ length: FILES }, (_, f) => 50 + (mix(f) % 200))
const catalogDigest = digestOf(new Uint8Array(1))

/** Three regions of a regional site and four edges, with a pin, an exclusion, one appliance that holds something, and one that has left. */
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
    ...(key === 'r0-a' && {
      gone: [{ key: 'r0-a/9', storageBytes: 0, throughputGbps: 0, held: FileSet.of([2, 3, 5]) }],
    }),
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

  test('manifests in force that are read when they are looked at lead to the same answer, which is stored as it is made', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'weir-solver-'))
    try {
      const blobs = await openBlobStore(dir)
      const held = FileSet.of([1, 5, 999])
      const encoded = encodeFileSet({ catalog: catalogDigest, files: 3, bytes: 0, set: held })
      const path = blobs.path(await blobs.put(encoded))
      for (const source of [{ path }, { bytes: shared(encoded) }]) {
        const sets = new StoredSets()
        const asked = problem()
        const sites = asked.sites.map((site) => ({
          ...site,
          appliances: site.appliances.map((each) => (each.held ? new StoredHolding(each, sets.of(source)) : each)),
        }))
        const stored = new Map<string, Uint8Array>()
        const placed = await solveOnThreads({ ...asked, sites }, catalogDigest, signal, {
          threads: 2,
          inlineUpTo: 0,
          store: async ({ digest, bytes }) => stored.set(digest, bytes as Uint8Array),
        })
        expect(told(placed)).toEqual(told(place(problem(), defaultSolver, { catalogDigest, digest: digestOf })))
        expect(placed.appliances.filter(({ manifest }) => manifest.bytes)).toEqual([])
        for (const { manifest } of placed.appliances)
          expect(digestOf(stored.get(manifest.digest)!)).toBe(manifest.digest)
      }
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  test('a manifest in force that is gone, or a store that fails, fails the whole', async () => {
    const asked = problem()
    const gone = new StoredSets().of({ path: '/nonexistent/manifest' })
    const sites = asked.sites.map((site) => ({
      ...site,
      appliances: site.appliances.map((each) => new StoredHolding(each, gone)),
    }))
    const options = { threads: 2, inlineUpTo: 0 }
    await expect(solveOnThreads({ ...asked, sites }, catalogDigest, signal, options)).rejects.toThrow('ENOENT')
    const store = () => Promise.reject(new Error('no space left'))
    await expect(solveOnThreads(asked, catalogDigest, signal, { ...options, store })).rejects.toThrow('no space left')
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
