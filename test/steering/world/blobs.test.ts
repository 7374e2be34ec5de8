import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { encodeFileSet } from '../../../reconcilers/blobs/file-set-blob.ts'
import { openBlobStore } from '../../../runtime/blob-store.ts'
import { Blobs } from '../../../steering/world/blobs.ts'

test('a copy that is asked for while others are deleted stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-copies-'))
  try {
    const [shared, kept] = [await openBlobStore(join(folder, 'shared')), await openBlobStore(join(folder, 'kept'))]
    const put = (file: number) =>
      shared.put(encodeFileSet({ catalog: `sha256:${'0'.repeat(64)}`, files: 1, bytes: 1, set: FileSet.of([file]) }))
    const [old, fresh, again] = [await put(1), await put(2), await put(3)]
    let during = async () => {}
    const blobs = new Blobs(
      shared,
      {
        ...{ put: kept.put.bind(kept), get: kept.get.bind(kept), has: kept.has.bind(kept) },
        ...{ path: kept.path.bind(kept), delete: kept.delete.bind(kept) },
        async *list() {
          await during()
          yield* kept.list()
        },
      },
      () => {},
    )
    for (const digest of [old, again]) await blobs.inventory(digest)
    await blobs.settled()
    during = async () => {
      for (const digest of [fresh, again]) await blobs.inventory(digest)
      await blobs.settled()
    }
    await blobs.keepOnly(new Set())
    expect(await Promise.all([old, fresh, again].map((digest) => kept.has(digest)))).toEqual([false, true, true])
    // And no longer than that.
    during = async () => {}
    await blobs.keepOnly(new Set([again]))
    expect(await Promise.all([old, fresh, again].map((digest) => kept.has(digest)))).toEqual([false, false, true])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
