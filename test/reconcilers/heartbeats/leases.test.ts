import { describe, expect, test } from '@jest/globals'
import {
  type HeartbeatLease,
  leaseName,
  ONLINE_ANNOTATION,
  readHeartbeats,
  shardOf,
} from '../../../reconcilers/heartbeats/leases.ts'

const now = new Date('2030-01-01T00:01:00Z')
const lease = (name: string, online: unknown, renewTime = '2030-01-01T00:00:50.000000Z'): HeartbeatLease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {
    name,
    annotations: { [ONLINE_ANNOTATION]: typeof online === 'string' ? online : JSON.stringify(online) },
  },
  spec: { leaseDurationSeconds: 30, renewTime },
})

describe('who is online is what some living gateway says', () => {
  const cases: [reason: string, leases: HeartbeatLease[], online: string[], shards: number[]][] = [
    ['no lease: nobody knows', [], [], []],
    ['a fresh lease lists', [lease('weir-heartbeats-g1-3', ['a/b'])], ['a/b'], [3]],
    ['a fresh empty lease says that all are silent', [lease('weir-heartbeats-g1-3', [])], [], [3]],
    ['an expired lease says nothing', [lease('weir-heartbeats-g1-3', ['a/b'], '2030-01-01T00:00:29Z')], [], []],
    [
      'two gateways add up',
      [lease('weir-heartbeats-g1-3', ['a/b']), lease('weir-heartbeats-g2-3', ['a/c'])],
      ['a/b', 'a/c'],
      [3],
    ],
    ['a lease without its list says nothing', [lease('weir-heartbeats-g1-3', 'nonsense')], [], []],
    ['a lease without a time says nothing', [lease('weir-heartbeats-g1-3', ['a/b'], 'soon')], [], []],
    ['a name without a shard says nothing', [lease('weir-heartbeats-g1-x', ['a/b'])], [], []],
  ]
  test.each(cases)('%s', (_reason, leases, online, shards) => {
    const heard = readHeartbeats(leases, now)
    expect([...heard.online]).toEqual(online)
    expect([...heard.freshShards]).toEqual(shards)
  })

  test('the first to run out decides when to look again', () => {
    const heard = readHeartbeats(
      [lease('x-1', [], '2030-01-01T00:00:55Z'), lease('x-2', [], '2030-01-01T00:00:40Z')],
      now,
    )
    expect(new Date(heard.expiresAtMs!).toISOString()).toBe('2030-01-01T00:01:10.000Z')
  })
})

test('appliances spread over all shards, and a shard is in the name of its lease', () => {
  const shards = new Set(Array.from({ length: 500 }, (_, i) => shardOf(`isp/box-${i}`)))
  expect([...shards].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i))
  expect(leaseName('g1', 4)).toBe('weir-heartbeats-g1-4')
})
