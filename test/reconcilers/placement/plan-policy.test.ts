import { describe, expect, test } from '@jest/globals'
import type { Appliance, Assignment, PlacementPlan, PlacementPolicy, Site } from '../../../crds/types.gen.ts'
import { catalogOf } from '../../../reconcilers/blobs/catalog.ts'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { decodeFileSet } from '../../../reconcilers/blobs/file-set-blob.ts'
import { decodePlanIndex } from '../../../reconcilers/blobs/plan-index.ts'
import { reservedBy, sitePeaks } from '../../../reconcilers/placement/inputs.ts'
import {
  needsPlan,
  type PolicyInput,
  planPolicy,
  problemOf,
  progressOf,
  waitsFor,
} from '../../../reconcilers/placement/plan-policy.ts'
import { popularFirst } from '../../../reconcilers/placement/popular-first.ts'
import { priced } from '../../../reconcilers/placement/priced.ts'
import { selectTargets, type Target } from '../../../reconcilers/placement/select.ts'
import { appliance, CONTENT, catalog, conditions, digest, hardwareClass, NOW, policy, site, written } from '../fleet.ts'

const sha = (char: string) => `sha256:${char.repeat(64)}`
const published = catalog('films', { status: { digest: sha('c'), demandDigest: sha('d'), files: 10 } })
const content = catalogOf(
  Array.from({ length: 10 }, (_, i) => ({
    path: `title-${i % 2}/${i}.bin`,
    size: 100,
    sha256: `${i}${'abcdef0123'[i]}`.repeat(32),
  })),
)
const demand = { classes: [], popularity: [Float64Array.from({ length: 10 }, (_, i) => 10 - i)] }

const targetsOf = (storage: Record<string, number>): Target[] =>
  Object.entries(storage).map(([name, bytes]) => ({
    appliance: appliance(name, name.slice(0, -1)),
    site: site(name.slice(0, -1)),
    hardwareClass: hardwareClass('small', bytes),
  }))

const input = (more: Partial<PolicyInput> = {}): PolicyInput => ({
  policy: policy('all'),
  catalog: published,
  plans: [],
  targets: targetsOf({ fra1: 600, fra2: 600, ams1: 2000 }),
  reserved: new Map(),
  progress: { bytesToMove: 0, converged: 0 },
  solver: popularFirst,
  brake: { engaged: false },
  digest,
  material: { catalog: content, demand, held: new Map() },
  ...more,
})

const planned = (plan: ReturnType<typeof planPolicy>) => written<PlacementPlan>(plan, 'create', 'PlacementPlan')[0]
const statusOf = (plan: ReturnType<typeof planPolicy>) =>
  written<PlacementPolicy>(plan, 'applyStatus', 'PlacementPolicy')[0]

/** The policy and its plans as they stand once `plan` has been carried out. */
function carriedOut(before: PolicyInput, plan: ReturnType<typeof planPolicy>): PolicyInput {
  const made = planned(plan)
  const plans = made
    ? [...before.plans, { ...made, metadata: { ...made.metadata, uid: `uid-${made.metadata.name}` } }]
    : before.plans
  return { ...before, plans, policy: { ...before.policy, status: statusOf(plan)!.status } }
}

