import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { decodeFileSet } from '../../../reconcilers/blobs/file-set-blob.ts'
import { decodePlanIndex, encodePlanIndex, type PlanIndex } from '../../../reconcilers/blobs/plan-index.ts'
import { mix } from '../../../reconcilers/placement/hash.ts'
import { joinPlaced, type Placed, place } from '../../../reconcilers/placement/placed.ts'
import { popularFirst } from '../../../reconcilers/placement/popular-first.ts'
import { priced } from '../../../reconcilers/placement/priced.ts'
import type { PlacementProblem, PlacementSite } from '../../../reconcilers/placement/problem.ts'
import { partsOf, takeOver } from '../../../reconcilers/placement/take-over.ts'

const FILES = 600
const MB = 1e6
const digest = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const context = { solver: priced.name, catalogDigest: digest(new Uint8Array(1)), digest }

const site = (name: string, parents: string[], more: Partial<PlacementSite> = {}): PlacementSite => ({
  key: `isp/${name}`,
  region: 'eu',
  parents: parents.map((parent) => `isp/${parent}`),
  appliances: [0, 1].map((i) => ({ key: `isp/${name}-${i}`, storageBytes: 300 * MB, throughputGbps: 10 })),
  ...more,
})

/** Two trees of three sites, and a site of its own. */
const base: PlacementProblem = {
  sizes: Float64Array.from({ length: FILES }, (_, f) => (1 + (mix(f) % 9)) * MB),
  popularity: [
    Float64Array.from({ length: FILES }, (_, f) => 1 / (f + 10)),
    Float64Array.from({ length: FILES }, (_, f) => 1 / (FILES - f + 10)),
  ],
  fileHashes: Uint32Array.from({ length: FILES }, (_, f) => mix(f)),
  sites: [
    site('fra', []),
    site('ber', ['fra']),
    site('ham', ['fra'], { demandGbps: 3 }),
    site('lon', [], { demandClass: 1 }),
    site('man', ['lon'], { demandClass: 1 }),
    site('ldn', ['lon']),
    site('rey', []),
  ],
  copies: { perSite: 1, perRegion: 1 },
  pins: [{ files: FileSet.of([1, 2]), copies: 1 }],
  excluded: FileSet.of([9]),
}

const solve = (problem: PlacementProblem) => place(problem, priced, context)

function indexOf(problem: PlacementProblem, placed: Placed): PlanIndex {
  const rows = placed.appliances.map(({ key, manifest, files, bytes }) => {
    const [namespace = '', name = ''] = key.split('/')
    return { namespace, name, manifest: manifest.digest, files, bytes }
  })
  const parts = partsOf(problem, placed, context)
  // As it is stored.
  return decodePlanIndex(encodePlanIndex({ catalog: context.catalogDigest, rows, parts }))
}

/** The problem once its appliances are to hold what was placed. */
function holding(problem: PlacementProblem, placed: Placed): PlacementProblem {
  const held = new Map(placed.appliances.map(({ key, manifest }) => [key, decodeFileSet(manifest.bytes as Buffer).set]))
  const sites = problem.sites.map((each) => ({
    ...each,
    appliances: each.appliances.map((box) => (held.has(box.key) ? { ...box, held: held.get(box.key)! } : box)),
  }))
  return { ...problem, sites }
}

const first = solve(base)
const index = indexOf(base, first)
const now = holding(base, first)
const keysOf = (sites: readonly { readonly key: string }[]) => sites.map(({ key }) => key.replace('isp/', '')).sort()
const all = keysOf(base.sites)
const rest = (problem: PlacementProblem, more = {}) =>
  keysOf(takeOver(problem, index, { ...context, ...more }).rest.sites)
const changed = (name: string, change: Partial<PlacementSite>): PlacementProblem => ({
  ...now,
  sites: now.sites.map((each) => (each.key === `isp/${name}` ? { ...each, ...change } : each)),
})

