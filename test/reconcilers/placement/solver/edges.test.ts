import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../../reconcilers/blobs/file-set.ts'
import { evaluate } from '../../../../reconcilers/placement/evaluate.ts'
import { mix } from '../../../../reconcilers/placement/hash.ts'
import { partition } from '../../../../reconcilers/placement/partition.ts'
import { joinPlaced, place } from '../../../../reconcilers/placement/placed.ts'
import { priced } from '../../../../reconcilers/placement/priced.ts'
import { defaultOptions, type SolverInput, type SolverSite } from '../../../../reconcilers/placement/solver/solve.ts'
import { digest } from '../../fleet.ts'
import { copiesOf, type Holdings, holding, inputOf, movedIn, siteOf, solve } from './support.ts'

const many = (count: number, of: (f: number) => number) => Array.from({ length: count }, (_, f) => of(f))
const sizes = many(300, (f) => 50 + (mix(f) % 200))
const all = sizes.reduce((sum, size) => sum + size, 0)

/** A parent, and edges of one appliance, of several and of two kinds. */
function fleet(scale = all): SolverSite[] {
  return [
    siteOf('hub', [0.2 * scale, 0.2 * scale], { demandGbps: 2, gbps: 30 }),
    siteOf('one', [0.1 * scale], { parents: ['hub'], demandGbps: 12 }),
    siteOf('two', [0.1 * scale, 0.05 * scale], { parents: ['hub'], demandGbps: 15, demandClass: 1 }),
    {
      ...siteOf('mix', [], { parents: ['hub'], demandGbps: 60 }),
      appliances: [
        { key: 'mix-flash', storageBytes: 0.03 * scale, throughputGbps: 40 },
        { key: 'mix-disk-0', storageBytes: 0.15 * scale, throughputGbps: 12 },
        { key: 'mix-disk-1', storageBytes: 0.1 * scale, throughputGbps: 8 },
      ],
    },
    siteOf('alone', [0.2 * scale], { demandGbps: 8 }),
  ]
}

const skewed = many(300, (f) => (f + 1) ** -0.9)
const column = (values: readonly number[]) => Float64Array.from(values)

/** What every placement must keep, whatever it was asked. */
function expectSound(input: SolverInput, { holdings, worth }: ReturnType<typeof solve>): void {
  for (const { appliances } of input.sites) {
    for (const { key, storageBytes } of appliances) {
      const held = [...holdings.get(key)!]
      expect(held.every((f) => !Number.isNaN(input.sizes[f]!) && !input.excluded.has(f))).toBe(true)
      expect(held.reduce((sum, f) => sum + input.sizes[f]!, 0)).toBeLessThanOrEqual(storageBytes)
    }
  }
  expect(Number.isFinite(worth.bound)).toBe(true)
  expect(worth.value).toBeLessThanOrEqual(worth.bound * (1 + 1e-9) + 1e-12)
  const seen = evaluate(input, holdings, defaultOptions.parentValue)
  expect(seen.value).toBeCloseTo(worth.value, 6)
  expect(seen.demand).toBeCloseTo(worth.demand, 6)
}