test('a policy becomes an immutable plan, its index and a manifest per appliance', () => {
  const plan = planPolicy(input(), NOW)
  const made = planned(plan)!
  expect(made.metadata.ownerReferences?.[0]).toMatchObject({
    kind: 'PlacementPolicy',
    uid: 'uid-all',
    controller: true,
  })
  expect(made.spec).toMatchObject({
    solver: 'popular-first/1',
    catalog: { name: 'films', digest: sha('c') },
    demandDigest: sha('d'),
  })
  expect(made.spec.parent).toBeUndefined()
  expect(made.spec.sites).toEqual([
    { namespace: 'default', name: 'ams', appliances: 1, files: 10, bytes: 1000, fillBytes: 1000 },
    { namespace: 'default', name: 'fra', appliances: 2, files: 10, bytes: 1000, fillBytes: 1000 },
  ])
  expect(made.spec.totals).toEqual({
    files: 10,
    bytes: 1000,
    appliances: 3,
    copies: 20,
    fillBytes: 2000,
    filesLeftOut: 0,
    bytesLeftOut: 0,
  })
  const blobs = new Map(plan.blobs.map((b) => [b.digest, b.bytes as Uint8Array]))
  const index = decodePlanIndex(blobs.get(made.spec.index.digest)!)
  expect(index.rows.map(({ name, site }) => [name, site])).toEqual([
    ['ams1', 'default/ams'],
    ['fra1', 'default/fra'],
    ['fra2', 'default/fra'],
  ])
  const sets = index.rows.slice(1).map((r) => decodeFileSet(blobs.get(r.manifest)!).set)
  expect(sets[0]!.union(sets[1]!).size).toBe(10)
  expect(statusOf(plan)!.status?.currentPlan).toBe(made.metadata.name)
})

test.each<[name: string, storage: Record<string, number>, heldAt: [string, string][], gone: Record<string, string[]>]>([
  ['one that is not there any more', { fra1: 600 }, [['fra2', 'fra']], { fra: ['fra2'] }],
  ['one that is at another site now', { fra1: 600, ams1: 600 }, [['ams1', 'fra']], { fra: ['ams1'] }],
  ['none, where all are where they were', { fra1: 600, fra2: 600 }, [['fra1', 'fra']], {}],
  ['none of a site that is left without any', { ams1: 600 }, [['fra1', 'fra']], {}],
  ['none, where the plan in force does not say where they were', { fra1: 600 }, [], {}],
])('who has left a site is told of: %s', (_name, storage, heldAt, gone) => {
  const names = ['fra1', 'fra2', 'ams1']
  const material = {
    catalog: content,
    demand,
    held: new Map(names.map((name) => [`default/${name}`, FileSet.of([1, 2])])),
    heldAt: new Map(heldAt.map(([name, at]) => [`default/${name}`, `default/${at}`])),
  }
  const { sites } = problemOf(input({ targets: targetsOf(storage) }), material)
  const told = sites.flatMap((site) => (site.gone ? [[site.key.split('/')[1], site.gone.map(({ key }) => key)]] : []))
  expect(told).toEqual(Object.entries(gone).map(([site, left]) => [site, left.map((name) => `default/${name}`)]))
  for (const { held } of sites.flatMap((site) => site.gone ?? [])) expect([...held!]).toEqual([1, 2])
})

test('the plan becomes the target only if the policy is still as it was read', () => {
  expect(statusOf(planPolicy(input(), NOW))?.metadata.resourceVersion).toBe('7')
})

test('nothing is planned again while nothing that matters has changed', () => {
  const after = carriedOut(input(), planPolicy(input(), NOW))
  expect(needsPlan(after)).toBe(false)
  const again = planPolicy({ ...after, material: undefined }, NOW)
  expect(planned(again)).toBeUndefined()
  expect(statusOf(again)?.metadata.resourceVersion).toBeUndefined()
  expect(again.events).toEqual([])
})

