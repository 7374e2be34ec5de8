import { describe, expect, test } from '@jest/globals'
import type { Appliance, Assignment } from '../../../crds/types.gen.ts'
import { planAppliance } from '../../../reconcilers/appliance/plan-appliance.ts'
import { type Heard, shardOf } from '../../../reconcilers/heartbeats/leases.ts'
import { appliance, conditions, FLEET, hardwareClass, NOW, site, written } from '../fleet.ts'

const key = 'default/a1'
const shard = shardOf(key)
const heard: Heard = { online: new Set([key]), freshShards: new Set([shard]), expiresAtMs: NOW.getTime() + 20_000 }
const silent: Heard = { online: new Set(), freshShards: new Set([shard]) }
const nobodyKnows: Heard = { online: new Set(), freshShards: new Set() }

const content = {
  generation: 2,
  filesDesired: 3,
  bytesDesired: 300,
  filesHeld: 3,
  bytesHeld: 300,
  filesFailing: 0,
  bytesToFill: 0,
  progressPercent: 100,
  storageUsedBytes: 300,
  storageCapacityBytes: 1000,
}
const agent = { version: '1', bootId: 'b', startedAt: '2030-01-01T00:00:00Z' }
const assignment = {
  apiVersion: FLEET,
  kind: 'Assignment',
  metadata: { name: 'a1', namespace: 'default' },
  spec: {
    content: { generation: 2, entries: [], fill: { timeZone: 'UTC', windows: [] }, drainSeconds: 30, serve: true },
  },
} as Assignment

interface Case {
  reason: string
  more?: Parameters<typeof appliance>[2]
  content?: Partial<typeof content> & { failures?: unknown; waitingFor?: string }
  heard?: Heard
  site?: null
  assignment?: null
  phase: string
  conditions: string[]
  waitingFor: string[]
}

const cases: Case[] = [
  {
    reason: 'online and holding everything',
    phase: 'Ready',
    conditions: ['Ready=True Converged', 'Online=True Heartbeat', 'ContentReady=True ContentComplete'],
    waitingFor: [],
  },
  {
    reason: 'still filling, in the words of its agent',
    content: { filesHeld: 1, bytesToFill: 200, waitingFor: '2 files from origin' },
    phase: 'Filling',
    conditions: [
      'Ready=False Filling',
      'Online=True Heartbeat',
      'ContentReady=False Filling',
      'Reconciling=True Filling',
    ],
    waitingFor: ['2 files from origin'],
  },
  {
    reason: 'empty files to fill move no bytes, but are missing',
    content: { filesHeld: 2 },
    phase: 'Filling',
    conditions: [
      'Ready=False Filling',
      'Online=True Heartbeat',
      'ContentReady=False Filling',
      'Reconciling=True Filling',
    ],
    waitingFor: ['1 file to fill'],
  },
  {
    reason: 'a file that cannot be filled is named',
    content: {
      filesHeld: 2,
      filesFailing: 1,
      bytesToFill: 100,
      failures: [
        { path: 'x.bin', catalog: 'default/films', reason: 'DigestMismatch', message: 'wrong bytes', attempts: 3 },
      ],
    },
    phase: 'Degraded',
    conditions: [
      'Ready=False FilesFailing',
      'Online=True Heartbeat',
      'ContentReady=False FilesFailing',
      'Reconciling=True FilesFailing',
    ],
    waitingFor: ['1 file cannot be filled: x.bin: wrong bytes'],
  },
  {
    reason: 'a report on an older generation does not count',
    content: { generation: 1 },
    phase: 'Filling',
    conditions: [
      'Ready=False NotObserved',
      'Online=True Heartbeat',
      'ContentReady=False NotObserved',
      'Reconciling=True NotObserved',
    ],
    waitingFor: ['The agent has not taken up its latest Assignment yet'],
  },
  {
    reason: 'silent',
    heard: silent,
    phase: 'Offline',
    conditions: ['Ready=False HeartbeatLost', 'Online=False HeartbeatLost', 'ContentReady=True ContentComplete'],
    waitingFor: ['No heartbeat for 30 s'],
  },
  {
    reason: 'no gateway: nobody knows, and nothing is said to be off',
    heard: nobodyKnows,
    phase: 'Ready',
    conditions: [
      'Ready=Unknown GatewayUnreachable',
      'Online=Unknown GatewayUnreachable',
      'ContentReady=True ContentComplete',
    ],
    waitingFor: ['No gateway says whether it is online'],
  },
  {
    reason: 'never connected',
    more: { status: {} },
    heard: silent,
    phase: 'Pending',
    conditions: [
      'Ready=False NeverConnected',
      'Online=False NeverConnected',
      'ContentReady=False NotObserved',
      'Reconciling=True NotObserved',
    ],
    waitingFor: ['Its agent has not connected yet', 'The agent has not taken up its latest Assignment yet'],
  },
  {
    reason: 'an unknown site is for a person to mend',
    site: null,
    assignment: null,
    phase: 'Pending',
    conditions: [
      'Ready=False SiteNotFound',
      'Online=True Heartbeat',
      'ContentReady=False NotAssigned',
      'Stalled=True SiteNotFound',
    ],
    waitingFor: ['Site "fra1" does not exist'],
  },
  {
    reason: 'draining keeps what it holds',
    more: { spec: { mode: 'Draining' } },
    phase: 'Draining',
    conditions: ['Ready=True Draining', 'Online=True Heartbeat', 'ContentReady=True ContentComplete'],
    waitingFor: [],
  },
]