describe('it holds when', () => {
  const cases: [name: string, input: SolverInput, ratio: number, reason: string][] = [
    [
      'all sizes are 0',
      inputOf(
        many(100, () => 0),
        fleet(1000),
        { popularity: [column(skewed.slice(0, 100)), column(skewed.slice(0, 100))] },
      ),
      0,
      'nothing is asked for in bytes',
    ],
    [
      'some sizes are 0',
      inputOf(
        sizes.map((size, f) => (f % 5 === 0 ? 0 : size)),
        fleet(),
        { popularity: [column(skewed), column(skewed)] },
      ),
      0.95,
      'their density is infinite, or 0',
    ],
    [
      'all popularities are equal',
      inputOf(sizes, fleet(), { popularity: [column(many(300, () => 1)), column(many(300, () => 7))] }),
      0.97,
      'all files are of one band, and every tie is broken by hash',
    ],
    [
      'one file has all the demand',
      inputOf(sizes, fleet(), {
        popularity: [column(many(300, (f) => (f === 5 ? 1 : 0))), column(many(300, (f) => (f === 5 ? 1 : 0)))],
      }),
      0.7,
      'a file is whole: one appliance cannot serve it, and copies store it again',
    ],
    [
      'popularity spans ten million to one',
      inputOf(sizes, fleet(), {
        popularity: [column(many(300, (f) => 1e7 ** (1 - f / 299))), column(many(300, (f) => 1e7 ** (f / 299)))],
      }),
      0.8,
      'the first files are most of it; classes want the opposite',
    ],
    [
      'sizes span ten million to one',
      inputOf(
        many(300, (f) => Math.ceil(1e7 ** (f / 299))),
        fleet(1e8),
        { popularity: [column(skewed), column(skewed)] },
      ),
      0.9,
      'the largest are a large part of an appliance',
    ],
    [
      'files are larger than any appliance',
      inputOf(
        sizes.map((size, f) => (f % 7 === 0 ? all : size)),
        fleet(),
        { popularity: [column(skewed), column(skewed)] },
      ),
      0.95,
      'they are asked for by everybody, and can be nowhere',
    ],
    [
      'files are larger than those of one site',
      inputOf(
        sizes.map((size, f) => (f === 3 ? Math.ceil(0.16 * all) : size)),
        fleet(),
        { popularity: [column(skewed), column(skewed)] },
      ),
      0.8,
      'its parent may hold them for it',
    ],
    [
      'a pinned file is larger than some appliances',
      inputOf(
        sizes.map((size, f) => (f === 299 ? Math.ceil(0.06 * all) : size)),
        [siteOf('alone', [0.4 * all, 0.05 * all, 0.05 * all, 0.05 * all, 0.05 * all], { demandGbps: 8 })],
        { popularity: [column(skewed)], pins: [{ files: FileSet.of([299]), copies: 'all' }] },
      ),
      0.97,
      'copies that can be nowhere take no room, and those that are serve all that is asked for',
    ],
    [
      'pinned files take most of one kind of appliance',
      inputOf(
        sizes,
        [
          {
            ...siteOf('alone', [0.2 * all, 0.2 * all], { demandGbps: 60 }),
            appliances: [
              { key: 'flash', storageBytes: 0.03 * all, throughputGbps: 40 },
              { key: 'disk', storageBytes: 0.4 * all, throughputGbps: 12 },
            ],
          },
        ],
        { popularity: [column(skewed)], pins: [{ files: FileSet.of([292, 293, 294, 295, 296]), copies: 'all' }] },
      ),
      0.95,
      'what is left of each kind is what its prices go by',
    ],
    [
      'the parent’s demand is not known',
      inputOf(
        sizes,
        fleet().map((site) => {
          const { demandGbps, ...rest } = site
          return site.key === 'hub' ? { ...rest, appliances: siteOf('hub', [0.2 * all], { gbps: 1 }).appliances } : site
        }),
        { popularity: [column(skewed), column(skewed)] },
      ),
      0.95,
      'its throughput is taken to be enough, in the bound too',
    ],
    [
      'no site has appliances',
      inputOf(
        sizes,
        fleet().map((site) => ({ ...site, appliances: [] })),
        { popularity: [column(skewed), column(skewed)] },
      ),
      0,
      'there is nowhere to place',
    ],
    [
      'the parent has none',
      inputOf(
        sizes,
        fleet().map((site) => (site.key === 'hub' ? { ...site, appliances: [] } : site)),
        { popularity: [column(skewed), column(skewed)] },
      ),
      0.97,
      'its viewers, and what is missed below it, are served by nobody',
    ],
    [
      'edges have none',
      inputOf(
        sizes,
        fleet().map((site) => (site.parents.length > 0 ? { ...site, appliances: [] } : site)),
        { popularity: [column(skewed), column(skewed)] },
      ),
      0.97,
      'all that they ask for is asked of the parent',
    ],
    [
      'a class is without demand',
      inputOf(sizes, fleet(), { popularity: [column(skewed), column(many(300, () => 0))] }),
      0.97,
      'where nothing is known, all is asked for alike',
    ],
    [
      'nobody asks for anything',
      inputOf(
        sizes,
        fleet().map((site) => ({ ...site, demandGbps: 0 })),
        { popularity: [column(skewed), column(skewed)] },
      ),
      0,
      'sites may have no viewers',
    ],
    [
      'appliances can serve nothing',
      inputOf(
        sizes,
        fleet().map((site) => ({
          ...site,
          appliances: site.appliances.map((each) => ({ ...each, throughputGbps: 1e-9 })),
        })),
        { popularity: [column(skewed), column(skewed)] },
      ),
      0,
      'storage is worth nothing then',
    ],
    [
      'appliances have no storage',
      inputOf(sizes, fleet(0), { popularity: [column(skewed), column(skewed)] }),
      0,
      'nothing fits',
    ],
    ['there are no files', inputOf([], fleet(1), { popularity: [column([]), column([])] }), 0, 'catalogs begin empty'],
    [
      'a catalog of holes',
      inputOf(
        many(300, () => Number.NaN),
        fleet(),
        { popularity: [column(skewed), column(skewed)] },
      ),
      0,
      'all files were removed',
    ],
  ]
  test.each(cases)('%s', (_name, input, ratio) => {
    const solution = solve(input)
    expectSound(input, solution)
    if (ratio > 0) expect(solution.worth.value / solution.worth.bound).toBeGreaterThan(ratio)
  })

  const popularity = [column(skewed), column(skewed)]
  test.each<[name: string, sites: SolverSite[], reason: string]>([
    [
      'parents are each other’s, in a circle',
      fleet().map((site) => ({
        ...site,
        parents: site.key === 'hub' ? ['two'] : site.key === 'two' ? ['mix'] : ['hub'],
      })),
      'somewhere it must end',
    ],
    [
      'a chain of five',
      fleet().map((site, i, sites) => ({ ...site, parents: i > 0 ? [sites[i - 1]!.key] : [] })),
      'each is the parent of the next',
    ],
    [
      'parents that are not there come first',
      fleet().map((site) => ({ ...site, parents: site.key === 'hub' ? [] : ['nowhere', site.key, 'hub'] })),
      'the first that is there counts; nobody is its own',
    ],
  ])('%s', (_name, sites) => {
    const input = inputOf(sizes, sites, { popularity })
    const solution = solve(input)
    expectSound(input, solution)
    expect(solution.worth.value / solution.worth.bound).toBeGreaterThan(0.93)
    const again = solve({ ...input, sites: holding([...sites].reverse(), solution.holdings) })
    expect(movedIn(sizes, solution.holdings, again.holdings)).toBe(0)
  })

  test('copies and headroom are asked for, too, in each of these cases', () => {
    for (const [, input] of cases) {
      const more = { ...input, copies: { perSite: 2, perRegion: 3 }, resilience: { headShare: 0.4, survivesLossOf: 1 } }
      expectSound(more, solve(more))
    }
  })
})