describe.each([popularFirst, priced])('demand by class and by site ($name)', (solver) => {
  // Even files are wanted in de, odd ones in fr.
  const byClass = {
    classes: ['de', 'fr'],
    popularity: [1, 0, 1].map((odd, k) => Float64Array.from({ length: 10 }, (_, i) => (k && i % 2 === odd ? 5 : 1))),
  }
  const heldAt = (plan: ReturnType<typeof planPolicy>) => {
    const blobs = new Map(plan.blobs.map((b) => [b.digest, b.bytes as Uint8Array]))
    const { rows } = decodePlanIndex(blobs.get(planned(plan)!.spec.index.digest)!)
    return Object.fromEntries(rows.map((r) => [r.name, [...decodeFileSet(blobs.get(r.manifest)!).set]]))
  }
  const at = (name: string, spec: Partial<Site['spec']>): Target => ({
    appliance: appliance(`${name}1`, name),
    site: site(name, spec),
    hardwareClass: hardwareClass('small', 500),
  })

  test('each site gets what its viewers want: by its country, or by the class that it says', () => {
    const targets = [at('fra', {}), at('cdg', { country: 'FR' }), at('tls', { demand: { class: 'fr' } })]
    const held = heldAt(
      planPolicy(input({ solver, targets, material: { catalog: content, demand: byClass, held: new Map() } }), NOW),
    )
    expect(held).toEqual({ fra1: [0, 2, 4, 6, 8], cdg1: [1, 3, 5, 7, 9], tls1: [1, 3, 5, 7, 9] })
  })

  test('sites without viewers, with few and with many, of which one does not say', () => {
    const targets = [
      at('hub', { tier: 'regional', demand: { peakGbps: 0 } }),
      at('fra', { parents: [{ name: 'hub' }], demand: { peakGbps: 0.001 } }),
      at('cdg', { parents: [{ name: 'hub' }], country: 'FR', demand: { peakGbps: 1000 } }),
      at('tls', { parents: [{ name: 'hub' }], country: 'FR' }),
    ]
    const material = { catalog: content, demand: byClass, held: new Map() }
    const plan = planPolicy(input({ solver, targets, material }), NOW)
    expect(heldAt(plan)).toMatchObject({ fra1: [0, 2, 4, 6, 8], tls1: [1, 3, 5, 7, 9] })
    const { expectedPercent = 0, boundPercent = 0 } = planned(plan)!.spec.offload ?? {}
    expect(expectedPercent).toBeLessThanOrEqual(boundPercent)
    expect(Number.isFinite(boundPercent)).toBe(true)
  })

  test('a class that nothing is said of has the column of all others', () => {
    const targets = [at('mxp', { country: 'IT' })]
    const others = {
      ...byClass,
      popularity: [Float64Array.from({ length: 10 }, (_, i) => i), ...byClass.popularity.slice(1)],
    }
    const held = heldAt(
      planPolicy(input({ solver, targets, material: { catalog: content, demand: others, held: new Map() } }), NOW),
    )
    expect(held).toEqual({ mxp1: [5, 6, 7, 8, 9] })
  })
})

test('a site whose peak is not known counts as the median of those that are', () => {
  const peaks = (...given: (number | undefined)[]) => [
    ...sitePeaks(
      given.map((peakGbps, i) => site(`s${i}`, peakGbps === undefined ? {} : { demand: { peakGbps } })),
    ).values(),
  ]
  expect(peaks(undefined, undefined)).toEqual([{ assumedGbps: 1 }, { assumedGbps: 1 }])
  expect(peaks(10, undefined, 40, 500)).toEqual([
    { demandGbps: 10 },
    { assumedGbps: 40 },
    { demandGbps: 40 },
    { demandGbps: 500 },
  ])
  expect(peaks(10, 20, undefined)[2]).toEqual({ assumedGbps: 15 })
})

test('the order of appliances does not matter', () => {
  const one = planPolicy(input(), NOW)
  const two = planPolicy(input({ targets: [...input().targets].sort(() => 1) }), NOW)
  expect(planned(two)?.spec.index).toEqual(planned(one)?.spec.index)
})

