import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../../reconcilers/blobs/file-set.ts'
import { mix } from '../../../../reconcilers/placement/hash.ts'
import {
  defaultOptions,
  Solved,
  type SolverInput,
  type SolverOptions,
  type SolverSite,
} from '../../../../reconcilers/placement/solver/solve.ts'

const FILES = 3000
const sizes = Float64Array.from({ length: FILES }, (_, f) => 50 + (mix(f) % 200))
const allBytes = sizes.reduce((sum, size) => sum + size, 0)
type Holdings = ReadonlyMap<string, FileSet>

/** A regional site and three edges; the popularity of `day` differs from the day before by a factor of 0.9 to 1.1 per file. */
function input(day: number, held: Holdings, sites: Partial<SolverSite> = {}): SolverInput {
  const appliance = (key: string, share: number) => ({
    key,
    storageBytes: Math.floor(share * allBytes),
    throughputGbps: 100,
    ...(held.has(key) && { held: held.get(key)! }),
  })
  const edge = (name: string): SolverSite => ({
    key: name,
    region: 'eu',
    parents: ['regional'],
    appliances: ['a', 'b'].map((box) => appliance(`${name}-${box}`, 0.1)),
    ...sites,
  })
  return {
    sizes,
    popularity: [
      Float64Array.from(sizes, (_, f) => (f + 10) ** -0.8 * 2 ** (((mix(f * 31 + day) % 1000) / 1000 - 0.5) * 0.3)),
    ],
    fileHashes: Uint32Array.from(sizes, (_, f) => mix(f + 7)),
    sites: [
      {
        key: 'regional',
        region: 'eu',
        parents: [],
        appliances: ['a', 'b', 'c'].map((box) => appliance(`regional-${box}`, 0.15)),
      },
      ...['ams', 'bru', 'cph'].map(edge),
    ],
    copies: { perSite: 1, perRegion: 1 },
    pins: [],
    excluded: new FileSet(),
  }
}

function place(given: SolverInput, options: Partial<SolverOptions> = {}) {
  const solved = new Solved(given, { ...defaultOptions, ...options })
  const holdings = new Map<string, FileSet>()
  for (const site of solved.sites()) for (const [key, set] of site.holdings) holdings.set(key, set)
  return { holdings, worth: solved.worth }
}

/** Bytes that appliances with this prefix hold and did not before. */
function moved(before: Holdings, after: Holdings, prefix = ''): number {
  let bytes = 0
  for (const [key, set] of after) {
    if (!key.startsWith(prefix)) continue
    for (const file of set.difference(before.get(key) ?? new FileSet())) bytes += sizes[file]!
  }
  return bytes
}

