import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { newAddress, parseAddress } from '../../../reconcilers/steering/address.ts'
import { buildWorld } from '../../../reconcilers/steering/build-world.ts'
import { decide, newScratch } from '../../../reconcilers/steering/decide.ts'
import { networkClass } from '../../../reconcilers/steering/networks.ts'
import { loadOf, weightOf } from '../../../reconcilers/steering/places.ts'
import { BUILT_IN_POLICY, type PolicyInput } from '../../../reconcilers/steering/policy.ts'
import type { SteerRequest } from '../../../reconcilers/steering/types.ts'
import {
  noteSent,
  putAppliance,
  putCatalog,
  putSite,
  removeAppliance,
  reportLoad,
  setInventory,
  setPolicies,
  setUp,
  tick,
} from '../../../reconcilers/steering/update.ts'
import type { World } from '../../../reconcilers/steering/world.ts'
import { appliance, hardwareClass, site } from '../fleet.ts'

const addressOf = (text: string) => {
  const address = newAddress()
  parseAddress(text, address)
  return address
}

const START_MS = 1_900_000_000_000

const online = (name: string, at: string) =>
  appliance(name, at, {
    status: {
      addresses: [{ type: 'HTTP', url: `http://${name}.example` }],
      conditions: [{ type: 'Online', status: 'True', reason: 'Heartbeat', message: '', lastTransitionTime: '' }],
    },
  })

const policy = (name: string, spec: Partial<PolicyInput['spec']>): PolicyInput => ({
  metadata: { namespace: 'default', name },
  spec: { ...BUILT_IN_POLICY.spec, priority: 0, clients: { unlocated: false }, ...spec },
})

const cloud = policy('cloud', { fallbacks: [{ url: 'https://cloud.example' }] })

/** Two boxes at an edge, one at its sibling, one at the parent. All hold file 1; only the parent holds file 2. */
function fleet(policies: readonly PolicyInput[] = [cloud]): World {
  const boxes = ['a1', 'a2', 'b1', 'p1']
  return buildWorld(
    {
      sites: [
        site('edge-a', { parents: [{ name: 'parent' }] }),
        site('edge-b', { parents: [{ name: 'parent' }] }),
        site('parent', { tier: 'regional', metro: 'Berlin' }),
      ],
      appliances: [online('a1', 'edge-a'), online('a2', 'edge-a'), online('b1', 'edge-b'), online('p1', 'parent')],
      hardwareClasses: [hardwareClass('small', 1e12)],
      policies,
      inventories: boxes.map((box) => ({
        appliance: `default/${box}`,
        catalog: 'default/films',
        files: FileSet.of(box === 'p1' ? [1, 2] : [1]),
      })),
    },
    START_MS,
  )
}

function ask(world: World, more: Partial<SteerRequest> = {}) {
  const request: SteerRequest = {
    client: { site: world.siteOrdinals.get('default/edge-a')!, region: 0, networkClass: 0, source: 'site' },
    catalog: world.catalogOrdinals.get('default/films')!,
    files: [1],
    purpose: 'vod',
    excluded: [],
    affinityKey: 7,
    canaryKey: 7,
    seed: 7,
    maxUrls: 0,
    explain: false,
    ...more,
  }
  const answer = decide(world, request, newScratch())
  const names = [...answer.appliances.subarray(0, answer.count)].map((ordinal) =>
    ordinal >= 0
      ? world.applianceKeys[ordinal]!.slice('default/'.length)
      : world.policies[answer.policy]!.fallbacks[-1 - ordinal]!.url,
  )
  return { ...answer, names }
}

