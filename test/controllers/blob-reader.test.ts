import { expect, test } from '@jest/globals'
import { BlobReader } from '../../controllers/placement/blob-reader.ts'
import { encodePlanIndex } from '../../reconcilers/blobs/plan-index.ts'
import { type BlobStore, digestOf } from '../../runtime/blob-store.ts'
import { Retryable } from '../../runtime/errors.ts'

const index = (name: string) =>
  encodePlanIndex({
    catalog: digestOf(new Uint8Array()),
    rows: [{ namespace: 'n', name, manifest: digestOf(new Uint8Array([1])), files: 1, bytes: 2 }],
  })

/** Counts reads. */
function readerOver(blobs: ReadonlyMap<string, Uint8Array>) {
  const reads: string[] = []
  const get = async (digest: string) => {
    reads.push(digest)
    const bytes = blobs.get(digest)
    return bytes && Buffer.from(bytes)
  }
  return { reads, reader: new BlobReader({ get } as BlobStore) }
}

test('an index is read once, however many ask, also at the same time', async () => {
  const bytes = index('a')
  const { reads, reader } = readerOver(new Map([[digestOf(bytes), bytes]]))
  const [one, two] = await Promise.all([reader.index(digestOf(bytes)), reader.index(digestOf(bytes))])
  expect(one).toBe(two)
  expect(await reader.index(digestOf(bytes))).toBe(one)
  expect(one.byAppliance.get('n/a')).toMatchObject({ files: 1, bytes: 2 })
  expect(reads).toHaveLength(1)
})

test('a blob that is missing is Retryable, and looked for again', async () => {
  const bytes = index('a')
  const blobs = new Map<string, Uint8Array>()
  const { reader } = readerOver(blobs)
  const error = await reader.index(digestOf(bytes)).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(Retryable)
  expect(error).toMatchObject({ reason: 'BlobMissing', message: expect.stringContaining(digestOf(bytes)) })
  blobs.set(digestOf(bytes), bytes)
  expect((await reader.index(digestOf(bytes))).rows).toHaveLength(1)
})

test('those used last are kept, and only so many', async () => {
  const all = Array.from({ length: 65 }, (_, i) => index(`a${i}`))
  const { reads, reader } = readerOver(new Map(all.map((bytes) => [digestOf(bytes), bytes])))
  for (const bytes of all.slice(0, 64)) await reader.index(digestOf(bytes))
  await reader.index(digestOf(all[0]!))
  await reader.index(digestOf(all[64]!))
  reads.length = 0
  await reader.index(digestOf(all[0]!))
  expect(reads).toEqual([])
  await reader.index(digestOf(all[1]!))
  expect(reads).toEqual([digestOf(all[1]!)])
})
