import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { BlobCache, cacheFolder } from '../../../cli/plan/blob-cache.ts'
import { proxyPath } from '../../../cli/plan/blob-door.ts'
import { type BlobDoor, BlobsUnreadable, PlanBlobs } from '../../../cli/plan/blobs.ts'
import { digestOf } from '../../../runtime/blob-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-cache-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const blob = (text: string) => ({ digest: digestOf(Buffer.from(text)), bytes: Buffer.from(text) })
const pathOf = (digest: string) => join(folder, digest.slice(7, 9), digest.slice(7))

describe('the cache of blobs', () => {
  test('keeps what was read, for its owner only, and throws out what is damaged', async () => {
    const { digest, bytes } = blob('a manifest')
    const cache = new BlobCache(folder)
    cache.put(digest, bytes)
    await cache.close()
    expect(new BlobCache(folder).get(digest)).toEqual(bytes)
    expect(statSync(pathOf(digest)).mode & 0o777).toBe(0o600)
    writeFileSync(pathOf(digest), 'another one')
    expect(cache.get(digest)).toBeUndefined()
    expect(readdirSync(join(pathOf(digest), '..'))).toEqual([])
  })

  test('has an end: what was not used for longest goes', async () => {
    const cache = new BlobCache(folder, 25)
    const blobs = ['0123456789', 'abcdefghij', 'ABCDEFGHIJ'].map(blob)
    for (const [i, { digest, bytes }] of blobs.slice(0, 2).entries()) {
      cache.put(digest, bytes)
      await cache.close()
      utimesSync(pathOf(digest), new Date(i * 1000), new Date(i * 1000))
    }
    expect(cache.get(blobs[0]!.digest)).toBeDefined()
    cache.put(blobs[2]!.digest, blobs[2]!.bytes)
    await cache.close()
    const left = blobs.map(({ digest }) => cache.get(digest) !== undefined)
    expect(left).toEqual([true, false, true])
  })

  test('a cache that cannot be written is none', async () => {
    const cache = new BlobCache('/dev/null/nowhere')
    const { digest, bytes } = blob('x')
    cache.put(digest, bytes)
    await cache.close()
    expect(cache.get(digest)).toBeUndefined()
  })

  test.each([
    [{ XDG_CACHE_HOME: '/c', HOME: '/h' }, 'linux', '/c/weir/blobs'],
    [{ HOME: '/h' }, 'linux', '/h/.cache/weir/blobs'],
    [{ HOME: '/h' }, 'darwin', '/h/Library/Caches/weir/blobs'],
    [{}, 'linux', undefined],
  ] as const)('is where caches are: %j on %s', (env, platform, path) => {
    expect(cacheFolder({ env }, platform)).toBe(path)
  })
})

describe('blobs of a plan', () => {
  test('travel together, once each; what is planned is never asked for', async () => {
    const asked: (readonly string[])[] = []
    const [a, b, c] = ['a', 'b', 'c'].map(blob) as [
      ReturnType<typeof blob>,
      ReturnType<typeof blob>,
      ReturnType<typeof blob>,
    ]
    const door: BlobDoor = async (digests) => {
      asked.push(digests)
      return new Map(digests.map((digest) => [digest, [a, b].find((each) => each.digest === digest)?.bytes]))
    }
    const blobs = new PlanBlobs(door, undefined)
    blobs.put(c)
    const got = await Promise.all([a, b, a, c, blob('nowhere')].map(({ digest }) => blobs.get(digest)))
    expect(got).toEqual([a.bytes, b.bytes, a.bytes, c.bytes, undefined])
    expect(asked).toEqual([[a.digest, b.digest, blob('nowhere').digest]])
    expect(blobs.fetchedBytes).toBe(2)
  })

  test('that cannot be read are unknown, not lost, and nobody asks again', async () => {
    let asked = 0
    const door: BlobDoor = async () => {
      asked++
      throw new BlobsUnreadable('you may not')
    }
    const blobs = new PlanBlobs(door, undefined)
    const [a, b] = [blob('a'), blob('b')]
    blobs.substitute(new Map([[b.digest, Buffer.from('as good')]]))
    await expect(blobs.get(a.digest)).rejects.toThrow('you may not')
    await expect(blobs.get(a.digest)).rejects.toThrow('you may not')
    expect([await blobs.has(a.digest), (await blobs.get(b.digest))?.toString(), asked]).toEqual([true, 'as good', 1])
    expect(blobs.unreadable).toBe('you may not')
  })

  test.each([
    ['weir-system/weir-blobs', '/api/v1/namespaces/weir-system/services/https:weir-blobs:blobs/proxy/weir/v1/blobs'],
    ['infra/x:8444', '/api/v1/namespaces/infra/services/https:x:8444/proxy/weir/v1/blobs'],
    ['weir-blobs', undefined],
    ['a/b/c', undefined],
    ['../a', undefined],
    ['a/b:', undefined],
  ] as const)('come through the API server’s proxy of a Service: %s', (service, path) => {
    if (path === undefined) expect(() => proxyPath(service)).toThrow(/is not NAMESPACE\/SERVICE/)
    else expect(proxyPath(service)).toBe(path)
  })
})