describe('tiers', () => {
  test('the own site comes first, the fallback last', () => {
    const { names, miss } = ask(fleet())
    expect(new Set(names.slice(0, 2))).toEqual(new Set(['a1', 'a2']))
    expect(names.slice(2)).toEqual(['b1', 'https://cloud.example'])
    expect(miss).toBe('none')
  })

  test('a file that only the parent holds is a content miss at the site', () => {
    const { names, miss } = ask(fleet(), { files: [1, 2] })
    expect(names).toEqual(['p1', 'https://cloud.example'])
    expect(miss).toBe('content')
  })

  test('nobody holds an unknown file: only the fallback is left', () => {
    expect(ask(fleet(), { files: [77] }).names).toEqual(['https://cloud.example'])
    expect(ask(fleet(), { files: [] }).names).toEqual(['https://cloud.example'])
  })
})

describe('updates are in force at once', () => {
  test('a box that is down is not named, and the miss is one of health', () => {
    const world = fleet()
    for (const box of ['a1', 'a2']) setUp(world, `default/${box}`, false, START_MS)
    const { names, miss } = ask(world)
    expect(names).toEqual(['b1', 'p1', 'https://cloud.example'])
    expect(miss).toBe('health')
  })

  test('a withdrawn file is not answered', () => {
    const world = fleet()
    setInventory(world, 'default/a1', 'default/films', FileSet.of([]))
    expect(ask(world).names[0]).toBe('a2')
    removeAppliance(world, 'default/a2')
    expect(ask(world).names[0]).toBe('b1')
  })

  test('a busy site sheds games before films before live', () => {
    const world = fleet()
    for (const box of ['a1', 'a2']) reportLoad(world, `default/${box}`, { inFlight: 1, utilisation: 0.8 }, START_MS)
    expect(ask(world, { purpose: 'game' })).toMatchObject({ miss: 'capacity', names: expect.arrayContaining(['b1']) })
    expect(ask(world, { purpose: 'game' }).names).not.toContain('a1')
    expect(ask(world, { purpose: 'vod' }).miss).toBe('none')
    for (const box of ['a1', 'a2']) reportLoad(world, `default/${box}`, { inFlight: 1, utilisation: 0.9 }, START_MS)
    expect(ask(world, { purpose: 'vod' }).miss).toBe('capacity')
    expect(ask(world, { purpose: 'live' }).miss).toBe('none')
  })
})

