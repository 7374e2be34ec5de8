import { describe, expect, test } from '@jest/globals'
import { catalogOf } from '../../../reconcilers/blobs/catalog.ts'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { ContentSpace } from '../../../reconcilers/effects/content-space.ts'
import { combined, estimate, exact, type Figure, largest, sum, unknown } from '../../../reconcilers/effects/figure.ts'
import { FillClock } from '../../../reconcilers/effects/fill-time.ts'
import {
  type ApplianceContents,
  applianceEffect,
  belowFloor,
  linkLoads,
} from '../../../reconcilers/effects/site-effects.ts'

const file = (path: string, content: string, size: number) => ({
  path,
  size,
  sha256: Buffer.from(content).toString('hex').padStart(64, '0'),
})

/** Ten files; the one at index i has 2^i bytes, so that a sum says which were counted. */
function tenFiles(): ContentSpace {
  const space = new ContentSpace()
  space.add('v1', catalogOf(Array.from({ length: 10 }, (_, i) => file(`f${i}`, `c${i}`, 2 ** i))))
  return space
}

/** All of it because of the change. */
const lacking = (...sets: FileSet[]) =>
  sets.map((missing) => ({ missing, fill: tenFiles().weigh(missing), pending: { files: 0, bytes: 0 } }))

const of = (...indices: number[]) => FileSet.of(indices)

describe('contents', () => {
  test('of another catalog, or at another path, are the same contents', () => {
    const space = tenFiles()
    space.add('other', catalogOf([file('x', 'c3', 8), null, file('y', 'c3', 8), file('z', 'new', 100)]))
    expect([...space.contents('other', of(0, 2))]).toEqual([3])
    expect(space.weigh(space.contents('other', of(0, 2, 3)))).toEqual({ files: 2, bytes: 108 })
  })

  test('of a newer version keep what they are, and its new files are others', () => {
    const space = tenFiles()
    const files = Array.from({ length: 10 }, (_, i) => (i === 4 ? null : file(`f${i}`, `c${i}`, 2 ** i)))
    space.add('v2', catalogOf([...files, file('f4', 'changed', 5)]))
    expect([...space.contents('v2', of(3, 5, 10))]).toEqual([3, 5, 10])
    expect(space.weigh(space.contents('v2', of(10)))).toEqual({ files: 1, bytes: 5 })
    // The old one is still told apart.
    expect(space.weigh(space.contents('v1', of(4)))).toEqual({ files: 1, bytes: 16 })
  })

  test('of a catalog that nobody has read are an error, not nothing', () => {
    expect(() => tenFiles().contents('v9', of(1))).toThrow(RangeError)
  })
})

const appliance = (contents: Partial<ApplianceContents>): ApplianceContents => ({
  key: 'isp/a',
  held: of(),
  before: of(),
  after: of(),
  gives: true,
  serves: true,
  ...contents,
})

describe('one appliance', () => {
  test.each([
    ['what is wanted and not there is filled', { after: of(0, 1) }, { fill: 3, evict: 0, pending: 0, cancelled: 0 }],
    [
      'what is held already is not',
      { held: of(0, 1), before: of(0, 1), after: of(0, 1, 2) },
      { fill: 4, evict: 0, pending: 0, cancelled: 0 },
    ],
    [
      'what was on its way anyway is no work of the change',
      { before: of(0, 1), held: of(0), after: of(0, 1, 2) },
      { fill: 4, evict: 0, pending: 2, cancelled: 0 },
    ],
    [
      'what is not wanted any more is evicted',
      { held: of(0, 1), before: of(0, 1), after: of(1) },
      { fill: 0, evict: 1, pending: 0, cancelled: 0 },
    ],
    [
      'what was never there cannot be evicted',
      { held: of(0), before: of(0, 1), after: of(0) },
      { fill: 0, evict: 0, pending: 0, cancelled: 2 },
    ],
    [
      'what goes anyway goes without the change',
      { held: of(0, 3), before: of(0), after: of(0) },
      { fill: 0, evict: 0, pending: 0, cancelled: 0 },
    ],
    [
      'what was going, and is wanted again, is there still',
      { held: of(0, 3), before: of(0), after: of(0, 3) },
      { fill: 0, evict: 0, pending: 0, cancelled: 0 },
    ],
  ] as const)('%s', (_, contents, bytes) => {
    const { fill, evict, pending, cancelled } = applianceEffect(tenFiles(), appliance(contents))
    expect({ fill: fill.bytes, evict: evict.bytes, pending: pending.bytes, cancelled: cancelled.bytes }).toEqual(bytes)
  })
})

