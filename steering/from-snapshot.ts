import { join } from 'node:path'
import { blobFolder } from '../runtime/blob-store.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { Blobs } from './world/blobs.ts'
import { CatalogReader } from './world/catalog-reader.ts'
import { Model } from './world/model.ts'
import { Snapshot } from './world/snapshot.ts'

/** The model of the snapshot in a folder, whole, without following anything. Throws where there is no snapshot that can be used. */
export async function modelFromSnapshot(folder: string, clock: Clock, log: Log): Promise<Model & AsyncDisposable> {
  const blobs = new Blobs(blobFolder(join(folder, 'blobs')), undefined, () => {})
  const reader = new CatalogReader()
  const model = new Model({ blobs, reader, clock, log })
  const close = async () => {
    model.close()
    await reader.close()
  }
  const snapshot = new Snapshot({ folder, model, blobs, clock, log, isTrue: () => false })
  if (!(await snapshot.load())) {
    await close()
    throw new Error(`there is no snapshot of steering in ${folder} that can be used`)
  }
  await model.inventories.idle()
  model.tick()
  return Object.assign(model, { [Symbol.asyncDispose]: close })
}