describe('policies', () => {
  const site1 = (more: Partial<PolicyInput['spec']>) => fleet([policy('one', more)])

  test('a drain keeps those clients away that it names, as long as it lasts', () => {
    const drains = [{ siteSelector: {}, clients: { networks: ['192.0.2.0/24'] }, until: '2031-01-01T00:00:00Z' }]
    const world = site1({ drains, fallbacks: [{ url: 'https://cloud.example' }] })
    const client = (networkClass: number) => ({
      client: { site: world.siteOrdinals.get('default/edge-a')!, region: 0, networkClass, source: 'site' as const },
    })
    const inside = networkClass(world.networks, addressOf('192.0.2.9'))
    expect(inside).toBeGreaterThan(0)
    expect(ask(world, client(inside)).names).toEqual(['https://cloud.example'])
    expect(ask(world, client(inside)).miss).toBe('health')
    expect(ask(world, client(networkClass(world.networks, addressOf('198.51.100.1')))).names).toContain('a1')
    tick(world, Date.parse('2031-01-01T00:00:01Z'))
    expect(ask(world, client(inside)).names).toContain('a1')
  })

  test('a pin sends clients of a region elsewhere first', () => {
    const world = site1({ pins: [{ clients: { regions: ['DE'] }, siteSelector: { matchLabels: { hub: 'yes' } } }] })
    expect(ask(world).names[0]).not.toBe('p1')
    putSite(world, site('parent', { tier: 'regional', metro: 'Berlin' }, { labels: { hub: 'yes' } }))
    tick(world, START_MS)
    expect(ask(world).names[0]).toBe('p1')
  })

  test('a canary appliance is for its share of clients, always the same', () => {
    const world = site1({ canary: { sharePercent: 30, selector: { matchLabels: { ring: 'canary' } } } })
    const box = online('a1', 'edge-a')
    putAppliance(world, { ...box, metadata: { ...box.metadata, labels: { ring: 'canary' } } })
    tick(world, START_MS)
    const tries = (key: number) => ask(world, { canaryKey: key * 7919 }).names.includes('a1')
    const share = Array.from({ length: 2000 }, (_, key) => tries(key)).filter(Boolean).length / 2000
    expect(share).toBeGreaterThan(0.26)
    expect(share).toBeLessThan(0.34)
    expect(Array.from({ length: 50 }, (_, key) => tries(key))).toEqual(
      Array.from({ length: 50 }, (_, key) => tries(key)),
    )
  })

  test('a policy on trial governs its share, and the next one the others', () => {
    const world = fleet([
      policy('new', { priority: 10, canary: { sharePercent: 50 }, maxUrls: 1 }),
      policy('old', { maxUrls: 2 }),
    ])
    const counts = Array.from({ length: 1000 }, (_, key) => ask(world, { canaryKey: key * 7919 }).count)
    expect(new Set(counts)).toEqual(new Set([1, 2]))
    expect(counts.filter((count) => count === 1).length).toBeGreaterThan(420)
  })

  test('who tries a policy stays the same while others come and go, and is not who tries the next', () => {
    const trial = policy('new', { priority: 5, canary: { sharePercent: 50 }, maxUrls: 1 })
    const old = policy('old', { maxUrls: 2 })
    const tries = (world: World) => Array.from({ length: 200 }, (_, key) => ask(world, { canaryKey: key * 7919 }).count)
    const world = fleet([trial, old])
    const before = tries(world)
    // It is asked first, so all others have another ordinal.
    setPolicies(world, [policy('urgent', { priority: 9, purposes: ['game'] }), trial, old])
    tick(world, START_MS)
    expect(tries(world)).toEqual(before)
    const others = tries(fleet([{ ...trial, metadata: { namespace: 'default', name: 'newer' } }, old]))
    expect(others.filter((count, key) => count !== before[key]).length).toBeGreaterThan(60)
  })

  test('content and purpose choose the policy', () => {
    const world = fleet([
      policy('trailers', { priority: 5, content: { paths: ['trailers/**'] }, ttlSeconds: 11 }),
      policy('live', { priority: 3, purposes: ['live'], ttlSeconds: 12 }),
      policy('rest', { ttlSeconds: 13 }),
    ])
    const paths = ['films/a', 'trailers/b']
    putCatalog(world, 'default/films', { files: 2, file: (i) => ({ path: paths[i]! }) })
    tick(world, START_MS)
    expect(ask(world, { files: [1] }).ttlSeconds).toBe(11)
    expect(ask(world, { files: [0], purpose: 'live' }).ttlSeconds).toBe(12)
    expect(ask(world, { files: [0] }).ttlSeconds).toBe(13)
    expect(ask(world, { client: { site: -1, region: -1, networkClass: 0, source: 'none' } }).ttlSeconds).toBe(300)
  })

  test('files are looked through again only where policies or catalogs have changed', () => {
    const world = fleet([policy('trailers', { priority: 5, content: { paths: ['trailers/**'] }, ttlSeconds: 11 })])
    let reads = 0
    const files = (paths: readonly string[]) => ({
      files: paths.length,
      file(i: number) {
        reads++
        return { path: paths[i]! }
      },
    })
    putCatalog(world, 'default/films', files(['films/a', 'trailers/b']))
    tick(world, START_MS)
    expect(reads).toBe(2)
    putAppliance(world, online('a3', 'edge-a'))
    tick(world, START_MS)
    expect([reads, ask(world, { files: [1] }).ttlSeconds]).toEqual([2, 11])
    setPolicies(world, [policy('trailers', { priority: 5, content: { paths: ['films/**'] }, ttlSeconds: 12 })])
    tick(world, START_MS)
    expect([reads, ask(world, { files: [0] }).ttlSeconds]).toEqual([4, 12])
    putCatalog(world, 'default/films', files(['trailers/a', 'films/b']))
    tick(world, START_MS)
    expect([reads, ask(world, { files: [1] }).ttlSeconds]).toEqual([6, 12])
  })

  test('policies that tell more sets of files apart than there can be end nothing', () => {
    const bits = Array.from({ length: 17 }, (_, b) => b)
    const world = fleet([
      policy('all', { ttlSeconds: 21 }),
      ...bits.map((b) =>
        policy(`bit-${b}`, { priority: 17 - b, content: { paths: [`*${b.toString(36)}*`] }, ttlSeconds: 30 + b }),
      ),
    ])
    const path = (i: number) => bits.map((b) => ((i >> b) & 1 ? b.toString(36) : '-')).join('')
    putCatalog(world, 'default/films', { files: 2 ** 17, file: (i) => ({ path: path(i) }) })
    tick(world, START_MS)
    expect(ask(world, { files: [1] }).ttlSeconds).toBe(30)
    expect(ask(world, { files: [6] }).ttlSeconds).toBe(31)
    // Of the sets that came last only what is for all content is known.
    const none = { client: { site: 0, region: 0, networkClass: 0, source: 'site' as const } }
    expect(ask(world, { ...none, files: [2 ** 17 - 1] }).ttlSeconds).toBe(21)
  })

  test('without a fallback, the least busy is named when all are too busy', () => {
    const world = site1({ tiers: ['Site'] })
    reportLoad(world, 'default/a1', { inFlight: 1, utilisation: 0.99 }, START_MS)
    reportLoad(world, 'default/a2', { inFlight: 1, utilisation: 0.97 }, START_MS)
    expect(ask(world)).toMatchObject({ names: ['a2', 'a1'], miss: 'capacity' })
    expect(ask(world, { explain: true }).considered.map(({ reason }) => reason)).toEqual([
      'ChosenLastResort',
      'ChosenLastResort',
    ])
  })
})

