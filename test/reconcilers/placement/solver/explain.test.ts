import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../../reconcilers/blobs/file-set.ts'
import { mix } from '../../../../reconcilers/placement/hash.ts'
import {
  type Circumstances,
  Explainer,
  type Standing,
  type Why,
  whyOf,
} from '../../../../reconcilers/placement/solver/explain.ts'
import {
  defaultOptions,
  Solved,
  type SolverInput,
  type SolverSite,
} from '../../../../reconcilers/placement/solver/solve.ts'

const GB = 1e9
const FILES = 4000
const { churnBonus } = defaultOptions

const site = (key: string, storageGb: number, more: Partial<SolverSite> = {}): SolverSite => ({
  key,
  region: 'eu',
  parents: [],
  demandGbps: 100,
  appliances: [0, 1].map((i) => ({ key: `${key}-${i}`, storageBytes: (storageGb * GB) / 2, throughputGbps: 200 })),
  ...more,
})

function input(sites: readonly SolverSite[], more: Partial<SolverInput> = {}): SolverInput {
  const sizes = Float64Array.from({ length: FILES }, (_, f) => (1 + (mix(f) % 9)) * GB)
  return {
    sizes,
    popularity: [Float64Array.from(sizes, (_, f) => ((mix(f + FILES) % FILES) + 20) ** -0.9)],
    fileHashes: Uint32Array.from(sizes, (_, f) => mix(f)),
    sites,
    copies: { perSite: 1, perRegion: 1 },
    pins: [],
    excluded: new FileSet(),
    ...more,
  }
}

const explain = (given: SolverInput) => new Explainer(new Solved(given, defaultOptions), given, churnBonus)
const isHere = ({ here }: Explainer, key: string, file: number) => here.get(key)!.has(file)
const allFiles = Array.from({ length: FILES }, (_, file) => file)

describe('standing against the cut-off', () => {
  const edge = input([site('isp/ams', 5000)])
  const below = ['isp/ams', 'isp/fra', 'isp/lis'].map((key) => site(key, 2000, { parents: ['isp/hub'] }))
  const tree = input([...below, site('isp/hub', 6000, { demandGbps: 10 })])
  const cases: [reason: string, given: SolverInput, key: string][] = [
    ['a site alone', edge, 'isp/ams'],
    ['a site below a parent, whose files count less there', tree, 'isp/fra'],
    ['a parent, by what it spares the sites below it', tree, 'isp/hub'],
  ]
  test.each(cases)('tells what is held from what is not: %s', (_, given, key) => {
    const explainer = explain(given)
    const clear = allFiles
      .map((file) => ({ file, times: explainer.standing(key, file).timesCutOff }))
      // At the margin prices are smoothed, and bands of files are decided on together.
      .filter(({ times }) => times > 1.1 || times < 0.9)
    expect(clear.length).toBeGreaterThan(FILES / 2)
    const wrong = clear.filter(({ file, times }) => isHere(explainer, key, file) !== times > 1)
    expect(wrong.length / clear.length).toBeLessThan(0.02)
  })

  test('says how popular a file had to be', () => {
    const explainer = explain(edge)
    const file = allFiles.find((each) => {
      const { timesCutOff } = explainer.standing('isp/ams', each)
      return timesCutOff > 0.45 && timesCutOff < 0.55
    })!
    const needed = 1 / explainer.standing('isp/ams', file).timesCutOff
    const withTimes = (times: number) => {
      const popularity = edge.popularity[0]!.slice()
      popularity[file]! *= times
      return isHere(explain({ ...edge, popularity: [popularity] }), 'isp/ams', file)
    }
    expect([withTimes(needed * 0.9), withTimes(needed * 1.1)]).toEqual([false, true])
  })

  test('says how much storage a site is short of', () => {
    const explainer = explain(edge)
    const file = allFiles.find((each) => {
      const { timesCutOff } = explainer.standing('isp/ams', each)
      return timesCutOff > 0.65 && timesCutOff < 0.75
    })!
    const short = explainer.bytesShort('isp/ams', file) / GB
    expect(short).toBeGreaterThan(500)
    const withMore = (gb: number) => isHere(explain(input([site('isp/ams', 5000 + gb)])), 'isp/ams', file)
    expect([withMore(short * 0.9), withMore(short * 1.1)]).toEqual([false, true])
  })

  test('where there is room for all, what is asked for is far above', () => {
    const explainer = explain(input([site('isp/ams', 30_000)]))
    expect(Math.min(...allFiles.map((file) => explainer.standing('isp/ams', file).timesCutOff))).toBeGreaterThan(1)
  })

  test('a file that is not here must earn its move, too', () => {
    const first = explain(edge)
    const held = first.here.get('isp/ams')!
    const [appliance] = edge.sites[0]!.appliances
    const second = explain(
      input([site('isp/ams', 5000, { appliances: [{ ...appliance!, storageBytes: 5000 * GB, held }] })]),
    )
    const { timesCutOff, timesCutOffToCome } = second.standing('isp/ams', 0)
    expect(timesCutOff / timesCutOffToCome).toBeCloseTo(1 + churnBonus, 6)
    const { timesCutOff: fresh, timesCutOffToCome: freshToCome } = first.standing('isp/ams', 0)
    expect(freshToCome).toBe(fresh)
    const moved = allFiles.filter((file) => isHere(second, 'isp/ams', file) && !held.has(file))
    expect(moved.length).toBeLessThan(FILES / 100)
  })

  test('a file has the part of all demand that it has of its popularity times its size', () => {
    const explainer = explain(tree)
    const [sizes, popularity] = [tree.sizes, tree.popularity[0]!]
    const all = allFiles.reduce((sum, each) => sum + sizes[each]! * popularity[each]!, 0)
    expect(explainer.shareOfAll(7)).toBeCloseTo((sizes[7]! * popularity[7]!) / all, 9)
  })

  test('names no site that is not there', () => {
    expect(() => explain(edge).standing('isp/nowhere', 0)).toThrow(RangeError)
  })
})