describe('a new plan is made, with the old one as its parent', () => {
  const first = carriedOut(input(), planPolicy(input(), NOW))
  const cases: [reason: string, more: Partial<PolicyInput>][] = [
    [
      'the catalog has a new version',
      { catalog: catalog('films', { status: { digest: sha('e'), demandDigest: sha('d') } }) },
    ],
    ['an appliance was added', { targets: targetsOf({ fra1: 600, fra2: 600, ams1: 2000, ams2: 2000 }) }],
    ['an appliance was lost', { targets: targetsOf({ fra1: 600, fra2: 600 }) }],
    ['no appliance is left', { targets: [] }],
    [
      'files are excluded',
      { policy: { ...first.policy, spec: { ...first.policy.spec, exclude: [{ paths: ['title-1/**'] }] } } },
    ],
    [
      'moving costs something else',
      { policy: { ...first.policy, spec: { ...first.policy.spec, churn: { bonusPercent: 50 } } } },
    ],
    [
      'the viewers of a site are of another class of demand',
      {
        targets: first.targets.map((t) => ({ ...t, site: site(t.site.metadata.name!, { demand: { class: 'kids' } }) })),
      },
    ],
    [
      'the peak of a site is another',
      { targets: first.targets.map((t) => ({ ...t, site: site(t.site.metadata.name!, { demand: { peakGbps: 7 } }) })) },
    ],
    ['an earlier policy takes room', { reserved: new Map([['default/ams1', 1500]]) }],
  ]
  test.each(cases)('%s', (_reason, more) => {
    const plan = planPolicy({ ...first, ...more }, NOW)
    expect(planned(plan)?.spec.parent).toBe(first.policy.status?.currentPlan)
    expect(planned(plan)?.metadata.name).not.toBe(first.policy.status?.currentPlan)
  })
})

test('going back to earlier inputs makes a plan of its own, whose parent is the one in force', () => {
  const first = carriedOut(input(), planPolicy(input(), NOW))
  const wide = { ...first, targets: targetsOf({ fra1: 600 }) }
  const second = carriedOut(wide, planPolicy(wide, NOW))
  const third = planPolicy({ ...second, targets: input().targets }, NOW)
  expect(planned(third)?.spec.parent).toBe(second.policy.status?.currentPlan)
  expect(planned(third)?.metadata.name).not.toBe(first.policy.status?.currentPlan)
  expect(planned(third)?.spec.index).toEqual(first.plans[0]?.spec.index)
})

test('only the last few plans are kept', () => {
  const old = (name: string, day: string) =>
    ({
      apiVersion: CONTENT,
      kind: 'PlacementPlan',
      metadata: { name, namespace: 'default', uid: name, creationTimestamp: `2029-01-${day}T00:00:00Z` },
      spec: { inputsDigest: sha('0') },
    }) as PlacementPlan
  const plans = [old('p2', '02'), old('p1', '01'), old('p3', '03'), old('now', '04')]
  const plan = planPolicy(input({ plans, policy: { ...policy('all'), status: { currentPlan: 'now' } } }), NOW)
  expect(plan.writes.flatMap((w) => (w.op === 'delete' ? [w.ref.name] : []))).toEqual(['p1', 'p2'])
})

test.each([
  ['to four digits', 93.2, 94.1, 0.9904],
  ['whole, at the bound', 50, 50, 1],
  ['whole, where nobody wants anything that could be served', 0, 0, 1],
])('the status says how near the plan is to the bound: %s', (_reason, expectedPercent, boundPercent, ratio) => {
  const first = carriedOut(input(), planPolicy(input(), NOW))
  const offload = { expectedPercent, boundPercent }
  const plans = first.plans.map((plan) => ({
    ...plan,
    spec: { ...plan.spec, offload: { ...offload, sitePercent: 0, parentPercent: 0 } },
  }))
  const plan = planPolicy({ ...first, plans }, NOW)
  expect(planned(plan)).toBeUndefined()
  expect(statusOf(plan)?.status?.offload).toEqual({ ...offload, ratio })
})

describe('what does not fit is said', () => {
  test('the least popular are left out, and the storage that is missing is told', () => {
    const plan = planPolicy(input({ targets: targetsOf({ fra1: 600, ams1: 2000 }) }), NOW)
    expect(conditions(plan, 'PlacementPolicy')).toContain('Fits=False StorageExhausted')
    expect(statusOf(plan)?.status).toMatchObject({ filesPlaced: 10, filesLeftOut: 4, bytesLeftOut: 400 })
  })

  test('a share of the storage is all that is used', () => {
    const plan = planPolicy(
      input({ targets: targetsOf({ fra1: 1000 }), policy: policy('all', { storageShare: 50 }) }),
      NOW,
    )
    expect(planned(plan)?.spec.totals).toMatchObject({ files: 5, bytesLeftOut: 500 })
  })

  test('an earlier policy comes first', () => {
    const rows = [{ namespace: 'default', name: 'fra1', manifest: sha('1'), files: 7, bytes: 700 }]
    const reserved = reservedBy([
      { catalog: sha('c'), rows },
      { catalog: sha('c'), rows: [{ ...rows[0]!, bytes: 100 }] },
    ])
    const plan = planPolicy(input({ targets: targetsOf({ fra1: 1000 }), reserved }), NOW)
    expect(planned(plan)?.spec.totals).toMatchObject({ files: 2, bytesLeftOut: 800 })
  })
})