describe('load', () => {
  test('of two that a title prefers the less busy is first', () => {
    const world = fleet()
    reportLoad(world, 'default/a1', { inFlight: 0, utilisation: 0.4 }, START_MS)
    reportLoad(world, 'default/a2', { inFlight: 0, utilisation: 0.1 }, START_MS)
    tick(world, START_MS)
    for (let key = 0; key < 50; key++) expect(ask(world, { affinityKey: key * 7919 }).names[0]).toBe('a2')
  })

  test('idle appliances share titles, and a title keeps to its own', () => {
    const world = fleet()
    const firsts = Array.from({ length: 200 }, (_, key) => ask(world, { affinityKey: key * 7919, seed: key }).names[0])
    const again = Array.from({ length: 200 }, (_, key) => ask(world, { affinityKey: key * 7919, seed: -key }).names[0])
    expect(again).toEqual(firsts)
    const share = firsts.filter((name) => name === 'a1').length
    expect(share).toBeGreaterThan(70)
    expect(share).toBeLessThan(130)
  })

  test('absurd reports are put into bounds and counted; those that are no numbers are not taken up', () => {
    const world = fleet()
    const load = () => loadOf(world, world.applianceOrdinals.get('default/a1')!)
    reportLoad(world, 'default/a1', { inFlight: -7, utilisation: 1e9 }, START_MS)
    expect([load(), world.absurdReports]).toEqual([2, 1])
    reportLoad(world, 'default/a1', { inFlight: 0, utilisation: Number.NaN }, START_MS)
    expect([load(), world.absurdReports]).toEqual([2, 2])
    tick(world, START_MS + 60_000)
    expect(load()).toBe(0)
  })

  test('one that comes back starts slowly, though it is idle', () => {
    const world = fleet()
    setUp(world, 'default/a1', false, START_MS)
    setUp(world, 'default/a1', true, START_MS)
    reportLoad(world, 'default/a2', { inFlight: 0, utilisation: 0.3 }, START_MS)
    tick(world, START_MS)
    const sent = { a1: 0, a2: 0 }
    for (let i = 0; i < 400; i++) {
      const first = ask(world, { affinityKey: i * 7919, seed: i }).names[0] as 'a1' | 'a2'
      sent[first]++
      noteSent(world, world.applianceOrdinals.get(`default/${first}`)!, 0.006)
    }
    expect(sent.a1).toBeGreaterThan(0)
    expect(sent.a1).toBeLessThan(80)
    tick(world, START_MS + 120_000)
    expect(weightOf(world, world.applianceOrdinals.get('default/a1')!)).toBe(10)
  })
})

