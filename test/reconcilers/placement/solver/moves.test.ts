import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../../reconcilers/blobs/file-set.ts'
import { mix } from '../../../../reconcilers/placement/hash.ts'
import { type Holdings, holding, inputOf, movedIn, solve } from './support.ts'

/** Of storage, as a part of what all files take, and of throughput: disks and flash. */
const disk = { storage: 0.14, gbps: 6 }
const flash = { storage: 0.025, gbps: 30 }
type Kind = typeof disk

const sizes = Array.from({ length: 1500 }, (_, f) => 50 + (mix(f) % 400))
const all = sizes.reduce((sum, size) => sum + size, 0)
const popularity = [Float64Array.from(sizes, (_, f) => ((mix(7 + f * 31) % 1500) + 10) ** -0.8)]

function siteOfKinds(kinds: readonly Kind[], load: number) {
  return {
    key: 'a',
    region: 'eu',
    parents: [],
    demandGbps: load * kinds.reduce((sum, { gbps }) => sum + gbps, 0),
    appliances: kinds.map(({ storage, gbps }, i) => ({
      key: `a-${i}`,
      storageBytes: storage * all,
      throughputGbps: gbps,
    })),
  }
}

const storageOf = (kinds: readonly Kind[]) => kinds.reduce((sum, { storage }) => sum + storage * all, 0)
const mixed = [flash, disk, disk, flash, disk]

describe('an appliance more', () => {
  test.each<[name: string, kinds: readonly Kind[], more: Kind, load: number]>([
    ['of disks, where disks are too busy as they are', mixed, disk, 0.9],
    ['of disks, where all are too busy', mixed, disk, 1.2],
    ['of flash, which takes the hottest of what disks have', mixed, flash, 0.9],
    ['as all others', Array.from({ length: 6 }, () => disk), disk, 1.2],
  ])('%s moves what it takes itself, and little else', (_name, kinds, more, load) => {
    const site = siteOfKinds(kinds, load)
    const before = solve(inputOf(sizes, [site], { popularity }))
    const grown = { ...siteOfKinds([...kinds, more], load), demandGbps: site.demandGbps }
    const input = inputOf(sizes, holding([grown], before.holdings), { popularity })
    const after = solve(input)
    const moved = (then: Holdings, now: Holdings) => movedIn(sizes, then, now) / storageOf(kinds)
    const share = Math.max(more.storage * all, storageOf(kinds) / kinds.length) / storageOf(kinds)
    expect(moved(before.holdings, after.holdings)).toBeLessThan(1.3 * share)
    // It is put to use all the same, as far as placing anew would.
    const anew = solve(inputOf(sizes, [grown], { popularity })).worth.value
    expect(after.worth.value).toBeGreaterThan(0.99 * anew)
    // Room that others were left with is filled by later plans, which come to an end.
    let [value, held] = [after.worth.value, after.holdings]
    for (let plans = 0; ; plans++) {
      expect(plans).toBeLessThan(4)
      const later = solve({ ...input, sites: holding([grown], held) })
      expect(later.worth.value).toBeGreaterThan(value * (1 - 1e-6))
      if (moved(held, later.holdings) === 0) break
      value = later.worth.value
      held = later.holdings
    }
  })
})

describe('an appliance less', () => {
  const slow = { storage: 0.1, gbps: 10 }
  const large = { storage: 0.2, gbps: 8 }
  const four = [{ storage: 0.02, gbps: 30 }, slow, large, { storage: 0.08, gbps: 20 }]

  test.each<[name: string, kinds: readonly Kind[], lost: number, load: number]>([
    ['of flash, whose files are best on what flash is left', [...four, ...four], 0, 0.9],
    ['of those in between', [...four, ...four], 3, 0.9],
    ['of disks, where flash serves the most', [...mixed, ...mixed], 1, 0.5],
    ['as all others', Array.from({ length: 6 }, () => disk), 2, 0.9],
  ])('%s moves no more than it alone held', (_name, kinds, lost, load) => {
    const site = siteOfKinds(kinds, load)
    const before = solve(inputOf(sizes, [site], { popularity })).holdings
    const left = { ...site, appliances: site.appliances.filter((_, i) => i !== lost) }
    const [known] = holding([left], before)
    const gone = [{ ...site.appliances[lost]!, held: before.get(`a-${lost}`)! }]
    const told = solve(inputOf(sizes, [{ ...known!, gone }], { popularity }))
    const alone = gone[0]!.held.difference(
      left.appliances.reduce((all, { key }) => all.union(before.get(key)!), new FileSet()),
    )
    const most = movedIn(sizes, new Map(), new Map([['alone', alone]]))
    expect(movedIn(sizes, before, told.holdings)).toBeLessThanOrEqual(most)
    // What is worth most is moved: nearly as much is had as where whatever pays is moved at once.
    const free = solve(inputOf(sizes, [known!], { popularity }))
    expect(told.worth.value).toBeGreaterThan(0.985 * free.worth.value)
    // In whatever order they come.
    const turned = { ...known!, appliances: [...known!.appliances].reverse(), gone }
    for (const [key, held] of solve(inputOf(sizes, [turned], { popularity })).holdings)
      expect(held.equals(told.holdings.get(key)!)).toBe(true)
  })

  test('that another takes the place of is filled anew, and others hardly move', () => {
    const site = siteOfKinds([...four, ...four], 0.9)
    const before = solve(inputOf(sizes, [site], { popularity })).holdings
    const replaced = {
      ...site,
      appliances: site.appliances.map((each, i) => (i === 3 ? { ...each, key: 'b-3' } : each)),
    }
    const input = inputOf(
      sizes,
      holding([{ ...replaced, gone: [{ ...site.appliances[3]!, held: before.get('a-3')! }] }], before),
      {
        popularity,
      },
    )
    const after = solve(input)
    expect(movedIn(sizes, before, after.holdings, 'b-3') / all).toBeGreaterThan(0.075)
    expect(movedIn(sizes, before, after.holdings, 'a-') / all).toBeLessThan(0.02)
    expect(after.worth.value).toBeGreaterThan(0.99 * solve(inputOf(sizes, [site], { popularity })).worth.value)
  })
})