describe('files too large', () => {
  const popularity = [column(many(300, (f) => (f === 0 ? 5 : 0.01)))]
  const large = sizes.with(0, Math.ceil(0.3 * all))

  test('for one site only are at its parent, and count as what that serves', () => {
    const edge = siteOf('edge', [0.2 * all, 0.2 * all], { parents: ['hub'], demandGbps: 5 })
    const input = inputOf(large, [siteOf('hub', [0.5 * all], { demandGbps: 0, gbps: 100 }), edge], { popularity })
    const { holdings, worth } = solve(input)
    expect([copiesOf(holdings, 0, 'hub'), copiesOf(holdings, 0, 'edge')]).toEqual([1, 0])
    expect(evaluate(input, holdings, 0.5).value).toBeCloseTo(worth.value, 9)
    expect(worth.value / worth.bound).toBeGreaterThan(0.97)
  })

  test('for all appliances of a site but one are there once, where others are twice', () => {
    const input = inputOf(large, [siteOf('a', [0.5 * all, 0.2 * all, 0.2 * all])], {
      popularity,
      copies: { perSite: 2, perRegion: 1 },
    })
    const { holdings, worth } = solve(input)
    expect(copiesOf(holdings, 0)).toBe(1)
    expect(new Set(many(300, (f) => (f > 0 ? copiesOf(holdings, f) : 0)))).toEqual(new Set([0, 2]))
    expect(worth.value).toBeLessThanOrEqual(worth.bound)
  })

  test('two copies at a site of one appliance: the bound knows that there is one', () => {
    const input = inputOf(sizes, [siteOf('a', [0.3 * all])], { copies: { perSite: 2, perRegion: 1 } })
    const { worth } = solve(input)
    expect(worth.value).toBeLessThanOrEqual(worth.bound)
    expect(worth.value / worth.bound).toBeGreaterThan(0.99)
  })
})

