import { BlobReader } from '../../controllers/placement/blob-reader.ts'
import type { Connection } from '../api/connect.ts'
import type { Io } from '../io.ts'
import { BlobCache, cacheFolder } from './blob-cache.ts'
import { blobDoor } from './blob-door.ts'
import { PlanBlobs } from './blobs.ts'

export interface BlobFlags {
  readonly blobsFrom?: string
  readonly cache?: boolean
}

/** The way to a fleet's blobs, through what this user has read of them before. */
export interface OpenBlobs {
  readonly blobs: PlanBlobs
  readonly reader: BlobReader
  close(): Promise<void>
}

export function openBlobs(io: Io, { client }: Connection, { blobsFrom, cache: keep }: BlobFlags): OpenBlobs {
  const folder = keep === false ? undefined : cacheFolder(io)
  const cache = folder === undefined ? undefined : new BlobCache(folder)
  const blobs = new PlanBlobs(blobDoor(client, blobsFrom, io.interrupted), cache)
  return { blobs, reader: new BlobReader(blobs), close: async () => cache?.close() }
}