describe('what is as it was is taken over', () => {
  test('all of it where nothing has changed: the same manifests, worth, prices and counts, and nothing to move', () => {
    const { rest: left, kept } = takeOver(now, index, context)
    expect(left.sites).toEqual([])
    const told = joinPlaced([kept])
    expect(told.appliances.map(({ key, manifest }) => [key, manifest.digest]).sort()).toEqual(
      first.appliances.map(({ key, manifest }) => [key, manifest.digest]).sort(),
    )
    expect(told.worth!.value).toBeCloseTo(first.worth!.value, 9)
    expect(told.worth!.bound).toBeCloseTo(first.worth!.bound, 9)
    expect(told.scarce).toEqual(first.scarce)
    expect([...told.somewhere]).toEqual([...first.somewhere])
    expect([...told.everywhere]).toEqual([...first.everywhere])
    const counts = ({ sites }: Placed) =>
      sites
        .map(({ key, appliances, files, bytes, bytesLeftOut }) => [key, appliances, files, bytes, bytesLeftOut])
        .sort()
    expect(counts(told)).toEqual(counts(first))
    expect(told.sites.every(({ fillBytes }) => fillBytes === 0)).toBe(true)
    // The next plan can take it over again.
    expect(partsOf(now, told, context)).toEqual(index.parts)
  })

  test('in whatever order sites and appliances come', () => {
    const turned = { ...now, sites: now.sites.map((s) => ({ ...s, appliances: s.appliances.toReversed() })).reverse() }
    expect(rest(turned)).toEqual([])
    expect(
      indexOf({ ...base, sites: base.sites.toReversed() }, solve({ ...base, sites: base.sites.toReversed() })),
    ).toEqual(index)
  })

  const storage = [{ key: 'isp/ber-0', storageBytes: 200 * MB, throughputGbps: 10 }]
  test.each<[string, PlacementProblem, string[]]>([
    ['storage', changed('ber', { appliances: storage }), ['ber', 'fra', 'ham']],
    ['demand', changed('ham', { demandGbps: 4 }), ['ber', 'fra', 'ham']],
    ['the class of demand', changed('rey', { demandClass: 1 }), ['rey']],
    ['a fill budget', changed('rey', { fillBytes: 10 * MB }), ['rey']],
    ['a site that goes', { ...now, sites: now.sites.filter(({ key }) => key !== 'isp/man') }, ['ldn', 'lon']],
    ['a site that comes', { ...now, sites: [...now.sites, site('osl', [])] }, ['osl']],
    [
      'a site that moves to another parent',
      changed('man', { parents: ['isp/fra'] }),
      ['ber', 'fra', 'ham', 'ldn', 'lon', 'man'],
    ],
    [
      'popularity of one class',
      { ...now, popularity: [now.popularity[0]!, now.popularity[1]!.map((each) => each * each)] },
      ['ldn', 'lon', 'man'],
    ],
    ['a size', { ...now, sizes: now.sizes.map((size, f) => (f === 5 ? size + 1 : size)) }, all],
    ['a pin', { ...now, pins: [] }, all],
    ['an exclusion', { ...now, excluded: new FileSet() }, all],
    ['copies', { ...now, copies: { perSite: 2, perRegion: 1 } }, all],
    ['the price of moving', { ...now, churnBonus: 0.5 }, all],
    [
      'a field of later versions',
      { ...now, later: new Map([['a', Number.POSITIVE_INFINITY]]) } as PlacementProblem,
      all,
    ],
  ])('but not what goes by other %s', (_, problem, expected) => {
    expect(rest(problem)).toEqual(expected)
  })

  test('another catalog, whose digest manifests carry, or another solver: nothing', () => {
    expect(rest(now, { catalogDigest: digest(new Uint8Array(2)) })).toEqual(all)
    expect(rest(now, { solver: 'priced/1' })).toEqual(all)
  })

  test('an appliance of which the plan in force says nothing: nothing of its tree', () => {
    expect(
      keysOf(takeOver(now, { ...index, rows: index.rows.filter(({ name }) => name !== 'man-1') }, context).rest.sites),
    ).toEqual(['ldn', 'lon', 'man'])
  })

  test('a change of one tree leaves all that is elsewhere as it is, byte by byte', () => {
    const next = changed('ham', { demandGbps: 20 })
    const { rest: left, kept } = takeOver(next, index, context)
    const placed = joinPlaced([kept, solve(left)])
    const before = new Map(first.appliances.map(({ key, manifest }) => [key, manifest.digest]))
    const moved = placed.appliances.filter(({ key, manifest }) => before.get(key) !== manifest.digest)
    expect(moved.every(({ key }) => /^isp\/(fra|ber|ham)-/.test(key))).toBe(true)
    expect(placed.worth!.demand).toBeCloseTo(solve(next).worth!.demand, 9)
    expect(placed.worth!.bound).toBeCloseTo(solve(next).worth!.bound, 6)
  })
})

describe('what is not taken over later', () => {
  test('where less was moved than would have paid: a later plan moves the rest', () => {
    const limit = (problem: PlacementProblem): PlacementProblem => ({
      ...problem,
      popularity: problem.popularity.map((column) => column.toReversed()),
      sites: problem.sites.map((each) => (each.key === 'isp/rey' ? { ...each, fillBytes: 20 * MB } : each)),
    })
    const limited = limit(now)
    const placed = solve(limited)
    const parts = partsOf(limited, placed, context)
    const told = parts.flatMap(({ sites }) => keysOf(sites)).sort()
    expect(told).toEqual(all.filter((name) => name !== 'rey'))
  })

  test('what the simple solver answered, or a solver that was ended', () => {
    const simple = place(base, popularFirst, context)
    expect(partsOf(base, simple, context)).toEqual([])
    expect(partsOf(base, { ...first, insteadOf: { solver: 'priced/2', error: 'x' } }, context)).toEqual([])
    expect(partsOf(base, { ...first, endedEarly: true }, context)).toEqual([])
  })
})