describe('the same question has the same answer', () => {
  const given = { popularity: [column(skewed), column(many(300, (f) => skewed[299 - f]!))], churnBonus: 0.25 }
  const catalogDigest = `sha256:${'0'.repeat(64)}`
  const written = (input: SolverInput, parts: number) => {
    const { appliances, sites, worth, scarce } = joinPlaced(
      partition(input, parts).map((part) => place(part, priced, { catalogDigest, digest })),
    )
    return { manifests: appliances.map(({ key, manifest }) => `${key} ${manifest.digest}`), sites, worth, scarce }
  }
  // Several trees, of which parts can be made.
  const trees = ['x', 'y'].flatMap((tree) =>
    fleet().map((site) => ({
      ...site,
      key: `${tree}/${site.key}`,
      region: tree,
      parents: site.parents.map((parent) => `${tree}/${parent}`),
      appliances: site.appliances.map((each) => ({ ...each, key: `${tree}/${each.key}` })),
    })),
  )

  test.each([
    ['as it is', {}],
    [
      'with headroom and licences',
      {
        resilience: { headShare: 0.4, survivesLossOf: 1 },
        licences: [{ files: FileSet.of([1, 2, 3]), regions: ['y'] }],
      },
    ],
    ['with copies per region', { copies: { perSite: 1, perRegion: 2 } }],
  ])('on one thread or on several, in any order: %s', (_, more) => {
    const input = inputOf(sizes, trees, { ...given, ...more })
    const once = written(input, 1)
    for (const parts of [2, 4]) {
      const { worth, ...rest } = written(input, parts)
      expect(rest).toEqual({ manifests: once.manifests, sites: once.sites, scarce: once.scarce })
      expect(worth!.value).toBeCloseTo(once.worth!.value, 9)
    }
    const shuffled = [...trees]
      .sort((a, b) => mix(a.key.charCodeAt(0) * 31 + a.key.length) - mix(b.key.charCodeAt(0) * 31 + b.key.length))
      .map((site) => ({ ...site, appliances: [...site.appliances].reverse() }))
    expect(written({ ...input, sites: shuffled }, 2).manifests).toEqual(once.manifests)
  })
})

describe('a change of plan pays for its bytes', () => {
  const site = (count: number) => siteOf('a', Array(count).fill(0.1 * all), { demandGbps: 5 * count })
  const given = (sites: readonly SolverSite[], popularity = [column(skewed)]) => inputOf(sizes, sites, { popularity })

  test('an appliance that appears and vanishes every minute: what it held comes back, the others keep theirs', () => {
    let holdings: Holdings = solve(given([site(4)])).holdings
    const stored = 0.4 * all
    let moved = 0
    for (let minute = 0; minute < 6; minute++) {
      const next = solve(given(holding([site(minute % 2 === 0 ? 3 : 4)], holdings))).holdings
      moved += ['a-0', 'a-1', 'a-2'].reduce((sum, key) => sum + movedIn(sizes, holdings, next, key), 0)
      holdings = next
    }
    // Each time one of four is lost, the best of what it alone held takes the place of the worst of the others'.
    expect(moved / 6).toBeLessThan(1.1 * (stored / 8))
  })

  test('a catalog that doubles overnight: new files displace what they are worth more than, old ones do not move about', () => {
    const before = solve(given([site(4)])).holdings
    const doubled = [...sizes, ...sizes]
    const popularity = column([...skewed, ...skewed.map((each) => each * 0.9)])
    const input = inputOf(doubled, holding([site(4)], before), { popularity: [popularity] })
    const solution = solve(input)
    expectSound(input, solution)
    let old = 0
    for (const [key, set] of solution.holdings)
      for (const f of set.difference(before.get(key)!)) if (f < 300) old += doubled[f]!
    // What new ones leave over of the room of those that they displace: one old file is some 0.008 on average.
    expect(old / (0.4 * all)).toBeLessThan(0.05)
    expect(solution.worth.value / solution.worth.bound).toBeGreaterThan(0.97)
  })
})