describe('the reason that decides', () => {
  const standing = (timesCutOff: number, more: Partial<Standing> = {}): Standing => ({
    role: 'Edge',
    demand: 1,
    share: 0.1,
    timesCutOff,
    timesCutOffToCome: timesCutOff / (1 + churnBonus),
    timesCutOffAlone: timesCutOff,
    ...more,
  })
  const at = (more: Partial<Circumstances> = {}): Circumstances => ({
    isExcluded: false,
    isLicensed: true,
    isPinned: false,
    sizeBytes: 100,
    largestBytes: 1000,
    isHeld: false,
    wouldBeHeld: false,
    ...more,
  })
  const held = at({ isHeld: true, wouldBeHeld: true })
  const cases: [why: Why, standing: Standing, at: Circumstances, reason: string][] = [
    ['Excluded', standing(2), at({ isExcluded: true, isPinned: true }), 'exclusions go before pins'],
    ['NotLicensed', standing(9), at({ isLicensed: false, isPinned: true }), 'a licence goes before pins'],
    ['Pinned', standing(0), at({ isPinned: true, isHeld: true }), 'whatever it earns'],
    ['PinHasNoRoom', standing(9), at({ isPinned: true }), 'pins go first, and there is no room even so'],
    ['TooLarge', standing(9), at({ sizeBytes: 1001 }), 'files are not split over appliances'],
    ['EarnsItsPlace', standing(1.6), held, 'even if it had to come anew'],
    ['MovingCosts', standing(1.1), held, 'as it is here already'],
    ['RoomLeft', standing(0.4), held, 'nothing better wants the room'],
    ['NextPlan', standing(2), at({ wouldBeHeld: true }), 'the plan in force is of other inputs'],
    ['NoRoom', standing(2), at(), 'it earns its place and found none'],
    ['MustEarnItsMove', standing(1.1), at(), 'a file that is not here must earn more'],
    ['ParentHolds', standing(0.8, { parent: 'isp/hub', timesCutOffAlone: 1.6 }), at(), 'alone it would be here'],
    ['BelowCutOff', standing(0.4, { parent: 'isp/hub', timesCutOffAlone: 0.8 }), at(), 'it would not, even alone'],
    ['BelowCutOff', standing(0), at(), 'nobody asks for it'],
  ]
  test.each(cases)('%s', (why, given, circumstances) => {
    expect(whyOf(given, circumstances)).toBe(why)
  })
})
