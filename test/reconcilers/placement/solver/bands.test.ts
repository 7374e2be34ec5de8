import { describe, expect, test } from '@jest/globals'
import { mix } from '../../../../reconcilers/placement/hash.ts'
import { cutBands, placedFiles } from '../../../../reconcilers/placement/solver/bands.ts'

function cut(
  share: readonly number[],
  sizes: readonly number[],
  { skip = [] as number[], copies = 1, wanted = 16 } = {},
) {
  const hashes = Uint32Array.from(sizes, (_, f) => mix(f + 1))
  const files = placedFiles(Float64Array.from(sizes), hashes)
  const stored = Uint8Array.from(sizes, (_, f) => (skip.includes(f) ? 0 : copies))
  return { files, bands: cutBands(files, Float64Array.from(share), stored, wanted) }
}

const many = Array.from({ length: 5000 }, (_, f) => f)
const shares = many.map((f) => (f + 1) ** -1.1)
const sizes = many.map((f) => 1 + (mix(f) % 1000))

describe('bands', () => {
  test('hold every file once, the densest first; within a band they go by place', () => {
    const { bands, files } = cut(shares, sizes)
    expect([...bands.order].sort((a, b) => a - b)).toEqual(many)
    for (let g = 0; g + 1 < bands.count; g++) {
      const here = [...bands.order.subarray(bands.start[g]!, bands.start[g + 1]!)]
      const density = here.map((f) => shares[f]! / sizes[f]!)
      expect(Math.max(...density, 0)).toBe(bands.top[g])
      const next = bands.top[g + 1]!
      expect(Math.min(...density, Number.MAX_VALUE)).toBeGreaterThanOrEqual(next * (1 - 1e-9))
      const places = here.map((f) => files.places[f]!)
      expect(places).toEqual([...places].sort((a, b) => a - b))
    }
  })

  test('sum up to all demand and all bytes, of every copy', () => {
    const { bands } = cut(shares, sizes, { copies: 3 })
    const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0)
    expect(sum(bands.demand)).toBeCloseTo(sum(shares), 9)
    expect(sum(bands.bytes)).toBe(3 * sum(sizes))
    expect(bands.count).toBeGreaterThan(8)
    expect(bands.count).toBeLessThan(40)
  })

  test.each([
    { why: 'empty files that are asked for are the densest', share: [0.5, 0.5], size: [10, 0], order: [1, 0] },
    { why: 'what nobody asks for comes last', share: [0, 1], size: [1, 1000], order: [1, 0] },
    { why: 'empty files that nobody asks for too', share: [0, 1], size: [0, 1000], order: [1, 0] },
    { why: 'skews of 10^7', share: [1e-7, 1 - 1e-7], size: [5, 5], order: [1, 0] },
  ])('$why', ({ share, size, order }) => {
    expect([...cut(share, size).bands.order]).toEqual(order)
  })

  test('skipped files are in none; no file at all makes empty bands', () => {
    expect([...cut([0.2, 0.3, 0.5], [1, 1, 1], { skip: [1] }).bands.order]).toEqual([2, 0])
    const { bands } = cut([], [])
    expect(bands.order.length).toBe(0)
    expect([...bands.demand].every((part) => part === 0)).toBe(true)
  })

  test('equal files are one band', () => {
    const { bands } = cut(Array(100).fill(0.01), Array(100).fill(7))
    expect(new Set(many.slice(0, 100).map((f) => bands.of[f])).size).toBe(1)
  })
})