describe('what is there already', () => {
  const first = place(input(1, new Map()))

  test('stays when nothing has changed', () => {
    const second = place(input(1, first.holdings))
    expect(moved(first.holdings, second.holdings)).toBe(0)
    expect(second.worth.value / first.worth.value).toBeCloseTo(1, 9)
  })

  test('stays where the change is in another region', () => {
    const given = input(1, new Map())
    const renamed = (suffix: string) =>
      given.sites.map((site) => ({
        ...site,
        key: site.key + suffix,
        parents: site.parents.map((parent) => parent + suffix),
        appliances: site.appliances.map((appliance) => ({ ...appliance, key: appliance.key + suffix })),
      }))
    const two = { ...given, sites: [...renamed('-1'), ...renamed('-2')] }
    const before = place(two)
    const holding = two.sites.map((site) => ({
      ...site,
      appliances: site.appliances.map((appliance) => ({ ...appliance, held: before.holdings.get(appliance.key)! })),
    }))
    const after = place({ ...two, sites: holding.filter(({ key }) => key !== 'cph-2') })
    for (const site of renamed('-1'))
      for (const { key } of site.appliances)
        expect(after.holdings.get(key)!.equals(before.holdings.get(key)!)).toBe(true)
  })

  test('is displaced only by what earns more than it, and that costs little', () => {
    const eager = place(input(2, first.holdings), { churnBonus: 0 })
    const steady = place(input(2, first.holdings), { churnBonus: 0.5 })
    expect(moved(first.holdings, steady.holdings)).toBeLessThan(0.75 * moved(first.holdings, eager.holdings))
    expect(steady.worth.value).toBeGreaterThan(0.985 * eager.worth.value)
    expect(steady.worth.value).toBeLessThanOrEqual(steady.worth.bound)
  })

  test('is displaced file by file at a parent too: what has become popular comes, and little else', () => {
    const parent = (holdings: Holdings) =>
      ['a', 'b', 'c'].map((box) => holdings.get(`regional-${box}`)!).reduce((all, set) => all.union(set))
    const faded = [...parent(first.holdings)].slice(0, 60)
    const risen = Array.from({ length: 60 }, (_, i) => FILES - 1 - 3 * i)
    const today = (held: Holdings) => {
      const given = input(2, held)
      const popularity = given.popularity[0]!.slice()
      for (const [i, file] of risen.entries()) popularity[file] = given.popularity[0]![faded[i]!]!
      for (const file of faded) popularity[file] = 1e-6
      return place({ ...given, popularity: [popularity] }).holdings
    }
    const arrived = (holdings: Holdings) => risen.filter((file) => parent(holdings).has(file))
    const [anew, keeping] = [today(new Map()), today(first.holdings)]
    expect(arrived(anew).length).toBeGreaterThan(20)
    expect(arrived(keeping).length).toBeGreaterThan(0.8 * arrived(anew).length)
    const bytes = arrived(keeping).reduce((sum, file) => sum + sizes[file]!, 0)
    expect(moved(first.holdings, keeping, 'regional')).toBeLessThan(1.5 * bytes)
  })

  test('is displaced within a budget for fill only', () => {
    const fillBytes = 0.002 * allBytes
    const free = place(input(2, first.holdings), { churnBonus: 0 })
    const held = place(input(2, first.holdings, { fillBytes }), { churnBonus: 0 })
    expect(moved(first.holdings, free.holdings, 'ams')).toBeGreaterThan(2 * fillBytes)
    // Files are whole, and a file may change appliances within the site besides.
    const site = (holdings: Holdings) => new Map([['ams', holdings.get('ams-a')!.union(holdings.get('ams-b')!)]])
    expect(moved(site(first.holdings), site(held.holdings))).toBeLessThan(1.3 * fillBytes)
  })

  test('is kept by an appliance that gets a neighbour, but for the part that the neighbour takes', () => {
    const given = input(1, first.holdings)
    const grown = place({
      ...given,
      sites: given.sites.map((site) =>
        site.key === 'ams'
          ? {
              ...site,
              appliances: [...site.appliances, { key: 'ams-c', storageBytes: 0.1 * allBytes, throughputGbps: 100 }],
            }
          : site,
      ),
    })
    const others = moved(first.holdings, grown.holdings, 'ams') - moved(first.holdings, grown.holdings, 'ams-c')
    expect(moved(first.holdings, grown.holdings, 'ams-c')).toBeGreaterThan(0.09 * allBytes)
    expect(others).toBeLessThan(0.02 * allBytes)
  })

  const changed = (name: string, appliances: (boxes: SolverSite['appliances']) => SolverSite['appliances']) => {
    const given = input(1, first.holdings)
    const sites = given.sites.map((site) =>
      site.key === name ? { ...site, appliances: appliances(site.appliances) } : site,
    )
    return place({ ...given, sites })
  }
  const elsewhere = (after: Holdings, name: string) =>
    [...after]
      .filter(([key, set]) => !key.startsWith(name) && !set.equals(first.holdings.get(key)!))
      .map(([key]) => key)

  test('stays at the other sites of a tree where an appliance goes, and what it alone held is all that its own site fetches', () => {
    const after = changed('ams', ([, ...others]) => others)
    expect(elsewhere(after.holdings, 'ams')).toEqual([])
    const lost = moved(new Map(), new Map([['ams-a', first.holdings.get('ams-a')!]]))
    expect(moved(first.holdings, after.holdings)).toBeLessThanOrEqual(lost)
    expect(after.worth.value).toBeLessThanOrEqual(after.worth.bound)
    expect(after.worth.value / after.worth.bound).toBeGreaterThan(0.97)
  })

  test('stays at the other sites of a tree where storage shrinks', () => {
    const after = changed('bru', ([one, ...others]) => [{ ...one!, storageBytes: one!.storageBytes / 2 }, ...others])
    expect(elsewhere(after.holdings, 'bru')).toEqual([])
  })
})
