import { describe, expect, test } from '@jest/globals'
import { type ReadySummary, summarize, timestamp, upsertConditions } from '../../reconcilers/conditions.ts'

const now = new Date('2030-01-02T03:04:05.678Z')
const before = '2029-01-01T00:00:00Z'

describe('upsertConditions', () => {
  const existing = [
    {
      type: 'Ready',
      status: 'True' as const,
      reason: 'Old',
      message: 'old',
      lastTransitionTime: before,
      observedGeneration: 1,
    },
    { type: 'Foreign', status: 'True' as const, reason: 'X', message: '', lastTransitionTime: before },
  ]

  test('keeps the transition time while the status is the same, even when reason and message change', () => {
    const wanted = [{ type: 'Ready', status: 'True' as const, reason: 'New', message: 'new' }]
    expect(upsertConditions(existing, wanted, now, 2)).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: 'New',
        message: 'new',
        lastTransitionTime: before,
        observedGeneration: 2,
      },
    ])
  })

  test('a status that changes, or is new, transitions now, in whole seconds', () => {
    const wanted = [
      { type: 'Ready', status: 'False' as const, reason: 'R', message: '' },
      { type: 'Fits', status: 'True' as const, reason: 'R', message: '' },
    ]
    expect(upsertConditions(existing, wanted, now, undefined).map((c) => c.lastTransitionTime)).toEqual([
      '2030-01-02T03:04:05Z',
      '2030-01-02T03:04:05Z',
    ])
    expect(timestamp(now)).toBe('2030-01-02T03:04:05Z')
  })
})

describe('summarize', () => {
  const ready = { reason: 'Stored', message: 'stored' }
  const held = { type: 'ContentReady', status: 'False' as const, reason: 'Filling', message: 'filling' }
  const cases: { why: string; summary: ReadySummary; want: string[] }[] = [
    { why: 'nothing is against it', summary: { ready }, want: ['Ready=True Stored'] },
    {
      why: 'work under way is not ready, and kstatus calls it InProgress',
      summary: { ready, reconciling: { reason: 'Fetching', message: '' } },
      want: ['Ready=False Fetching', 'Reconciling=True Fetching'],
    },
    {
      why: 'what is published stays usable while newer work is under way',
      summary: { ready, reconciling: { reason: 'Fetching', message: '' }, usable: true },
      want: ['Ready=True Stored', 'Reconciling=True Fetching'],
    },
    {
      why: 'stalled wins over reconciling: nothing will move by itself',
      summary: { ready, reconciling: { reason: 'Fetching', message: '' }, stalled: { reason: 'BadLine', message: '' } },
      want: ['Ready=False BadLine', 'Stalled=True BadLine'],
    },
    {
      why: 'a required condition that is not True gives Ready its own cause',
      summary: { ready, conditions: [held], required: ['ContentReady'] },
      want: ['Ready=False Filling', 'ContentReady=False Filling'],
    },
    {
      why: 'the first of the required that fails is the most telling',
      summary: {
        ready,
        conditions: [held, { type: 'Online', status: 'Unknown', reason: 'GatewayUnreachable', message: '' }],
        required: ['Online', 'ContentReady'],
      },
      want: ['Ready=Unknown GatewayUnreachable', 'ContentReady=False Filling', 'Online=Unknown GatewayUnreachable'],
    },
    {
      why: 'a required condition that nobody has reported is not known, rather than fine',
      summary: { ready, required: ['Online'] },
      want: ['Ready=Unknown OnlineUnknown'],
    },
    {
      why: 'conditions that are not required do not decide',
      summary: { ready, conditions: [{ type: 'Fits', status: 'False', reason: 'StorageExhausted', message: '' }] },
      want: ['Ready=True Stored', 'Fits=False StorageExhausted'],
    },
  ]
  test.each(cases)('$why', ({ summary, want }) => {
    expect(summarize(summary).map((c) => `${c.type}=${c.status} ${c.reason}`)).toEqual(want)
  })
})
