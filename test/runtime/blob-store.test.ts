import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type BlobStore, collectBlobs, digestOf, openBlobStore } from '../../runtime/blob-store.ts'

let dir: string
let store: BlobStore
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'weir-blobs-'))
  store = await openBlobStore(dir)
})
afterEach(() => rmSync(dir, { recursive: true }))

const bytes = (text: string) => new TextEncoder().encode(text)
const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`
const incoming = () => readdirSync(join(dir, 'incoming'))

async function* later(...pieces: string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    await new Promise((resolve) => setImmediate(resolve))
    yield bytes(piece)
  }
}

describe('put and get', () => {
  const cases = [
    { why: 'in one piece', source: () => bytes('hello'), text: 'hello' },
    { why: 'in pieces', source: () => [bytes('hel'), bytes(''), bytes('lo')], text: 'hello' },
    { why: 'as they come', source: () => later('hel', 'lo'), text: 'hello' },
    { why: 'nothing at all', source: () => new Uint8Array(), text: '' },
  ]
  test.each(cases)('$why', async ({ source, text }) => {
    const digest = await store.put(source(), sha256(text))
    expect(digest).toBe(sha256(text))
    expect((await store.get(digest))?.toString()).toBe(text)
    expect(await store.stat(digest)).toMatchObject({ digest, bytes: text.length })
    expect(readdirSync(join(dir, 'sha256', digest.slice(7, 9)))).toEqual([digest.slice(7)])
    expect(incoming()).toEqual([])
  })

  test('the same bytes again are one blob', async () => {
    await store.put(bytes('a'))
    await store.put(later('a'))
    const listed = []
    for await (const blob of store.list()) listed.push(blob.digest)
    expect(listed).toEqual([sha256('a')])
  })

  test('a part of a blob', async () => {
    const digest = await store.put(bytes('0123456789'))
    const read = async (range?: object) => Buffer.concat(await store.stream(digest, range).toArray()).toString()
    expect(await read({ start: 2, end: 4 })).toBe('234')
    expect(await read({ start: 8 })).toBe('89')
    expect(await read()).toBe('0123456789')
  })

  test('what is not there', async () => {
    expect(await store.get(sha256('x'))).toBeUndefined()
    expect(await store.has(sha256('x'))).toBe(false)
    await store.delete(sha256('x'))
  })
})

describe('refused', () => {
  test.each([() => bytes('hello'), () => later('hello')])(
    'bytes that are not those named; nothing stays',
    async (source) => {
      await expect(store.put(source(), sha256('other'))).rejects.toThrow(`not ${sha256('other')}`)
      expect(await store.has(sha256('hello'))).toBe(false)
      expect(incoming()).toEqual([])
    },
  )

  test('a source that fails leaves nothing', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes('some')
      throw new Error('broken off')
    }
    await expect(store.put(failing())).rejects.toThrow('broken off')
    expect(incoming()).toEqual([])
  })

  test.each(['', 'sha256:', 'sha256:../../etc/passwd', `sha256:${'A'.repeat(64)}`, `md5:${'a'.repeat(64)}`])(
    '%s as a digest',
    (digest) => {
      expect(() => store.path(digest)).toThrow('not a digest')
    },
  )
})

test('what a crash left half written is gone after opening again; what was put is not', async () => {
  const digest = await store.put(bytes('kept'))
  mkdirSync(join(dir, 'incoming'), { recursive: true })
  writeFileSync(join(dir, 'incoming', 'half'), 'ha')
  const again = await openBlobStore(dir)
  expect(incoming()).toEqual([])
  expect((await again.get(digest))?.toString()).toBe('kept')
})

test('collecting takes what is old and not needed, and spares what has just been put again', async () => {
  const [needed, old, young, again] = await Promise.all(
    ['needed', 'old', 'young', 'again'].map((text) => store.put(bytes(text))),
  )
  const lastYear = new Date('2020-01-01')
  for (const digest of [needed, old, again]) utimesSync(store.path(digest!), lastYear, lastYear)
  await store.put(bytes('again'))
  expect(await collectBlobs(store, new Set([needed!]), new Date('2021-01-01'))).toEqual([old])
  expect(await store.has(young!)).toBe(true)
})

test('digestOf names bytes in one piece or in pieces alike', () => {
  expect(digestOf(bytes('hello'))).toBe(sha256('hello'))
  expect(digestOf([bytes('he'), bytes('llo')])).toBe(sha256('hello'))
})
