import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { StoreError } from '../../../apiserver/storage/errors.ts'
import { type Journal, memoryJournal } from '../../../apiserver/storage/journal.ts'
import { JournaledStore } from '../../../apiserver/storage/journaled-store.ts'
import { keyPrefix } from '../../../apiserver/storage/keys.ts'
import { openStore } from '../../../apiserver/storage/open.ts'
import type { Page, Store } from '../../../apiserver/storage/store.ts'
import { drillKill } from '../../drills/store-kill.ts'
import { configMapKey, put, record, remove, textOf } from './fixtures.ts'

const all = keyPrefix('', 'configmaps')

describe('a data folder', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'weir-store-')), 'data')
    file = join(folder, 'store.db')
  })
  afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

  async function using<T>(work: (store: Store) => T): Promise<Awaited<T>> {
    const store = await openStore(folder)
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }

  test('gives back every object as it was, in order', async () => {
    const before = await using(async (store) => {
      for (const name of ['b', 'ä ☃', 'a']) await put(store, name, `text of ${name}`)
      await put(store, 'a', 'new text')
      await put(store, 'large', 'x'.repeat(3_000_000))
      return store.range(all)
    })
    const after = await using((store) => store.range(all))
    const plain = (page: Page) =>
      page.items.map(({ key, value, json, createRevision, modRevision }) => {
        return { key, value, json: json.toString(), createRevision, modRevision }
      })
    expect(plain(after)).toEqual(plain(before))
    expect(after.revision).toBe(before.revision)
  })

  test('goes on counting where it was, even if the last write was a deletion', async () => {
    const deleted = await using(async (store) => {
      await put(store, 'a')
      return remove(store, 'a')
    })
    await using(async (store) => {
      expect(store.revision).toBe(deleted?.modRevision)
      expect(store.get(configMapKey('a'))).toBeUndefined()
      expect((await put(store, 'b')).modRevision).toBeGreaterThan(deleted!.modRevision)
    })
  })

  test('a watcher that had seen everything goes on after a restart; one that had not must list again', async () => {
    await using(async (store) => {
      await put(store, 'a', '1')
      await put(store, 'a', '2')
    })
    await using(async (store) => {
      expect(() => record(store, all, store.revision - 1)).toThrow(expect.objectContaining({ code: 'Compacted' }))
      const seen = record(store, all, store.revision)
      await put(store, 'a', '3')
      expect(seen.lines).toEqual(['MODIFIED a=3 <- 2'])
    })
  })

  test('is readable by its owner alone: it holds Secrets', async () => {
    await using((store) => put(store, 'a'))
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077).toBe(0)
  })

  test('is used by one store at a time', async () => {
    await using(async (store) => {
      await expect(openStore(folder)).rejects.toMatchObject({ code: 'Locked', message: expect.stringContaining(file) })
      await put(store, 'a')
    })
    await using((store) => expect(store.get(configMapKey('a'))).toBeDefined())
  })

  test.each([
    ['a newer format', 'UnknownFormat', () => change('pragma user_version = 2')],
    ['somebody else', 'UnknownFormat', () => change('pragma journal_mode = delete; pragma application_id = 1')],
    ['no database at all', 'Corrupt', () => writeFileSync(file, 'x'.repeat(8192))],
  ])('is refused, and left as it is, if it is of %s', async (_, code, spoil) => {
    await using((store) => put(store, 'a'))
    spoil()
    const before = readFileSync(file)
    await expect(openStore(folder)).rejects.toMatchObject({ code, message: expect.stringContaining(file) })
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  function change(sql: string): void {
    const db = new DatabaseSync(file)
    db.exec(sql)
    db.close()
  }

  test.each([
    ['cut off', (log: string) => truncateSync(log, statSync(log).size - 1000)],
    ['followed by rubbish', (log: string) => appendFileSync(log, 'x'.repeat(5000))],
  ])('survives a last write that is %s', async (what, tear) => {
    const store = await openStore(folder)
    await put(store, 'a', 'acknowledged long ago')
    await put(store, 'b', 'x'.repeat(20_000))
    const log = join(folder, 'store.db-wal')
    const copy = `${folder}-copy`
    // The copy is what a crash at this moment would leave.
    cpSync(folder, copy, { recursive: true })
    await store.close()
    tear(log.replace(folder, copy))
    const after = await openStore(copy)
    expect(textOf(after.get(configMapKey('a')))).toBe('acknowledged long ago')
    expect(after.get(configMapKey('b')) !== undefined).toBe(what !== 'cut off')
    await put(after, 'c')
    await after.close()
  })
})

test('kill -9, again and again: everything acknowledged is there', async () => {
  const { acknowledged, losses } = await drillKill(4)
  expect(losses).toEqual([])
  expect(acknowledged).toBeGreaterThan(0)
})

describe('a write that fails', () => {
  /** Fails as told; else forgets. */
  function failingJournal(): Journal & { error: Error | undefined } {
    const journal = {
      ...memoryJournal(),
      error: undefined as Error | undefined,
      append: async () => {
        if (journal.error) throw journal.error
      },
    }
    return journal
  }

  test('for want of space: it and what was built on it are rolled back, later ones succeed', async () => {
    const journal = failingJournal()
    const store = await JournaledStore.open(journal)
    await put(store, 'a', '1')
    const full = new StoreError('WriteFailed', 'the disk is full')
    journal.error = full
    const writes = [put(store, 'a', '2'), put(store, 'b'), store.transact((tx) => tx.get(configMapKey('b')))]
    for (const write of writes) await expect(write).rejects.toBe(full)
    journal.error = undefined
    expect(store.failure).toBeUndefined()
    expect(await store.transact((tx) => textOf(tx.get(configMapKey('a'))))).toBe('1')
    expect((await put(store, 'b')).createRevision).toBe(store.revision)
    expect(store.range(all).items.map(textOf)).toEqual(['1', ''])
  })

  test('in an unknown way: the store takes no more writes, and still reads', async () => {
    const journal = failingJournal()
    const store = await JournaledStore.open(journal)
    await put(store, 'a', '1')
    journal.error = new Error('input/output error')
    await expect(put(store, 'a', '2')).rejects.toMatchObject({ code: 'Unavailable' })
    journal.error = undefined
    await expect(put(store, 'b')).rejects.toMatchObject({ code: 'Unavailable' })
    expect(store.failure?.message).toContain('input/output error')
    expect(textOf(store.get(configMapKey('a')))).toBe('1')
    await store.close()
  })
})