describe('what is asked for and cannot be had is said, with what binds', () => {
  const asked = (spec: Partial<PlacementPolicy['spec']>, targets: Target[], more: Partial<PolicyInput> = {}) =>
    planPolicy(input({ solver: priced, policy: policy('all', spec), targets, ...more }), NOW)
  const feasible = (plan: ReturnType<typeof planPolicy>) =>
    statusOf(plan)?.status?.conditions?.find(({ type }) => type === 'Feasible')
  const resilience = { headPercent: 50, survivesLossOf: 1 }

  test('a head that outlives a loss', () => {
    const plan = asked({ resilience }, targetsOf({ fra1: 600, fra2: 600, ams1: 600, ams2: 600 }))
    expect(feasible(plan)).toMatchObject({ status: 'True', reason: 'AllMet' })
    expect(planned(plan)!.spec.unmet).toBeUndefined()
    expect(planned(plan)!.spec.totals.copies).toBeGreaterThan(2 * 10)
  })

  test('at a site of one appliance it does not, at one of slow ones not all of it', () => {
    const slow = targetsOf({ ams1: 600, ams2: 600 }).map((target) => ({
      ...target,
      site: site('ams', { demand: { peakGbps: 1000 } }),
    }))
    const plan = asked({ resilience }, [...targetsOf({ fra1: 600 }), ...slow])
    expect(planned(plan)!.spec.unmet).toEqual([
      { ask: 'Head', limit: 'Appliances', site: { namespace: 'default', name: 'fra' }, servablePercent: 0 },
      {
        ask: 'Head',
        limit: 'Throughput',
        site: { namespace: 'default', name: 'ams' },
        servablePercent: expect.any(Number),
      },
    ])
    expect(planned(plan)!.spec.totals.unmet).toBe(2)
    expect(feasible(plan)).toMatchObject({
      status: 'False',
      reason: 'TooFewAppliances',
      message: 'Only 0% of the demand at default/fra would outlive a loss: too few appliances; and 1 more',
    })
  })

  test('copies per region, of a region with fewer appliances', () => {
    const plan = asked({ copies: { perSite: 1, perRegion: 3 } }, targetsOf({ fra1: 2000, fra2: 2000 }))
    expect(planned(plan)!.spec.unmet).toEqual([
      { ask: 'CopiesPerRegion', limit: 'Appliances', region: 'DE', files: 10 },
    ])
  })

  test('pins for which there is no room', () => {
    const plan = asked({ pins: [{ paths: ['**'], copies: 'all' }] }, targetsOf({ fra1: 600 }))
    expect(planned(plan)!.spec.unmet).toEqual([
      { ask: 'Pins', limit: 'Storage', site: { namespace: 'default', name: 'fra' }, files: 4 },
    ])
    expect(feasible(plan)?.message).toBe('4 pinned files lack copies at default/fra: too little storage')
  })

  test('nothing is said of it where none of it is asked for', () => {
    expect(feasible(asked({}, targetsOf({ fra1: 600 })))).toBeUndefined()
  })
})