describe('where bytes come from', () => {
  const parents = [
    { site: 'isp/near', held: of(1) },
    { site: 'isp/far', held: of(1, 2) },
  ]
  test('peers first, then parents in their order, then the origin', () => {
    const holder = appliance({ held: of(0) })
    expect(linkLoads(tenFiles(), [holder], lacking(of(0, 1, 2, 3)), parents)).toEqual([
      { from: 'peer', bytes: 1 },
      { from: 'parent', site: 'isp/near', bytes: 2 },
      { from: 'parent', site: 'isp/far', bytes: 4 },
      { from: 'origin', bytes: 8 },
    ])
  })
  test('of several copies one crosses the line', () => {
    expect(linkLoads(tenFiles(), [], lacking(of(3), of(3), of(3)), [])).toEqual([
      { from: 'peer', bytes: 16 },
      { from: 'origin', bytes: 8 },
    ])
  })
  test('a peer that is away gives nothing', () => {
    expect(linkLoads(tenFiles(), [appliance({ held: of(0), gives: false })], lacking(of(0)), [])).toEqual([
      { from: 'origin', bytes: 1 },
    ])
  })
  test('nothing is missing', () => expect(linkLoads(tenFiles(), [], lacking(of()), parents)).toEqual([]))
})

describe('copies on the way', () => {
  test.each([
    [
      'a file that moves from one to the other is away in between',
      1,
      [{ held: of(0), after: of() }, { after: of(0) }],
      1,
    ],
    [
      'with a copy that stays it is not',
      1,
      [{ held: of(0), after: of() }, { after: of(0) }, { held: of(0), after: of(0) }],
      0,
    ],
    [
      'two are wanted, and one of two moves',
      2,
      [{ held: of(1), after: of(1) }, { held: of(1), after: of() }, { after: of(1) }],
      2,
    ],
    ['a site with one appliance needs one', 2, [{ held: of(2), after: of(2) }], 0],
    ['what was not safe before is no worse off', 2, [{ held: of(3), after: of() }, { after: of(3) }], 0],
    ['what is given up on purpose is not missed', 1, [{ held: of(4), after: of() }], 0],
    ['who is drained holds bytes that nobody is sent to', 1, [{ held: of(5), after: of(5), serves: false }], 32],
  ] as const)('%s', (_, floor, appliances, bytes) => {
    expect(belowFloor(tenFiles(), appliances.map(appliance), floor).bytes).toBe(bytes)
  })
})

describe('how long it takes', () => {
  // A Thursday, 12:00 in Berlin.
  const now = new Date('2026-01-15T11:00:00Z')
  const night = [{ start: '02:00', end: '04:00', maxGbps: 0.008 }]
  const seconds = (bytes: number, windows: Parameters<FillClock['fill']>[1], rate = Number.POSITIVE_INFINITY) => {
    const time = new FillClock(now).fill(bytes, windows, 'Europe/Berlin', rate)
    return time && [time.startsAt, time.endsAt].map((at) => at && (at.getTime() - now.getTime()) / 1000)
  }
  const hour = 3600

  test.each([
    ['at once, at what the link carries', 1e6, [], 1e3, [0, 1000]],
    ['in the window, at its cap of 1 MB/s', 1e6, night, undefined, [14 * hour, 14 * hour + 1]],
    ['the link is slower than the cap', 1e6, night, 1e5, [14 * hour, 14 * hour + 10]],
    ['what does not fit one night goes on in the next', 7.2e9 + 1e6, night, undefined, [14 * hour, 38 * hour + 1]],
    ['what takes weeks has no end that can be told', 1e15, night, undefined, [14 * hour, undefined]],
  ] as const)('%s', (_, bytes, windows, rate, expected) => {
    expect(seconds(bytes, windows, rate)).toEqual(expected)
  })

  test('nobody can tell where nothing bounds the rate', () => expect(seconds(1, [])).toBeUndefined())
})

describe('figures', () => {
  const dark: Figure = unknown('the blobs cannot be read')
  test('are as sure as the least sure of them, and never 0 for unknown', () => {
    expect(sum([exact(1), exact(2)])).toEqual(exact(3))
    expect(sum([exact(1), estimate(2)])).toEqual(estimate(3))
    expect(sum([exact(1), dark, unknown('later')])).toEqual(dark)
    expect(largest([exact(1), estimate(5)])).toEqual(estimate(5))
    expect(combined([], (a, b) => a + b)).toEqual(exact(0))
  })
})
