import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { chooseSource, type SourceCandidate } from '../../../reconcilers/agent/choose-source.ts'
import { FILL_BUCKET, fillOrder } from '../../../reconcilers/agent/fill-order.ts'
import { sayLocalTime } from '../../../reconcilers/agent/local-time.ts'
import { type FillState, sayWaitingFor } from '../../../reconcilers/agent/waiting-for.ts'

const sha = (text: string) => createHash('sha256').update(text).digest('hex')

describe('chooseSource', () => {
  const candidate = (id: string, more: Partial<SourceCandidate> = {}): SourceCandidate => ({
    id,
    tier: 0,
    active: 0,
    suspendedUntilMs: 0,
    retryAtMs: 0,
    ...more,
  })
  test.each<[string, SourceCandidate[], unknown]>([
    ['there is none', [], { type: 'none' }],
    [
      'the nearest tier wins, busy or not',
      [candidate('origin', { tier: 9 }), candidate('peer', { active: 50 })],
      'peer',
    ],
    ['the less busy of a tier', [candidate('a', { active: 2 }), candidate('b', { active: 1 })], 'b'],
    ['one left alone is passed over', [candidate('a', { suspendedUntilMs: 101 }), candidate('b', { tier: 1 })], 'b'],
    [
      'one where this file failed is passed over',
      [candidate('a', { retryAtMs: 101 }), candidate('b', { tier: 1 })],
      'b',
    ],
    ['its time has come', [candidate('a', { suspendedUntilMs: 100, retryAtMs: 99 })], 'a'],
    [
      'all are left alone: wait for the first, by the later of its two times',
      [candidate('a', { suspendedUntilMs: 150, retryAtMs: 300 }), candidate('b', { retryAtMs: 200, tier: 4 })],
      { type: 'wait', untilMs: 200 },
    ],
  ])('%s', (_, candidates, expected) => {
    const choice = typeof expected === 'string' ? { type: 'use', id: expected } : expected
    expect(chooseSource(candidates, sha('x'), 100)).toEqual(choice)
    expect(chooseSource([...candidates].reverse(), sha('x'), 100)).toEqual(choice)
  })

  test('files spread over equals, each always to the same', () => {
    const equals = ['a', 'b', 'c', 'd'].map((id) => candidate(id))
    const counts = new Map<string, number>()
    for (let i = 0; i < 4000; i++) {
      const choice = chooseSource(equals, sha(String(i)), 0)
      if (choice.type !== 'use') throw new Error('there are sources')
      expect(chooseSource([...equals].reverse(), sha(String(i)), 0)).toEqual(choice)
      counts.set(choice.id, (counts.get(choice.id) ?? 0) + 1)
    }
    for (const id of ['a', 'b', 'c', 'd']) expect(Math.abs(counts.get(id)! - 1000)).toBeLessThan(150)
  })
})

describe('fillOrder', () => {
  const wanted = Array.from({ length: 1000 }, (_, i) => ({ sha256: sha(String(i)), rank: i }))

  test('keeps every file, and the most wanted first but for a bucket', () => {
    const ordered = fillOrder(wanted, 'isp/a')
    expect(ordered.map(({ rank }) => rank).sort((a, b) => a - b)).toEqual(wanted.map(({ rank }) => rank))
    const bucketOf = (place: number) => Math.floor(place / FILL_BUCKET)
    for (const [i, { rank }] of ordered.entries()) expect(bucketOf(rank)).toBe(bucketOf(i))
    expect(fillOrder(wanted, 'isp/a')).toEqual(ordered)
  })

  test('appliances differ: half way through a bucket, two of them have fetched mostly different files', () => {
    const half = (name: string) => new Set(fillOrder(wanted.slice(0, FILL_BUCKET), name).slice(0, FILL_BUCKET / 2))
    const [a, b] = [half('isp/a'), half('isp/b')]
    expect([...a].filter((file) => b.has(file)).length).toBeLessThan(FILL_BUCKET / 2 - 6)
  })
})

describe('sayWaitingFor', () => {
  const idle: FillState = { missingFiles: 0, failingFiles: 0, shortBytes: 0, drainingBytes: 0, windowClosed: false }
  const gib = 1 << 30
  test.each<[Partial<FillState>, string]>([
    [{}, ''],
    [{ drainingBytes: gib }, ''],
    [{ unassigned: true }, 'an Assignment'],
    [{ notInForce: 'generation 3 of its Assignment', missingFiles: 9 }, 'generation 3 of its Assignment'],
    [{ missingFiles: 14, from: 'origin http://o' }, '14 files from origin http://o'],
    [{ missingFiles: 1 }, '1 file'],
    [{ missingFiles: 14, failingFiles: 4, from: 'peer isp/b' }, '10 files from peer isp/b'],
    [{ missingFiles: 4, failingFiles: 4, from: 'peer isp/b' }, '4 files that no source has right'],
    [
      { missingFiles: 2, from: 'origin http://o', fromTrouble: 'connect ECONNREFUSED' },
      '2 files from origin http://o (connect ECONNREFUSED)',
    ],
    [{ missingFiles: 2, shortBytes: 3.2 * gib }, 'free disk: 3.2 GiB short'],
    [{ missingFiles: 2, shortBytes: 3.2 * gib, drainingBytes: gib }, 'free disk: 3.2 GiB short; 1 GiB are draining'],
    [
      { missingFiles: 2, windowClosed: true, windowOpensAt: '2030-01-01T02:00+01:00', shortBytes: 1 },
      'fill window of the site, opens at 2030-01-01T02:00+01:00',
    ],
    [{ missingFiles: 2, windowClosed: true }, 'fill window of the site, which never opens'],
    [{ windowClosed: true }, ''],
    [
      { missingFiles: 2, paused: true, windowClosed: true, shortBytes: 1 },
      'its return to service, as nothing is filled before',
    ],
    [{ paused: true, windowClosed: true }, ''],
  ])('%j', (state, sentence) => {
    expect(sayWaitingFor({ ...idle, ...state })).toBe(sentence)
  })
})

test.each([
  ['UTC', '2030-01-01T02:00Z'],
  ['Europe/Berlin', '2030-01-01T03:00+01:00'],
  ['America/St_Johns', '2029-12-31T22:30-03:30'],
  ['Asia/Kathmandu', '2030-01-01T07:45+05:45'],
])('local time in %s', (timeZone, text) => {
  expect(sayLocalTime(timeZone, new Date('2030-01-01T02:00:30Z'))).toBe(text)
})