test('files that are licensed elsewhere are not left out', () => {
  const licensed = catalogOf(content.files.map((file, i) => ({ ...file!, ...(i < 4 && { licensedIn: ['FR'] }) })))
  const targets = [
    ...targetsOf({ fra1: 2000 }),
    { ...targetsOf({ cdg1: 2000 })[0]!, site: site('cdg', { country: 'FR' }) },
  ]
  for (const solver of [priced, popularFirst]) {
    const plan = planPolicy(input({ solver, targets, material: { catalog: licensed, demand, held: new Map() } }), NOW)
    expect(planned(plan)!.spec.sites.map(({ name, files }) => [name, files])).toEqual([
      ['cdg', 10],
      ['fra', 6],
    ])
    expect(planned(plan)!.spec.totals).toMatchObject({ files: 10, filesLeftOut: 0, bytesLeftOut: 0 })
  }
})

describe('conditions', () => {
  const first = carriedOut(input(), planPolicy(input(), NOW))
  const cases: [reason: string, more: Partial<PolicyInput>, conditions: string[]][] = [
    ['no catalog', { catalog: undefined }, ['Ready=False CatalogNotFound', 'Stalled=True CatalogNotFound']],
    [
      'a catalog without a version',
      { catalog: catalog('films') },
      ['Ready=False CatalogNotPublished', 'Reconciling=True CatalogNotPublished'],
    ],
    [
      'an earlier policy has not planned',
      { waitsFor: 'default/first' },
      ['Ready=False WaitingForPolicy', 'Reconciling=True WaitingForPolicy'],
    ],
    [
      'appliances still fill',
      {},
      ['Ready=False Converging', 'Fits=True EverythingFits', 'Reconciling=True Converging'],
    ],
    [
      'all hold all',
      { progress: { bytesToMove: 0, converged: 3 } },
      ['Ready=True Converged', 'Fits=True EverythingFits'],
    ],
    [
      'nothing selected',
      { targets: [] },
      ['Ready=False NoAppliances', 'Fits=True EverythingFits', 'Reconciling=True NoAppliances'],
    ],
  ]
  test.each(cases)('%s', (_reason, more, expected) => {
    expect(conditions(planPolicy({ ...first, ...more }, NOW), 'PlacementPolicy')).toEqual(expected)
  })
})

describe('which appliances a policy selects', () => {
  const fleet = {
    appliances: [
      appliance('b', 'fra', { metadata: { labels: { tier: 'x' } } }),
      appliance('a', 'ams', { spec: { mode: 'Draining' } }),
      appliance('gone', 'fra', { spec: { mode: 'Decommissioned' } }),
      appliance('deleted', 'fra', { metadata: { deletionTimestamp: '2030-01-01T00:00:00Z' } }),
      appliance('lost', 'nowhere'),
      appliance('classless', 'fra', { spec: { hardwareClassRef: { name: 'huge' } } }),
      appliance('isp', 'isp-site', { metadata: { namespace: 'isp' } }),
    ],
    sites: new Map([
      ['default/fra', site('fra', {}, { labels: { metro: 'fra' } })],
      ['default/ams', site('ams')],
      ['isp/isp-site', site('isp-site', {}, { namespace: 'isp' })],
    ]),
    hardwareClasses: new Map([['small', hardwareClass('small', 1)]]),
    namespaceLabels: new Map<string, Record<string, string>>([
      ['default', {}],
      ['isp', { partner: 'yes' }],
    ]),
  }
  const cases: [reason: string, spec: Partial<PlacementPolicy['spec']>, names: string[]][] = [
    ['those of its namespace that have a known site and class, sorted', {}, ['a', 'b']],
    ['by label', { appliances: { selector: { matchLabels: { tier: 'x' } } } }, ['b']],
    [
      'by label of the site',
      { appliances: { siteSelector: { matchExpressions: [{ key: 'metro', operator: 'Exists' }] } } },
      ['b'],
    ],
    ['in namespaces by label', { appliances: { namespaceSelector: { matchLabels: { partner: 'yes' } } } }, ['isp']],
    ['in all namespaces', { appliances: { namespaceSelector: {} } }, ['a', 'b', 'isp']],
  ]
  test.each(cases)('%s', (_reason, spec, names) => {
    expect(selectTargets(policy('p', spec), fleet).map((t) => t.appliance.metadata.name)).toEqual(names)
  })
})

