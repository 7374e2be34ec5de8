import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { StoreOptions } from '../../../apiserver/storage/journaled-store.ts'
import { keyPrefix } from '../../../apiserver/storage/keys.ts'
import type { Store } from '../../../apiserver/storage/store.ts'
import { configMap, configMapKey, put, type Recorder, record, remove, textOf } from './fixtures.ts'

const all = keyPrefix('', 'configmaps')
const inDefault = keyPrefix('', 'configmaps', 'default')

/** What every implementation of Store must do. `open` gives a new, empty one. */
export function storeContract(open: (options?: StoreOptions) => Promise<Store>): void {
  let store: Store
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  const names = (page: { items: readonly { value: { metadata: { name?: string } } }[] }) =>
    page.items.map((item) => item.value.metadata.name)

  describe('writes', () => {
    test('an object gets the revision of its write as resourceVersion, in value and JSON alike', async () => {
      const first = await put(store, 'a', '1')
      const second = await put(store, 'a', '2')
      expect(second.modRevision).toBeGreaterThan(first.modRevision)
      expect(second.createRevision).toBe(first.modRevision)
      expect(second.value.metadata.resourceVersion).toBe(String(second.modRevision))
      expect(JSON.parse(second.json.toString())).toEqual(second.value)
      expect(store.get(second.key)).toBe(second)
      expect(store.revision).toBe(second.modRevision)
    })

    test('what is stored cannot be changed by anybody', async () => {
      const value = { ...configMap('a', '1'), data: { text: '1' } }
      const stored = await store.transact((tx) => tx.put(configMapKey('a'), value))
      expect(() => {
        value.data.text = '2'
      }).toThrow(TypeError)
      expect(Object.isFrozen(stored.value.metadata)).toBe(true)
    })

    test('undefined members are as absent as they are in JSON', async () => {
      const value = { ...configMap('a'), metadata: { name: 'a', namespace: 'default', labels: undefined } }
      const stored = await store.transact((tx) => tx.put(configMapKey('a'), value))
      expect('labels' in stored.value.metadata).toBe(false)
    })

    test('an object that is created again begins anew', async () => {
      const first = await put(store, 'a')
      const deleted = await remove(store, 'a')
      const again = await put(store, 'a')
      expect(deleted?.value.metadata.resourceVersion).toBe(String(deleted?.modRevision))
      expect(deleted!.modRevision).toBeGreaterThan(first.modRevision)
      expect(again.createRevision).toBe(again.modRevision)
    })

    test('deleting what is not there writes nothing', async () => {
      expect(await remove(store, 'a')).toBeUndefined()
      expect(store.revision).toBe(0)
    })

    test('nothing is visible before it is durable', async () => {
      const writing = put(store, 'a')
      expect(store.get(configMapKey('a'))).toBeUndefined()
      expect(store.range(all).items).toEqual([])
      await writing
      expect(store.get(configMapKey('a'))).toBeDefined()
    })

    test('read-modify-write is serial: no concurrent increment is lost', async () => {
      const key = configMapKey('counter')
      const increment = () =>
        store.transact((tx) => tx.put(key, configMap('counter', String(Number(textOf(tx.get(key)) ?? 0) + 1))))
      const results = await Promise.all(Array.from({ length: 100 }, increment))
      expect(textOf(store.get(key))).toBe('100')
      expect(new Set(results.map((r) => r.modRevision)).size).toBe(100)
    })

    test('a transaction sees its own writes and leaves the last of each key', async () => {
      const seen = record(store, all, 0)
      await put(store, 'b', '0')
      await store.transact((tx) => {
        tx.put(configMapKey('a'), configMap('a', '1'))
        tx.put(configMapKey('b'), configMap('b', '1'))
        expect(textOf(tx.get(configMapKey('a')))).toBe('1')
        tx.put(configMapKey('a'), configMap('a', '2'))
        tx.put(configMapKey('c'), configMap('c'))
        tx.delete(configMapKey('c'))
        expect(tx.get(configMapKey('c'))).toBeUndefined()
      })
      expect(seen.lines).toEqual(['ADDED b=0', 'MODIFIED b=1 <- 0', 'ADDED a=2'])
      const revisions = seen.events.map((e) => e.revision)
      expect(revisions).toEqual([...revisions].sort((a, b) => a - b))
    })

    test('a transaction that throws writes nothing and rejects with what was thrown', async () => {
      const refused = new Error('refused')
      const writing = store.transact((tx) => {
        tx.put(configMapKey('a'), configMap('a'))
        throw refused
      })
      await expect(writing).rejects.toBe(refused)
      expect(store.get(configMapKey('a'))).toBeUndefined()
      expect((await put(store, 'b')).modRevision).toBe(1)
    })

    test.each([
      ['returns', (found: boolean) => found],
      [
        'throws',
        (found: boolean) => {
          throw new Error(`found: ${found}`)
        },
      ],
    ])('what has been read while not durable is answered only when it is: the transaction %s', async (_, decide) => {
      const order: string[] = []
      const writing = put(store, 'a').then(() => order.push('written'))
      const reading = store
        .transact((tx) => decide(tx.get(configMapKey('a')) !== undefined))
        .then(String, (error: Error) => error.message)
        .then((result) => order.push(result))
      await Promise.all([writing, reading])
      expect(order).toEqual(['written', expect.stringContaining('true')])
    })

    test('a transaction ends with its function', async () => {
      let late: (() => unknown) | undefined
      await store.transact((tx) => {
        late = () => tx.put(configMapKey('a'), configMap('a'))
      })
      expect(late).toThrow('synchronous')
    })

    test('transactions do not nest', async () => {
      await expect(store.transact(() => store.transact(() => 1))).rejects.toThrow('nest')
    })
  })

  describe('range', () => {
    beforeEach(async () => {
      for (const name of ['b', 'a-b', 'a', 'c']) await put(store, name)
      await put(store, 'x', '', 'default-2')
      await put(store, 'y', '', 'zone')
    })

    test.each([
      ['a resource, in order of key as etcd has it', all, ['x', 'a', 'a-b', 'b', 'c', 'y']],
      ['one namespace, not the one whose name begins alike', inDefault, ['a', 'a-b', 'b', 'c']],
      ['a whole key, not those it begins', configMapKey('a'), ['a']],
      ['a resource without objects', keyPrefix('apps', 'deployments'), []],
      ['a resource whose name begins alike', '/core/config/', []],
    ])('lists %s', (_, prefix, expected) => {
      expect(names(store.range(prefix))).toEqual(expected)
    })

    test('pages through everything, and says how much remains', () => {
      const first = store.range(all, { limit: 4 })
      expect([names(first), first.remaining]).toEqual([['x', 'a', 'a-b', 'b'], 2])
      const second = store.range(all, { limit: 4, startAfter: first.items.at(-1)!.key })
      expect([names(second), second.remaining]).toEqual([['c', 'y'], 0])
    })

    test('continues after a key that does not exist (any more)', () => {
      expect(names(store.range(inDefault, { startAfter: configMapKey('aa') }))).toEqual(['b', 'c'])
    })

    test('pages at an old revision are one consistent snapshot, whatever is written in between', async () => {
      const before = names(store.range(all))
      const first = store.range(all, { limit: 2 })
      await put(store, 'a', 'changed')
      await remove(store, 'b')
      await remove(store, 'y', 'zone')
      await put(store, 'aa')
      await put(store, 'z')
      await remove(store, 'z')
      await put(store, 'y', 'again', 'zone')
      const seen = [...first.items]
      let remaining = first.remaining
      while (remaining > 0) {
        const page = store.range(all, { limit: 1, startAfter: seen.at(-1)!.key, revision: first.revision })
        expect(page.remaining).toBe(remaining - page.items.length)
        seen.push(...page.items)
        remaining = page.remaining
      }
      expect(names({ items: seen })).toEqual(before)
      expect(seen.map(textOf)).toEqual(before.map(() => ''))
      expect(names(store.range(all, { revision: first.revision }))).toEqual(before)
      expect(names(store.range(all))).toEqual(['x', 'a', 'a-b', 'aa', 'c', 'y'])
    })

    test('a revision that is yet to come is refused', () => {
      expect(() => store.range(all, { revision: store.revision + 1 })).toThrow(
        expect.objectContaining({ code: 'FutureRevision' }),
      )
    })
  })

  describe('watch', () => {
    test('delivers from history and then live, exactly once, with what was before', async () => {
      await put(store, 'a', '1')
      const { revision } = store
      await put(store, 'a', '2')
      const seen = record(store, all, revision)
      expect(seen.lines).toEqual(['MODIFIED a=2 <- 1'])
      await remove(store, 'a')
      await put(store, 'b')
      expect(seen.lines.slice(1)).toEqual(['DELETED a=2 <- 2', 'ADDED b='])
      const deleted = seen.events[1]!
      expect(deleted.current.value.metadata.resourceVersion).toBe(String(deleted.revision))
      expect(seen.watch?.revision).toBe(store.revision)
    })

    test.each([
      ['everything', '/', ['a', 'x']],
      ['a resource', all, ['a', 'x']],
      ['a namespace', inDefault, ['a']],
      ['one object', configMapKey('a'), ['a']],
      ['another resource', keyPrefix('', 'secrets'), []],
    ])('of %s', async (_, prefix, expected) => {
      const live = record(store, prefix, 0)
      await put(store, 'a')
      await put(store, 'x', '', 'other')
      const late = record(store, prefix, 0)
      expect(names({ items: live.events.map((e) => e.current) })).toEqual(expected)
      expect(names({ items: late.events.map((e) => e.current) })).toEqual(expected)
    })

    test('all watchers of a prefix are handed the same batch, and the readers the same object', async () => {
      const [one, two] = [record(store, all, 0), record(store, all, 0)]
      await Promise.all([put(store, 'a'), put(store, 'b')])
      expect(one.batches).toHaveLength(1)
      expect(one.batches[0]).toBe(two.batches[0])
      expect(one.events[0]?.current).toBe(store.get(configMapKey('a')))
    })

    test('a closed watch hears nothing more', async () => {
      const seen = record(store, all, 0)
      seen.watch?.close()
      await put(store, 'a')
      expect(seen.lines).toEqual([])
    })

    test('a full sink gets nothing until it resumes, and then what it missed', async () => {
      const seen = record(store, all, 0, false)
      await put(store, 'a', '1')
      await put(store, 'a', '2')
      await put(store, 'a', '3')
      expect(seen.lines).toEqual(['ADDED a=1'])
      expect(seen.watch?.revision).toBe(seen.events[0]!.revision)
      seen.room = true
      seen.watch?.resume()
      expect(seen.lines).toEqual(['ADDED a=1', 'MODIFIED a=2 <- 1', 'MODIFIED a=3 <- 2'])
      expect(seen.watch?.revision).toBe(store.revision)
    })

    test('a sink that is full again while it catches up goes on from there', async () => {
      const seen = record(store, all, 0, false)
      await Promise.all(Array.from({ length: 1000 }, (_, i) => put(store, `n${i}`)))
      while (seen.events.length < 1000) {
        const before = seen.events.length
        seen.watch?.resume()
        expect(seen.events.length).toBeGreaterThan(before)
      }
      expect(new Set(seen.events.map((e) => e.revision)).size).toBe(1000)
    })

    describe('a crowd', () => {
      const crowd = (): Recorder[] => Array.from({ length: 100 }, () => record(store, all, store.revision))

      test('is told of a burst in few batches, which are the same for all', async () => {
        const watchers = crowd()
        const burst = 50
        for (let i = 0; i < burst; i++) await put(store, `n${i}`)
        await watchers[0]?.whenTold(burst)
        expect(watchers[0]?.batches.length).toBeLessThan(burst)
        for (const { batches } of watchers) expect(batches).toEqual(watchers[0]?.batches)
        for (const { batches } of watchers) expect(batches[0]).toBe(watchers[0]?.batches[0])
      })

      test('never has a bookmark promise what is still to be told', async () => {
        const [watcher] = crowd()
        const { revision } = store
        await put(store, 'a')
        expect(watcher?.events).toEqual([])
        expect(watcher?.watch?.revision).toBe(revision)
        await watcher?.whenTold(1)
        expect(watcher?.watch?.revision).toBe(store.revision)
      })

      test('grows by one that has seen part of the burst, and gets the rest only', async () => {
        const [watcher] = crowd()
        const { revision } = store
        const first = await put(store, 'a')
        const listed = record(store, all, first.modRevision)
        const late = record(store, all, revision)
        await put(store, 'b')
        await watcher?.whenTold(2)
        expect(late.lines).toEqual(['ADDED a=', 'ADDED b='])
        expect(listed.lines).toEqual(['ADDED b='])
      })

      test('has members that are full, and catch up exactly', async () => {
        const watchers = crowd()
        const slow = record(store, all, store.revision, false)
        await put(store, 'a')
        await watchers[0]?.whenTold(1)
        await put(store, 'b')
        slow.watch?.resume()
        await put(store, 'c')
        await watchers[0]?.whenTold(3)
        slow.watch?.resume()
        expect(slow.lines).toEqual(['ADDED a=', 'ADDED b=', 'ADDED c='])
      })

      test('is told everything before the store closes', async () => {
        const [watcher] = crowd()
        await put(store, 'a')
        await store.close()
        expect(watcher?.lines).toEqual(['ADDED a='])
        expect(watcher?.ended).toBe('Closed')
      })
    })

    test('a watch begun by a sink misses nothing and gets nothing twice', async () => {
      let inner: ReturnType<typeof record> | undefined
      store.watch(all, 0, {
        events: () => {
          inner ??= record(store, all, 0)
          return true
        },
        end: () => {},
      })
      await Promise.all([put(store, 'a'), put(store, 'b')])
      await put(store, 'c')
      expect(inner?.lines).toEqual(['ADDED a=', 'ADDED b=', 'ADDED c='])
    })

    test('closing the store ends every watch', async () => {
      const seen = record(store, all, 0)
      await store.close()
      expect(seen.ended).toBe('Closed')
    })
  })

  describe('history', () => {
    const limits = { events: 10, bytes: 1 << 20 }
    beforeEach(async () => {
      await store.close()
      store = await open({ history: limits })
      for (let i = 0; i < 20; i++) await put(store, 'a', String(i))
    })

    test('what is too old is refused, the rest is served', () => {
      const compacted = expect.objectContaining({ code: 'Compacted' })
      expect(store.compactedRevision).toBe(10)
      expect(() => store.range(all, { revision: 9 })).toThrow(compacted)
      expect(() => record(store, all, 9)).toThrow(compacted)
      expect(textOf(store.range(all, { revision: 10 }).items[0])).toBe('9')
      expect(record(store, all, 10).lines[0]).toBe('MODIFIED a=10 <- 9')
    })

    test('a full sink that falls behind the history is told so', async () => {
      const seen = record(store, all, store.revision, false)
      for (let i = 0; i < 11; i++) await put(store, 'a', String(i))
      expect(seen.ended).toBeUndefined()
      await put(store, 'a', 'last')
      expect(seen.ended).toBe('Compacted')
      expect(seen.lines).toEqual(['MODIFIED a=0 <- 19'])
    })

    test('is bounded in bytes as well', async () => {
      for (let i = 0; i < 8; i++) await put(store, 'big', 'x'.repeat(limits.bytes / 4))
      expect(store.revision - store.compactedRevision).toBe(3)
    })
  })

  test('close waits for what is under way and refuses what comes later', async () => {
    const writing = put(store, 'a')
    await store.close()
    await expect(writing).resolves.toBeDefined()
    await expect(put(store, 'b')).rejects.toMatchObject({ code: 'Closed' })
  })
}
