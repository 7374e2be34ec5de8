import { describe, expect, test } from '@jest/globals'
import {
  heartbeatLease,
  planHeartbeats,
  presumedOnline,
  type ShardWritten,
  staleLeases,
} from '../../../reconcilers/gateway/heartbeats.ts'
import { readHeartbeats, shardOf } from '../../../reconcilers/heartbeats/leases.ts'
import { appliance } from '../fleet.ts'

/** Appliances by shard: `name(3)` is one of shard 3, `name(3, 1)` another. */
function name(shard: number, nth = 0): string {
  for (let i = 0; ; i++) if (shardOf(`ns/a${i}`) === shard && nth-- === 0) return `ns/a${i}`
}
const a = name(3)
const b = name(3, 1)
const other = name(5)
const now = 1_000_000

function plan(
  heardAgoMs: Readonly<Record<string, number>>,
  known: readonly string[],
  written: Readonly<Record<number, ShardWritten>> = {},
) {
  const lastHeardMs = new Map(Object.entries(heardAgoMs).map(([key, ms]) => [key, now - ms]))
  const byShard = new Map(Object.entries(written).map(([shard, w]) => [Number(shard), w]))
  return planHeartbeats({ lastHeardMs, known, isKnown: (key) => known.includes(key), written: byShard }, now)
}
const listed = (online: readonly string[], agoMs: number): ShardWritten => ({ online, atMs: now - agoMs })

describe('planHeartbeats', () => {
  test.each([
    ['the first word of an appliance is told at once', plan({ [a]: 0 }, [a]), [{ shard: 3, online: [a] }]],
    [
      'a shard whose appliances are all silent is told too: somebody listened',
      plan({}, [a]),
      [{ shard: 3, online: [] }],
    ],
    ['a shard without appliances needs no lease', plan({}, []), []],
    ['nothing new within 10 s: nothing is written', plan({ [a]: 9000 }, [a], { 3: listed([a], 9999) }), []],
    [
      'after 10 s it is renewed as it is',
      plan({ [a]: 9000 }, [a], { 3: listed([a], 10_000) }),
      [{ shard: 3, online: [a] }],
    ],
    [
      'an appliance heard again is told without waiting for the 10 s',
      plan({ [a]: 0, [b]: 1 }, [a, b], { 3: listed([a], 600) }),
      [{ shard: 3, online: [a, b].sort() }],
    ],
    ['but a lease is written at most twice a second', plan({ [a]: 0, [b]: 1 }, [a, b], { 3: listed([a], 499) }), []],
    ['29.999 s of silence is not silence yet', plan({ [a]: 29_999 }, [a], { 3: listed([a], 5000) }), []],
    ['30 s is', plan({ [a]: 30_000 }, [a], { 3: listed([a], 5000) }), [{ shard: 3, online: [] }]],
    [
      'who is deleted is listed no more',
      plan({ [a]: 0, [b]: 0 }, [b], { 3: listed([a, b], 5000) }),
      [{ shard: 3, online: [b] }],
    ],
    [
      'the last of a shard is taken out, then the shard is left alone',
      plan({ [a]: 0 }, [], { 3: listed([a], 5000), 5: listed([], 60_000) }),
      [{ shard: 3, online: [] }],
    ],
    [
      'who was heard before the cache knew of it is not listed yet',
      plan({ [a]: 0 }, [other], { 5: listed([], 0) }),
      [],
    ],
  ])('%s', (_, { renew }, expected) => expect(renew).toEqual(expected))

  test.each([
    ['the next renewal', plan({ [a]: 1000 }, [a], { 3: listed([a], 4000) }), 6000],
    ['the moment an appliance becomes silent', plan({ [a]: 27_500 }, [a], { 3: listed([a], 4000) }), 2500],
    ['the moment a change may be written', plan({ [a]: 0, [b]: 0 }, [a, b], { 3: listed([a], 200) }), 300],
    ['nothing to do: 10 s', plan({}, []), 10_000],
  ])('looks again at %s', (_, { afterMs }, expected) => expect(afterMs).toBe(expected))

  test('20,000 appliances are planned in a few milliseconds', () => {
    const known = Array.from({ length: 20_000 }, (_, i) => `partner-${i % 50}/appliance-${i}`)
    const keys = new Set(known)
    const input = {
      lastHeardMs: new Map(known.map((key) => [key, now - 5000])),
      known,
      isKnown: (key: string) => keys.has(key),
      written: new Map(),
    }
    const { renew } = planHeartbeats(input, now)
    expect(renew).toHaveLength(16)
    expect(renew.flatMap(({ online }) => online).sort()).toEqual([...known].sort())
    for (const { shard, online } of renew) {
      const bytes = JSON.stringify(heartbeatLease('weir-gateway-0', shard, online, new Date(0))).length
      expect(bytes).toBeLessThan(65_536)
    }
  })
})

test('what one gateway writes is what readers read', () => {
  const time = new Date('2030-01-01T00:00:00Z')
  const heard = readHeartbeats([heartbeatLease('g1', 3, [a, b], time), heartbeatLease('g1', 5, [], time)], time)
  expect([...heard.online]).toEqual([a, b])
  expect([...heard.freshShards]).toEqual([3, 5])
  expect(heard.expiresAtMs).toBe(time.getTime() + 30_000)
})

test('after a start, those are presumed online that were, or of whom nobody could say', () => {
  const agent = { version: '1', bootId: 'x', startedAt: '2030-01-01T00:00:00Z' }
  const online = (status: 'True' | 'False' | 'Unknown') => ({
    agent,
    conditions: [{ type: 'Online', status, reason: 'X', message: '', lastTransitionTime: '2030-01-01T00:00:00Z' }],
  })
  const presumed = presumedOnline(
    [
      appliance('was', 's', { status: online('True') }),
      appliance('unknown', 's', { status: online('Unknown') }),
      appliance('silent', 's', { status: online('False') }),
      appliance('new', 's'),
      appliance('never', 's', { status: { conditions: online('Unknown').conditions } }),
    ],
    now,
  )
  expect([...presumed.keys()]).toEqual(['default/was', 'default/unknown'])
  // They have 15 s to send word.
  expect([...presumed.values()]).toEqual([now - 15_000, now - 15_000])
})

test('leases are removed only long after they ran out', () => {
  const time = new Date('2030-01-01T00:00:00Z')
  const leases = [0, 600, 631].map((ago) => heartbeatLease(`g${ago}`, 1, [], new Date(time.getTime() - ago * 1000)))
  expect(staleLeases(leases, time).map(({ spec }) => spec?.holderIdentity)).toEqual(['g631'])
})
