import { describe, expect, test } from '@jest/globals'
import type { Appliance, Site } from '../../../crds/types.gen.ts'
import { planSite, SITE_FINALIZER } from '../../../reconcilers/site/plan-site.ts'
import { appliance, conditions, NOW, site, written } from '../fleet.ts'

const box = (name: string, online: boolean, ready: boolean, content: Record<string, unknown> = {}) =>
  appliance(name, 'fra', {
    status: {
      conditions: [
        { type: 'Online', status: online ? 'True' : 'False', reason: 'x', message: '', lastTransitionTime: '' },
        { type: 'Ready', status: ready ? 'True' : 'False', reason: 'x', message: '', lastTransitionTime: '' },
      ],
      content: {
        bytesDesired: 10,
        bytesHeld: 5,
        filesFailing: 0,
        filesHeld: 1,
        storageUsedBytes: 5,
        inventories: [],
        ...content,
      },
    } as unknown as Appliance['status'],
  })

const brake = { engaged: false } as const

const cases: [reason: string, appliances: Appliance[], missingParents: string[], conditions: string[]][] = [
  ['all ready', [box('a', true, true)], [], ['Ready=True AppliancesReady', 'Degraded=False NothingWrong']],
  ['no appliances yet', [], [], ['Ready=True AppliancesReady', 'Degraded=False NothingWrong']],
  [
    'one fills',
    [box('a', true, true), box('b', true, false)],
    [],
    ['Ready=False AppliancesNotReady', 'Degraded=False NothingWrong', 'Reconciling=True AppliancesNotReady'],
  ],
  [
    'one is dark',
    [box('a', true, true), box('b', false, false)],
    [],
    ['Ready=False AppliancesNotReady', 'Degraded=True AppliancesOffline', 'Reconciling=True AppliancesNotReady'],
  ],
  [
    'files fail',
    [box('a', true, false, { filesFailing: 2 })],
    [],
    ['Ready=False AppliancesNotReady', 'Degraded=True FilesFailing', 'Reconciling=True AppliancesNotReady'],
  ],
  [
    'a parent does not exist',
    [box('a', true, true)],
    ['default/core'],
    ['Ready=False ParentNotFound', 'Degraded=False NothingWrong', 'Stalled=True ParentNotFound'],
  ],
]

test.each(cases)('%s', (_reason, appliances, missingParents, expected) => {
  const plan = planSite({ site: site('fra'), appliances, missingParents, brake }, NOW)
  expect(conditions(plan, 'Site')).toEqual(expected)
})

test('counts and sums of its appliances', () => {
  const plan = planSite(
    { site: site('fra'), appliances: [box('a', true, true), box('b', false, false)], missingParents: [], brake },
    NOW,
  )
  expect(written<Site>(plan, 'applyStatus', 'Site')[0]?.status).toMatchObject({
    appliances: { total: 2, online: 1, ready: 1 },
    content: { bytesDesired: 20, bytesHeld: 10, filesFailing: 0 },
  })
  expect(written<Site>(plan, 'apply', 'Site')[0]?.metadata.finalizers).toEqual([SITE_FINALIZER])
})

describe('a deleted site goes once its appliances are empty', () => {
  const deleting = site('fra', {}, { deletionTimestamp: '2030-01-01T00:00:00Z' })
  const freed = (appliances: Appliance[]) =>
    written<Site>(planSite({ site: deleting, appliances, missingParents: [], brake }, NOW), 'apply', 'Site').some(
      (s) => s.metadata.finalizers?.length === 0,
    )
  test('not while one still holds bytes', () => expect(freed([box('a', true, true)])).toBe(false))
  test('an empty one does not keep it', () => expect(freed([box('a', true, true, { storageUsedBytes: 0 })])).toBe(true))
  test('nothing is let go while too much of the fleet is dark', () => {
    const engaged = { engaged: true, message: 'dark' } as const
    const plan = planSite({ site: deleting, appliances: [], missingParents: [], brake: engaged }, NOW)
    expect(written<Site>(plan, 'apply', 'Site')).toEqual([])
    expect(plan.outcome).toMatchObject({ type: 'waiting', reason: 'FleetDark' })
  })
  test('nor does a dark one: nobody is sent to it', () => expect(freed([box('a', false, false)])).toBe(true))
})