test('a policy waits for an earlier one that shares an appliance and has not planned its spec', () => {
  const mine = targetsOf({ fra1: 1 })
  const other = policy('first')
  const seen = { ...other, status: { observedGeneration: 1 } }
  expect(waitsFor(policy('p'), [{ policy: other, targets: mine }], mine)).toBe('default/first')
  expect(waitsFor(policy('p'), [{ policy: seen, targets: mine }], mine)).toBeUndefined()
  expect(waitsFor(policy('p'), [{ policy: other, targets: targetsOf({ ams1: 1 }) }], mine)).toBeUndefined()
})

describe('while too much of the fleet is dark', () => {
  const first = carriedOut(input(), planPolicy(input(), NOW))
  const brake = { engaged: true, message: '40 of 100 appliances are not online' } as const
  const dark = { ...first, targets: targetsOf({ fra1: 600 }), brake }

  test('the plan in force stays, and the policy says so once', () => {
    expect(needsPlan(dark)).toBe(false)
    const plan = planPolicy(dark, NOW)
    expect(planned(plan)).toBeUndefined()
    expect(statusOf(plan)?.status?.currentPlan).toBe(first.policy.status?.currentPlan)
    expect(conditions(plan, 'PlacementPolicy')).toContain('Paused=True FleetDark')
    expect(plan.events.map((e) => e.reason)).toEqual(['FleetDark'])
    expect(planPolicy(carriedOut(dark, plan), NOW).events).toEqual([])
  })

  test('it goes on by itself', () => {
    const after = planPolicy({ ...carriedOut(dark, planPolicy(dark, NOW)), brake: { engaged: false } }, NOW)
    expect(planned(after)).toBeDefined()
    expect(conditions(after, 'PlacementPolicy').join()).not.toContain('Paused')
  })
})

describe('an appliance has converged when it holds what the plan in force asks of it', () => {
  const asked = (generation: number, plan: string) =>
    ({ spec: { content: { generation, entries: [{ plans: [plan], bytes: 40 }] } } }) as unknown as Assignment
  const targets = (generation: number, ready: 'True' | 'False'): Target[] => [
    {
      ...targetsOf({ fra1: 1 })[0]!,
      appliance: appliance('fra1', 'fra', {
        status: {
          content: { generation, bytesToFill: 5, bytesHeld: 30 },
          conditions: [{ type: 'ContentReady', status: ready, reason: 'x', message: '', lastTransitionTime: '' }],
        } as unknown as Appliance['status'],
      }),
    },
  ]
  const inForce = { ...policy('all'), status: { currentPlan: 'p2' } }
  const never = targetsOf({ fra1: 1 })
  const cases: [
    reason: string,
    targets: Target[],
    assignment: Assignment | undefined,
    converged: number,
    toMove: number,
  ][] = [
    ['it holds what the plan asks', targets(2, 'True'), asked(2, 'default/p2'), 1, 5],
    ['still filling', targets(2, 'False'), asked(2, 'default/p2'), 0, 5],
    ['it holds what an older plan asked', targets(1, 'True'), asked(1, 'default/p1'), 0, 5],
    ['it has not taken up the newer Assignment', targets(1, 'True'), asked(2, 'default/p2'), 0, 10],
    ['nothing was asked of it yet', targets(1, 'True'), undefined, 0, 5],
    ['it has never reported: all is to fill', never, asked(1, 'default/p2'), 0, 40],
    ['it has never reported, and nothing was asked', never, undefined, 0, 0],
  ]
  test.each(cases)('%s', (_reason, selected, assignment, converged, bytesToMove) => {
    expect(progressOf(inForce, selected, () => assignment)).toEqual({ bytesToMove, converged })
  })
})

test('a plan that was made just now is held by nobody yet', () => {
  const plan = planPolicy(input({ progress: { bytesToMove: 0, converged: 3 } }), NOW)
  expect(conditions(plan, 'PlacementPolicy')).toContain('Ready=False Converging')
})
