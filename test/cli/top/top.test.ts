import { describe, expect, test } from '@jest/globals'
import { Rates } from '../../../cli/top/rates.ts'
import { applianceRow, type Row, siteRow } from '../../../cli/top/rows.ts'
import { checkSortColumn, topTable } from '../../../cli/top/table.ts'
import type { Appliance, Site } from '../../../crds/types.gen.ts'

const GiB = 2 ** 30

const appliance = (name: string, held: number, desired: number, more: { online?: string; failing?: number } = {}) =>
  ({
    apiVersion: 'fleet.weir.dev/v1alpha1',
    kind: 'Appliance',
    metadata: { name, namespace: 'default' },
    spec: { siteRef: { name: 'fra1' } },
    status: {
      phase: held === desired ? 'Ready' : 'Filling',
      conditions: [{ type: 'Online', status: more.online ?? 'True' }],
      content: {
        bytesHeld: held,
        bytesDesired: desired,
        bytesToFill: desired - held,
        filesFailing: more.failing ?? 0,
        storageUsedBytes: held,
        storageCapacityBytes: 100 * GiB,
      },
    },
  }) as unknown as Appliance

const silent = { metadata: { name: 'fra1-z', namespace: 'default' }, spec: { siteRef: { name: 'fra1' } } } as Appliance
const site = {
  metadata: { name: 'fra1', namespace: 'default' },
  spec: { tier: 'edge' },
  status: { appliances: { ready: 1 } },
} as Site

describe('how fast', () => {
  test('nobody knows from one look; then it is what was added, over the last half minute', () => {
    const rates = new Rates()
    rates.note('a', 0, 0)
    expect(rates.rate('a')).toBeUndefined()
    rates.note('a', 1000, 1000)
    expect(rates.rate('a')).toBe(1000)
    rates.note('a', 1000, 40_000)
    rates.note('a', 3000, 41_000)
    expect(rates.rate('a')).toBe(2000)
  })

  test('what is evicted is not filled backwards', () => {
    const rates = new Rates()
    rates.note('a', 1000, 0)
    rates.note('a', 0, 1000)
    expect(rates.rate('a')).toBe(0)
  })
})

describe('rows', () => {
  const rates = new Rates()
  rates.note('default/fra1-a', 0, 0)
  rates.note('default/fra1-a', 10 * GiB, 10_000)

  test('an appliance: what is left, and how long that takes at this rate', () => {
    expect(applianceRow(appliance('fra1-a', 10 * GiB, 40 * GiB), rates)).toMatchObject({
      filled: 0.25,
      leftBytes: 30 * GiB,
      bytesPerSecond: GiB,
      etaSeconds: 30,
      storage: 0.1,
    })
  })

  test('an appliance that never reported claims nothing', () => {
    expect(applianceRow(silent, rates)).toMatchObject({ filled: undefined, storage: undefined, online: 'Unknown' })
  })

  test('a site is the sum of its appliances; those whose rate is not known do not hide the others’', () => {
    const members = [
      appliance('fra1-a', 10 * GiB, 40 * GiB, { failing: 1 }),
      appliance('fra1-b', 60 * GiB, 60 * GiB, { online: 'False' }),
      silent,
    ]
    expect(siteRow(site, members, rates)).toMatchObject({
      online: '1/3',
      ready: '1/3',
      filled: 0.7,
      leftBytes: 30 * GiB,
      etaSeconds: 30,
      failing: 1,
    })
  })
})

describe('the table', () => {
  const rows = [
    applianceRow(appliance('fra1-b', 60 * GiB, 60 * GiB), new Rates()),
    applianceRow(appliance('fra1-a', 10 * GiB, 40 * GiB), new Rates()),
    applianceRow({ ...silent, metadata: { ...silent.metadata, name: 'e\u001b[31m' } } as Appliance, new Rates()),
  ]
  const table = (sortBy: string, more: object = {}) =>
    topTable(rows, { of: 'appliances', sortBy, withNamespace: false, headers: true, bars: false, ...more })

  test('aligned, by name, and nothing in it moves the cursor', () => {
    expect(table('name')).toBe(
      [
        'NAME     SITE   PHASE     ONLINE    FILLED   HELD       LEFT       RATE   ETA    STORAGE   FAILING',
        'e^[[31m   fra1   -         Unknown   -        0 B        0 B        -      -      -         0',
        'fra1-a    fra1   Filling   True      25%      10.0 GiB   30.0 GiB   -      -      10%       0',
        'fra1-b    fra1   Ready     True      100%     60.0 GiB   0 B        -      done   60%       0',
        '',
      ]
        .join('\n')
        .replace('NAME     ', 'NAME      '),
    )
  })

  test.each([
    ['left', 'fra1-a'],
    ['filled', 'fra1-b'],
    ['ETA', 'fra1-a'],
    ['online', 'fra1-a'],
  ])('by %s, biggest first', (sortBy, first) => {
    expect(table(sortBy, { headers: false })).toMatch(new RegExp(`^${first} `))
  })

  test('bars on a terminal', () => {
    expect(table('name', { bars: true })).toContain('██░░░░░░░░ 25%')
  })

  test('a column that is none is refused, with what was meant', () => {
    expect(() => checkSortColumn('sites', 'lef')).toThrow(/--sort-by must be .*did you mean "left"\?/)
    expect(() => checkSortColumn('sites', 'phase')).toThrow(/--sort-by must be/)
  })
})

test('rows know their namespace', () => {
  const row: Row = applianceRow(appliance('a', 1, 1), new Rates())
  const text = topTable([row], { of: 'appliances', sortBy: 'name', withNamespace: true, headers: true, bars: false })
  expect(text).toMatch(/^NAMESPACE {3}NAME .*\ndefault {5}a /)
})