describe('conditions, phase and what it waits for', () => {
  test.each(cases)('$reason', (c) => {
    const status = { agent, content: { ...content, ...c.content } as NonNullable<Appliance['status']>['content'] }
    const plan = planAppliance(
      {
        appliance: appliance('a1', 'fra1', { status, ...c.more }),
        site: c.site === null ? undefined : site('fra1'),
        hardwareClass: hardwareClass('small', 1000),
        assignment: c.assignment === null ? undefined : assignment,
        heard: c.heard ?? heard,
      },
      NOW,
    )
    const [object] = written<Appliance>(plan, 'applyStatus', 'Appliance')
    expect(object?.status?.phase).toBe(c.phase)
    expect(conditions(plan, 'Appliance')).toEqual(c.conditions)
    expect(object?.status?.waitingFor).toEqual(c.waitingFor)
  })
})

test('it looks again when the heartbeat lease could have run out', () => {
  const plan = planAppliance(
    {
      appliance: appliance('a1', 'fra1'),
      site: site('fra1'),
      hardwareClass: hardwareClass('small', 1),
      assignment,
      heard,
    },
    NOW,
  )
  expect(plan.outcome).toEqual({ type: 'requeue', afterMs: 20_001 })
})

test('while the reader settles, a shard that nobody answers for keeps what was known', () => {
  const online = {
    type: 'Online',
    status: 'True',
    reason: 'Heartbeat',
    message: 'x',
    lastTransitionTime: '2030-01-01T00:00:00Z',
  } as const
  const decide = (settling: boolean) =>
    planAppliance(
      {
        appliance: appliance('a1', 'fra1', { status: { agent, conditions: [online] } }),
        site: site('fra1'),
        hardwareClass: hardwareClass('small', 1),
        assignment,
        heard: { ...nobodyKnows, settling },
      },
      NOW,
    )
  expect(conditions(decide(true), 'Appliance')).toContain('Online=True Heartbeat')
  expect(decide(true).events).toEqual([])
  expect(conditions(decide(false), 'Appliance')).toContain('Online=Unknown GatewayUnreachable')
})

test('falling silent and coming back are events, being silent is not', () => {
  const eventsOf = (before: 'True' | 'False', now: Heard) =>
    planAppliance(
      {
        appliance: appliance('a1', 'fra1', {
          status: {
            agent,
            conditions: [
              { type: 'Online', status: before, reason: 'x', message: '', lastTransitionTime: '2030-01-01T00:00:00Z' },
            ],
          },
        }),
        site: site('fra1'),
        hardwareClass: hardwareClass('small', 1),
        assignment,
        heard: now,
      },
      NOW,
    ).events.map((e) => `${e.type} ${e.reason}`)
  expect(eventsOf('True', silent)).toEqual(['Warning HeartbeatLost'])
  expect(eventsOf('False', heard)).toEqual(['Normal Heartbeat'])
  expect(eventsOf('False', silent)).toEqual([])
  expect(eventsOf('True', heard)).toEqual([])
})