test('an explanation names every candidate, and agrees with the answer', () => {
  const world = fleet()
  setUp(world, 'default/a1', false, START_MS)
  const excluded = [world.applianceOrdinals.get('default/b1')!]
  const { considered, names } = ask(world, { explain: true, excluded, files: [1] })
  expect(names).toEqual(['a2', 'p1', 'https://cloud.example'])
  const told = considered.map(({ appliance: a, reason, tier }) => [
    a < 0 ? 'cloud' : world.applianceKeys[a]!.slice('default/'.length),
    tier,
    reason,
  ])
  expect(told).toEqual([
    ['a1', 'Site', 'Down'],
    ['a2', 'Site', 'Chosen'],
    ['b1', 'Siblings', 'Excluded'],
    ['p1', 'Parents', 'Chosen'],
    ['cloud', 'Fallback', 'Chosen'],
  ])
  const all = ask(world, { explain: true, files: [2] })
  expect(all.considered.filter(({ reason }) => reason === 'MissingFiles')).toHaveLength(3)
  expect(ask(world, { files: [2] }).considered).toEqual([])
})

test('an appliance that moves takes what it holds with it', () => {
  const world = fleet()
  putAppliance(world, online('a1', 'edge-b'))
  tick(world, START_MS)
  const { considered } = ask(world, { explain: true })
  const a1 = considered.find(({ appliance: a }) => world.applianceKeys[a] === 'default/a1')
  expect(a1).toMatchObject({ tier: 'Siblings', site: world.siteOrdinals.get('default/edge-b') })
  expect(a1?.reason).not.toBe('MissingFiles')
  expect(ask(world).names[0]).toBe('a2')
})

test.each([
  ['conditions and addresses are told at once, and nothing is made anew for them', () => online('a1', 'edge-a'), false],
  [
    'labels choose for policies',
    () => appliance('a1', 'edge-a', { metadata: { ...online('a1', 'edge-a').metadata, labels: { trial: 'yes' } } }),
    true,
  ],
  ['an appliance that moves is on other lists', () => online('a1', 'edge-b'), true],
  ['a new appliance is on none yet', () => online('a9', 'edge-a'), true],
] as const)('a new version: %s', (_, version, stale) => {
  const world = fleet()
  putAppliance(world, version())
  expect(world.stale).toBe(stale)
})

test('a site that has come since the last tick has no neighbours yet, and others keep what is known of theirs', () => {
  const world = fleet()
  const before = ask(world)
  const load = world.siteLines.words.slice()
  const sites = Array.from({ length: 40 }, (_, i) => {
    putSite(world, site(`new-${i}`, { parents: [{ name: 'parent' }] }))
    return world.siteOrdinals.get(`default/new-${i}`)!
  })
  for (const at of sites) {
    const client = { site: at, region: -1, networkClass: 0, source: 'site' } as const
    expect(ask(world, { client, explain: true })).toMatchObject({ names: [], considered: [] })
  }
  expect(world.siteLines.words).toEqual(load)
  expect(ask(world)).toEqual(before)
})
