import { beforeEach, describe, expect, test } from '@jest/globals'
import { FakeClock } from '../../../runtime/clock.ts'
import { DelayHeap } from '../../../runtime/queue/delay-heap.ts'
import { PRIORITY, Queue } from '../../../runtime/queue/queue.ts'

let clock: FakeClock
let queue: Queue
let ready: number

beforeEach(() => {
  clock = new FakeClock()
  ready = 0
  queue = new Queue({
    clock,
    onReady: () => ready++,
    backoff: { baseMs: 100, capMs: 1000, jitter: 0 },
  })
})

/** Takes and finishes everything that is there. */
function drain(): string[] {
  const keys: string[] = []
  for (let key = queue.take(); key !== undefined; key = queue.take()) {
    keys.push(key)
    queue.done(key)
  }
  return keys
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('keys', () => {
  test('many adds before a take are one', () => {
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
    expect(queue.depth).toBe(2)
    expect(drain()).toEqual(['a', 'b'])
  })

  test('an add while the key is worked on gives it again, once, and only after done', () => {
    queue.add('a')
    expect(queue.take()).toBe('a')
    queue.add('a')
    queue.add('a')
    expect(queue.take()).toBeUndefined()
    queue.done('a')
    expect(drain()).toEqual(['a'])
  })

  test('done of a key that was not taken does nothing', () => {
    queue.add('a')
    queue.done('a')
    queue.done('never seen')
    expect(drain()).toEqual(['a'])
    expect(queue.taken).toBe(0)
  })

  test('who takes hears of new keys once, from outside of the call', async () => {
    queue.add('a')
    queue.add('b')
    expect(ready).toBe(0)
    await settle()
    expect(ready).toBe(1)
    drain()
    queue.add('a')
    await settle()
    expect(ready).toBe(2)
  })

  test('after close nothing comes out and nothing goes in', async () => {
    queue.add('a')
    queue.addAfter('b', 10)
    queue.close()
    queue.add('c')
    expect(queue.take()).toBeUndefined()
    await clock.advance(100)
    expect(queue.take()).toBeUndefined()
    expect(clock.pendingTimers).toBe(0)
  })

  test('keys that come back stay in order over many rounds, whatever is forgotten meanwhile', () => {
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 50_000; i++) queue.add(`${round}-${i}`)
      queue.add('steady')
      const keys = drain()
      expect(keys).toHaveLength(50_001)
      expect(keys.at(-1)).toBe('steady')
    }
  })
})

describe('priorities', () => {
  test('what a person did comes before a resync, first come first served within', () => {
    queue.add('r1', PRIORITY.resync)
    queue.add('n1')
    queue.add('u1', PRIORITY.user)
    queue.add('r2', PRIORITY.resync)
    queue.add('u2', PRIORITY.user)
    expect(drain()).toEqual(['u1', 'u2', 'n1', 'r1', 'r2'])
  })

  test('a key that waits is raised, never lowered', () => {
    queue.add('a', PRIORITY.resync)
    queue.add('b', PRIORITY.resync)
    queue.add('c', PRIORITY.resync)
    queue.add('b', PRIORITY.user)
    queue.add('b', PRIORITY.resync)
    expect(drain()).toEqual(['b', 'a', 'c'])
  })

  test('a key added while it is worked on keeps the best priority it was added with', () => {
    queue.add('a')
    queue.take()
    queue.add('a', PRIORITY.resync)
    queue.add('a', PRIORITY.user)
    queue.add('z')
    queue.done('a')
    expect(drain()).toEqual(['a', 'z'])
  })

  test('nothing starves: a resync gets its turn however much else there is', () => {
    queue.add('low', PRIORITY.resync)
    let turns = 0
    for (let key: string | undefined = ''; key !== 'low'; turns++) {
      queue.add(`u${turns}`, PRIORITY.user)
      key = queue.take()
      if (key !== undefined) queue.done(key)
      if (turns > 1000) throw new Error('starved')
    }
    expect(turns).toBeLessThanOrEqual(65)
  })
})

describe('delays', () => {
  test('come out when due, the earliest first, on one timer', async () => {
    queue.addAfter('late', 300)
    queue.addAfter('early', 100)
    queue.addAfter('middle', 200)
    expect(queue.delayed).toBe(3)
    expect(clock.pendingTimers).toBe(1)
    await clock.advance(250)
    expect(drain()).toEqual(['early', 'middle'])
    await clock.advance(50)
    expect(drain()).toEqual(['late'])
    expect(clock.pendingTimers).toBe(0)
  })

  test('of several delays of one key the shortest counts', async () => {
    queue.addAfter('a', 200)
    queue.addAfter('a', 100)
    queue.addAfter('a', 300)
    await clock.advance(100)
    expect(drain()).toEqual(['a'])
    await clock.advance(1000)
    expect(drain()).toEqual([])
  })

  test('work on the key settles what it was delayed for: it was looked at anew', async () => {
    queue.addAfter('a', 100)
    queue.add('a')
    expect(drain()).toEqual(['a'])
    await clock.advance(1000)
    expect(drain()).toEqual([])
  })

  test('a delay set while the key is worked on stands', async () => {
    queue.add('a')
    queue.take()
    queue.addAfter('a', 100)
    queue.done('a')
    expect(drain()).toEqual([])
    await clock.advance(100)
    expect(drain()).toEqual(['a'])
  })
})

describe('back-off', () => {
  test('doubles per failure of that key, up to the cap, and starts again once it went well', async () => {
    const waits: number[] = []
    for (let i = 0; i < 5; i++) waits.push(queue.retry('a'))
    expect(waits).toEqual([100, 200, 400, 800, 1000])
    expect(queue.retry('b')).toBe(100)
    expect(queue.failures('a')).toBe(5)
    queue.forget('a')
    expect(queue.retry('a')).toBe(100)
  })

  test('waits at least as long as the other side asked for', () => {
    expect(queue.retry('a', PRIORITY.normal, 5000)).toBe(5000)
    expect(queue.retry('a', PRIORITY.normal, 10)).toBe(200)
  })

  test('a change does not wait for the back-off', () => {
    queue.retry('a')
    queue.add('a', PRIORITY.user)
    expect(drain()).toEqual(['a'])
  })
})

test('the heap gives its entries in order, whatever was moved or taken out', () => {
  const heap = new DelayHeap<{ dueMs: number; heapIndex: number }>()
  let seed = 1
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed
  }
  const entries = Array.from({ length: 500 }, () => ({ dueMs: 0, heapIndex: -1 }))
  for (const entry of entries) heap.put(entry, random() % 1000)
  for (let i = 0; i < 500; i += 3) heap.put(entries[i]!, random() % 1000)
  for (let i = 1; i < 500; i += 3) heap.remove(entries[i]!)
  heap.remove(entries[1]!)
  const out: number[] = []
  for (let top = heap.peek(); top; top = heap.peek()) {
    out.push(top.dueMs)
    heap.remove(top)
  }
  const kept = entries.filter((_, i) => i % 3 !== 1)
  expect(out).toEqual(kept.map((entry) => entry.dueMs).sort((a, b) => a - b))
})
